/* inotify: a watch on each directory, found by its number. */
#ifdef __linux__
#include "loop/watch_system.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"

#define MOVED (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define SELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)
/* A file that stays open while it is written counts with each write, others when they are closed
 * too: whoever is told waits until it is quiet. */
#define MASK                                                                                       \
    (MOVED | IN_DELETE_SELF | IN_MOVE_SELF | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_ONLYDIR | \
     IN_DONT_FOLLOW | IN_EXCL_UNLINK)
#define READS_MAX 64 /* at once: others want their turn */

struct watched {
    char key[16]; /* the number, as text */
    int wd;
    char *path;
};

struct watch_system {
    struct watch_system_handlers hd;
    int fd;
    struct loop_io *io;
    struct strmap by_path, by_wd; /* -> struct watched */
};

static void drop(struct watch_system *s, struct watched *w)
{
    strmap_remove(&s->by_wd, w->key);
    if (strmap_get(&s->by_path, w->path) == w)
        strmap_remove(&s->by_path, w->path);
    free(w->path);
    free(w);
}

static struct watched *by_wd(const struct watch_system *s, int wd)
{
    char key[16];
    snprintf(key, sizeof(key), "%d", wd);
    return strmap_get(&s->by_wd, key);
}

static void handle(struct watch_system *s, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW) {
        s->hd.lost(s->hd.ctx);
        return;
    }
    struct watched *w = by_wd(s, e->wd);
    if (!w)
        return;
    /* The path may be another one when the handler returns. */
    auto_free char *path = xstrdup(w->path);
    if (e->mask & IN_IGNORED)
        drop(s, w);
    else if (e->mask & SELF)
        s->hd.gone(s->hd.ctx, path);
    else if (e->len)
        s->hd.entry(s->hd.ctx, path, e->name, e->mask & MOVED);
}

static void on_readable(void *ctx, int events)
{
    struct watch_system *s = ctx;
    _Alignas(struct inotify_event) char buf[64 << 10];
    bool calm = false;
    (void)events;
    for (int i = 0; i < READS_MAX && !calm; i++) {
        ssize_t n = read(s->fd, buf, sizeof(buf));
        calm = n < 0;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buf + at);
            handle(s, e);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    }
    s->hd.done(s->hd.ctx, calm);
}

int watch_system_open(struct watch_system **out, struct loop *l,
                      const struct watch_system_handlers *hd, struct error *err)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 && errno == EMFILE) {
        error_errno(err, "watch files: no more watchers for this user");
        return error_hint(err, "allow more: sysctl fs.inotify.max_user_instances=1024");
    }
    if (fd < 0)
        return error_errno(err, "watch files");
    struct watch_system *s = xnew(struct watch_system);
    s->hd = *hd;
    s->fd = fd;
    s->io = loop_io(l, fd, LOOP_READ, on_readable, s);
    *out = s;
    return 0;
}

void watch_system_close(struct watch_system *s)
{
    if (!s)
        return;
    loop_io_cancel(&s->io);
    close(s->fd);
    while (s->by_wd.head)
        drop(s, s->by_wd.head->value);
    free(s);
}

int watch_system_add(struct watch_system *s, const char *dir, struct error *err)
{
    int wd = inotify_add_watch(s->fd, dir, MASK);
    if (wd < 0 && errno == ENOSPC) {
        error_set(err, ERR_SYSTEM, ENOSPC,
                  "watch '%s': the system's limit of watched directories is reached", dir);
        return error_hint(err, "allow more: sysctl fs.inotify.max_user_watches=524288");
    }
    if (wd < 0)
        return error_errno(err, "watch '%s'", dir);
    struct watched *w = by_wd(s, wd), *here = strmap_get(&s->by_path, dir);
    if (w && w == here)
        return 0;
    /* A directory that was moved keeps its watch: it is known by its new path from here on. */
    if (w)
        drop(s, w);
    watch_system_remove(s, dir);
    w = xnew(struct watched);
    w->wd = wd;
    w->path = xstrdup(dir);
    snprintf(w->key, sizeof(w->key), "%d", wd);
    strmap_set(&s->by_wd, w->key, w);
    strmap_set(&s->by_path, dir, w);
    return 1;
}

void watch_system_remove(struct watch_system *s, const char *dir)
{
    struct watched *w = strmap_get(&s->by_path, dir);
    if (!w)
        return;
    inotify_rm_watch(s->fd, w->wd);
    drop(s, w);
}

bool watch_system_needs_each(void)
{
    return true;
}

bool watch_system_limit(const struct error *err)
{
    return err->code == ENOSPC;
}
#endif
