/*
 * What is in a build context. The walk goes folder by folder through descriptors, follows no link
 * and sorts names, so that the same tree gives the same list everywhere. Contents are known by
 * their digests; those of files that did not change come from the stat cache.
 *
 * With several parts, the walk begins at the top until there are enough folders that have not been
 * looked into, and deals them out; each part then walks its own, with everything that it changes
 * its own too.
 */
#include "build/context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "text/pattern.h"

#define FORM "context 2" /* first thing in the digest: the version of its form */
#define READ_SIZE ((size_t)128 << 10)
#define READ_TRIES 3
#define FOLDERS_PER_PART 16

struct folder {
    const char *path; /* "" : the context itself */
    int depth;
    struct item *items; /* in the arena */
    size_t len;
};

struct item {
    struct context_entry entry;
    struct folder *folder; /* directories */
    bool ignored;          /* a directory that stands only for what is kept below it */
    bool stable;           /* the digest may be kept */
};

struct part {
    struct scan *scan;
    struct arena *arena;
    struct ignore *ignore; /* matching changes it */
    size_t cursor;         /* in the cache */
    struct {
        VEC(struct folder *);
    } todo;
    char *buffer;
    bool learned; /* digests that the cache has not */
    size_t found;
    struct error err;
};

struct scan {
    const struct context_place *place;
    const atomic_bool *stop; /* or NULL */
    char *cache_path;        /* NULL: none */
    struct stat_cache *cache;
    int64_t began_ns;
    int root_fd;
    struct folder *root;
    struct part *parts;
    size_t nparts;
};

static int64_t nanoseconds(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

struct stat_key context_stat_key(const struct stat *st)
{
#ifdef __APPLE__
    const struct timespec *modified = &st->st_mtimespec, *changed = &st->st_ctimespec;
#else
    const struct timespec *modified = &st->st_mtim, *changed = &st->st_ctim;
#endif
    return (struct stat_key){ (uint64_t)st->st_ino, (int64_t)st->st_size, nanoseconds(modified),
                              nanoseconds(changed) };
}

static int read_error(struct error *err, const struct part *p, const char *path)
{
    int code = errno;
    error_set(err, ERR_INPUT, code, "read '%s/%s' of the build context: %s", p->scan->place->root,
              path, strerror(code));
    return error_hint(err, "make it readable, or leave it out in .dockerignore");
}

static bool stopped(const struct part *p)
{
    return p->scan->stop && atomic_load(p->scan->stop);
}

static int canceled(struct error *err)
{
    return error_set(err, ERR_CANCELED, 0, "reading the build context was stopped");
}

/* Git's own data at the top: sent with the rest as docker does, but no source. Every `git status`
 * changes it, and no two clones have the same. */
static bool is_git_data(const char *path)
{
    return str_starts(path, ".git") && (!path[4] || path[4] == '/');
}

mode_t context_mode(const struct stat *st)
{
    return S_ISLNK(st->st_mode) ? S_IFLNK | 0777 : st->st_mode & ~(mode_t)(S_IWGRP | S_IWOTH);
}

/* Files. */

/* Reads the file once. *stable: it was the same before and after. */
static int hash_once(struct part *p, int dir_fd, const char *name, struct context_entry *e,
                     bool *stable, struct error *err)
{
    auto_close int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return read_error(err, p, e->path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_INPUT, 0, "'%s/%s' changed while the build context was read",
                         p->scan->place->root, e->path);
    e->stat = context_stat_key(&st);
    e->mode = context_mode(&st);
    struct digest *d = digest_new();
    ssize_t n;
    while (((n = read(fd, p->buffer, READ_SIZE)) > 0 && !stopped(p)) || (n < 0 && errno == EINTR))
        if (n > 0)
            digest_add(d, p->buffer, (size_t)n);
    digest_end_raw(d, e->digest);
    if (n > 0)
        return canceled(err);
    if (n < 0 || fstat(fd, &st) < 0)
        return read_error(err, p, e->path);
    struct stat_key after = context_stat_key(&st);
    *stable = memcmp(&after, &e->stat, sizeof(after)) == 0;
    return 0;
}

static int add_file(struct part *p, int dir_fd, const char *name, struct item *it,
                    struct error *err)
{
    struct context_entry *e = &it->entry;
    if (is_git_data(e->path))
        return 0;
    const uint8_t *known = stat_cache_find(p->scan->cache, &p->cursor, e->path, &e->stat);
    if (known) {
        memcpy(e->digest, known, DIGEST_LEN);
        it->stable = true;
        return 0;
    }
    for (int i = 0; i < READ_TRIES && !it->stable; i++)
        if (hash_once(p, dir_fd, name, e, &it->stable, err) < 0)
            return -1;
    if (it->stable && !stat_cache_racy(&e->stat, p->scan->began_ns))
        p->learned = true;
    return 0;
}

static int add_link(struct part *p, int dir_fd, const char *name, struct context_entry *e,
                    struct error *err)
{
    ssize_t n = readlinkat(dir_fd, name, p->buffer, READ_SIZE);
    if (n < 0)
        return read_error(err, p, e->path);
    e->link = arena_strndup(p->arena, p->buffer, (size_t)n);
    return 0;
}

/* Folders. */

/* Names, each the last part of a path in the arena. */
struct names {
    VEC(char *);
};

static int name_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is in the folder, sorted. */
static int read_names(struct part *p, DIR *dir, const struct folder *f, struct names *names,
                      struct error *err)
{
    size_t prefix = strlen(f->path), slash = prefix > 0;
    struct dirent *de;
    for (errno = 0; (de = readdir(dir)); errno = 0) {
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            continue;
        size_t len = strlen(de->d_name);
        char *path = arena_alloc(p->arena, prefix + slash + len + 1);
        memcpy(path, f->path, prefix);
        memcpy(path + prefix, "/", slash);
        memcpy(path + prefix + slash, de->d_name, len + 1);
        *vec_push(names) = path + prefix + slash;
    }
    if (errno)
        return read_error(err, p, f->path);
    if (names->len)
        qsort(names->items, names->len, sizeof(*names->items), name_order);
    return 0;
}

static int add_folder(struct part *p, struct item *it, int depth, struct error *err)
{
    if (depth >= CONTEXT_MAX_DEPTH)
        return error_set(err, ERR_INPUT, 0,
                         "the build context '%s' is nested deeper than %d folders",
                         p->scan->place->root, CONTEXT_MAX_DEPTH);
    it->folder = arena_new_(p->arena, struct folder);
    it->folder->path = it->entry.path;
    it->folder->depth = depth;
    return 0;
}

/* Adds what is at `path`, the last part of which is `name`; *added is NULL when that is nothing. */
static int add(struct part *p, int dir_fd, struct folder *f, const char *path, const char *name,
               struct item **added, struct error *err)
{
    struct item it = { .entry = { .path = path } };
    struct context_entry *e = &it.entry;
    struct stat st;
    *added = NULL;
    if (stopped(p))
        return canceled(err);
    it.ignored = p->ignore && ignore_match(p->ignore, path);
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : read_error(err, p, path);
    bool folder = S_ISDIR(st.st_mode);
    if ((it.ignored && !(folder && ignore_may_keep_below(p->ignore, path))) || S_ISSOCK(st.st_mode))
        return 0;
    if (++p->found > CONTEXT_MAX_ENTRIES)
        return error_set(err, ERR_INPUT, 0, "the build context '%s' has more than %d files",
                         p->scan->place->root, CONTEXT_MAX_ENTRIES);
    e->mode = context_mode(&st);
    e->stat = context_stat_key(&st);
    if (folder && add_folder(p, &it, f->depth + 1, err) < 0)
        return -1;
    if (S_ISREG(st.st_mode) && add_file(p, dir_fd, name, &it, err) < 0)
        return -1;
    if (S_ISLNK(st.st_mode) && add_link(p, dir_fd, name, e, err) < 0)
        return -1;
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        e->rdev = st.st_rdev;
    *added = &f->items[f->len++];
    **added = it;
    return 0;
}

/* Opens a folder that has no link for its last part; NULL with the error set. */
static DIR *open_folder(struct part *p, int dir_fd, const char *name, const char *path,
                        struct error *err)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir)
        return dir;
    read_error(err, p, path);
    auto_close_p(&fd);
    return NULL;
}

static int walk(struct part *p, DIR *dir, struct folder *f, bool down, struct error *err);

/* What is in the folder; with `down` what is in the folders in it too, else those are added to
 * p->todo. */
static int walk_names(struct part *p, int dir_fd, struct folder *f, const struct names *names,
                      bool down, struct error *err)
{
    size_t prefix = *f->path ? strlen(f->path) + 1 : 0;
    f->items = arena_alloc(p->arena, names->len * sizeof(*f->items));
    for (size_t i = 0; i < names->len; i++) {
        const char *name = names->items[i];
        struct item *it;
        if (add(p, dir_fd, f, name - prefix, name, &it, err) < 0)
            return -1;
        struct folder *child = it ? it->folder : NULL;
        if (child && down) {
            DIR *dir = open_folder(p, dir_fd, name, child->path, err);
            if (!dir || walk(p, dir, child, true, err) < 0)
                return -1;
        } else if (child) {
            *vec_push(&p->todo) = child;
        }
    }
    return 0;
}

/* Takes `dir` over. */
static int walk(struct part *p, DIR *dir, struct folder *f, bool down, struct error *err)
{
    struct names names = { 0 };
    int result = read_names(p, dir, f, &names, err);
    if (result == 0)
        result = walk_names(p, dirfd(dir), f, &names, down, err);
    vec_free(&names);
    closedir(dir);
    return result;
}

/* A folder that is known by its path. */
static int walk_path(struct part *p, struct folder *f, bool down, struct error *err)
{
    const char *name;
    auto_close int parent = context_open_parent(p->scan->root_fd, f->path, &name);
    if (parent < 0)
        return read_error(err, p, f->path);
    DIR *dir = open_folder(p, parent, *name ? name : ".", f->path, err);
    return dir ? walk(p, dir, f, down, err) : -1;
}

int context_open_parent(int root_fd, const char *path, const char **name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(root_fd, ".", flags);
    const char *slash;
    while (fd >= 0 && (slash = strchr(path, '/'))) {
        auto_free char *folder = xstrndup(path, (size_t)(slash - path));
        int next = openat(fd, folder, flags);
        int failed = errno;
        close(fd);
        errno = failed;
        fd = next;
        path = slash + 1;
    }
    *name = path;
    return fd;
}

/* The scan. */

/* One file per context and ignore file: two images of one folder share it when their rules are the
 * same file. */
static char *make_cache_path(const struct context_place *place, const char *cache_dir)
{
    char hex[DIGEST_HEX_LEN + 1];
    struct digest *d = digest_new();
    digest_add_str(d, place->root);
    digest_add_str(d, place->ignore_path);
    digest_end(d, hex);
    return xasprintf("%s/%.32s", cache_dir, hex);
}

static void scan_free(struct scan *s)
{
    for (size_t i = 0; i < s->nparts; i++) {
        struct part *p = &s->parts[i];
        arena_free(p->arena);
        ignore_free(p->ignore);
        vec_free(&p->todo);
        free(p->buffer);
        error_clear(&p->err);
    }
    free(s->parts);
    auto_close_p(&s->root_fd);
    stat_cache_free(s->cache);
    free(s->cache_path);
    free(s);
}

static int open_scan(struct scan *s, struct error *err)
{
    s->root_fd = open(s->place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->root_fd < 0)
        return error_errno(err, "open the build context '%s'", s->place->root);
    for (size_t i = 0; s->place->ignore && i < s->nparts; i++)
        if (ignore_parse(&s->parts[i].ignore, s->place->ignore, s->place->ignore_path, err) < 0)
            return -1;
    return 0;
}

/* Walks from the top until there is something to deal out, and deals it out. */
static int deal(struct scan *s, struct error *err)
{
    struct part *first = &s->parts[0];
    size_t next = 0;
    *vec_push(&first->todo) = s->root;
    while (s->nparts > 1 && next < first->todo.len &&
           first->todo.len - next < s->nparts * FOLDERS_PER_PART)
        if (walk_path(first, first->todo.items[next++], false, err) < 0)
            return -1;
    size_t kept = 0;
    for (size_t i = next; i < first->todo.len; i++) {
        struct part *p = &s->parts[(i - next) % s->nparts];
        if (p == first)
            first->todo.items[kept++] = first->todo.items[i];
        else
            *vec_push(&p->todo) = first->todo.items[i];
    }
    first->todo.len = kept;
    return 0;
}

int scan_begin(struct scan **out, const struct context_place *place, const char *cache_dir,
               size_t nparts, struct error *err)
{
    struct scan *s = xnew(struct scan);
    s->place = place;
    s->nparts = nparts;
    s->parts = xcalloc(nparts, sizeof(*s->parts));
    for (size_t i = 0; i < nparts; i++) {
        s->parts[i].scan = s;
        s->parts[i].arena = arena_new();
        s->parts[i].buffer = xmalloc(READ_SIZE);
    }
    s->root = arena_new_(s->parts[0].arena, struct folder);
    s->root->path = "";
    s->began_ns = clock_unix_ns();
    s->cache_path = cache_dir ? make_cache_path(place, cache_dir) : NULL;
    s->cache = s->cache_path ? stat_cache_load(s->cache_path) : stat_cache_read(NULL, 0);
    if (open_scan(s, err) < 0 || deal(s, err) < 0) {
        scan_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void scan_part(struct scan *s, size_t part)
{
    struct part *p = &s->parts[part];
    vec_each (f, &p->todo)
        if (walk_path(p, *f, true, &p->err) < 0)
            return;
}

/* The list as one, folders before what they hold: into entries, a digest, the next cache; the
 * first and the last may be missing. */
struct flat {
    struct context_entry *entries;
    size_t len;
    struct digest *digest;
    struct str listing; /* of it, what was not yet added */
    struct stat_cache_writer *writer;
};

/* In a form that is the same on every machine. */
static void list_entry(struct flat *flat, const struct context_entry *e)
{
    struct str *out = &flat->listing;
    if (is_git_data(e->path))
        return;
    str_addn(out, e->path, strlen(e->path) + 1);
    for (int shift = 0; shift < 32; shift += 8)
        str_addc(out, (char)(e->mode >> shift));
    for (int shift = 0; shift < 64; shift += 8)
        str_addc(out, (char)((uint64_t)e->rdev >> shift));
    str_addn(out, e->link ? e->link : "", e->link ? strlen(e->link) + 1 : 1);
    str_addn(out, (const char *)e->digest, DIGEST_LEN);
    if (out->len >= READ_SIZE / 2) {
        digest_add(flat->digest, out->buf, out->len);
        str_truncate(out, 0);
    }
}

/* Whether the item stands in the list: a folder that is ignored only with something in it. */
static bool stays(const struct item *it)
{
    if (!it->ignored)
        return true;
    for (size_t i = 0; i < it->folder->len; i++)
        if (stays(&it->folder->items[i]))
            return true;
    return false;
}

static void flatten(struct flat *flat, const struct folder *f)
{
    for (size_t i = 0; i < f->len; i++) {
        const struct item *it = &f->items[i];
        if (!stays(it))
            continue;
        if (flat->entries)
            flat->entries[flat->len++] = it->entry;
        list_entry(flat, &it->entry);
        if (flat->writer && it->stable)
            stat_cache_add(flat->writer, it->entry.path, &it->entry.stat, it->entry.digest);
        if (it->folder)
            flatten(flat, it->folder);
    }
}

static void end_list(struct scan *s, struct flat *flat, char digest[DIGEST_HEX_LEN + 1],
                     bool learned)
{
    struct stat_cache_writer writer;
    stat_cache_begin(&writer, s->began_ns);
    flat->writer = learned && s->cache_path ? &writer : NULL;
    flat->digest = digest_new();
    flat->listing = STR_INIT;
    digest_add_str(flat->digest, FORM);
    flatten(flat, s->root);
    digest_add(flat->digest, flat->listing.buf, flat->listing.len);
    digest_end(flat->digest, digest);
    str_clear(&flat->listing);
    /* Without it the next run reads more: no reason to fail this one. */
    auto_error struct error err = ERROR_INIT;
    if (flat->writer && stat_cache_save(&writer, s->cache_path, &err) < 0)
        log_debug("stat cache: %s", err.msg);
    stat_cache_writer_clear(&writer);
}

static void make_context(struct context *c, struct scan *s, bool learned)
{
    size_t found = 0;
    for (size_t i = 0; i < s->nparts; i++)
        found += s->parts[i].found;
    struct flat flat = { .entries = xcalloc(found + 1, sizeof(*flat.entries)) };
    end_list(s, &flat, c->digest, learned);
    c->entries = flat.entries;
    c->len = flat.len;
    c->narenas = s->nparts;
    c->arenas = xcalloc(s->nparts, sizeof(struct arena *));
    for (size_t i = 0; i < s->nparts; i++)
        c->arenas[i] = take(s->parts[i].arena);
}

int scan_end(struct context **out, char digest[DIGEST_HEX_LEN + 1], struct scan *s,
             struct error *err)
{
    int result = 0;
    bool learned = false;
    for (size_t i = 0; i < s->nparts; i++) {
        learned = learned || s->parts[i].learned;
        if (s->parts[i].err.kind && result == 0)
            result = error_move(err, &s->parts[i].err);
    }
    if (result == 0 && digest) {
        struct flat flat = { 0 };
        end_list(s, &flat, digest, learned);
    } else if (result == 0) {
        *out = xnew(struct context);
        make_context(*out, s, learned);
    }
    scan_free(s);
    return result;
}

int context_scan(struct context **out, const struct context_place *place, const char *cache_dir,
                 const atomic_bool *stop, struct error *err)
{
    struct scan *s;
    if (scan_begin(&s, place, cache_dir, 1, err) < 0)
        return -1;
    s->stop = stop;
    scan_part(s, 0);
    return scan_end(out, NULL, s, err);
}

void context_free(struct context *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->narenas; i++)
        arena_free(c->arenas[i]);
    free(c->arenas);
    free(c->entries);
    free(c);
}
