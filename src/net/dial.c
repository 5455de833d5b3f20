/* Connections that libcurl makes. */
#include "net/dial.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/curl.h"
#include "net/private.h"
#include "net/stream.h"

/*
 * libcurl says which sockets and which timeout it waits for; the loop waits, and tells it what came
 * true. None of its callbacks runs one of a caller's: those run when it has returned.
 */

struct dialer {
    struct http *h;
    const struct curl_api *curl;
    CURLM *multi;
    struct loop_timer *timer; /* libcurl's */
};

struct dial {
    struct dialer *d;
    CURL *easy;
    void (*done)(void *ctx, int fd, const struct error *err);
    void *ctx;
    char detail[CURL_ERROR_SIZE]; /* libcurl's words on a failure */
};

struct watched {
    struct dialer *d;
    curl_socket_t fd;
    struct loop_io *io;
};

static void explain(struct dial *c, CURLcode result, struct error *err)
{
    const struct curl_api *curl = c->d->curl;
    const char *words = c->detail[0] ? c->detail : curl->curl_easy_strerror(result);
    long number = 0;
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT:
        error_set(err, ERR_TIMEOUT, HTTP_ABSENT, "connect to %s: no answer within %d s",
                  c->d->h->where, HTTP_CONNECT_MS / 1000);
        return;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        curl->curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &number);
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
        break;
    default:
        error_set(err, ERR_NETWORK, 0, "connect to %s: %s", c->d->h->where, words);
        return;
    }
    error_set(err, ERR_NETWORK, HTTP_ABSENT, "connect to %s: %s", c->d->h->where,
              number ? strerror((int)number) : words);
}

static void ended(struct dial *c, CURLcode result)
{
    auto_error struct error err = ERROR_INIT;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (result == CURLE_OK)
        c->d->curl->curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD)
        explain(c, result == CURLE_OK ? CURLE_COULDNT_CONNECT : result, &err);
    c->done(c->ctx, fd, err.kind ? &err : NULL);
}

/* Lets libcurl go on, and reports the connections that this completed. */
static void go_on(struct dialer *d, curl_socket_t fd, int flags)
{
    struct http *h = d->h;
    int running, left;
    CURLMsg *m;
    http_enter(h);
    d->curl->curl_multi_socket_action(d->multi, fd, flags, &running);
    while ((m = d->curl->curl_multi_info_read(d->multi, &left))) {
        struct dial *c;
        CURLcode result = m->data.result;
        d->curl->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        ended(c, result);
    }
    http_leave(h);
}

static void on_io(void *ctx, int events)
{
    struct watched *w = ctx;
    int flags = 0;
    flags |= events & LOOP_READ ? CURL_CSELECT_IN : 0;
    flags |= events & LOOP_WRITE ? CURL_CSELECT_OUT : 0;
    go_on(w->d, w->fd, flags);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct dialer *d = ctx;
    struct watched *w = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            loop_io_cancel(&w->io);
            free(w);
            d->curl->curl_multi_assign(d->multi, fd, NULL);
        }
        return 0;
    }
    int events = 0;
    events |= what & CURL_POLL_IN ? LOOP_READ : 0;
    events |= what & CURL_POLL_OUT ? LOOP_WRITE : 0;
    if (w) {
        loop_io_change(w->io, events);
        return 0;
    }
    w = xnew(struct watched);
    w->d = d;
    w->fd = fd;
    w->io = loop_io(d->h->loop, fd, events, on_io, w);
    d->curl->curl_multi_assign(d->multi, fd, w);
    return 0;
}

static void on_timer(void *ctx)
{
    go_on(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long ms, void *ctx)
{
    struct dialer *d = ctx;
    (void)multi;
    loop_timer_cancel(&d->timer);
    if (ms >= 0)
        loop_after(&d->timer, d->h->loop, ms, on_timer, d);
    return 0;
}

int dialer_new(struct dialer **out, struct http *h, struct error *err)
{
    const struct curl_api *curl = curl_api(err);
    if (!curl)
        return -1;
    CURLM *multi = curl->curl_multi_init();
    if (!multi)
        return error_set(err, ERR_SYSTEM, 0, "start libcurl: out of resources");
    struct dialer *d = xnew(struct dialer);
    d->h = h;
    d->curl = curl;
    d->multi = multi;
    curl->curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl->curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, d);
    curl->curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl->curl_multi_setopt(multi, CURLMOPT_TIMERDATA, d);
    *out = d;
    return 0;
}

void dialer_free(struct dialer *d)
{
    if (!d)
        return;
    d->curl->curl_multi_cleanup(d->multi);
    loop_timer_cancel(&d->timer);
    free(d);
}

static bool is_local_url(const char *url)
{
    static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
    const char *host = strstr(url, "://");
    host = host ? host + strlen("://") : url;
    for (size_t i = 0; i < countof(hosts); i++) {
        const char *after = host + strlen(hosts[i]);
        if (str_starts(host, hosts[i]) && (*after == '\0' || *after == ':' || *after == '/'))
            return true;
    }
    return false;
}

/* libcurl's sockets would be inherited by every child, which then keeps them open. */
static int on_new_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    (void)ctx, (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return CURL_SOCKOPT_OK;
}

struct dial *dial_start(struct dialer *d, void (*done)(void *ctx, int fd, const struct error *err),
                        void *ctx)
{
    const struct curl_api *curl = d->curl;
    const struct http *h = d->h;
    struct dial *c = xnew(struct dial);
    CURL *easy = curl->curl_easy_init();
    if (!easy)
        abort(); /* memory, the only reason */
    *c = (struct dial){ .d = d, .easy = easy, .done = done, .ctx = ctx };
    curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
    curl->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->detail);
    curl->curl_easy_setopt(easy, CURLOPT_URL, h->base_url);
    curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->curl_easy_setopt(easy, CURLOPT_USERAGENT, "stack/" STACK_VERSION); /* for a proxy */
    curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
    /* A peer that is gone is noticed within a minute, also where silence is normal. */
    curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
    curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
    if (is_local_url(h->base_url))
        curl->curl_easy_setopt(easy, CURLOPT_PROXY, "");
    else
        curl->curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    if (h->tls) {
        if (h->ca_file) /* else those of the system */
            curl->curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file);
        curl->curl_easy_setopt(easy, CURLOPT_SSLCERT, h->cert_file);
        curl->curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key_file);
        curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, h->skip_verify ? 0L : 1L);
        curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, h->skip_verify ? 0L : 2L);
    }
    curl->curl_multi_add_handle(d->multi, easy);
    return c;
}

static long result_of(CURLcode rc, size_t n)
{
    if (rc == CURLE_OK)
        return (long)n;
    return rc == CURLE_AGAIN ? STREAM_AGAIN : STREAM_BROKEN;
}

long dial_send(struct dial *c, const char *data, size_t len)
{
    size_t n = 0;
    CURLcode rc = c->d->curl->curl_easy_send(c->easy, data, len, &n);
    return rc == CURLE_OK && n == 0 ? STREAM_AGAIN : result_of(rc, n);
}

long dial_recv(struct dial *c, char *buf, size_t max)
{
    size_t n = 0;
    CURLcode rc = c->d->curl->curl_easy_recv(c->easy, buf, max, &n);
    return result_of(rc, n);
}

const char *dial_problem(const struct dial *c)
{
    return c->detail[0] ? c->detail : NULL;
}

/* libcurl has no call for it; its TLS library does. Where that is another one, the peer sees the
 * end only when the connection closes. */
static void end_tls(struct dial *c)
{
    struct ssl_api {
        int (*SSL_shutdown)(void *ssl);
    } ssl;
    static const struct library_symbol symbols[] = { LIBRARY_SYMBOL(ssl_api, SSL_shutdown) };
    static const char *const sonames[] = { "libssl.so.3", "libssl.so.1.1", "libssl.3.dylib", NULL };

    struct curl_tlssessioninfo *info = NULL;
    c->d->curl->curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &info);
    if (info && info->backend == CURLSSLBACKEND_OPENSSL && info->internals &&
        library_open(&ssl, symbols, countof(symbols), sonames, "TLS", NULL) == 0)
        ssl.SSL_shutdown(info->internals);
}

void dial_end_write(struct dial *c)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (c->d->h->tls) {
        end_tls(c);
        return;
    }
    c->d->curl->curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd != CURL_SOCKET_BAD)
        shutdown(fd, SHUT_WR);
}

void dial_close(struct dial *c)
{
    c->d->curl->curl_multi_remove_handle(c->d->multi, c->easy);
    c->d->curl->curl_easy_cleanup(c->easy);
    free(c);
}
