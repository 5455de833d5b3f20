/*
 * Walks a tree with one open folder per level. What is made of it is collected until it is asked
 * for: a header, or a piece of one file, at a time.
 */
#include "live/tree_pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strmap.h"
#include "base/tar.h"
#include "base/vec.h"

#define PIECE ((size_t)64 << 10)

struct level {
    DIR *dir;
    size_t name; /* length of the folder's name in the tar */
    size_t path; /* and of its path here */
};

struct tree_pack {
    struct str out; /* made, and not taken yet */
    size_t used;    /* of out */
    bool follow, started, ended;
    struct str name, path; /* of the entry that is being added */
    struct {
        VEC(struct level);
    } levels;
    struct strmap linked; /* "device:inode" of files with several links -> their first name */
    int fd;               /* the file that is being read, or -1 */
    int64_t size, left;   /* bytes of it: all, and those to come */
    int64_t bytes;
    char *piece;
};

struct tree_pack *tree_pack_open(const char *path, const char *name, bool follow)
{
    struct tree_pack *p = xnew(struct tree_pack);
    p->out = p->name = p->path = STR_INIT;
    p->fd = -1;
    p->follow = follow;
    p->linked = STRMAP_INIT;
    str_add(&p->path, path);
    str_add(&p->name, name);
    p->piece = xmalloc(PIECE);
    return p;
}

void tree_pack_close(struct tree_pack *p)
{
    if (!p)
        return;
    vec_each (level, &p->levels)
        closedir(level->dir);
    vec_free(&p->levels);
    strmap_clear(&p->linked, free);
    str_clear(&p->out);
    str_clear(&p->name);
    str_clear(&p->path);
    auto_close_p(&p->fd);
    free(p->piece);
    free(p);
}

int64_t tree_pack_bytes(const struct tree_pack *p)
{
    return p->bytes;
}

/* The name of the same file in the tar, if it was there before. */
static const char *first_name(struct tree_pack *p, const struct stat *st)
{
    if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
        return NULL;
    auto_free char *key =
        xasprintf("%llu:%llu", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
    const char *first = strmap_get(&p->linked, key);
    if (!first)
        strmap_set(&p->linked, key, xstrdup(p->name.buf));
    return first;
}

static void write_header(struct tree_pack *p, const struct stat *st, const char *link,
                         const char *hardlink)
{
#ifdef __APPLE__
    const struct timespec *mtime = &st->st_mtimespec;
#else
    const struct timespec *mtime = &st->st_mtim;
#endif
    tar_header(&p->out,
               &(struct tar_entry){ .type = hardlink ? TAR_HARDLINK : tar_type_of(st->st_mode),
                                    .name = p->name.buf,
                                    .link = hardlink ? hardlink : link,
                                    .mode = st->st_mode,
                                    .uid = st->st_uid,
                                    .gid = st->st_gid,
                                    .size = st->st_size,
                                    .mtime = mtime->tv_sec,
                                    .mtime_ns = mtime->tv_nsec,
                                    .device = st->st_rdev });
}

static int cannot(const struct tree_pack *p, const char *what, struct error *err)
{
    return error_errno(err, "%s '%s'", what, p->path.buf);
}

/* What is gone since its folder was read is simply not there; what was named must be. */
static int missed(const struct tree_pack *p, const char *what, struct error *err)
{
    return errno == ENOENT && p->levels.len ? 0 : cannot(p, what, err);
}

static int add_folder(struct tree_pack *p, int at, const char *base, int nofollow,
                      const struct stat *st, struct error *err)
{
    if (p->levels.len == TREE_MAX_DEPTH)
        return error_set(err, ERR_SYSTEM, EINVAL, "'%s' is more than %d folders deep", p->path.buf,
                         TREE_MAX_DEPTH);
    auto_close int fd = openat(at, base, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return missed(p, "open", err);
    fd = -1;
    *vec_push(&p->levels) = (struct level){ dir, p->name.len, p->path.len };
    write_header(p, st, NULL, NULL);
    return 0;
}

static int add_file(struct tree_pack *p, int at, const char *base, int nofollow, struct error *err)
{
    struct stat st;
    p->fd = openat(at, base, O_RDONLY | O_NONBLOCK | O_CLOEXEC | nofollow);
    if (p->fd < 0 || fstat(p->fd, &st) < 0)
        return missed(p, "open", err);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_SYSTEM, EINVAL, "'%s' changed while it was copied", p->path.buf);
    const char *same = first_name(p, &st);
    p->size = p->left = same ? 0 : st.st_size;
    write_header(p, &st, NULL, same);
    return 0;
}

static int add_link(struct tree_pack *p, int at, const char *base, const struct stat *st,
                    struct error *err)
{
    char target[4096];
    ssize_t len = readlinkat(at, base, target, sizeof(target) - 1);
    if (len < 0)
        return missed(p, "read the link", err);
    target[len] = '\0';
    write_header(p, st, target, first_name(p, st));
    return 0;
}

static int add(struct tree_pack *p, int at, const char *base, bool follow, struct error *err)
{
    struct stat st;
    int nofollow = follow ? 0 : O_NOFOLLOW;
    if (fstatat(at, base, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return missed(p, "look at", err);
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        return add_folder(p, at, base, nofollow, &st, err);
    case S_IFREG:
        return add_file(p, at, base, nofollow, err);
    case S_IFLNK:
        return add_link(p, at, base, &st, err);
    case S_IFSOCK:
        return 0;
    default:
        write_header(p, &st, NULL, first_name(p, &st));
        return 0;
    }
}

/* The next entry of the innermost folder, or back to the one around it. */
static int walk(struct tree_pack *p, struct error *err)
{
    const struct level *level = &p->levels.items[p->levels.len - 1];
    DIR *dir = level->dir;
    str_truncate(&p->name, level->name);
    str_truncate(&p->path, level->path);
    errno = 0;
    const struct dirent *e = readdir(dir);
    if (!e && errno && errno != ENOENT)
        return cannot(p, "read the folder", err);
    if (!e) {
        closedir(dir);
        p->levels.len--;
    } else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
        str_addf(&p->name, "/%s", e->d_name);
        str_addf(&p->path, str_ends(p->path.buf, "/") ? "%s" : "/%s", e->d_name);
        return add(p, dirfd(dir), e->d_name, false, err);
    }
    return 0;
}

/* The next piece of the open file, which is as long as its header says. */
static int add_piece(struct tree_pack *p, struct error *err)
{
    if (p->left > 0) {
        size_t want = p->left < (int64_t)PIECE ? (size_t)p->left : PIECE;
        ssize_t n;
        do
            n = read(p->fd, p->piece, want);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            return cannot(p, "read", err);
        if (n == 0)
            return error_set(err, ERR_SYSTEM, EINVAL, "'%s' became shorter while it was copied",
                             p->path.buf);
        str_addn(&p->out, p->piece, (size_t)n);
        p->left -= n;
        p->bytes += n;
    }
    if (p->left == 0) {
        tar_pad(&p->out, p->size);
        close(p->fd);
        p->fd = -1;
    }
    return 0;
}

static int step(struct tree_pack *p, struct error *err)
{
    if (!p->started) {
        p->started = true;
        return add(p, AT_FDCWD, p->path.buf, p->follow, err);
    }
    if (p->fd >= 0)
        return add_piece(p, err);
    if (p->levels.len)
        return walk(p, err);
    p->ended = true;
    tar_end(&p->out);
    return 0;
}

long tree_pack_read(struct tree_pack *p, char *buf, size_t max, struct error *err)
{
    while (p->out.len - p->used < max && !p->ended) {
        str_consume(&p->out, p->used);
        p->used = 0;
        if (step(p, err) < 0)
            return -1;
    }
    size_t n = p->out.len - p->used < max ? p->out.len - p->used : max;
    memcpy(buf, p->out.buf + p->used, n);
    p->used += n;
    return (long)n;
}
