/*
 * libarchive reads the tar; all that is made is made here, relative to descriptors.
 *
 * Modes and times of a folder are set when the tar has left it: before, it must be writable, and
 * each entry changes its time. Tars go through a tree in depth, so the folders that are still to be
 * set are those on the way to the current entry.
 */
#include "live/tree_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/cleanup.h"
#include "base/library.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/vec.h"

#define PIECE ((size_t)64 << 10)
#define MAX_NAME ((size_t)16 << 10)
#define MAX_DEPTH 500

#define ARCHIVE_FUNCTIONS(X)           \
    X(archive_read_new)                \
    X(archive_read_support_format_tar) \
    X(archive_read_open)               \
    X(archive_read_next_header)        \
    X(archive_read_data_block)         \
    X(archive_read_free)               \
    X(archive_error_string)            \
    X(archive_errno)                   \
    X(archive_entry_pathname)          \
    X(archive_entry_filetype)          \
    X(archive_entry_perm)              \
    X(archive_entry_uid)               \
    X(archive_entry_gid)               \
    X(archive_entry_size)              \
    X(archive_entry_mtime)             \
    X(archive_entry_mtime_nsec)        \
    X(archive_entry_symlink)           \
    X(archive_entry_hardlink)

struct archive_api {
    ARCHIVE_FUNCTIONS(LIBRARY_MEMBER)
};

struct attributes {
    mode_t mode;
    struct timespec times[2]; /* access: now; modification */
    uid_t uid;
    gid_t gid;
};

struct left_folder {
    char *path;
    struct attributes attributes;
};

struct unpack {
    struct archive_api api;
    const struct tree_unpack_options *opt;
    struct archive *archive;
    char *piece;
    bool begun;
    char *top;    /* first part of every name; "": the first entry is "." */
    int fd;       /* the folder of the last entry, since its neighbours follow */
    char *folder; /* its path; NULL: none */
    struct {
        VEC(struct left_folder);
    } folders;
    struct tree_unpacked done;
};

static int open_library(struct archive_api *api, struct error *err)
{
#define SYMBOL(fn) LIBRARY_SYMBOL(archive_api, fn)
    static const struct library_symbol symbols[] = { ARCHIVE_FUNCTIONS(SYMBOL) };
    static const char *const sonames[] = { "libarchive.so.13", "libarchive.13.dylib",
                                           "libarchive.dylib", NULL };
    return library_open(api, symbols, countof(symbols), sonames, "copying files", err);
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **bytes)
{
    (void)a;
    struct unpack *u = ctx;
    *bytes = u->piece;
    return u->opt->read(u->opt->ctx, u->piece, PIECE);
}

static int bad_tar(struct unpack *u, struct error *err)
{
    const char *said = u->api.archive_error_string(u->archive);
    return error_set(err, ERR_PROTOCOL, 0, "the tar with the files is broken: %s",
                     said ? said : "it ends too early");
}

static int failed(const struct unpack *u, const char *what, const char *path, struct error *err)
{
    return error_errno(err, "%s '%s/%s'", what, u->opt->where, path);
}

/* --- names --- */

/*
 * Where an entry goes, below the folder: "" is the folder itself. The part of its name that all
 * names begin with becomes opt->name.
 */
static char *destination(struct unpack *u, const char *name, struct error *err)
{
    auto_strv struct strv parts = STRV_INIT;
    auto_strv struct strv kept = STRV_INIT;
    if (!name || strlen(name) > MAX_NAME) {
        error_set(err, ERR_PROTOCOL, 0, "the tar with the files has a name that is none");
        return NULL;
    }
    strv_split(&parts, name, "/");
    strv_each (part, &parts) {
        if (strcmp(*part, "..") == 0) {
            error_set(err, ERR_PROTOCOL, 0, "the tar with the files leads outside: '%s'", name);
            return NULL;
        }
        if (**part && strcmp(*part, ".") != 0)
            strv_take(&kept, take(*part));
    }
    if (kept.len > MAX_DEPTH) {
        error_set(err, ERR_PROTOCOL, 0, "the tar with the files is more than %d folders deep",
                  MAX_DEPTH);
        return NULL;
    }
    if (!u->begun) {
        u->begun = true;
        u->top = xstrdup(kept.len ? kept.items[0] : "");
    }
    size_t from = *u->top ? 1 : 0;
    if (from && (!kept.len || strcmp(kept.items[0], u->top) != 0)) {
        error_set(err, ERR_PROTOCOL, 0, "the tar with the files holds '%s' beside '%s'", name,
                  u->top);
        return NULL;
    }
    struct str out = STR_INIT;
    str_add(&out, u->opt->name ? u->opt->name : "");
    for (size_t i = from; i < kept.len; i++)
        str_addf(&out, out.len ? "/%s" : "%s", kept.items[i]);
    return str_detach(&out);
}

/* --- folders --- */

static int in_the_way(const struct unpack *u, const char *path, struct error *err)
{
    return error_set(err, ERR_SYSTEM, EEXIST,
                     "'%s/%s' is not a folder (nothing is written through links)", u->opt->where,
                     path);
}

/* Opens the folder `path`, part by part, making what is missing when `make`. The caller's. */
static int open_folder(const struct unpack *u, const char *path, bool make, struct error *err)
{
    auto_strv struct strv parts = STRV_INIT;
    auto_close int at = dup(u->opt->folder);
    if (at < 0)
        return failed(u, "open", "", err);
    strv_split(&parts, path, "/");
    strv_each (part, &parts) {
        if (!**part)
            continue;
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        int next = openat(at, *part, flags);
        if (next < 0 && errno == ENOENT && make) {
            if (mkdirat(at, *part, 0777) < 0 && errno != EEXIST)
                return failed(u, "make", path, err);
            next = openat(at, *part, flags);
        }
        if (next < 0)
            return errno == ELOOP || errno == ENOTDIR ? in_the_way(u, path, err)
                                                      : failed(u, "open", path, err);
        close(at);
        at = next;
    }
    int fd = at;
    at = -1;
    return fd;
}

/* The folder that an entry goes into; kept open for the next. */
static int parent_of(struct unpack *u, const char *path, const char **base, struct error *err)
{
    const char *slash = strrchr(path, '/');
    auto_free char *folder = xstrndup(path, slash ? (size_t)(slash - path) : 0);
    *base = slash ? slash + 1 : path;
    if (u->folder && strcmp(u->folder, folder) == 0)
        return u->fd;
    int fd = open_folder(u, folder, true, err);
    if (fd < 0)
        return -1;
    auto_close_p(&u->fd);
    free(u->folder);
    u->folder = take(folder);
    return u->fd = fd;
}

/* An owner that may not be given is left; it is not what was asked for first. */
static mode_t set_owner(const struct unpack *u, int fd, const struct attributes *a)
{
    if (u->opt->owners && fchown(fd, a->uid, a->gid) == 0)
        return a->mode & 07777;
    return a->mode & 01777;
}

/* Without owners no set-id bits: such a file would run as whoever unpacks it. */
static int set_attributes(const struct unpack *u, int fd, const struct attributes *a)
{
    return fchmod(fd, set_owner(u, fd, a)) < 0 ? -1 : futimens(fd, a->times);
}

/* Sets what the folders get that the tar has left, for an entry at `path` (NULL: all). */
static int leave_folders(struct unpack *u, const char *path, struct error *err)
{
    while (u->folders.len) {
        struct left_folder *last = &u->folders.items[u->folders.len - 1];
        size_t len = strlen(last->path);
        if (path && strncmp(path, last->path, len) == 0 && (path[len] == '/' || !path[len]))
            return 0;
        auto_free char *folder = take(last->path);
        struct attributes attributes = last->attributes;
        u->folders.len--;
        auto_close int fd = open_folder(u, folder, false, err);
        if (fd < 0)
            return -1;
        if (set_attributes(u, fd, &attributes) < 0)
            return failed(u, "set the mode of", folder, err);
    }
    return 0;
}

/* --- entries --- */

static struct attributes attributes_of(const struct unpack *u, struct archive_entry *e)
{
    return (struct attributes){
        .mode = u->api.archive_entry_perm(e),
        .times = { { .tv_nsec = UTIME_NOW },
                   { .tv_sec = u->api.archive_entry_mtime(e),
                     .tv_nsec = u->api.archive_entry_mtime_nsec(e) } },
        .uid = (uid_t)u->api.archive_entry_uid(e),
        .gid = (gid_t)u->api.archive_entry_gid(e),
    };
}

static int make_folder(struct unpack *u, const char *path, const struct attributes *a,
                       struct error *err)
{
    const char *base;
    struct stat st;
    if (!*path)
        return 0;
    int at = parent_of(u, path, &base, err);
    if (at < 0)
        return -1;
    if (fstatat(at, base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (!S_ISDIR(st.st_mode))
            return in_the_way(u, path, err);
    } else if (mkdirat(at, base, 0700) < 0) {
        return failed(u, "make", path, err);
    }
    *vec_push(&u->folders) = (struct left_folder){ xstrdup(path), *a };
    return 0;
}

/* Makes way for something that is no folder. */
static int make_way(const struct unpack *u, int at, const char *base, const char *path,
                    struct error *err)
{
    struct stat st;
    if (fstatat(at, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(u, "look at", path, err);
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERR_SYSTEM, EEXIST, "'%s/%s' is a folder", u->opt->where, path);
    return unlinkat(at, base, 0) < 0 ? failed(u, "replace", path, err) : 0;
}

static int write_at(int fd, const char *data, size_t len, int64_t at)
{
    while (len) {
        ssize_t n = pwrite(fd, data, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
        at += n;
    }
    return 0;
}

/* The content, with holes where the tar has them. */
static int fill(struct unpack *u, int fd, struct archive_entry *e, const char *path,
                struct error *err)
{
    int64_t size = u->api.archive_entry_size(e), end = 0;
    for (;;) {
        const void *data;
        size_t len;
        la_int64_t at;
        int result = u->api.archive_read_data_block(u->archive, &data, &len, &at);
        if (result == ARCHIVE_EOF)
            break;
        if (result < ARCHIVE_WARN || at < 0 || at > size || (int64_t)len > size - at)
            return bad_tar(u, err);
        if (write_at(fd, data, len, at) < 0)
            return failed(u, "write", path, err);
        u->done.bytes += (int64_t)len;
        end = at + (int64_t)len;
    }
    if (end < size && ftruncate(fd, (off_t)size) < 0)
        return failed(u, "write", path, err);
    return 0;
}

static int make_file(struct unpack *u, struct archive_entry *e, int at, const char *base,
                     const char *path, struct error *err)
{
    struct attributes a = attributes_of(u, e);
    auto_close int fd =
        openat(at, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(u, "make", path, err);
    int result = fill(u, fd, e, path, err);
    if (result == 0 && set_attributes(u, fd, &a) < 0)
        result = failed(u, "set the mode of", path, err);
    if (result < 0)
        unlinkat(at, base, 0); /* rather than half of it */
    return result;
}

/* A link or a pipe: what has attributes only by its name. */
static int name_attributes(const struct unpack *u, struct archive_entry *e, int at,
                           const char *base, const char *path, struct error *err)
{
    struct attributes a = attributes_of(u, e);
    if (u->opt->owners && fchownat(at, base, a.uid, a.gid, AT_SYMLINK_NOFOLLOW) < 0 &&
        errno != EPERM)
        return failed(u, "set the owner of", path, err);
    if (utimensat(at, base, a.times, AT_SYMLINK_NOFOLLOW) < 0)
        return failed(u, "set the time of", path, err);
    return 0;
}

static int make_link(struct unpack *u, struct archive_entry *e, int at, const char *base,
                     const char *path, struct error *err)
{
    const char *target = u->api.archive_entry_symlink(e);
    if (!target || !*target)
        return error_set(err, ERR_PROTOCOL, 0, "the tar with the files has a link to nothing");
    if (symlinkat(target, at, base) < 0)
        return failed(u, "make the link", path, err);
    return name_attributes(u, e, at, base, path, err);
}

/* The other name is in the tar, too, so it is below the folder like all. */
static int make_hardlink(struct unpack *u, const char *target, int at, const char *base,
                         const char *path, struct error *err)
{
    auto_free char *other = destination(u, target, err);
    if (!other)
        return -1;
    if (strcmp(other, path) == 0)
        return error_set(err, ERR_PROTOCOL, 0, "the tar with the files has a link to itself: '%s'",
                         target);
    const char *slash = strrchr(other, '/');
    auto_free char *folder = xstrndup(other, slash ? (size_t)(slash - other) : 0);
    auto_close int from = open_folder(u, folder, false, err);
    if (from < 0 || make_way(u, at, base, path, err) < 0)
        return -1;
    if (linkat(from, slash ? slash + 1 : other, at, base, 0) < 0)
        return failed(u, "make the link", path, err);
    return 0;
}

static int make_other(struct unpack *u, struct archive_entry *e, const char *path,
                      struct error *err)
{
    const char *base;
    const char *hardlink = u->api.archive_entry_hardlink(e);
    unsigned type = u->api.archive_entry_filetype(e);
    if (!hardlink && (type == AE_IFCHR || type == AE_IFBLK)) {
        u->done.left_out++;
        return 0;
    }
    if (!*path)
        return error_set(err, ERR_SYSTEM, EEXIST, "'%s' is a folder", u->opt->where);
    int at = parent_of(u, path, &base, err);
    if (at < 0)
        return -1;
    if (hardlink)
        return make_hardlink(u, hardlink, at, base, path, err);
    if (make_way(u, at, base, path, err) < 0)
        return -1;
    switch (type) {
    case AE_IFREG:
        return make_file(u, e, at, base, path, err);
    case AE_IFLNK:
        return make_link(u, e, at, base, path, err);
    case AE_IFIFO:
        if (mkfifoat(at, base, u->api.archive_entry_perm(e) & 0777) < 0)
            return failed(u, "make", path, err);
        return name_attributes(u, e, at, base, path, err);
    default:
        return error_set(err, ERR_PROTOCOL, 0, "the tar with the files has an entry of no kind");
    }
}

static int unpack_entry(struct unpack *u, struct archive_entry *e, struct error *err)
{
    auto_free char *path = destination(u, u->api.archive_entry_pathname(e), err);
    if (!path || leave_folders(u, path, err) < 0)
        return -1;
    if (u->api.archive_entry_filetype(e) == AE_IFDIR && !u->api.archive_entry_hardlink(e)) {
        struct attributes a = attributes_of(u, e);
        return make_folder(u, path, &a, err);
    }
    return make_other(u, e, path, err);
}

static int unpack_all(struct unpack *u, struct error *err)
{
    struct archive_entry *e;
    int result;
    u->archive = u->api.archive_read_new();
    if (!u->archive || u->api.archive_read_support_format_tar(u->archive) < ARCHIVE_WARN)
        return error_set(err, ERR_SYSTEM, ENOMEM, "read a tar");
    if (u->api.archive_read_open(u->archive, u, NULL, on_read, NULL) != ARCHIVE_OK)
        return bad_tar(u, err);
    while ((result = u->api.archive_read_next_header(u->archive, &e)) != ARCHIVE_EOF)
        if (result < ARCHIVE_WARN)
            return bad_tar(u, err);
        else if (unpack_entry(u, e, err) < 0)
            return -1;
    if (!u->begun)
        return error_set(err, ERR_PROTOCOL, 0, "the tar with the files is empty");
    return leave_folders(u, NULL, err);
}

int tree_unpack(struct tree_unpacked *out, const struct tree_unpack_options *opt, struct error *err)
{
    struct unpack u = { .opt = opt, .fd = -1 };
    if (open_library(&u.api, err) < 0)
        return -1;
    /* libarchive turns names into those of the locale, and "C" has few letters. For this thread
     * alone. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    u.piece = xmalloc(PIECE);
    int result = unpack_all(&u, err);
    if (u.archive)
        u.api.archive_read_free(u.archive);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    vec_each (folder, &u.folders)
        free(folder->path);
    vec_free(&u.folders);
    auto_close_p(&u.fd);
    free(u.folder);
    free(u.top);
    free(u.piece);
    if (result == 0)
        *out = u.done;
    return result;
}
