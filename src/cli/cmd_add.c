/* `stack add`: one more project in the stack file. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/edit.h"
#include "cli/listing.h"
#include "git/checkout.h"
#include "git/objects.h"
#include "git/url.h"

struct add_options {
    const char *name, *ref;
};
#define OPTIONS add_options

static const struct option rows[] = {
    ROW_STRING(0, "name", name, "NAME", COMPLETE_NONE,
               "Name of the project (default: the last part of the URL or path)"),
    ROW_STRING(0, "ref", ref, "REF", COMPLETE_NONE, "Branch, tag or commit of a repository"),
};

/* --- whether there is such a project --- */

struct looking {
    bool done;
    char *mirror, *commit;
    struct error err;
};

static void on_got(void *ctx, const struct repo_got *got, const struct error *err)
{
    struct looking *l = ctx;
    l->done = true;
    if (err) {
        error_copy(&l->err, err);
        return;
    }
    l->mirror = xstrdup(got->mirror);
    l->commit = xstrdup(got->commit);
}

static int any_entry(void *ctx, const struct repo_entry *entry, struct error *err)
{
    (void)ctx, (void)entry, (void)err;
    return 0;
}

static int no_docstack(const char *where, struct error *err)
{
    error_set(err, ERR_INPUT, 0, "there is no docstack/ folder in %s", where);
    return error_hint(err, "docstack/Dockerfile is enough to begin with");
}

/* Brings the mirror, which the first `up` needs anyway. */
static int check_repository(struct cli *cli, const struct repo_url *url, const char *ref,
                            struct error *err)
{
    struct looking l = { 0 };
    struct repo *r = NULL;
    struct repo_want want = {
        .name = url->name,
        .url = url->url,
        .ref = ref,
        .fetch = cli->global.offline ? REPO_FETCH_NEVER : REPO_FETCH_MISSING,
    };
    auto_free char *text = xasprintf("looking into %s", url->url);
    struct sink sink = view_sink(cli_view(cli, NULL));
    sink.event(sink.ctx, &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
    repo_checkout_start(cli_loop(cli), &want, &(struct repo_handlers){ .done = on_got, .ctx = &l });
    loop_wait(cli_loop(cli), &l.done);
    auto_free char *mirror = l.mirror, *commit = l.commit;
    if (l.err.kind)
        return sources_failed(err, &l.err);
    if (repo_open(&r, mirror, err) < 0)
        return -1;
    auto_error struct error why = ERROR_INIT;
    int rc = repo_each(r, commit, "docstack", any_entry, NULL, &why);
    repo_close(r);
    if (rc < 0 && why.kind == ERR_NOTFOUND) {
        auto_free char *where = xasprintf("%s at %.12s", url->url, commit);
        return no_docstack(where, err);
    }
    return rc < 0 ? error_move(err, &why) : 0;
}

/* --- the edit --- */

/* `path` as a stack file in `dir` would name it. */
static char *relative(const char *dir, const char *path)
{
    struct str out = STR_INIT;
    auto_free char *above = xstrdup(dir);
    while (!path_below(above, path)) {
        char *next = path_dir(above);
        free(above);
        above = next;
        str_add(&out, "../");
    }
    const char *rest = path + strlen(above);
    rest += strspn(rest, "/");
    if (!out.len)
        str_add(&out, "./");
    str_add(&out, rest);
    if (str_ends(out.buf, "/"))
        str_truncate(&out, out.len - 1);
    return str_detach(&out);
}

static int edit_file(const char *path, const struct edit_project *p, struct error *err)
{
    auto_free char *real = path_real(path, err), *text = NULL;
    auto_str struct str out = STR_INIT;
    struct stat st;
    size_t len;
    if (!real || file_read(&text, &len, real, SOURCE_MAX_BYTES, err) < 0)
        return -1;
    auto_free char *shown = path_show(path);
    if (edit_add_project(&out, text, len, p, err) < 0)
        return error_wrap(err, "%s", shown);
    if (stat(real, &st) < 0)
        return error_errno(err, "look at '%s'", real);
    if (file_write_atomic(real, out.buf, out.len, st.st_mode & 07777, err) < 0)
        return -1;
    auto_free char *line = xasprintf("%s  %s", p->name, shown);
    listing_line(stdout, line);
    return EXIT_DONE;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct add_options *o = values;
    auto_repo_url struct repo_url url = { 0 };
    auto_free char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return error_errno(err, "find the current folder");
    if (repo_url_parse(&url, args->items[0], cwd, err) < 0 || cli_load(cli, NULL, err) < 0)
        return -1;
    const char *file = cli->stack->files[0];
    if (!file || str_eq(file, "-"))
        return error_set(err, ERR_NOFILE, 0, "there is no stack file to add the project to");
    struct edit_project p = { .name = o->name ? o->name : url.name, .ref = o->ref };
    if (!*p.name)
        return error_set(err, ERR_USAGE, 0, "the project needs a name: --name NAME");
    auto_free char *git = NULL, *path = NULL, *docstack = path_join(url.path, "docstack");
    /* A folder with a docstack/ is a project; without, it may be a repository. */
    bool folder = url.kind == REPO_LOCAL && !o->ref && file_is_dir(docstack);
    if (url.user && url.kind == REPO_HTTP) {
        error_set(err, ERR_USAGE, 0, "a password does not belong into a stack file");
        return error_hint(err, "git's credential helpers and ~/.netrc are asked for it");
    }
    if (url.kind == REPO_LOCAL)
        path = relative(cli->stack->dir, url.path);
    p.path = folder ? path : NULL;
    git = folder ? NULL : xstrdup(path ? path : url.url);
    p.git = git;
    if (!folder && url.kind == REPO_LOCAL && !file_is_dir(url.path))
        return error_set(err, ERR_NOTFOUND, 0, "there is no folder '%s'", url.url);
    if (!folder && check_repository(cli, &url, o->ref, err) < 0)
        return -1;
    return edit_file(file, &p, err);
}

static const char *const examples[] = {
    "stack add ../glance",
    "a project in a folder",
    "stack add https://opendev.org/openstack/glance --ref stable/2024.1",
    "a project from git",
    NULL,
};

extern const struct command cmd_add;
const struct command cmd_add = {
    .name = "add",
    .group = "Projects",
    .usage = "[OPTIONS] URL|PATH",
    .summary = "Add a project to the stack file",
    .text =
        "Adds one line to 'projects:' of the first stack file and changes nothing else of it. A "
        "path with a docstack/ folder is a project in that folder; any other, and a URL, is a "
        "repository to clone, which is looked into first.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct add_options),
    .min_args = 1,
    .max_args = 1,
    .args = COMPLETE_DIR,
    .run = run,
};
