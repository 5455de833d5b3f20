/*
 * A tar from outside into a folder of this machine (libarchive, opened on need). Blocking: for the
 * worker pool. Memory does not grow with the tar.
 *
 * Whatever the tar says, nothing is made or changed outside of the folder: every part of every name
 * is opened in its own, links are never followed, names with ".." are refused, and so are entries
 * beside the one that the tar begins with. A folder never takes the place of something else, nor
 * the other way round. Devices are left out. Links keep their targets.
 */
#ifndef LIVE_TREE_UNPACK_H
#define LIVE_TREE_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct tree_unpack_options {
    int folder;        /* descriptor of the folder; stays the caller's */
    const char *where; /* its path, for messages */
    const char *name;  /* what the tar's first entry is called in it; NULL: that entry is the folder
                          itself, which keeps its attributes */
    bool owners;       /* keep uid, gid, and with them the set-id bits, where that is allowed */
    /* Bytes of the tar: the count, 0 at the end, -1 with errno. */
    ssize_t (*read)(void *ctx, char *buf, size_t max);
    void *ctx;
};

struct tree_unpacked {
    int64_t bytes;   /* of files */
    size_t left_out; /* devices */
};

/* ERR_PROTOCOL: what is wrong with the tar; ERR_SYSTEM: also what is in its way. What was
 * unpacked before an error stays. */
int tree_unpack(struct tree_unpacked *out, const struct tree_unpack_options *opt,
                struct error *err);

#endif
