/* Systems other than Linux: libuv's watch of a whole tree, which is FSEvents on macOS. */
#ifndef __linux__
#include "loop/watch_system.h"

#include <errno.h>
#include <string.h>

#include <uv.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strmap.h"

struct stream {
    uv_fs_event_t uv;
    struct watch_system *system;
    char *path;
};

struct watch_system {
    struct loop *loop;
    struct watch_system_handlers hd;
    struct strmap streams; /* by path */
};

static void free_stream(uv_handle_t *h)
{
    struct stream *st = (struct stream *)h;
    free(st->path);
    free(st);
}

static void on_event(uv_fs_event_t *uv, const char *name, int events, int status)
{
    struct stream *st = (struct stream *)uv;
    struct watch_system *s = st->system;
    auto_free char *top = xstrdup(st->path);
    if (status < 0 || !name || !*name) {
        if (file_is_dir(top))
            s->hd.lost(s->hd.ctx);
        else
            s->hd.gone(s->hd.ctx, top);
    } else {
        auto_free char *path = path_join(top, name);
        auto_free char *dir = path_dir(path);
        s->hd.entry(s->hd.ctx, dir, path_base(path), events & UV_RENAME);
    }
    s->hd.done(s->hd.ctx, true);
}

int watch_system_open(struct watch_system **out, struct loop *l,
                      const struct watch_system_handlers *hd, struct error *err)
{
    (void)err;
    struct watch_system *s = xnew(struct watch_system);
    s->loop = l;
    s->hd = *hd;
    *out = s;
    return 0;
}

void watch_system_close(struct watch_system *s)
{
    if (!s)
        return;
    while (s->streams.head)
        watch_system_remove(s, s->streams.head->key);
    free(s);
}

int watch_system_add(struct watch_system *s, const char *dir, struct error *err)
{
    if (strmap_has(&s->streams, dir))
        return 0;
    struct stream *st = xnew(struct stream);
    st->system = s;
    st->path = xstrdup(dir);
    uv_fs_event_init(loop_uv(s->loop), &st->uv);
    int rc = uv_fs_event_start(&st->uv, on_event, dir, UV_FS_EVENT_RECURSIVE);
    if (rc < 0) {
        uv_close((uv_handle_t *)&st->uv, free_stream);
        return error_set(err, ERR_SYSTEM, -rc, "watch '%s': %s", dir, uv_strerror(rc));
    }
    strmap_set(&s->streams, dir, st);
    return 1;
}

void watch_system_remove(struct watch_system *s, const char *dir)
{
    struct stream *st = strmap_remove(&s->streams, dir);
    if (st)
        uv_close((uv_handle_t *)&st->uv, free_stream);
}

bool watch_system_needs_each(void)
{
    return false;
}

bool watch_system_limit(const struct error *err)
{
    return err->code == ENOSPC || err->code == EMFILE;
}
#endif
