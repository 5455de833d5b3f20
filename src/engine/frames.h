/*
 * stdout and stderr of a container without a terminal, multiplexed: 1 byte stream, 3 zero bytes,
 * 4 bytes big-endian length, data. Frames may be split anywhere.
 */
#ifndef ENGINE_FRAMES_H
#define ENGINE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct frames {
    unsigned char header[8];
    size_t header_len;
    uint32_t left; /* bytes of the current frame still to come */
};
#define FRAMES_INIT ((struct frames){ 0 })

/* Calls fn for each piece of payload; stream is 1 (stdout), 2 (stderr), 0 (stdin). ERR_PROTOCOL on
 * a header that cannot be one. */
int frames_feed(struct frames *f, const char *data, size_t len,
                void (*fn)(void *ctx, int stream, const char *data, size_t len), void *ctx,
                struct error *err);
/* Whether what was fed ends where a frame does: anything else was cut. */
bool frames_complete(const struct frames *f);

#endif
