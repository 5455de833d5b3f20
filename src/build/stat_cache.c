/*
 * The stat cache. A file is a header, then records in the order of the walk, each with its path
 * behind it; so a walk and its cache are merged in one pass, without an index. Numbers are in the
 * machine's own byte order: the magic number does not read the same on another.
 */
#include "build/stat_cache.h"

#include <string.h>

#include "base/mem.h"

#define MAGIC UINT64_C(0x31657461635a7453) /* the last digit counts the versions of the form */
#define ALIGN 8

struct header {
    uint64_t magic;
    uint64_t body_len;
    uint64_t checksum; /* of the body */
};

struct record {
    struct stat_key key;
    uint8_t digest[DIGEST_LEN];
    uint64_t path_len; /* without the NUL; then bytes up to a multiple of ALIGN */
};

struct stat_cache {
    char *bytes;
    size_t len;
    size_t pos; /* of the next record */
};

int stat_cache_order(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    /* The slash ends a name, so it comes before every byte but the end. */
    int x = *a == '/' ? 1 : *a ? (unsigned char)*a + 1 : 0;
    int y = *b == '/' ? 1 : *b ? (unsigned char)*b + 1 : 0;
    return x - y;
}

/* Against damage, not against malice: the folder is the user's own. */
static uint64_t checksum(const char *bytes, size_t len)
{
    uint64_t sum = len;
    for (size_t i = 0; i + ALIGN <= len; i += ALIGN) {
        uint64_t part;
        memcpy(&part, bytes + i, sizeof(part));
        sum = (sum ^ part) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return sum;
}

static size_t padded(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

struct stat_cache *stat_cache_read(char *bytes, size_t len)
{
    struct stat_cache *c = xnew(struct stat_cache);
    struct header h;
    c->bytes = bytes;
    if (!bytes || len < sizeof(h))
        return c;
    memcpy(&h, bytes, sizeof(h));
    size_t body = len - sizeof(h);
    if (h.magic == MAGIC && h.body_len == body && h.checksum == checksum(bytes + sizeof(h), body)) {
        c->len = len;
        c->pos = sizeof(h);
    }
    return c;
}

/* The record at c->pos and its path; false at the end, or at something that cannot be one. */
static bool peek(const struct stat_cache *c, struct record *r, const char **path, size_t *next)
{
    if (c->len - c->pos < sizeof(*r))
        return false;
    memcpy(r, c->bytes + c->pos, sizeof(*r));
    size_t left = c->len - c->pos - sizeof(*r);
    if (r->path_len >= left || padded(r->path_len + 1) > left)
        return false;
    *path = c->bytes + c->pos + sizeof(*r);
    *next = c->pos + sizeof(*r) + padded(r->path_len + 1);
    return (*path)[r->path_len] == '\0';
}

const uint8_t *stat_cache_find(struct stat_cache *c, const char *path, const struct stat_key *key)
{
    struct record r;
    const char *name;
    size_t next;
    while (peek(c, &r, &name, &next)) {
        int order = stat_cache_order(name, path);
        if (order > 0)
            return NULL;
        size_t at = c->pos;
        c->pos = next;
        if (order < 0)
            continue;
        bool same = r.key.ino == key->ino && r.key.size == key->size &&
                    r.key.mtime_ns == key->mtime_ns && r.key.ctime_ns == key->ctime_ns;
        const char *digest = c->bytes + at + offsetof(struct record, digest);
        return same ? (const uint8_t *)digest : NULL;
    }
    return NULL;
}

void stat_cache_free(struct stat_cache *c)
{
    if (!c)
        return;
    free(c->bytes);
    free(c);
}

void stat_cache_begin(struct stat_cache_writer *w, int64_t now_ns)
{
    static const struct header empty;
    w->bytes = STR_INIT_MAX(STAT_CACHE_MAX_BYTES);
    w->now_ns = now_ns;
    str_addn(&w->bytes, (const char *)&empty, sizeof(empty));
}

bool stat_cache_add(struct stat_cache_writer *w, const char *path, const struct stat_key *key,
                    const uint8_t digest[DIGEST_LEN])
{
    static const char zeros[ALIGN];
    int64_t settled = w->now_ns - STAT_CACHE_RACY_NS;
    if (key->mtime_ns >= settled || key->ctime_ns >= settled)
        return false;
    struct record r = { .key = *key, .path_len = strlen(path) };
    memcpy(r.digest, digest, DIGEST_LEN);
    str_addn(&w->bytes, (const char *)&r, sizeof(r));
    str_addn(&w->bytes, path, r.path_len);
    str_addn(&w->bytes, zeros, padded(r.path_len + 1) - r.path_len);
    return true;
}

void stat_cache_end(struct stat_cache_writer *w)
{
    size_t body = w->bytes.len - sizeof(struct header);
    struct header h = { .magic = MAGIC,
                        .body_len = body,
                        .checksum = checksum(w->bytes.buf + sizeof(h), body) };
    memcpy(w->bytes.buf, &h, sizeof(h));
}

void stat_cache_writer_clear(struct stat_cache_writer *w)
{
    str_clear(&w->bytes);
}
