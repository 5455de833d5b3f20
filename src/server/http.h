/*
 * A small HTTP server on the loop, over libmicrohttpd (opened on need). It has no thread of its
 * own: the library's one descriptor is watched like any other.
 *
 * What strangers can take is bounded: connections in all and from one source, the head of a request
 * (32 KiB), its body, the bodies held at a time (eight of the largest, and small ones), and the
 * time from the first byte of a request to the last byte of its answer, however slowly they
 * trickle.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strv.h"
#include "loop/loop.h"

struct request {
    const char *method;
    const char *path;           /* decoded, without the query */
    const struct strv *headers; /* "name: value" with names in lower case, as they came */
    const char *body;           /* NUL-terminated beyond `len` */
    size_t len;
    const char *source; /* the peer's address */
    bool local;         /* it is a loopback one */
};
/* The first value of a header (lower-case name), or NULL; and how often it came. */
const char *request_header(const struct request *rq, const char *name);
size_t request_header_count(const struct request *rq, const char *name);

struct answer {
    int status;
    const char *type;    /* NULL: application/json */
    struct str body;     /* text; empty at first */
    struct strv headers; /* more of them: "Name: value" */
};
/* {"error": text} with that status. */
void answer_error(struct answer *a, int status, const char *text);

struct http_server_options {
    const char *host; /* an address or a name; what it resolves to first is listened at */
    int port;         /* 0: one that is free */
    int connections, connections_per_source;
    size_t body_max;
    int64_t request_ms; /* for a whole request and its answer */
};

struct http_server_handlers {
    /* The head is there, the body is not: true lets it come, false answers at once with *a. */
    bool (*begin)(void *ctx, const struct request *rq, struct answer *a);
    /* All is there. */
    void (*serve)(void *ctx, const struct request *rq, struct answer *a);
    void *ctx;
};

struct http_server;
int http_server_open(struct http_server **out, struct loop *l,
                     const struct http_server_options *opt, const struct http_server_handlers *hd,
                     struct error *err);
/* Closes every connection. */
void http_server_close(struct http_server *s);
DEFINE_FREEP(struct http_server, http_server_close)
/* "127.0.0.1:9666", "[::1]:9666" */
const char *http_server_address(const struct http_server *s);
/* Nobody new is let in; what was begun goes on. */
void http_server_refuse(struct http_server *s);

#endif
