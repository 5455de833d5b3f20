/*
 * HTTP/1.1 requests on the loop: over a unix socket by itself, over TCP and TLS on connections that
 * libcurl makes (opened on need: base/library.h).
 *
 * One `struct http` per peer (an engine's socket, a registry). Connections are kept and reused;
 * at most `max_connections` at a time. All waits are bounded: connecting 10 s, and `silence_ms`
 * without a byte from the peer, unless the request says that silence is normal (events, logs,
 * wait). Answers are collected up to a limit or handed on as they come.
 *
 * No request is ever repeated here, except GET and HEAD on a kept connection that turned out to be
 * closed: whether another one may be is the caller's knowledge.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strv.h"
#include "loop/loop.h"

struct http_endpoint {
    const char *socket_path; /* unix socket, or NULL */
    const char *name;        /* for messages; NULL: the socket's path, or the URL */
    const char *base_url;    /* "http://localhost", "https://host:2376"; no final slash */
    const char *ca_file;     /* TLS: PEM files or NULL */
    const char *cert_file;
    const char *key_file;
    bool skip_verify;
    int max_connections; /* 0: 16 */
};

struct http;
int http_open(struct http **out, struct loop *l, const struct http_endpoint *ep, struct error *err);
/* Cancels what runs. */
void http_close(struct http *h);
DEFINE_FREEP(struct http, http_close)

/* Produces a request body, piece by piece, on the loop. */
struct http_upload {
    /* Up to `max` bytes into buf: the count, 0 at the end, HTTP_UPLOAD_LATER (call http_resume()
     * when there is more), or HTTP_UPLOAD_ABORT (the request fails with ERR_CANCELED). */
    long (*read)(void *ctx, char *buf, size_t max);
    void *ctx;
};
#define HTTP_UPLOAD_LATER (-1)
#define HTTP_UPLOAD_ABORT (-2)

struct http_request {
    const char *method;
    const char *path;           /* with query, begins with '/'; copied */
    const struct strv *headers; /* "Name: value"; copied; or NULL */
    const char *body;           /* copied; NULL: none */
    size_t body_len;
    const struct http_upload *upload; /* instead of body: chunked transfer */
    bool quiet_ok;      /* silence is normal: no limit between bytes after the headers */
    int64_t silence_ms; /* 0: HTTP_SILENCE_MS */
    size_t max_body;    /* of the collected answer; 0: HTTP_MAX_BODY */
};
#define HTTP_SILENCE_MS 60000
#define HTTP_MAX_BODY ((size_t)64 << 20)

struct http_response {
    int status;
    struct strv headers; /* "name: value" with names in lower case */
    struct str body;     /* empty when on_data took it and the status was 2xx */
};
/* Value of a header (lower-case name) or NULL. */
const char *http_header(const struct http_response *r, const char *name);
/* What an answer that is an error says: the "message" of a JSON object, else the first line of the
 * body, else the status. As it came, but no more than 2000 bytes; owned by the caller. */
char *http_refusal(int status, const char *body, size_t len);

struct http_handlers {
    /* Optional. A 2xx body as it comes; bodies of other statuses are collected. Return false to
     * end the transfer (done gets ERR_CANCELED). */
    bool (*on_data)(void *ctx, const char *data, size_t len);
    /* Optional: status and headers are there. */
    void (*on_headers)(void *ctx, const struct http_response *r);
    /* Once, last. r (valid during the call) is NULL when err is set. err kinds: ERR_NETWORK
     * (the message says whether anything was sent), ERR_TIMEOUT, ERR_PROTOCOL, ERR_CANCELED. */
    void (*done)(void *ctx, const struct http_response *r, const struct error *err);
    void *ctx;
};

/* What an error of a request means: no connection could be made (nobody there, no such host, no
 * agreement on TLS), or there was one and it was lost, so that trying again may help. */
bool http_absent(const struct error *err);
bool http_lost(const struct error *err);

struct http_call;
/* Never fails at once: errors come through done. */
struct http_call *http_start(struct http *h, const struct http_request *rq,
                             const struct http_handlers *hd);
void http_resume(struct http_call *c); /* the upload has more */
/* Whether what comes is to wait at the peer: the connection is not read meanwhile. What was read
 * already (up to 64 KiB) is still given. */
void http_hold(struct http_call *c, bool hold);
void http_cancel(struct http_call *c); /* done does not run */

#endif
