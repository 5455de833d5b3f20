/* The connections to one peer: libcurl's multi handle on the loop. */
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "net/private.h"

/*
 * libcurl says which sockets and which timeout it waits for; the loop waits, and tells it what came
 * true. All ways into libcurl stand between http_enter() and http_leave(), and the last leave
 * collects every transfer that ended (one wake-up may end many), drops what was cancelled, and
 * starts what waits for a connection.
 *
 * Callbacks of callers run inside libcurl's own (data, headers, upload), where none of its
 * curl_multi_* functions may be called. So while anything is on the stack, requests are only
 * queued, cancelled, resumed and closed by a mark, and the last leave acts.
 */

struct http_socket {
    struct http *h;
    curl_socket_t fd;
    struct loop_io *io;
};

static void on_io(void *ctx, int events)
{
    struct http_socket *s = ctx;
    struct http *h = s->h;
    int running, flags = 0;
    flags |= events & LOOP_READ ? CURL_CSELECT_IN : 0;
    flags |= events & LOOP_WRITE ? CURL_CSELECT_OUT : 0;
    http_enter(h);
    h->curl->curl_multi_socket_action(h->multi, s->fd, flags, &running);
    http_leave(h);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct http *h = ctx;
    struct http_socket *s = socket_ctx;
    (void)easy;

    if (what == CURL_POLL_REMOVE) {
        if (s) {
            loop_io_cancel(&s->io);
            free(s);
            h->curl->curl_multi_assign(h->multi, fd, NULL);
        }
        return 0;
    }
    int events = 0;
    events |= what & CURL_POLL_IN ? LOOP_READ : 0;
    events |= what & CURL_POLL_OUT ? LOOP_WRITE : 0;
    if (s) {
        loop_io_change(s->io, events);
        return 0;
    }
    s = xnew(struct http_socket);
    s->h = h;
    s->fd = fd;
    s->io = loop_io(h->loop, fd, events, on_io, s);
    h->curl->curl_multi_assign(h->multi, fd, s);
    return 0;
}

static void on_timer(void *ctx)
{
    struct http *h = ctx;
    int running;
    http_enter(h);
    h->curl->curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    http_leave(h);
}

static int on_curl_timer(CURLM *multi, long ms, void *ctx)
{
    struct http *h = ctx;
    (void)multi;
    loop_timer_cancel(&h->timer);
    if (ms >= 0)
        loop_after(&h->timer, h->loop, ms, on_timer, h);
    return 0;
}

static void clean_up(struct http *h, CURL *easy)
{
    h->curl->curl_multi_remove_handle(h->multi, easy);
    h->curl->curl_easy_cleanup(easy);
}

static void destroy(struct http *h)
{
    http_calls_free(h);
    vec_free(&h->doomed);
    h->curl->curl_multi_cleanup(h->multi);
    loop_timer_cancel(&h->timer);
    loop_timer_cancel(&h->kick);
    free(h->where);
    free(h->socket_path);
    free(h->base_url);
    free(h->ca_file);
    free(h->cert_file);
    free(h->key_file);
    free(h);
}

void http_enter(struct http *h)
{
    h->nested++;
}

void http_leave(struct http *h)
{
    if (h->nested > 1) {
        h->nested--;
        return;
    }
    bool again;
    do {
        again = false;
        int left;
        CURLMsg *m;
        while ((m = h->curl->curl_multi_info_read(h->multi, &left))) {
            struct transfer *t;
            CURLcode result = m->data.result;
            h->curl->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            if (t)
                t->ended(t, result);
            again = true;
        }
        http_calls_settle(h);
        while (h->doomed.len > 0)
            clean_up(h, h->doomed.items[--h->doomed.len]);
    } while (again || h->sweep);
    h->nested--;
    if (h->closed)
        destroy(h);
}

static void on_kick(void *ctx)
{
    struct http *h = ctx;
    http_enter(h);
    http_leave(h);
}

void http_kick(struct http *h)
{
    if (!h->kick && !h->nested)
        loop_after(&h->kick, h->loop, 0, on_kick, h);
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

int http_open(struct http **out, struct loop *l, const struct http_endpoint *ep, struct error *err)
{
    const struct curl_api *curl = curl_api(err);
    if (!curl)
        return -1;
    CURLM *multi = curl->curl_multi_init();
    if (!multi)
        return error_set(err, ERR_SYSTEM, 0, "start libcurl: out of resources");

    struct http *h = xnew(struct http);
    h->loop = l;
    h->curl = curl;
    h->multi = multi;
    h->socket_path = xstrdup(ep->socket_path);
    h->base_url = xstrdup(ep->base_url);
    const char *name = ep->socket_path ? ep->socket_path : ep->base_url;
    h->where = xasprintf("'%s'", ep->name ? ep->name : name);
    h->ca_file = xstrdup(ep->ca_file);
    h->cert_file = xstrdup(ep->cert_file);
    h->key_file = xstrdup(ep->key_file);
    h->tls = str_starts(ep->base_url, "https:");
    h->skip_verify = ep->skip_verify;
    h->no_proxy = ep->socket_path || is_local_url(ep->base_url);
    h->max_connections = ep->max_connections ? ep->max_connections : 16;

    curl->curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl->curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, h);
    curl->curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl->curl_multi_setopt(multi, CURLMOPT_TIMERDATA, h);
    curl->curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)h->max_connections);
    *out = h;
    return 0;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    http_calls_cancel(h);
    http_close_hijacks(h);
    h->closed = true;
    if (!h->nested)
        destroy(h);
}

/* libcurl's sockets would be inherited by every child, which then keeps them open. */
static int on_new_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    (void)ctx, (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return CURL_SOCKOPT_OK;
}

void http_prepare(struct http *h, struct transfer *t, const char *path)
{
    const struct curl_api *curl = h->curl;
    auto_free char *url = xasprintf("%s%s", h->base_url, path);
    CURL *easy = curl->curl_easy_init();
    if (!easy)
        abort(); /* memory, the only reason */
    t->easy = easy;
    t->detail[0] = '\0';
    curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->detail);
    curl->curl_easy_setopt(easy, CURLOPT_URL, url);
    curl->curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->curl_easy_setopt(easy, CURLOPT_USERAGENT, "stack/" STACK_VERSION);
    curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, HTTP_CONNECT_MS);
    curl->curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L << 10);
    if (h->socket_path) {
        curl->curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, h->socket_path);
    } else {
        /* A peer that is gone is noticed within a minute, also where silence is normal. */
        curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
        curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
        curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 5L);
    }
    if (h->no_proxy)
        curl->curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (h->tls) {
        if (h->ca_file) /* else those of the system */
            curl->curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file);
        curl->curl_easy_setopt(easy, CURLOPT_SSLCERT, h->cert_file);
        curl->curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key_file);
        curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, h->skip_verify ? 0L : 1L);
        curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, h->skip_verify ? 0L : 2L);
    }
}

void http_release(struct http *h, struct transfer *t)
{
    CURL *easy = take(t->easy);
    if (h->nested) {
        h->curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
        h->curl->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
        *vec_push(&h->doomed) = easy;
    } else {
        clean_up(h, easy);
    }
}

/* libcurl has no call for it; its TLS library does. Where that is another one, the peer sees the
 * end only when the connection closes. */
void http_tls_end(struct http *h, struct transfer *t)
{
    struct ssl_api {
        int (*SSL_shutdown)(void *ssl);
    } ssl;
    static const struct library_symbol symbols[] = { LIBRARY_SYMBOL(ssl_api, SSL_shutdown) };
    static const char *const sonames[] = { "libssl.so.3", "libssl.so.1.1", "libssl.3.dylib", NULL };

    struct curl_tlssessioninfo *info = NULL;
    h->curl->curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &info);
    if (info && info->backend == CURLSSLBACKEND_OPENSSL && info->internals &&
        library_open(&ssl, symbols, countof(symbols), sonames, "TLS", NULL) == 0)
        ssl.SSL_shutdown(info->internals);
}
