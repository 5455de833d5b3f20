/*
 * A byte stream to the peer of a `struct http`: over a unix socket directly, over TCP and TLS as
 * libcurl connects it (dial.h). Private to net.
 *
 * Its callbacks run between http_enter() and http_leave(), never from inside the functions below,
 * and may close it.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stddef.h>

#include "base/error.h"

struct http;
struct stream;

struct stream_handlers {
    void (*connected)(void *ctx);
    /* No connection could be made, within HTTP_CONNECT_MS; the last one that runs. */
    void (*failed)(void *ctx, const struct error *err);
    /* What is watched for: LOOP_READ, LOOP_WRITE. */
    void (*ready)(void *ctx, int events);
    void *ctx;
};

struct stream *stream_open(struct http *h, const struct stream_handlers *hd);
/* From here on it reports to others. */
void stream_hand_over(struct stream *s, const struct stream_handlers *hd);
void stream_watch(struct stream *s, int events);

/* How many bytes were sent or received, or one of these; 0 from stream_recv() is the end. */
#define STREAM_AGAIN (-1)  /* none at the moment */
#define STREAM_BROKEN (-2) /* none ever again */
long stream_send(struct stream *s, const char *data, size_t len);
long stream_recv(struct stream *s, char *buf, size_t max);
/* Why it is broken, where more is known than that: what TLS says. NULL otherwise. */
const char *stream_problem(const struct stream *s);
/* Tells the peer that no more comes. */
void stream_end_write(struct stream *s);
/* NULL is allowed. */
void stream_close(struct stream *s);

#endif
