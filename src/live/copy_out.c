/*
 * From a container. The answer's bytes go through a pipe to the worker pool, which unpacks them: a
 * full pipe holds up the loop, and with it the engine, so that nothing piles up in between.
 */
#include "live/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/path_stat.h"
#include "engine/requests.h"
#include "live/copy_paths.h"
#include "live/tree_unpack.h"

struct transfer {
    const struct copy_options *opt;
    struct engine_call *call;
    int to; /* the pipe, or standard output */
    int64_t bytes;
    struct error err; /* of the transfer */

    int pipe_end; /* the worker's */
    struct tree_unpack_options unpack;
    struct tree_unpacked unpacked;
    struct error unpack_err;
    bool received, unpacked_all, over;
};

void copy_result_clear(struct copy_result *r)
{
    free(r->to);
    *r = (struct copy_result){ 0 };
}

static void settle(struct transfer *t)
{
    t->over = t->received && t->unpacked_all;
}

/* --- the worker --- */

static ssize_t read_pipe(void *ctx, char *buf, size_t max)
{
    const struct transfer *t = ctx;
    ssize_t n;
    do
        n = read(t->pipe_end, buf, max);
    while (n < 0 && errno == EINTR);
    return n;
}

static void work(void *ctx)
{
    struct transfer *t = ctx;
    char rest[4096];
    if (tree_unpack(&t->unpacked, &t->unpack, &t->unpack_err) == 0)
        while (read_pipe(t, rest, sizeof(rest)) > 0)
            ;
    close(t->pipe_end); /* the loop may be blocked on the other end */
}

static void worked(void *ctx)
{
    struct transfer *t = ctx;
    t->unpacked_all = true;
    settle(t);
}

/* --- the answer --- */

static void end(struct transfer *t)
{
    t->call = NULL;
    t->received = true;
    if (t->to != STDOUT_FILENO)
        close(t->to);
    settle(t);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct transfer *t = ctx;
    for (size_t at = 0; at < len;) {
        ssize_t n = write(t->to, data + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            /* The worker has gone, and says why. */
            if (t->to == STDOUT_FILENO)
                error_errno(&t->err, "write to standard output");
            engine_cancel(t->call);
            end(t);
            return;
        }
        at += (size_t)n;
    }
    t->bytes += (int64_t)len;
    if (t->opt->progress)
        t->opt->progress(t->opt->ctx, t->bytes);
}

static void on_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct transfer *t = ctx;
    (void)answer;
    if (err)
        error_copy(&t->err, err);
    end(t);
}

static int receive(struct transfer *t, struct engine *e, const char *container, const char *path,
                   struct error *err)
{
    struct engine_request rq;
    rq_container_archive_get(&rq, container, path);
    struct engine_handlers hd = { .on_data = on_data, .done = on_done, .ctx = t };
    t->call = engine_start(e, &rq, &hd);
    loop_wait(engine_loop(e), &t->over);
    if (t->err.kind || t->unpack_err.kind) {
        error_move(err, t->err.kind ? &t->err : &t->unpack_err);
        error_clear(&t->unpack_err);
        return -1;
    }
    return 0;
}

static int to_standard_output(struct copy_result *out, struct engine *e, const char *container,
                              const char *path, const struct copy_options *opt, struct error *err)
{
    struct transfer t = { .opt = opt, .to = STDOUT_FILENO, .unpacked_all = true };
    if (!opt->dry_run && receive(&t, e, container, path, err) < 0)
        return -1;
    *out = (struct copy_result){ .to = xstrdup("-"), .bytes = t.bytes };
    return 0;
}

static int to_folder(struct copy_result *out, struct engine *e, const char *container,
                     const char *path, const struct copy_target *target,
                     const struct copy_options *opt, struct error *err)
{
    if (!opt->dry_run) {
        auto_close int folder = open(target->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int ends[2];
        if (folder < 0)
            return error_errno(err, "open '%s'", target->folder);
        if (pipe(ends) < 0)
            return error_errno(err, "make a pipe");
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        struct transfer t = {
            .opt = opt,
            .to = ends[1],
            .pipe_end = ends[0],
            .unpack = { .folder = folder,
                        .where = target->folder,
                        .name = target->name,
                        .owners = opt->owners,
                        .read = read_pipe },
        };
        t.unpack.ctx = &t;
        loop_work(engine_loop(e), work, worked, &t);
        if (receive(&t, e, container, path, err) < 0)
            return -1;
        out->bytes = t.unpacked.bytes;
        out->left_out = t.unpacked.left_out;
    }
    out->to = copy_target_path(target);
    return 0;
}

/* The path that the engine is asked for, and whether a folder is there. */
static char *find_source(bool *folder, struct engine *e, const char *container,
                         const struct copy_path *from, bool follow, struct error *err)
{
    struct path_stat st = { 0 };
    auto_free char *path = xasprintf("%s%s", from->path,
                                     !from->folder || str_eq(from->path, "/") ? ""
                                     : from->contents                         ? "/."
                                                                              : "/");
    int there = path_stat_get(&st, e, container, path, err);
    if (there == 1 && follow && st.link) {
        free(path);
        path = take(st.link);
        path_stat_clear(&st);
        there = path_stat_get(&st, e, container, path, err);
    }
    if (there == 0)
        error_set(err, ERR_NOTFOUND, 0, "there is no '%s'", path);
    else if (there < 0 && err->kind == ERR_ENGINE && from->folder)
        error_set(err, ERR_SYSTEM, ENOTDIR, "'%s' is not a folder", from->path);
    *folder = S_ISDIR(st.mode);
    path_stat_clear(&st);
    return there == 1 ? take(path) : NULL;
}

int copy_out(struct copy_result *out, struct engine *e, const char *container, const char *name,
             const char *from, const char *to, const struct copy_options *opt, struct error *err)
{
    struct copy_path source = copy_path_read(from, true), dest = copy_path_read(to, false);
    struct copy_place at = { 0 };
    struct copy_target target = { 0 };
    bool folder = false;
    int result = -1;
    auto_free char *path = find_source(&folder, e, container, &source, opt->follow, err);
    if (!path)
        error_wrap(err, "container %s", name);
    else if (str_eq(to, "-"))
        result = to_standard_output(out, e, container, path, opt, err);
    else if (copy_place_here(&at, &dest, err) == 0 &&
             copy_aim(&target, &source, folder, &dest, &at, err) == 0)
        result = to_folder(out, e, container, path, &target, opt, err);
    copy_target_clear(&target);
    free(at.path);
    free(source.path);
    free(dest.path);
    return result;
}
