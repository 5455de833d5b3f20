/* What peer.c, http.c, http_error.c and hijack.c share. */
#ifndef NET_PRIVATE_H
#define NET_PRIVATE_H

#include "base/vec.h"
#include "net/curl.h"
#include "net/http.h"

/* Something on the multi handle; `ended` runs outside of libcurl, once, with its result. */
struct transfer {
    CURL *easy;
    void (*ended)(struct transfer *t, CURLcode result);
    char detail[CURL_ERROR_SIZE]; /* libcurl's words on a failure */
};

struct http {
    struct loop *loop;
    const struct curl_api *curl;
    CURLM *multi;
    struct loop_timer *timer; /* libcurl's */
    struct loop_timer *kick;  /* settles in the next turn */
    struct http_call *queue;  /* waiting for a connection, in order */
    struct http_call *running;
    struct hijack *hijacks;
    struct {
        VEC(CURL *);
    } doomed;             /* to be cleaned up as soon as nothing of libcurl is on the stack */
    int busy_connections; /* of running ones that count against max_connections */
    int nested;           /* inside libcurl or a caller's callback: nothing is freed */
    bool closed;
    bool sweep; /* a call was cancelled or resumed meanwhile */

    char *where; /* for messages: the socket's path or the URL */
    char *socket_path, *base_url, *ca_file, *cert_file, *key_file;
    bool tls, skip_verify, no_proxy;
    int max_connections;
};

#define HTTP_CONNECT_MS 10000L
#define HTTP_MAX_HEADERS ((size_t)256 << 10)

/* Opens t->easy for base_url + path with all that belongs to the peer: socket, TLS, limits. */
void http_prepare(struct http *h, struct transfer *t, const char *path);
/* Takes it off the multi handle; t->ended will not run. Allowed everywhere. */
void http_release(struct http *h, struct transfer *t);
/* From here on, until http_leave(), closing is put off; it ends with all that became due. */
void http_enter(struct http *h);
void http_leave(struct http *h);
/* The same without anything in between, in the next turn. */
void http_kick(struct http *h);

/* Calls: frees the cancelled, resumes, starts as many as may run; cancels all; frees all. */
void http_calls_settle(struct http *h);
void http_calls_cancel(struct http *h);
void http_calls_free(struct http *h);
void http_close_hijacks(struct http *h);

/* The error for a failed transfer, of which this much was done. */
void http_explain(struct http *h, const struct transfer *t, CURLcode result, bool sent,
                  bool headers_came, struct error *err);
/* Ends the writing direction of a TLS connection with its close_notify. */
void http_tls_end(struct http *h, struct transfer *t);

#endif
