/* What the files behind http.h and hijack.h share. */
#ifndef NET_PRIVATE_H
#define NET_PRIVATE_H

#include "net/http.h"

struct dialer;
struct kept;

struct http {
    struct loop *loop;
    struct dialer *dialer;   /* libcurl's part; NULL: a unix socket */
    struct loop_timer *kick; /* settles in the next turn */
    struct http_call *queue; /* waiting for a connection, in order */
    struct http_call *running;
    struct hijack *hijacks;
    struct kept *kept;    /* connections for later requests, the last used one first */
    int busy_connections; /* of running ones that count against max_connections */
    int nested;           /* inside a callback: it is not freed */
    bool closed;

    char *where; /* for messages: the socket's path or the URL */
    char *socket_path, *base_url, *ca_file, *cert_file, *key_file;
    bool tls, skip_verify;
    int max_connections;
};

#define HTTP_CONNECT_MS 10000

/* The codes of errors, for http_absent() and http_lost(). */
enum { HTTP_ABSENT = 1, HTTP_LOST = 2 };

/* From here on, until http_leave(), closing is put off; it ends with all that became due. */
void http_enter(struct http *h);
void http_leave(struct http *h);
/* The same without anything in between, in the next turn. */
void http_kick(struct http *h);

/* "POST PATH HTTP/1.1" and the headers that every request has, of them no Host when `host` is
 * false. */
void http_request_line(struct str *out, const struct http *h, const char *method, const char *path,
                       bool host);

/* Starts as many calls as may run; cancels all; closes what is kept. */
void http_calls_start(struct http *h);
void http_calls_cancel(struct http *h);
void http_close_kept(struct http *h);
void http_close_hijacks(struct http *h);

/* Fills *err for a connection that broke, of which this much was done, `problem` may be NULL; for
 * an answer that is none. -1 both. */
int http_broke(const struct http *h, bool sent, bool headers_came, const char *problem,
               struct error *err);
int http_malformed(const struct http *h, const char *why, struct error *err);

#endif
