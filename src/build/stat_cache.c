/*
 * The stat cache. A file is a header, then records in the order of the walk, each with its path
 * behind it. A walk asks in the same order, so that the next record is nearly always the one; else
 * it is searched for. Numbers are in the machine's own byte order: the magic number does not read
 * the same on another.
 */
#include "build/stat_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"

#define MAGIC UINT64_C(0x31657461635a7453) /* the last digit counts the versions of the form */
#define ALIGN 8
#define TOUCH_SECONDS (24 * 3600)

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
    struct {
        VEC(size_t); /* where each record begins */
    } records;
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

/* Whether a record begins at `at`; then *next is where the one after it does. */
static bool check_record(const char *bytes, size_t len, size_t at, size_t *next)
{
    struct record r;
    if (len - at < sizeof(r))
        return false;
    memcpy(&r, bytes + at, sizeof(r));
    size_t left = len - at - sizeof(r);
    if (r.path_len >= left || padded(r.path_len + 1) > left)
        return false;
    *next = at + sizeof(r) + padded(r.path_len + 1);
    return bytes[at + sizeof(r) + r.path_len] == '\0';
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
    if (h.magic != MAGIC || h.body_len != body || h.checksum != checksum(bytes + sizeof(h), body))
        return c;
    for (size_t at = sizeof(h), next; check_record(bytes, len, at, &next); at = next)
        *vec_push(&c->records) = at;
    return c;
}

struct stat_cache *stat_cache_load(const char *path)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size > STAT_CACHE_MAX_BYTES)
        return stat_cache_read(NULL, 0);
    if ((int64_t)st.st_mtime < clock_unix_ns() / 1000000000 - TOUCH_SECONDS)
        futimens(fd, NULL); /* it is in use */
    char *bytes = xmalloc((size_t)st.st_size + 1);
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, bytes + len, (size_t)st.st_size - len)) > 0)
        len += (size_t)n;
    return stat_cache_read(bytes, len);
}

static const char *record_path(const struct stat_cache *c, size_t i)
{
    return c->bytes + c->records.items[i] + sizeof(struct record);
}

/* The index of the record, or the number of records. */
static size_t search(const struct stat_cache *c, const char *path)
{
    size_t low = 0, high = c->records.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = stat_cache_order(record_path(c, middle), path);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return c->records.len;
}

const uint8_t *stat_cache_find(const struct stat_cache *c, size_t *cursor, const char *path,
                               const struct stat_key *key)
{
    size_t i = *cursor;
    if (i >= c->records.len || strcmp(record_path(c, i), path) != 0)
        i = search(c, path);
    if (i >= c->records.len)
        return NULL;
    *cursor = i + 1;
    const char *bytes = c->bytes + c->records.items[i];
    if (memcmp(bytes + offsetof(struct record, key), key, sizeof(*key)) != 0)
        return NULL;
    return (const uint8_t *)bytes + offsetof(struct record, digest);
}

void stat_cache_free(struct stat_cache *c)
{
    if (!c)
        return;
    free(c->bytes);
    vec_free(&c->records);
    free(c);
}

bool stat_cache_racy(const struct stat_key *key, int64_t now_ns)
{
    int64_t settled = now_ns - STAT_CACHE_RACY_NS;
    return key->mtime_ns >= settled || key->ctime_ns >= settled;
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
    if (stat_cache_racy(key, w->now_ns))
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

static void remove_unused(const char *folder)
{
    DIR *dir = opendir(folder);
    int64_t limit = (clock_unix_ns() - STAT_CACHE_KEEP_NS) / 1000000000;
    const struct dirent *de;
    while (dir && (de = readdir(dir))) {
        struct stat st;
        if (fstatat(dirfd(dir), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            (int64_t)st.st_mtime < limit)
            unlinkat(dirfd(dir), de->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

int stat_cache_save(struct stat_cache_writer *w, const char *path, struct error *err)
{
    stat_cache_end(w);
    if (w->bytes.overflow)
        return error_set(err, ERR_SYSTEM, EFBIG, "'%s' would be larger than %zu bytes", path,
                         STAT_CACHE_MAX_BYTES);
    if (file_write_atomic(path, w->bytes.buf, w->bytes.len, 0600, err) < 0)
        return -1;
    auto_free char *folder = path_dir(path);
    remove_unused(folder);
    return 0;
}

void stat_cache_writer_clear(struct stat_cache_writer *w)
{
    str_clear(&w->bytes);
}
