/*
 * What is in a build context. The walk goes folder by folder through descriptors, follows no link
 * and sorts names, so that the same tree gives the same list everywhere. Contents are known by
 * their digests; those of files that did not change come from the stat cache, which is merged with
 * the walk.
 */
#include "build/context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/vec.h"
#include "text/pattern.h"

#define FORM "context 1" /* first thing in the digest: the version of its form */
#define READ_SIZE ((size_t)128 << 10)
#define READ_TRIES 3

struct scan {
    const struct context_place *place;
    struct arena *arena;
    struct ignore *ignore;
    struct stat_cache *cache;
    struct stat_cache_writer writer;
    bool learned; /* the writer has something that the cache has not */
    struct {
        VEC(struct context_entry);
    } entries;
    char *buffer;
};

static int64_t nanoseconds(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

struct stat_key context_stat_key(const struct stat *st)
{
#ifdef __APPLE__
    const struct timespec *mtime = &st->st_mtimespec, *ctime_ = &st->st_ctimespec;
#else
    const struct timespec *mtime = &st->st_mtim, *ctime_ = &st->st_ctim;
#endif
    return (struct stat_key){ (uint64_t)st->st_ino, (int64_t)st->st_size, nanoseconds(mtime),
                              nanoseconds(ctime_) };
}

static bool same_key(const struct stat_key *a, const struct stat_key *b)
{
    return a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns;
}

static int read_error(struct error *err, const struct scan *s, const char *path)
{
    int code = errno;
    error_set(err, ERR_INPUT, code, "read '%s/%s' of the build context: %s", s->place->root, path,
              strerror(code));
    return error_hint(err, "make it readable, or leave it out in .dockerignore");
}

/* Reads the file once. *key: what it was before and after, else it changed meanwhile. */
static int hash_once(struct scan *s, int dir_fd, const char *name, struct context_entry *e,
                     bool *stable, struct error *err)
{
    auto_close int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return read_error(err, s, e->path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_INPUT, 0, "'%s/%s' changed while the build context was read",
                         s->place->root, e->path);
    e->stat = context_stat_key(&st);
    e->mode = st.st_mode;
    struct digest *d = digest_new();
    ssize_t n;
    while ((n = read(fd, s->buffer, READ_SIZE)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            digest_add(d, s->buffer, (size_t)n);
    digest_end_raw(d, e->digest);
    if (n < 0 || fstat(fd, &st) < 0)
        return read_error(err, s, e->path);
    struct stat_key after = context_stat_key(&st);
    *stable = same_key(&after, &e->stat);
    return 0;
}

static int hash_file(struct scan *s, int dir_fd, const char *name, struct context_entry *e,
                     struct error *err)
{
    bool stable = false;
    for (int i = 0; i < READ_TRIES && !stable; i++)
        if (hash_once(s, dir_fd, name, e, &stable, err) < 0)
            return -1;
    if (stable && stat_cache_add(&s->writer, e->path, &e->stat, e->digest))
        s->learned = true;
    return 0;
}

static int add_file(struct scan *s, int dir_fd, const char *name, struct context_entry *e,
                    struct error *err)
{
    const uint8_t *known = stat_cache_find(s->cache, e->path, &e->stat);
    if (!known)
        return hash_file(s, dir_fd, name, e, err);
    memcpy(e->digest, known, DIGEST_LEN);
    stat_cache_add(&s->writer, e->path, &e->stat, e->digest);
    return 0;
}

static int add_link(struct scan *s, int dir_fd, const char *name, struct context_entry *e,
                    struct error *err)
{
    ssize_t n = readlinkat(dir_fd, name, s->buffer, READ_SIZE);
    if (n < 0)
        return read_error(err, s, e->path);
    e->link = arena_strndup(s->arena, s->buffer, (size_t)n);
    return 0;
}

static int read_names(struct scan *s, int fd, const char *path, struct strv *names,
                      struct error *err)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return read_error(err, s, path);
    }
    struct dirent *de;
    for (errno = 0; (de = readdir(dir)); errno = 0)
        if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
            strv_add(names, de->d_name);
    int failed = errno;
    closedir(dir);
    errno = failed;
    if (failed)
        return read_error(err, s, path);
    strv_sort(names);
    return 0;
}

static int walk(struct scan *s, int dir_fd, const char *path, int depth, struct error *err);

/* A folder comes before what it holds. One that the rules leave out stands there only for what
 * they keep below it. */
static int add_folder(struct scan *s, int dir_fd, const char *name, struct context_entry *e,
                      bool ignored, int depth, struct error *err)
{
    if (ignored && !ignore_may_keep_below(s->ignore, e->path))
        return 0;
    if (depth >= CONTEXT_MAX_DEPTH)
        return error_set(err, ERR_INPUT, 0,
                         "the build context '%s' is nested deeper than %d folders", s->place->root,
                         CONTEXT_MAX_DEPTH);
    auto_close int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return read_error(err, s, e->path);
    size_t before = s->entries.len;
    *vec_push(&s->entries) = *e;
    if (walk(s, fd, e->path, depth + 1, err) < 0)
        return -1;
    if (ignored && s->entries.len == before + 1)
        s->entries.len = before;
    return 0;
}

static int add(struct scan *s, int dir_fd, const char *folder, const char *name, int depth,
               struct error *err)
{
    struct context_entry e = { .path = *folder ? arena_printf(s->arena, "%s/%s", folder, name)
                                               : arena_strdup(s->arena, name) };
    bool ignored = s->ignore && ignore_match(s->ignore, e.path);
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : read_error(err, s, e.path);
    if (s->entries.len >= CONTEXT_MAX_ENTRIES)
        return error_set(err, ERR_INPUT, 0, "the build context '%s' has more than %d files",
                         s->place->root, CONTEXT_MAX_ENTRIES);
    e.mode = st.st_mode;
    e.stat = context_stat_key(&st);
    if (S_ISDIR(st.st_mode))
        return add_folder(s, dir_fd, name, &e, ignored, depth, err);
    if (ignored || S_ISSOCK(st.st_mode))
        return 0;
    if (S_ISREG(st.st_mode) && add_file(s, dir_fd, name, &e, err) < 0)
        return -1;
    if (S_ISLNK(st.st_mode) && add_link(s, dir_fd, name, &e, err) < 0)
        return -1;
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        e.rdev = st.st_rdev;
    *vec_push(&s->entries) = e;
    return 0;
}

static int walk(struct scan *s, int dir_fd, const char *path, int depth, struct error *err)
{
    auto_strv struct strv names = STRV_INIT;
    int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0)
        return read_error(err, s, path);
    if (read_names(s, list_fd, path, &names, err) < 0)
        return -1;
    strv_each (name, &names)
        if (add(s, dir_fd, path, *name, depth, err) < 0)
            return -1;
    return 0;
}

static void digest_entries(struct scan *s, char out[DIGEST_HEX_LEN + 1])
{
    struct digest *d = digest_new();
    digest_add_str(d, FORM);
    vec_each (e, &s->entries) {
        uint64_t numbers[2] = { e->mode, e->rdev };
        digest_add_str(d, e->path);
        digest_add(d, numbers, sizeof(numbers));
        digest_add_str(d, e->link);
        digest_add(d, e->digest, DIGEST_LEN);
    }
    digest_end(d, out);
}

/* One file per context and ignore file: two images of one folder share it when their rules are the
 * same file. */
static char *cache_path(const struct context_place *place, const char *cache_dir)
{
    char hex[DIGEST_HEX_LEN + 1];
    struct digest *d = digest_new();
    digest_add_str(d, place->root);
    digest_add_str(d, place->ignore_path);
    digest_end(d, hex);
    return xasprintf("%s/%.32s", cache_dir, hex);
}

static int scan(struct scan *s, struct error *err)
{
    auto_close int fd = open(s->place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open the build context '%s'", s->place->root);
    if (s->place->ignore &&
        ignore_parse(&s->ignore, s->place->ignore, s->place->ignore_path, err) < 0)
        return -1;
    return walk(s, fd, "", 0, err);
}

int context_scan(struct context **out, const struct context_place *place, const char *cache_dir,
                 struct error *err)
{
    struct scan s = { .place = place, .arena = arena_new(), .buffer = xmalloc(READ_SIZE) };
    auto_free char *path = cache_dir ? cache_path(place, cache_dir) : NULL;
    char *bytes = NULL;
    size_t len = 0;
    if (path && file_exists(path))
        file_read(&bytes, &len, path, STAT_CACHE_MAX_BYTES, NULL);
    s.cache = stat_cache_read(bytes, len);
    stat_cache_begin(&s.writer, clock_unix_ns());
    int result = scan(&s, err);
    if (result == 0 && s.learned && path && !s.writer.bytes.overflow) {
        /* Without it the next run reads more: no reason to fail this one. */
        auto_error struct error ignored = ERROR_INIT;
        stat_cache_end(&s.writer);
        if (file_write_atomic(path, s.writer.bytes.buf, s.writer.bytes.len, 0600, &ignored) < 0)
            log_debug("stat cache: %s", ignored.msg);
    }
    if (result == 0) {
        struct context *c = xnew(struct context);
        digest_entries(&s, c->digest);
        c->len = s.entries.len;
        c->entries = take(s.entries.items);
        c->arena = take(s.arena);
        *out = c;
    }
    vec_free(&s.entries);
    arena_free(s.arena);
    ignore_free(s.ignore);
    stat_cache_free(s.cache);
    stat_cache_writer_clear(&s.writer);
    free(s.buffer);
    return result;
}

int context_open_parent(int root_fd, const char *path, const char **name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(root_fd, ".", flags);
    const char *slash;
    while (fd >= 0 && (slash = strchr(path, '/'))) {
        auto_free char *part = xstrndup(path, (size_t)(slash - path));
        int next = openat(fd, part, flags);
        int failed = errno;
        close(fd);
        errno = failed;
        fd = next;
        path = slash + 1;
    }
    *name = path;
    return fd;
}

void context_free(struct context *c)
{
    if (!c)
        return;
    free((void *)(uintptr_t)c->entries);
    arena_free(c->arena);
    free(c);
}
