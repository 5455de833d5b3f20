/*
 * A build context as a tar, produced piece by piece.
 *
 * The first entry is the Dockerfile under a plain header, because BuildKit takes anything else for
 * a Dockerfile itself. What follows is the list of a scan, and nothing but that: links are links,
 * names are kept as bytes, owners are root. A file that is no longer what the scan saw ends the
 * pack with ERR_INPUT; the tar stays well-formed up to there.
 */
#ifndef BUILD_PACK_H
#define BUILD_PACK_H

#include <stdbool.h>

#include "base/str.h"
#include "build/context.h"

struct pack_input {
    const char *root;              /* real path */
    const struct context *context; /* NULL: the Dockerfile alone */
    const char *dockerfile_name;
    const char *dockerfile;
    size_t dockerfile_len;
    const char *prefix; /* the folder of the tar that the context is in, or NULL: its top */
};

/* A single call of pack_produce() adds little more than it was asked for. */
#define PACK_PIECE ((size_t)64 << 10)

struct pack;
/* What `in` points to must outlive the pack. */
int pack_open(struct pack **out, const struct pack_input *in, struct error *err);
/* Appends at least `want` bytes to out, or fewer at the end: then *end is set. Blocking. */
int pack_produce(struct pack *p, struct str *out, size_t want, bool *end, struct error *err);
void pack_close(struct pack *p);
DEFINE_FREEP(struct pack, pack_close)

#endif
