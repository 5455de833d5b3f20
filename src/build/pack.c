/*
 * A build context as a tar. libarchive makes the bytes; each step gives it one header or one piece
 * of a file, so that memory stays small whatever the size of the files.
 */
#include "build/pack.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/library.h"
#include "base/mem.h"
#include "build/reader.h"

#define ARCHIVE_FUNCTIONS(X)                   \
    X(archive_write_new)                       \
    X(archive_write_set_format_pax_restricted) \
    X(archive_write_set_bytes_per_block)       \
    X(archive_write_open)                      \
    X(archive_write_header)                    \
    X(archive_write_data)                      \
    X(archive_write_finish_entry)              \
    X(archive_write_close)                     \
    X(archive_write_free)                      \
    X(archive_error_string)                    \
    X(archive_entry_new)                       \
    X(archive_entry_free)                      \
    X(archive_entry_clear)                     \
    X(archive_entry_set_pathname)              \
    X(archive_entry_set_mode)                  \
    X(archive_entry_set_size)                  \
    X(archive_entry_set_mtime)                 \
    X(archive_entry_set_symlink)               \
    X(archive_entry_set_rdev)

struct archive_api {
    ARCHIVE_FUNCTIONS(LIBRARY_MEMBER)
};

struct pack {
    struct archive_api api;
    struct pack_input in;
    struct archive *archive;
    struct archive_entry *entry;
    struct str *out; /* where the bytes go during pack_produce() */
    size_t next;     /* index of the next entry of the context */
    bool started, ended;
    struct reader reader;
    char *buffer;
};

static int open_library(struct archive_api *api, struct error *err)
{
#define SYMBOL(fn) LIBRARY_SYMBOL(archive_api, fn)
    static const struct library_symbol symbols[] = { ARCHIVE_FUNCTIONS(SYMBOL) };
    static const char *const sonames[] = { "libarchive.so.13", "libarchive.13.dylib",
                                           "libarchive.dylib", NULL };
    return library_open(api, symbols, countof(symbols), sonames, "sending a build context", err);
}

static la_ssize_t on_bytes(struct archive *a, void *ctx, const void *bytes, size_t len)
{
    (void)a;
    struct pack *p = ctx;
    str_addn(p->out, bytes, len);
    return (la_ssize_t)len;
}

static int archive_failed(struct pack *p, struct error *err)
{
    const char *said = p->api.archive_error_string(p->archive);
    return error_set(err, ERR_SYSTEM, 0, "make a tar of the build context: %s",
                     said ? said : "unknown error");
}

int pack_open(struct pack **out, const struct pack_input *in, struct error *err)
{
    auto_(pack_closep) struct pack *p = xnew(struct pack);
    p->in = *in;
    p->reader = READER_INIT;
    if (open_library(&p->api, err) < 0)
        return -1;
    if (in->context && reader_open(&p->reader, in->root, err) < 0)
        return -1;
    p->buffer = xmalloc(PACK_PIECE);
    p->archive = p->api.archive_write_new();
    p->entry = p->api.archive_entry_new();
    if (!p->archive || !p->entry)
        return error_set(err, ERR_SYSTEM, ENOMEM, "make a tar of the build context");
    /* PAX only where the plain header cannot say it. */
    if (p->api.archive_write_set_format_pax_restricted(p->archive) != ARCHIVE_OK ||
        p->api.archive_write_set_bytes_per_block(p->archive, 0) != ARCHIVE_OK ||
        p->api.archive_write_open(p->archive, p, NULL, on_bytes, NULL) != ARCHIVE_OK)
        return archive_failed(p, err);
    *out = take(p);
    return 0;
}

void pack_close(struct pack *p)
{
    if (!p)
        return;
    struct str rest = STR_INIT;
    p->out = &rest;
    if (p->archive)
        p->api.archive_write_free(p->archive);
    if (p->entry)
        p->api.archive_entry_free(p->entry);
    str_clear(&rest);
    reader_close(&p->reader);
    free(p->buffer);
    free(p);
}

static int write_header(struct pack *p, struct error *err)
{
    /* A warning says that a name is not UTF-8; it was written as it is. */
    if (p->api.archive_write_header(p->archive, p->entry) < ARCHIVE_WARN)
        return archive_failed(p, err);
    return 0;
}

static int write_data(struct pack *p, const char *data, size_t len, struct error *err)
{
    if (p->api.archive_write_data(p->archive, data, len) < 0)
        return archive_failed(p, err);
    return 0;
}

/* The Dockerfile goes first; nothing of the folder takes its place. */
static bool is_dockerfile(const struct pack *p, const struct context_entry *e)
{
    return !p->in.prefix && strcmp(e->path, p->in.dockerfile_name) == 0;
}

static void set_mtime(struct pack *p, int64_t ns)
{
    int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
    p->api.archive_entry_set_mtime(p->entry, (time_t)seconds, 0);
}

/* Its text may be another than the file's; mode and time are the file's where there is one. */
static int put_dockerfile(struct pack *p, struct error *err)
{
    mode_t mode = S_IFREG | 0644;
    int64_t mtime_ns = 0;
    for (size_t i = 0; p->in.context && i < p->in.context->len; i++) {
        const struct context_entry *e = &p->in.context->entries[i];
        if (is_dockerfile(p, e) && S_ISREG(e->mode) && e->stat.mtime_ns >= 0) {
            mode = e->mode;
            mtime_ns = e->stat.mtime_ns;
        }
    }
    p->api.archive_entry_set_pathname(p->entry, p->in.dockerfile_name);
    p->api.archive_entry_set_mode(p->entry, mode);
    p->api.archive_entry_set_size(p->entry, (la_int64_t)p->in.dockerfile_len);
    set_mtime(p, mtime_ns);
    if (write_header(p, err) < 0)
        return -1;
    return write_data(p, p->in.dockerfile, p->in.dockerfile_len, err);
}

static void set_path(struct pack *p, const char *path)
{
    auto_free char *full = xasprintf("%s/%s", p->in.prefix ? p->in.prefix : "", path);
    p->api.archive_entry_set_pathname(p->entry, p->in.prefix ? full : path);
}

/* The folder that the prefix names, which may stay empty. */
static int put_prefix(struct pack *p, struct error *err)
{
    p->api.archive_entry_clear(p->entry);
    p->api.archive_entry_set_pathname(p->entry, p->in.prefix);
    p->api.archive_entry_set_mode(p->entry, S_IFDIR | 0755);
    set_mtime(p, 0);
    return write_header(p, err);
}

static int put_entry(struct pack *p, const struct context_entry *e, struct error *err)
{
    if (S_ISREG(e->mode) && reader_begin(&p->reader, e, err) < 0)
        return -1;
    p->api.archive_entry_clear(p->entry);
    set_path(p, e->path);
    p->api.archive_entry_set_mode(p->entry, e->mode);
    p->api.archive_entry_set_size(p->entry, S_ISREG(e->mode) ? e->stat.size : 0);
    set_mtime(p, e->stat.mtime_ns);
    if (S_ISLNK(e->mode))
        p->api.archive_entry_set_symlink(p->entry, e->link);
    if (S_ISCHR(e->mode) || S_ISBLK(e->mode))
        p->api.archive_entry_set_rdev(p->entry, e->rdev);
    return write_header(p, err);
}

/* The next piece of the open file. */
static int put_piece(struct pack *p, struct error *err)
{
    size_t n;
    bool end;
    if (reader_next(&p->reader, p->buffer, PACK_PIECE, &n, &end, err) < 0)
        return -1;
    return n ? write_data(p, p->buffer, n, err) : 0;
}

static int step(struct pack *p, struct error *err)
{
    if (!p->started) {
        p->started = true;
        if (put_dockerfile(p, err) < 0)
            return -1;
        return p->in.prefix ? put_prefix(p, err) : 0;
    }
    if (p->reader.fd >= 0)
        return put_piece(p, err);
    if (p->in.context && p->next < p->in.context->len) {
        const struct context_entry *e = &p->in.context->entries[p->next++];
        return is_dockerfile(p, e) ? 0 : put_entry(p, e, err);
    }
    p->ended = true;
    return p->api.archive_write_close(p->archive) == ARCHIVE_OK ? 0 : archive_failed(p, err);
}

int pack_produce(struct pack *p, struct str *out, size_t want, bool *end, struct error *err)
{
    p->out = out;
    size_t from = out->len;
    while (!p->ended && out->len - from < want)
        if (step(p, err) < 0)
            return -1;
    *end = p->ended;
    return 0;
}
