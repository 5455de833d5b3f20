/*
 * The folder that an image is built from: where its parts are, and what is in it.
 *
 * Everything here is blocking and touches nothing shared, so that it can run on the worker pool.
 */
#ifndef BUILD_CONTEXT_H
#define BUILD_CONTEXT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "build/stat_cache.h"
#include "model/model.h"

#define CONTEXT_MAX_DEPTH 200
#define CONTEXT_MAX_ENTRIES 2000000

/* The name under which the builder gets a Dockerfile that is not in the context. */
#define CONTEXT_DOCKERFILE ".stack.Dockerfile"

/* Where the parts are. Texts live in the arena it was found with. */
struct context_place {
    const char *root;       /* real path of the folder; NULL: the engine fetches it */
    const char *dockerfile; /* the text */
    size_t dockerfile_len;
    const char *dockerfile_name; /* in the context, as the builder is told */
    const char *ignore_path;     /* of the .dockerignore, or NULL */
    const char *ignore;          /* its text, or NULL */
};

/* Reads the Dockerfile and the ignore rules: `<Dockerfile>.dockerignore`, else `.dockerignore`.
 * ERR_INPUT when context or Dockerfile are not there, or are links to something outside. */
int context_find(struct context_place *out, struct arena *a, const struct image *image,
                 struct error *err);

struct context_entry {
    const char *path; /* relative */
    mode_t mode;      /* context_mode() */
    struct stat_key stat;
    dev_t rdev;
    const char *link;           /* symbolic links: where to */
    uint8_t digest[DIGEST_LEN]; /* files; zero else */
};

/* What the rules leave of the folder, in stat_cache_order(), without sockets. */
struct context {
    struct context_entry *entries;
    size_t len;
    char digest[DIGEST_HEX_LEN + 1]; /* of paths, types, modes and contents; not of times, and not
                                        of .git at the top */
    struct arena **arenas;           /* that hold the texts */
    size_t narenas;
};
void context_free(struct context *c);
DEFINE_FREEP(struct context, context_free)

/* Looks at every file, reads those that the stat cache does not know. `cache_dir` may be NULL: no
 * cache. `stop` (or NULL) is set by another thread to end it soon. ERR_INPUT, ERR_SYSTEM with the
 * path; ERR_CANCELED. */
int context_scan(struct context **out, const struct context_place *place, const char *cache_dir,
                 const atomic_bool *stop, struct error *err);

/* The same in steps, so that several threads share the work: begin, then each part on any thread,
 * then end. What is passed to begin must stay until end. */
struct scan;
int scan_begin(struct scan **out, const struct context_place *place, const char *cache_dir,
               size_t nparts, struct error *err);
void scan_part(struct scan *s, size_t part); /* 0 .. nparts - 1 */
/* Gives the context, or where `digest` is not NULL only its digest. Frees the scan, in any case. */
int scan_end(struct context **out, char digest[DIGEST_HEX_LEN + 1], struct scan *s,
             struct error *err);

/* Opens the directory that holds `path` below root_fd, following no link; *name (may be NULL)
 * points to the last part of path. -1 with errno. */
int context_open_parent(int root_fd, const char *path, const char **name);
/* With the type, and the same whatever the umask was when the files were checked out: without
 * write permission for group and others; links have 0777. So it is sent and so it counts. */
struct stat;
mode_t context_mode(const struct stat *st);
/* The key of a stat result. */
struct stat_key context_stat_key(const struct stat *st);

#endif
