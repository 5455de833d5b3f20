/* `stack export`: all files of a container as a tar. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/meter.h"
#include "cli/pick.h"
#include "engine/requests.h"
#include "loop/tty.h"

struct export_options {
    const char *output;
    int index;
};
#define OPTIONS export_options

static const struct option rows[] = {
    ROW_STRING('o', "output", output, "FILE", COMPLETE_FILE,
               "Write to a file instead of standard output"),
    ROW_INT(0, "index", index, "N", "Number of the container, of a service that has several"),
};

struct export
{
    struct engine_call *call;
    int fd;
    int64_t bytes;
    struct meter meter;
    bool done;
    struct error err;
};

static void on_data(void *ctx, const char *data, size_t len)
{
    struct export *x = ctx;
    for (size_t at = 0; at < len;) {
        ssize_t n = write(x->fd, data + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_errno(&x->err, "write the tar");
            engine_cancel(x->call);
            x->done = true;
            return;
        }
        at += (size_t)n;
    }
    x->bytes += (int64_t)len;
    meter_update(&x->meter, x->bytes);
}

static void on_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct export *x = ctx;
    (void)answer;
    if (err)
        error_copy(&x->err, err);
    x->done = true;
}

static int write_tar(int64_t *bytes, struct cli *cli, const struct seen_container *c, int fd,
                     struct error *err)
{
    auto_free char *what = xasprintf("exporting %s", c->name);
    struct export x = { .fd = fd, .meter = meter_begin(cli, what) };
    struct engine_request rq;
    rq_container_export(&rq, c->id);
    x.call =
        engine_start(cli->engine, &rq,
                     &(struct engine_handlers){ .on_data = on_data, .done = on_done, .ctx = &x });
    loop_wait(cli->loop, &x.done);
    meter_end(&x.meter);
    *bytes = x.bytes;
    return x.err.kind ? error_move(err, &x.err) : 0;
}

/* Beside the file, then in its place: a file that is there is never half a tar. */
static int write_file(int64_t *bytes, struct cli *cli, const struct seen_container *c,
                      const char *path, struct error *err)
{
    struct stat st;
    bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    if (special) {
        auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? error_errno(err, "open '%s'", path) : write_tar(bytes, cli, c, fd, err);
    }
    struct file_draft draft;
    if (file_draft_open(&draft, path, err) < 0)
        return -1;
    if (write_tar(bytes, cli, c, draft.fd, err) == 0)
        return file_draft_keep(&draft, file_usual_mode(), err);
    file_draft_drop(&draft);
    return -1;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct export_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *c;
    int64_t bytes = 0;
    char size[NUM_TEXT_MAX];
    bool to_file = o->output && !str_eq(o->output, "-");
    if (!to_file && tty_is(STDOUT_FILENO)) {
        error_set(err, ERR_USAGE, 0, "a tar is not for a terminal");
        return error_hint(err, "name a file: -o FILE, or send it somewhere");
    }
    if (pick_container(&now, &c, cli, args->items[0], o->index, err) < 0)
        return -1;
    const char *to = to_file ? o->output : "standard output";
    if (cli->global.dry_run) {
        meter_say(cli, "would export container %s to %s", c->name, to);
        return EXIT_DONE;
    }
    int rc = to_file ? write_file(&bytes, cli, c, o->output, err)
                     : write_tar(&bytes, cli, c, STDOUT_FILENO, err);
    if (rc < 0)
        return error_wrap(err, "export container %s", c->name);
    if (to_file)
        meter_say(cli, "exported %s to %s: %s", c->name, to, num_size_text(size, bytes));
    return EXIT_DONE;
}

extern const struct command cmd_export;
const struct command cmd_export = {
    .name = "export",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE",
    .summary = "Write all files of a container as a tar",
    .text = "Without -o to standard output, unless that is a terminal. Volumes are not part of it.",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct export_options),
    .min_args = 1,
    .max_args = 1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
