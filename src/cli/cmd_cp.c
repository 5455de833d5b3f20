/* `stack cp`: files into the containers of a service, or out of one. */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/meter.h"
#include "cli/pick.h"
#include "live/copy.h"
#include "loop/tty.h"

struct cp_options {
    bool archive, follow, all, quiet;
    int index;
};
#define OPTIONS cp_options

static const struct option rows[] = {
    ROW_FLAG('a', "archive", archive, "Keep owners, and the set-id bits of what is copied here"),
    ROW_FLAG('L', "follow-link", follow, "Copy what SRC leads to when it is a symbolic link"),
    ROW_FLAG(0, "all", all, "Copy into the containers of 'stack run', too"),
    ROW_INT(0, "index", index, "N", "Number of the container, of a service that has several"),
    ROW_FLAG('q', "quiet", quiet, "Say nothing"),
};

/* One side of the copy. */
struct side {
    char *service; /* NULL: this machine; owned */
    const char *path;
};

/* "./a:b" and "/a:b" are files of this machine. */
static struct side read_side(const char *text)
{
    const char *colon = strchr(text, ':');
    if (!colon || *text == '/' || *text == '.')
        return (struct side){ NULL, text };
    return (struct side){ xstrndup(text, (size_t)(colon - text)), colon + 1 };
}

struct copying {
    struct cli *cli;
    const struct cp_options *o;
    const char *from, *to;
    bool in; /* into the container */
};

static void say(const struct copying *c, const struct seen_container *container,
                const struct copy_result *r)
{
    char size[NUM_TEXT_MAX];
    if (c->o->quiet)
        return;
    auto_free char *to = c->in ? xasprintf("%s:%s", container->name, r->to) : xstrdup(r->to);
    auto_free char *from = c->in ? xstrdup(c->from) : xasprintf("%s:%s", container->name, c->from);
    if (c->cli->global.dry_run)
        meter_say(c->cli, "would copy %s to %s", from, to);
    else
        meter_say(c->cli, "copied %s to %s: %s", from, to, num_size_text(size, r->bytes));
    if (r->left_out)
        meter_say(c->cli, "%zu device%s left out", r->left_out,
                  r->left_out == 1 ? " was" : "s were");
}

static int copy_one(const struct copying *c, const struct seen_container *container,
                    struct error *err)
{
    struct copy_result result = { 0 };
    auto_free char *what = c->in ? xasprintf("copying %s to %s", c->from, container->name)
                                 : xasprintf("copying %s:%s", container->name, c->from);
    struct meter meter = meter_begin(c->cli, what);
    meter.on = meter.on && !c->o->quiet;
    struct copy_options opt = { .follow = c->o->follow,
                                .owners = c->o->archive,
                                .dry_run = c->cli->global.dry_run,
                                .progress = meter_update,
                                .ctx = &meter };
    int rc = (c->in ? copy_in : copy_out)(&result, c->cli->engine, container->id, container->name,
                                          c->from, c->to, &opt, err);
    meter_end(&meter);
    if (rc == 0)
        say(c, container, &result);
    copy_result_clear(&result);
    return rc;
}

/* Into every container of the service, unless one is named. */
static int copy_to_service(const struct copying *c, const char *service, struct error *err)
{
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *first;
    if (pick_container(&now, &first, c->cli, service, c->o->index, err) < 0)
        return -1;
    if (c->o->index)
        return copy_one(c, first, err);
    size_t n = 0;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *to = &now->containers[i];
        if (!str_eq(to->service, service) || (to->oneoff && !c->o->all))
            continue;
        if (n++ && str_eq(c->from, "-")) {
            error_set(err, ERR_USAGE, 0,
                      "service '%s' has several containers, and standard input "
                      "can be read only once",
                      service);
            return error_hint(err, "say which one: --index N");
        }
        if (copy_one(c, to, err) < 0)
            return -1;
    }
    return EXIT_DONE;
}

static int copy_from_service(const struct copying *c, const char *service, struct error *err)
{
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *from;
    if (c->o->all)
        return error_set(err, ERR_USAGE, 0,
                         "--all is for copies into containers: one cannot copy out of several");
    if (str_eq(c->to, "-") && tty_is(STDOUT_FILENO)) {
        error_set(err, ERR_USAGE, 0, "'-' is a tar on standard output, and that is a terminal");
        return error_hint(err, "send it somewhere: '... - | tar x'");
    }
    if (pick_container(&now, &from, c->cli, service, c->o->index, err) < 0)
        return -1;
    return copy_one(c, from, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    struct side from = read_side(args->items[0]), to = read_side(args->items[1]);
    struct copying c = { cli, values, from.path, to.path, .in = to.service };
    int code = -1;
    if (from.service && to.service)
        error_set(err, ERR_USAGE, 0, "copying between two services is not possible");
    else if (!from.service && !to.service)
        error_set(err, ERR_USAGE, 0, "one of the two must be SERVICE:PATH");
    else if (!*from.path || !*to.path)
        error_set(err, ERR_USAGE, 0, "a path is missing after '%s:'",
                  from.service ? from.service : to.service);
    else
        code = to.service ? copy_to_service(&c, to.service, err)
                          : copy_from_service(&c, from.service, err);
    free(from.service);
    free(to.service);
    return code;
}

static const char *const examples[] = {
    "stack cp web:/etc/nginx/nginx.conf .",
    "A file out of a container of web",
    "stack cp ./site/. web:/usr/share/nginx/html",
    "What is in ./site into every container of web",
    "stack cp web:/var/log - | tar t",
    "As a tar on standard output",
    NULL,
};

extern const struct command cmd_cp;
const struct command cmd_cp = {
    .name = "cp",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE:PATH DEST|-\n       stack cp [OPTIONS] SRC|- SERVICE:PATH",
    .summary = "Copy files and folders between containers and this machine",
    .text = "A file is copied to DEST, or into it when that is a folder. A folder is copied into "
            "DEST when that is there, else it becomes DEST; 'folder/.' means what is in it. Links "
            "stay links, modes and times are kept. Stopped containers work as well. "
            "What is below /proc, /sys, /dev or a tmpfs is not within an engine's reach.\n\n"
            "Into a service, all its containers get the copy; out of it, one is read. '-' is a tar "
            "on standard input or output. Nothing that a container sends is written outside of "
            "DEST, whatever its names and links say; devices are left out, and without --archive "
            "the files belong to you and have no set-id bits.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct cp_options),
    .min_args = 2,
    .max_args = 2,
    .args = COMPLETE_SERVICE_PATH,
    .run = run,
};
