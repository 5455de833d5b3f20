/*
 * A build context as a tar. Each step adds one header or one piece of a file, so that memory stays
 * small whatever the size of the files.
 */
#include "build/pack.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/tar.h"
#include "build/reader.h"

struct pack {
    struct pack_input in;
    struct str *out; /* where the bytes go during pack_produce() */
    size_t next;     /* index of the next entry of the context */
    bool started, ended;
    struct reader reader;
    int64_t size; /* of the file that is open */
    char *buffer;
};

int pack_open(struct pack **out, const struct pack_input *in, struct error *err)
{
    auto_(pack_closep) struct pack *p = xnew(struct pack);
    p->in = *in;
    p->reader = READER_INIT;
    if (in->context && reader_open(&p->reader, in->root, err) < 0)
        return -1;
    p->buffer = xmalloc(PACK_PIECE);
    *out = take(p);
    return 0;
}

void pack_close(struct pack *p)
{
    if (!p)
        return;
    reader_close(&p->reader);
    free(p->buffer);
    free(p);
}

/* The Dockerfile goes first; nothing of the folder takes its place. */
static bool is_dockerfile(const struct pack *p, const struct context_entry *e)
{
    return !p->in.prefix && strcmp(e->path, p->in.dockerfile_name) == 0;
}

static int64_t seconds_of(int64_t ns)
{
    return ns / 1000000000 - (ns % 1000000000 < 0);
}

/* Its text may be another than the file's; mode and time are the file's where there is one. */
static void put_dockerfile(struct pack *p)
{
    struct tar_entry out = { .type = TAR_FILE,
                             .name = p->in.dockerfile_name,
                             .mode = 0644,
                             .size = (int64_t)p->in.dockerfile_len };
    for (size_t i = 0; p->in.context && i < p->in.context->len; i++) {
        const struct context_entry *e = &p->in.context->entries[i];
        if (is_dockerfile(p, e) && S_ISREG(e->mode) && e->stat.mtime_ns >= 0) {
            out.mode = e->mode;
            out.mtime = seconds_of(e->stat.mtime_ns);
        }
    }
    tar_header(p->out, &out);
    str_addn(p->out, p->in.dockerfile, p->in.dockerfile_len);
    tar_pad(p->out, out.size);
}

/* The folder that the prefix names, which may stay empty. */
static void put_prefix(struct pack *p)
{
    tar_header(p->out,
               &(struct tar_entry){ .type = TAR_FOLDER, .name = p->in.prefix, .mode = 0755 });
}

static int put_entry(struct pack *p, const struct context_entry *e, struct error *err)
{
    auto_free char *full = p->in.prefix ? xasprintf("%s/%s", p->in.prefix, e->path) : NULL;
    struct tar_entry out = { .type = tar_type_of(e->mode),
                             .name = full ? full : e->path,
                             .link = e->link,
                             .mode = e->mode,
                             .size = e->stat.size,
                             .mtime = seconds_of(e->stat.mtime_ns),
                             .device = e->rdev };
    if (out.type == TAR_FILE && reader_begin(&p->reader, e, err) < 0)
        return -1;
    p->size = e->stat.size;
    tar_header(p->out, &out);
    return 0;
}

/* The next piece of the open file. */
static int put_piece(struct pack *p, struct error *err)
{
    size_t n;
    bool end;
    if (reader_next(&p->reader, p->buffer, PACK_PIECE, &n, &end, err) < 0)
        return -1;
    str_addn(p->out, p->buffer, n);
    if (end)
        tar_pad(p->out, p->size);
    return 0;
}

static int step(struct pack *p, struct error *err)
{
    if (!p->started) {
        p->started = true;
        put_dockerfile(p);
        if (p->in.prefix)
            put_prefix(p);
        return 0;
    }
    if (p->reader.fd >= 0)
        return put_piece(p, err);
    if (p->in.context && p->next < p->in.context->len) {
        const struct context_entry *e = &p->in.context->entries[p->next++];
        return is_dockerfile(p, e) ? 0 : put_entry(p, e, err);
    }
    p->ended = true;
    tar_end(p->out);
    return 0;
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
