/*
 * The names below the roots, as a tree. An event only says where to look: what is found there is
 * compared with the tree, so that it does not matter in which order, how often, or how late events
 * come. A directory is watched first and read then: what is made in between is seen twice rather
 * than not at all.
 *
 * The tree begins above the roots, at directories that exist: that a root appears, or goes and
 * comes again, is an event in the directory that it is in.
 */
#include "loop/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "base/vec.h"
#include "loop/watch_system.h"

/* File systems keep times in steps of up to two seconds (FAT). */
#define RACY_NS ((int64_t)2000000000)

struct dir {
    char *path;
    size_t depth;
    struct strmap names; /* -> struct dir, or a_file */
};

static char a_file;

/* Of what is found, what is told. */
enum tell {
    TELL_NOTHING,
    TELL_RECENT, /* what is new, and what changed since the last time that no event waited */
    TELL_ALL,
};

struct loop_watch {
    struct loop *loop;
    struct loop_watch_handlers hd;
    struct strv roots;
    struct watch_system *system;
    struct strmap dirs; /* by path */
    struct {
        VEC(struct dir *);
    } tops;
    size_t entries;
    int64_t calm_ns;
    bool full;            /* WATCH_MAX_ENTRIES was said */
    struct error trouble; /* the first one, to be told by `timer` */
    bool troubled;        /* a limit of the system was said */
    struct loop_timer *timer;
    bool busy;     /* events are being told */
    bool canceled; /* to be freed when that is over */
};

static void free_watch(struct loop_watch *w);

#ifdef __APPLE__
#define st_ctim st_ctimespec
#endif

/* --- what matters --- */

/* Whether the path is a root or below one. */
static bool inside(const struct loop_watch *w, const char *path)
{
    strv_each (root, &w->roots)
        if (path_below(*root, path))
            return true;
    return false;
}

/* Whether the tree has it: what is inside, and the directories that lead there. */
static bool matters(const struct loop_watch *w, const char *path, bool is_dir)
{
    strv_each (root, &w->roots)
        if (path_below(path, *root))
            return is_dir || strcmp(path, *root) == 0;
    return inside(w, path) && (!is_dir || !w->hd.skip || !w->hd.skip(w->hd.ctx, path));
}

static void tell(struct loop_watch *w, const char *path, bool fresh)
{
    if (inside(w, path) && !w->canceled)
        w->hd.changed(w->hd.ctx, path, fresh);
}

static void on_trouble(void *ctx)
{
    struct loop_watch *w = ctx;
    struct error err = w->trouble;
    w->trouble = ERROR_INIT;
    w->hd.trouble(w->hd.ctx, &err);
    error_clear(&err);
}

/* Never from inside loop_watch_start(), nor more than one at a time. */
static void say_trouble(struct loop_watch *w, struct error *err)
{
    if (watch_system_limit(err)) {
        if (w->troubled)
            return;
        w->troubled = true;
    }
    if (w->timer)
        return;
    error_move(&w->trouble, err);
    loop_after(&w->timer, w->loop, 0, on_trouble, w);
}

/* --- the tree --- */

static struct dir *new_dir(struct loop_watch *w, const char *path, size_t depth)
{
    struct dir *d = xnew(struct dir);
    d->path = xstrdup(path);
    d->depth = depth;
    strmap_set(&w->dirs, path, d);
    return d;
}

/* Forgets an entry and all below it. */
static void forget(struct loop_watch *w, void *entry, const char *path, bool told)
{
    if (told)
        tell(w, path, false);
    w->entries--;
    if (!entry || entry == &a_file)
        return;
    struct dir *d = entry;
    watch_system_remove(w->system, d->path);
    strmap_remove(&w->dirs, d->path);
    strmap_each (it, &d->names) {
        auto_free char *below = path_join(d->path, it->key);
        forget(w, it->value, below, told);
    }
    strmap_clear(&d->names, NULL);
    free(d->path);
    free(d);
}

struct found {
    char *name;
    bool is_dir;
    bool recent;
};

struct listing {
    VEC(struct found);
};

static void listing_free(struct listing *list)
{
    vec_each (it, list)
        free(it->name);
    vec_free(list);
}

/* What is in a directory, closed again before one looks below: depth costs no descriptors. */
static int list_dir(struct listing *out, const struct loop_watch *w, const char *path, bool times,
                    struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        auto_close int unused = fd;
        return error_errno(err, "watch '%s'", path);
    }
    for (const struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        struct found found = { .is_dir = e->d_type == DT_DIR };
        if (times || e->d_type == DT_UNKNOWN) {
            if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                continue;
            int64_t ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
            found.is_dir = S_ISDIR(st.st_mode);
            found.recent = ctime_ns >= w->calm_ns - RACY_NS;
        }
        found.name = xstrdup(e->d_name);
        *vec_push(out) = found;
    }
    closedir(dir);
    return 0;
}

static void scan(struct loop_watch *w, struct dir *d, enum tell what);

/* One name of a directory that is read. `known`: what it was before, or NULL. Gives what it is. */
static void *take_in(struct loop_watch *w, struct dir *d, const struct found *f, const char *path,
                     void *known, enum tell what)
{
    struct dir *child = known && known != &a_file ? known : NULL;
    bool fresh = !known;
    if (child && !f->is_dir) {
        forget(w, take(child), path, what != TELL_NOTHING);
        known = NULL;
    }
    if (!known)
        w->entries++;
    if (known == &a_file && f->is_dir)
        known = NULL;
    bool all = what == TELL_ALL || (what == TELL_RECENT && !known);
    if (all || (what == TELL_RECENT && f->recent))
        tell(w, path, fresh);
    if (!f->is_dir)
        return &a_file;
    if (!child)
        child = new_dir(w, path, d->depth + 1);
    scan(w, child, all ? TELL_ALL : what);
    return child;
}

/* Reads a directory anew, and those below it. */
static void scan(struct loop_watch *w, struct dir *d, enum tell what)
{
    struct error err = ERROR_INIT;
    auto_(listing_free) struct listing list = { 0 };
    struct strmap before = d->names;
    d->names = STRMAP_INIT;
    int added = 0;
    if (d->depth == 0 || watch_system_needs_each())
        added = watch_system_add(w->system, d->path, &err);
    if (added > 0 && what == TELL_RECENT)
        what = TELL_ALL; /* another directory has come to this place */
    if (added < 0 || list_dir(&list, w, d->path, what == TELL_RECENT, &err) < 0) {
        if (err.code != ENOENT && err.code != ENOTDIR && err.code != ELOOP)
            say_trouble(w, &err);
        error_clear(&err);
    }
    vec_each (f, &list) {
        auto_free char *path = path_join(d->path, f->name);
        bool deep = f->is_dir && d->depth >= WATCH_MAX_DEPTH;
        if (!matters(w, path, f->is_dir) || deep)
            continue;
        void *known = strmap_remove(&before, f->name);
        if (!known && w->entries >= WATCH_MAX_ENTRIES) {
            error_set(&err, ERR_SYSTEM, 0, "watch '%s': more than %d files", path,
                      WATCH_MAX_ENTRIES);
            if (!w->full)
                say_trouble(w, &err);
            w->full = true;
            error_clear(&err);
            continue;
        }
        strmap_set(&d->names, f->name, take_in(w, d, f, path, known, what));
    }
    strmap_each (it, &before) {
        auto_free char *path = path_join(d->path, it->key);
        forget(w, it->value, path, what != TELL_NOTHING);
    }
    strmap_clear(&before, NULL);
}

/* --- where the tree begins --- */

static char *nearest_dir(const char *root)
{
    char *dir = path_dir(root);
    while (strcmp(dir, "/") != 0) {
        struct stat st;
        if (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode))
            break;
        char *up = path_dir(dir);
        free(dir);
        dir = up;
    }
    return dir;
}

/* Begins at the nearest directory above each root, unless that is reached from another one. */
static void anchor(struct loop_watch *w, enum tell what)
{
    auto_strv struct strv wanted = STRV_INIT;
    strv_each (root, &w->roots)
        strv_take(&wanted, nearest_dir(*root));
    strv_sort(&wanted); /* what is above comes first */
    strv_each (path, &wanted) {
        bool reached = false;
        vec_each (top, &w->tops)
            reached |= path_below((*top)->path, *path);
        if (reached)
            continue;
        struct dir *d = new_dir(w, *path, 0);
        *vec_push(&w->tops) = d;
        w->entries++;
        scan(w, d, what);
    }
}

/* --- events --- */

static void look_at(struct loop_watch *w, struct dir *d, const char *name, bool moved)
{
    auto_free char *path = path_join(d->path, name);
    struct stat st;
    bool there = lstat(path, &st) == 0;
    struct found f = { .name = xstrdup(name), .is_dir = there && S_ISDIR(st.st_mode) };
    auto_free char *owned = f.name;
    void *known = strmap_get(&d->names, name);
    if (there && matters(w, path, f.is_dir) && !(f.is_dir && d->depth >= WATCH_MAX_DEPTH)) {
        if (known && known != &a_file && f.is_dir && !moved) {
            tell(w, path, false);
            return;
        }
        if (!known && w->entries >= WATCH_MAX_ENTRIES)
            return;
        /* take_in() may end in a cancellation, but frees nothing that is used here. */
        strmap_set(&d->names, name, take_in(w, d, &f, path, known, TELL_ALL));
    } else if (known) {
        strmap_remove(&d->names, name);
        forget(w, known, path, true);
    }
}

static void on_entry(void *ctx, const char *dir, const char *name, bool moved)
{
    struct loop_watch *w = ctx;
    struct dir *d = strmap_get(&w->dirs, dir);
    w->busy = true;
    if (d && !w->canceled)
        look_at(w, d, name, moved);
}

/* Whether the path is one where the tree begins. */
static bool is_top(const struct loop_watch *w, const char *path)
{
    for (size_t i = 0; i < w->tops.len; i++)
        if (strcmp(w->tops.items[i]->path, path) == 0)
            return true;
    return false;
}

static void forget_tops(struct loop_watch *w, bool told)
{
    vec_each (top, &w->tops) {
        auto_free char *path = xstrdup((*top)->path);
        forget(w, *top, path, told);
    }
    w->tops.len = 0;
}

/* That a directory goes is seen in the one that it is in; for the topmost nobody looks. What comes
 * in its place may be above others, so the tree is made anew. */
static void on_gone(void *ctx, const char *dir)
{
    struct loop_watch *w = ctx;
    w->busy = true;
    if (w->canceled || !is_top(w, dir))
        return;
    forget_tops(w, true);
    anchor(w, TELL_ALL);
}

static void on_lost(void *ctx)
{
    struct loop_watch *w = ctx;
    w->busy = true;
    for (size_t i = 0; i < w->tops.len && !w->canceled; i++)
        scan(w, w->tops.items[i], TELL_RECENT);
}

static void on_done(void *ctx, bool calm)
{
    struct loop_watch *w = ctx;
    w->busy = false;
    if (calm)
        w->calm_ns = clock_unix_ns();
    if (w->canceled)
        free_watch(w);
}

/* --- begin and end --- */

int loop_watch_start(struct loop_watch **out, struct loop *l, const char *const *roots,
                     const struct loop_watch_handlers *hd, struct error *err)
{
    struct loop_watch *w = xnew(struct loop_watch);
    struct watch_system_handlers system = {
        .entry = on_entry, .gone = on_gone, .lost = on_lost, .done = on_done, .ctx = w
    };
    w->loop = l;
    w->hd = *hd;
    w->calm_ns = clock_unix_ns();
    for (; *roots; roots++)
        strv_add(&w->roots, *roots);
    int rc = watch_system_open(&w->system, l, &system, err);
    if (rc == 0)
        anchor(w, TELL_NOTHING);
    if (rc == 0 && w->troubled)
        rc = error_move(err, &w->trouble);
    if (rc < 0) {
        free_watch(w);
        return -1;
    }
    *out = w;
    return 0;
}

static void free_watch(struct loop_watch *w)
{
    loop_timer_cancel(&w->timer);
    forget_tops(w, false);
    vec_free(&w->tops);
    watch_system_close(w->system);
    strmap_clear(&w->dirs, NULL);
    strv_clear(&w->roots);
    error_clear(&w->trouble);
    free(w);
}

void loop_watch_cancel(struct loop_watch **slot)
{
    struct loop_watch *w = take(*slot);
    if (w && w->busy)
        w->canceled = true;
    else if (w)
        free_watch(w);
}

size_t loop_watch_dirs(const struct loop_watch *w)
{
    return strmap_len(&w->dirs);
}
