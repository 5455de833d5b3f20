/*
 * Walks a tree with one open folder per level and hands every entry to libarchive, whose output is
 * collected until it is asked for: a header, or a piece of one file, at a time.
 */
#include "live/tree_pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/library.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strmap.h"
#include "base/vec.h"

#define PIECE ((size_t)64 << 10)

#define ARCHIVE_FUNCTIONS(X)                   \
    X(archive_write_new)                       \
    X(archive_write_set_format_pax_restricted) \
    X(archive_write_set_bytes_per_block)       \
    X(archive_write_open)                      \
    X(archive_write_header)                    \
    X(archive_write_data)                      \
    X(archive_write_close)                     \
    X(archive_write_free)                      \
    X(archive_error_string)                    \
    X(archive_entry_new)                       \
    X(archive_entry_free)                      \
    X(archive_entry_clear)                     \
    X(archive_entry_set_pathname)              \
    X(archive_entry_set_mode)                  \
    X(archive_entry_set_uid)                   \
    X(archive_entry_set_gid)                   \
    X(archive_entry_set_size)                  \
    X(archive_entry_set_mtime)                 \
    X(archive_entry_set_symlink)               \
    X(archive_entry_set_hardlink)              \
    X(archive_entry_set_rdev)

struct archive_api {
    ARCHIVE_FUNCTIONS(LIBRARY_MEMBER)
};

struct level {
    DIR *dir;
    size_t name; /* length of the folder's name in the tar */
    size_t path; /* and of its path here */
};

struct tree_pack {
    struct archive_api api;
    struct archive *archive;
    struct archive_entry *entry;
    struct str out; /* made, and not taken yet */
    size_t used;    /* of out */
    bool follow, started, ended;
    struct str name, path; /* of the entry that is being added */
    struct {
        VEC(struct level);
    } levels;
    struct strmap linked; /* "device:inode" of files with several links -> their first name */
    int fd;               /* the file that is being read, or -1 */
    int64_t left;         /* bytes of it to come */
    int64_t bytes;
    char *piece;
};

static int open_library(struct archive_api *api, struct error *err)
{
#define SYMBOL(fn) LIBRARY_SYMBOL(archive_api, fn)
    static const struct library_symbol symbols[] = { ARCHIVE_FUNCTIONS(SYMBOL) };
    static const char *const sonames[] = { "libarchive.so.13", "libarchive.13.dylib",
                                           "libarchive.dylib", NULL };
    return library_open(api, symbols, countof(symbols), sonames, "copying files", err);
}

static la_ssize_t on_bytes(struct archive *a, void *ctx, const void *bytes, size_t len)
{
    (void)a;
    struct tree_pack *p = ctx;
    str_addn(&p->out, bytes, len);
    return (la_ssize_t)len;
}

static int archive_failed(struct tree_pack *p, struct error *err)
{
    const char *said = p->api.archive_error_string(p->archive);
    return error_set(err, ERR_SYSTEM, 0, "make a tar of '%s': %s", p->path.buf,
                     said ? said : "unknown error");
}

int tree_pack_open(struct tree_pack **out, const char *path, const char *name, bool follow,
                   struct error *err)
{
    auto_(tree_pack_closep) struct tree_pack *p = xnew(struct tree_pack);
    p->out = p->name = p->path = STR_INIT;
    p->fd = -1;
    p->follow = follow;
    p->linked = STRMAP_INIT;
    str_add(&p->path, path);
    str_add(&p->name, name);
    if (open_library(&p->api, err) < 0)
        return -1;
    p->piece = xmalloc(PIECE);
    p->archive = p->api.archive_write_new();
    p->entry = p->api.archive_entry_new();
    if (!p->archive || !p->entry)
        return error_set(err, ERR_SYSTEM, ENOMEM, "make a tar of '%s'", path);
    /* PAX only where the plain header cannot say it. */
    if (p->api.archive_write_set_format_pax_restricted(p->archive) != ARCHIVE_OK ||
        p->api.archive_write_set_bytes_per_block(p->archive, 0) != ARCHIVE_OK ||
        p->api.archive_write_open(p->archive, p, NULL, on_bytes, NULL) != ARCHIVE_OK)
        return archive_failed(p, err);
    *out = take(p);
    return 0;
}

void tree_pack_close(struct tree_pack *p)
{
    if (!p)
        return;
    if (p->archive)
        p->api.archive_write_free(p->archive);
    if (p->entry)
        p->api.archive_entry_free(p->entry);
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

static int write_header(struct tree_pack *p, const struct stat *st, const char *link,
                        const char *hardlink, struct error *err)
{
    const struct archive_api *api = &p->api;
    api->archive_entry_clear(p->entry);
    api->archive_entry_set_pathname(p->entry, p->name.buf);
    api->archive_entry_set_mode(p->entry, st->st_mode);
    api->archive_entry_set_uid(p->entry, st->st_uid);
    api->archive_entry_set_gid(p->entry, st->st_gid);
    api->archive_entry_set_size(p->entry, S_ISREG(st->st_mode) && !hardlink ? st->st_size : 0);
#ifdef __APPLE__
    api->archive_entry_set_mtime(p->entry, st->st_mtimespec.tv_sec, st->st_mtimespec.tv_nsec);
#else
    api->archive_entry_set_mtime(p->entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
#endif
    if (hardlink)
        api->archive_entry_set_hardlink(p->entry, hardlink);
    else if (link)
        api->archive_entry_set_symlink(p->entry, link);
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        api->archive_entry_set_rdev(p->entry, st->st_rdev);
    /* A warning says that a name is not UTF-8; it was written as it is. */
    if (api->archive_write_header(p->archive, p->entry) < ARCHIVE_WARN)
        return archive_failed(p, err);
    return 0;
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
    return write_header(p, st, NULL, NULL, err);
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
    p->left = same ? 0 : st.st_size;
    return write_header(p, &st, NULL, same, err);
}

static int add_link(struct tree_pack *p, int at, const char *base, const struct stat *st,
                    struct error *err)
{
    char target[4096];
    ssize_t len = readlinkat(at, base, target, sizeof(target) - 1);
    if (len < 0)
        return missed(p, "read the link", err);
    target[len] = '\0';
    return write_header(p, st, target, first_name(p, st), err);
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
        return write_header(p, &st, NULL, first_name(p, &st), err);
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
        if (p->api.archive_write_data(p->archive, p->piece, (size_t)n) < 0)
            return archive_failed(p, err);
        p->left -= n;
        p->bytes += n;
    }
    if (p->left == 0) {
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
    return p->api.archive_write_close(p->archive) == ARCHIVE_OK ? 0 : archive_failed(p, err);
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
