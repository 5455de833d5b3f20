/* Into a container: a tar of what is here, or the one on standard input, as the body of a PUT. */
#include "live/copy.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/path_stat.h"
#include "engine/requests.h"
#include "live/copy_paths.h"
#include "live/tree_pack.h"

struct transfer {
    const struct copy_options *opt;
    struct loop *loop;
    struct tree_pack *pack; /* NULL: standard input */
    struct loop_io *io;     /* waits for standard input */
    struct engine_call *call;
    int64_t bytes;
    bool over;
    struct error source_err, err;
};

static void on_input(void *ctx, int events)
{
    struct transfer *t = ctx;
    (void)events;
    loop_io_cancel(&t->io);
    engine_resume(t->call);
}

static long read_input(struct transfer *t, char *buf, size_t max)
{
    struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
    if (poll(&ready, 1, 0) == 0) {
        t->io = loop_io(t->loop, STDIN_FILENO, LOOP_READ, on_input, t);
        return HTTP_UPLOAD_LATER;
    }
    ssize_t n;
    do
        n = read(STDIN_FILENO, buf, max);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        error_errno(&t->source_err, "read standard input");
    return n;
}

static long on_read(void *ctx, char *buf, size_t max)
{
    struct transfer *t = ctx;
    long n = t->pack ? tree_pack_read(t->pack, buf, max, &t->source_err) : read_input(t, buf, max);
    if (t->source_err.kind)
        return HTTP_UPLOAD_ABORT;
    if (n > 0) {
        t->bytes += n;
        if (t->opt->progress)
            t->opt->progress(t->opt->ctx, t->bytes);
    }
    return n;
}

static void on_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct transfer *t = ctx;
    (void)answer;
    if (err)
        error_copy(&t->err, err);
    t->over = true;
}

/* Sends the tar to be unpacked in `folder`. */
static int send(struct transfer *t, struct engine *e, const char *container, const char *folder,
                struct error *err)
{
    struct http_upload upload = { on_read, t };
    struct engine_request rq;
    t->loop = engine_loop(e);
    rq_container_archive_put(&rq, container, folder, &upload, t->opt->owners);
    t->call = engine_start(e, &rq, &(struct engine_handlers){ .done = on_done, .ctx = t });
    loop_wait(t->loop, &t->over);
    if (t->io)
        loop_io_cancel(&t->io);
    /* What went wrong here is why the engine got no whole tar. */
    if (t->source_err.kind || t->err.kind) {
        if (t->err.kind == ERR_ENGINE && t->err.code == 404)
            error_set(&t->err, ERR_NOTFOUND, 0, "there is no folder '%s'", folder);
        error_move(err, t->source_err.kind ? &t->source_err : &t->err);
        error_clear(&t->err);
        return -1;
    }
    return 0;
}

/* What stands at a path of the container, and where it leads when it is a link. */
static int place_there(struct copy_place *out, struct engine *e, const char *container,
                       const struct copy_path *to, struct error *err)
{
    struct path_stat st = { 0 };
    struct copy_place place = {
        .path = xasprintf("%s%s", to->path, to->folder && !str_eq(to->path, "/") ? "/" : "")
    };
    int there = path_stat_get(&st, e, container, place.path, err);
    free(place.path);
    place.path = xstrdup(to->path);
    if (there == 1 && st.link) {
        free(place.path);
        place.path = take(st.link);
        path_stat_clear(&st);
        there = path_stat_get(&st, e, container, place.path, err);
    }
    if (there < 0 && err->kind == ERR_ENGINE && to->folder)
        error_set(err, ERR_SYSTEM, ENOTDIR, "'%s' is not a folder", to->path);
    place.exists = there == 1;
    place.folder = S_ISDIR(st.mode);
    path_stat_clear(&st);
    if (there < 0) {
        free(place.path);
        return -1;
    }
    *out = place;
    return 0;
}

static int from_standard_input(struct copy_result *out, struct engine *e, const char *container,
                               const struct copy_path *to, const struct copy_place *at,
                               const struct copy_options *opt, struct error *err)
{
    struct transfer t = { .opt = opt };
    if (!at->exists || !at->folder)
        return error_set(err, ERR_NOTFOUND, 0, "there is no folder '%s'", to->path);
    if (!opt->dry_run && send(&t, e, container, at->path, err) < 0)
        return -1;
    *out = (struct copy_result){ .to = xstrdup(at->path), .bytes = t.bytes };
    return 0;
}

static int from_path(struct copy_result *out, struct engine *e, const char *container,
                     const struct copy_path *from, const struct copy_target *target,
                     const struct copy_options *opt, struct error *err)
{
    auto_(tree_pack_closep) struct tree_pack *pack = NULL;
    bool follow = opt->follow || from->folder;
    if (!opt->dry_run) {
        pack = tree_pack_open(from->path, target->name ? target->name : ".", follow);
        struct transfer t = { .opt = opt, .pack = pack };
        if (send(&t, e, container, target->folder, err) < 0)
            return -1;
        out->bytes = tree_pack_bytes(pack);
    }
    out->to = copy_target_path(target);
    return 0;
}

static int look_here(bool *folder, struct copy_path *from, bool follow, struct error *err)
{
    struct stat st;
    if (str_eq(path_base(from->path), "..")) { /* its name is the one that it really has */
        char *real = path_real(from->path, err);
        if (!real)
            return -1;
        free(from->path);
        from->path = real;
    }
    if ((follow || from->folder ? stat(from->path, &st) : lstat(from->path, &st)) < 0)
        return error_errno(err, "look at '%s'", from->path);
    *folder = S_ISDIR(st.st_mode);
    return 0;
}

int copy_in(struct copy_result *out, struct engine *e, const char *container, const char *name,
            const char *from, const char *to, const struct copy_options *opt, struct error *err)
{
    struct copy_path source = copy_path_read(from, false), dest = copy_path_read(to, true);
    struct copy_place at = { 0 };
    struct copy_target target = { 0 };
    bool input = str_eq(from, "-"), folder = false;
    int result = -1;
    if (!input && look_here(&folder, &source, opt->follow, err) < 0)
        goto out;
    if (place_there(&at, e, container, &dest, err) == 0) {
        if (input)
            result = from_standard_input(out, e, container, &dest, &at, opt, err);
        else if (copy_aim(&target, &source, folder, &dest, &at, err) == 0)
            result = from_path(out, e, container, &source, &target, opt, err);
    }
    if (result < 0)
        error_wrap(err, "container %s", name);
out:
    copy_target_clear(&target);
    free(at.path);
    free(source.path);
    free(dest.path);
    return result;
}
