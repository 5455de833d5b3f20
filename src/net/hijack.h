/*
 * A connection that an HTTP upgrade turned into a plain byte stream: attach, exec, BuildKit's
 * session. TLS and unix sockets alike.
 */
#ifndef NET_HIJACK_H
#define NET_HIJACK_H

#include "net/http.h"

struct hijack;

struct hijack_handlers {
    void (*open)(void *ctx);                               /* 101 (or 200) came */
    void (*data)(void *ctx, const char *data, size_t len); /* bytes from the peer */
    void (*drained)(void *ctx); /* all written bytes are sent; may be NULL */
    /* Once, last: the peer closed (err NULL) or it failed; ERR_ENGINE with the status when the
     * upgrade was refused, message from the body. */
    void (*closed)(void *ctx, const struct error *err);
    void *ctx;
};

/* `protocol`: "tcp" or "h2c". `headers` and `body` may be NULL. */
struct hijack *hijack_start(struct http *h, const char *method, const char *path,
                            const char *protocol, const struct strv *headers, const char *body,
                            const struct hijack_handlers *hd);
/* Queued and sent in order; copied. */
void hijack_write(struct hijack *j, const void *data, size_t len);
size_t hijack_pending(const struct hijack *j); /* bytes not yet sent */
/* No more will be written: half-close, so that the peer sees end of input. */
void hijack_end_write(struct hijack *j);
void hijack_close(struct hijack *j); /* `closed` does not run */

#endif
