/*
 * Digests of files by what stat(2) says of them, kept between runs.
 *
 * A digest is reused only when size, inode, mtime and ctime (in nanoseconds) are what they were
 * when the file was read. A file that was changed shortly before it was read may be changed again
 * within the same tick of the file system's clock, and then looks the same: such files are not
 * kept (git calls them racy), so that they are read again the next time.
 *
 * The cache is one file per context and rules; whatever is wrong with it, it is an empty cache.
 */
#ifndef BUILD_STAT_CACHE_H
#define BUILD_STAT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"

/* File systems keep times in steps of up to two seconds (FAT). */
#define STAT_CACHE_RACY_NS ((int64_t)2000000000)
#define STAT_CACHE_MAX_BYTES ((size_t)1 << 30)
/* Caches that nobody asked for so long are removed when another one is saved. */
#define STAT_CACHE_KEEP_NS ((int64_t)30 * 24 * 3600 * 1000000000)

struct stat_key {
    uint64_t ino;
    int64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
};

/* Byte order in which a walk meets paths: name by name, so that "a/x" comes before "a-b". */
int stat_cache_order(const char *a, const char *b);

struct stat_cache;
/* The bytes of a cache file, taken over (free()); NULL or anything that is not one: empty. */
struct stat_cache *stat_cache_read(char *bytes, size_t len);
/* The same from a file, which need not be there. */
struct stat_cache *stat_cache_load(const char *path);
/* The digest of `path` as it was, or NULL. Several threads may ask at once; each has a *cursor of
 * its own (begin with 0), which makes it fast to ask in stat_cache_order(). */
const uint8_t *stat_cache_find(const struct stat_cache *c, size_t *cursor, const char *path,
                               const struct stat_key *key);
void stat_cache_free(struct stat_cache *c);
DEFINE_FREEP(struct stat_cache, stat_cache_free)

/* Whether a file that looks like this, at `now_ns` by the wall clock before it was read, may have
 * changed since without a trace. */
bool stat_cache_racy(const struct stat_key *key, int64_t now_ns);

/* A new cache file in memory. `now_ns`: the wall clock before the first file was looked at. */
struct stat_cache_writer {
    struct str bytes;
    int64_t now_ns;
};
void stat_cache_begin(struct stat_cache_writer *w, int64_t now_ns);
/* In stat_cache_order(). Leaves out what is racy; whether it was kept. */
bool stat_cache_add(struct stat_cache_writer *w, const char *path, const struct stat_key *key,
                    const uint8_t digest[DIGEST_LEN]);
/* Completes w->bytes. */
void stat_cache_end(struct stat_cache_writer *w);
/* Completes it and puts it at `path`, in one step. */
int stat_cache_save(struct stat_cache_writer *w, const char *path, struct error *err);
void stat_cache_writer_clear(struct stat_cache_writer *w);

#endif
