/*
 * HTTP/2, the server's side, over bytes that somebody else moves (libnghttp2, opened on need).
 *
 * Nothing here calls back but from h2_feed() and h2_take(), so the owner moves bytes in, takes
 * bytes out, and may free the whole between the two. What a peer can make grow: H2_MAX_STREAMS
 * requests at a time with heads of H2_MAX_HEAD bytes. What is queued for it, the caller bounds by
 * h2_pending(), and goes on at `room`.
 */
#ifndef SESSION_H2_H
#define SESSION_H2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define H2_MAX_STREAMS 100
#define H2_MAX_HEAD ((size_t)1 << 20)
#define H2_ROOM ((size_t)256 << 10) /* `room` runs when less than this is left of a queue */

struct h2;
struct h2_stream;

struct h2_handlers {
    void (*request)(void *ctx, struct h2_stream *s); /* the head came */
    void (*data)(void *ctx, struct h2_stream *s, const uint8_t *data, size_t len);
    void (*end)(void *ctx, struct h2_stream *s);    /* the peer sends no more on it */
    void (*room)(void *ctx, struct h2_stream *s);   /* the queue got short */
    void (*closed)(void *ctx, struct h2_stream *s); /* last of a stream, however it ended */
    void *ctx;
};

/* ERR_NOTFOUND: there is no libnghttp2. */
int h2_open(struct h2 **out, const struct h2_handlers *hd, struct error *err);
/* `closed` runs for what is open. */
void h2_free(struct h2 *h);
DEFINE_FREEP(struct h2, h2_free)

/* Bytes of the peer. ERR_PROTOCOL: they are no HTTP/2; only h2_take() and h2_free() make sense
 * after that. */
int h2_feed(struct h2 *h, const void *data, size_t len, struct error *err);
/* The next bytes for the peer, borrowed until the next call; 0 bytes: none for now. */
int h2_take(struct h2 *h, const void **data, size_t *len, struct error *err);
/* Both sides have said that they are done. */
bool h2_ended(const struct h2 *h);

/* The value number `i` of a header of the request (":path"), or NULL. */
const char *h2_header(const struct h2_stream *s, const char *name, size_t i);
void h2_set_user(struct h2_stream *s, void *user);
void *h2_user(const struct h2_stream *s);

struct h2_field {
    const char *name, *value;
};
/* The head of the answer, status 200. Once. */
void h2_answer(struct h2_stream *s, const struct h2_field *fields, size_t n);
/* Queues a piece of the answer; copied. Nothing after h2_finish(). */
void h2_send(struct h2_stream *s, const void *data, size_t len);
/* Ends the answer, once; the fields become its trailers. */
void h2_finish(struct h2_stream *s, const struct h2_field *fields, size_t n);
/* Gives the stream up. `closed` runs later. */
void h2_reset(struct h2_stream *s);
size_t h2_pending(const struct h2_stream *s); /* bytes queued */

#endif
