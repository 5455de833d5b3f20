/* HTTP requests on the loop, over libcurl's multi_socket interface. */
#include "net/http.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/private.h"

/*
 * libcurl says which sockets and which timeout it waits for; the loop waits, and tells it what came
 * true. All ways into libcurl stand between http_enter() and http_leave(), and the last leave runs
 * pump(): it collects every transfer that ended (one wake-up may end many), drops what was
 * cancelled, and starts what waits for a connection.
 *
 * Callbacks of callers run inside libcurl's own (data, headers, upload), where none of its
 * curl_multi_* functions may be called. So http_start() only queues, http_cancel(), http_resume()
 * and http_close() only mark while anything is on the stack, and the last leave acts.
 *
 * libcurl repeats any request, a POST too, on a kept connection that turns out to be dead. An
 * engine that did the work and then lost the connection would do it twice; so all but GET and HEAD
 * get a connection of their own (0.1 ms on a unix socket).
 */

struct http_call {
    struct transfer t; /* first: t.ended gets it back */
    struct http_call *prev, *next;
    struct http *h;
    struct http_handlers hd;
    char *method;
    char *path;
    struct curl_slist *headers;
    char *body;
    size_t body_len;
    struct http_upload upload;
    struct http_response response;
    struct error failure; /* why one of our callbacks ended the transfer */
    struct loop_timer *silence;
    int64_t silence_ms;
    int64_t last_ms; /* when the peer was heard of last */
    size_t header_bytes;
    bool counted;      /* against max_connections */
    bool quiet_ok;     /* no limit of silence after the headers */
    bool headers_came; /* the final ones */
    bool paused;       /* the upload waits for http_resume() */
    bool resume;
    bool canceled;
};

static bool reads_only(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool is_success(const struct http_call *c)
{
    return c->response.status >= 200 && c->response.status < 300;
}

const char *http_header(const struct http_response *r, const char *name)
{
    size_t n = strlen(name);
    strv_each (it, &r->headers)
        if (strncmp(*it, name, n) == 0 && strncmp(*it + n, ": ", 2) == 0)
            return *it + n + 2;
    return NULL;
}

char *http_refusal(int status, const char *body, size_t len)
{
    auto_json json_t *j = json_loadb(body, len, 0, NULL);
    const char *message = json_str(j, "message");
    size_t n = 0;
    if (message) {
        for (n = strlen(message); n > 0 && strchr(". \r\n", message[n - 1]);)
            n--;
    } else if (!j) {
        message = body;
        while (n < len && n < 1000 && body[n] && !strchr("\r\n", body[n]))
            n++;
    }
    return n > 0 ? xstrndup(message, n) : xasprintf("HTTP status %d", status);
}

/* --- what libcurl calls --- */

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    size_t len = size * n;
    c->last_ms = clock_ms();
    if (c->canceled)
        return 0;
    if (c->headers_came)
        return len; /* a trailer */
    c->header_bytes += len;
    if (c->header_bytes > HTTP_MAX_HEADERS) {
        error_set(&c->failure, ERR_PROTOCOL, 0, "%s answered with headers of more than %zu KiB",
                  c->h->where, HTTP_MAX_HEADERS >> 10);
        return 0;
    }
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n'))
        len--;

    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        strv_clear(&c->response.headers);
    } else if (len > 0) {
        const char *colon = memchr(data, ':', len);
        size_t name = colon ? (size_t)(colon - data) : len;
        size_t value = colon ? name + 1 : len;
        while (value < len && (data[value] == ' ' || data[value] == '\t'))
            value++;
        for (size_t i = 0; i < name; i++)
            data[i] = (char)tolower((unsigned char)data[i]);
        strv_addf(&c->response.headers, "%.*s: %.*s", (int)name, data, (int)(len - value),
                  data + value);
    } else {
        long status = 0;
        c->h->curl->curl_easy_getinfo(c->t.easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200) { /* not one of the provisional answers, 100 and the like */
            c->headers_came = true;
            c->response.status = (int)status;
            if (c->quiet_ok)
                loop_timer_cancel(&c->silence);
            if (c->hd.on_headers)
                c->hd.on_headers(c->hd.ctx, &c->response);
        }
    }
    return c->canceled ? 0 : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    size_t len = size * n;
    c->last_ms = clock_ms();
    if (c->canceled)
        return 0;
    if (c->hd.on_data && is_success(c)) {
        bool more = c->hd.on_data(c->hd.ctx, data, len);
        if (!more && !c->canceled)
            error_set(&c->failure, ERR_CANCELED, 0, "the transfer from %s was ended", c->h->where);
        return more && !c->canceled ? len : 0;
    }
    str_addn(&c->response.body, data, len);
    if (c->response.body.overflow) {
        error_set(&c->failure, ERR_PROTOCOL, 0, "%s answered with more than %zu KiB", c->h->where,
                  c->response.body.max >> 10);
        return 0;
    }
    return len;
}

static size_t on_upload(char *buf, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    c->last_ms = clock_ms();
    if (c->canceled)
        return CURL_READFUNC_ABORT;
    long got = c->upload.read(c->upload.ctx, buf, size * n);
    if (c->canceled)
        return CURL_READFUNC_ABORT;
    if (got == HTTP_UPLOAD_LATER) {
        c->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (got < 0 || (size_t)got > size * n) {
        error_set(&c->failure, ERR_CANCELED, 0, "the upload to %s was ended", c->h->where);
        return CURL_READFUNC_ABORT;
    }
    return (size_t)got;
}

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

/* --- a call's life --- */

static void call_free(struct http_call *c)
{
    struct http *h = c->h;
    if (c->t.easy) {
        http_release(h, &c->t);
        DL_DELETE(h->running, c);
        h->busy_connections -= c->counted;
    } else {
        DL_DELETE(h->queue, c);
    }
    loop_timer_cancel(&c->silence);
    for (struct curl_slist *it = c->headers; it; it = it->next)
        wipe(it->data, strlen(it->data)); /* credentials among them */
    h->curl->curl_slist_free_all(c->headers);
    strv_clear(&c->response.headers);
    str_clear(&c->response.body);
    error_clear(&c->failure);
    free(c->method);
    free(c->path);
    free(c->body);
    free(c);
}

/* Reports and frees. `err` NULL: the answer is whole. */
static void finish(struct http_call *c, const struct error *err)
{
    loop_timer_cancel(&c->silence);
    if (!c->canceled) {
        c->canceled = true; /* a cancel from inside `done` finds nothing left to do */
        c->hd.done(c->hd.ctx, err ? NULL : &c->response, err);
    }
    call_free(c);
}

static void on_ended(struct transfer *t, CURLcode result)
{
    struct http_call *c = (struct http_call *)t;
    auto_error struct error err = ERROR_INIT;
    if (result == CURLE_OK && !c->headers_came)
        result = CURLE_GOT_NOTHING; /* libcurl takes a head that was cut short for a whole one */
    if (c->failure.kind) {
        error_move(&err, &c->failure);
    } else if (result != CURLE_OK) {
        long sent = 0;
        c->h->curl->curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
        http_explain(c->h, t, result, sent > 0, c->headers_came, &err);
    }
    finish(c, err.kind ? &err : NULL);
}

static void on_silence(void *ctx)
{
    struct http_call *c = ctx;
    struct http *h = c->h;
    int64_t left = c->last_ms + c->silence_ms - clock_ms();
    if (c->paused) /* it is us who keep the peer waiting */
        left = c->silence_ms;
    if (left > 0) {
        loop_after(&c->silence, h->loop, left, on_silence, c);
        return;
    }
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, 0, "%s sent nothing for %g s", h->where,
              (double)c->silence_ms / 1000);
    http_enter(h);
    finish(c, &err);
    http_leave(h);
}

static void start(struct http_call *c)
{
    struct http *h = c->h;
    const struct curl_api *curl = h->curl;
    DL_DELETE(h->queue, c);
    DL_APPEND(h->running, c);
    h->busy_connections += c->counted;

    http_prepare(h, &c->t, c->path);
    CURL *easy = c->t.easy;
    if (strcmp(c->method, "HEAD") == 0) {
        curl->curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (c->upload.read) {
        curl->curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl->curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
        curl->curl_easy_setopt(easy, CURLOPT_READDATA, c);
        curl->curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
        curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
    } else if (c->body || strcmp(c->method, "POST") == 0) {
        curl->curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len);
        curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->body ? c->body : "");
        curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
    } else if (strcmp(c->method, "GET") != 0) {
        curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
    }
    if (!reads_only(c->method))
        curl->curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
    curl->curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
    curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);

    c->last_ms = clock_ms();
    loop_after(&c->silence, h->loop, c->silence_ms, on_silence, c);
    curl->curl_multi_add_handle(h->multi, easy);
}

static void start_queued(struct http *h)
{
    struct http_call *c, *next;
    DL_FOREACH_SAFE(h->queue, c, next)
    {
        if (c->counted && h->busy_connections >= h->max_connections)
            continue;
        start(c);
    }
}

static void sweep(struct http *h)
{
    struct http_call *c, *next;
    h->sweep = false;
    DL_FOREACH_SAFE(h->queue, c, next)
    {
        if (c->canceled)
            call_free(c);
    }
    DL_FOREACH_SAFE(h->running, c, next)
    {
        if (c->canceled) {
            call_free(c);
        } else if (c->resume) {
            c->resume = false;
            if (c->paused) {
                c->paused = false;
                c->last_ms = clock_ms();
                h->curl->curl_easy_pause(c->t.easy, CURLPAUSE_CONT);
            }
        }
    }
}

/* --- the peer --- */

static void clean_up(struct http *h, CURL *easy)
{
    h->curl->curl_multi_remove_handle(h->multi, easy);
    h->curl->curl_easy_cleanup(easy);
}

static void destroy(struct http *h)
{
    while (h->queue)
        call_free(h->queue);
    while (h->running)
        call_free(h->running);
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
        if (h->sweep)
            sweep(h);
        while (h->doomed.len > 0)
            clean_up(h, h->doomed.items[--h->doomed.len]);
        if (!h->closed)
            start_queued(h);
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

static void kick(struct http *h)
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
    struct http_call *c;
    DL_FOREACH (h->queue, c)
        c->canceled = true;
    DL_FOREACH (h->running, c)
        c->canceled = true;
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
    if (h->socket_path)
        curl->curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, h->socket_path);
    else
        curl->curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
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

void http_explain(struct http *h, const struct transfer *t, CURLcode result, bool sent,
                  bool headers_came, struct error *err)
{
    const struct curl_api *curl = h->curl;
    const char *words = t->detail[0] ? t->detail : curl->curl_easy_strerror(result);
    long number = 0;
    curl->curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);

    switch (result) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        error_set(err, ERR_NETWORK, (int)result, "connect to %s: %s", h->where,
                  number ? strerror((int)number) : words);
        return;
    case CURLE_OPERATION_TIMEDOUT:
        error_set(err, ERR_TIMEOUT, (int)result, "connect to %s: no answer within %ld s", h->where,
                  HTTP_CONNECT_MS / 1000);
        return;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY: /* a header line beyond libcurl's own limit */
        error_set(err, ERR_PROTOCOL, (int)result, "%s does not answer as HTTP says: %s", h->where,
                  words);
        return;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        /* A bad chunk has no code of its own. */
        if (strstr(words, "chunked-encoding"))
            error_set(err, ERR_PROTOCOL, (int)result, "%s does not answer as HTTP says: %s",
                      h->where, words);
        else
            error_set(err, ERR_NETWORK, (int)result, "the connection to %s broke %s", h->where,
                      headers_came ? "in the middle of the answer"
                      : sent       ? "after the request was sent, before an answer came"
                                   : "before the request was sent");
        return;
    default:
        error_set(err, ERR_NETWORK, (int)result, "connect to %s: %s", h->where, words);
    }
}

bool http_absent(const struct error *err)
{
    switch (err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT ? err->code : 0) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_OPERATION_TIMEDOUT: /* only of connecting: http_explain() */
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
        return true;
    default:
        return false;
    }
}

bool http_lost(const struct error *err)
{
    return err->kind == ERR_NETWORK &&
           (err->code == CURLE_GOT_NOTHING || err->code == CURLE_PARTIAL_FILE ||
            err->code == CURLE_RECV_ERROR || err->code == CURLE_SEND_ERROR);
}

/* --- what callers call --- */

static bool has_header(const struct strv *headers, const char *name)
{
    if (headers)
        strv_each (it, headers)
            if (strncasecmp(*it, name, strlen(name)) == 0)
                return true;
    return false;
}

struct http_call *http_start(struct http *h, const struct http_request *rq,
                             const struct http_handlers *hd)
{
    const struct curl_api *curl = h->curl;
    struct http_call *c = xnew(struct http_call);
    c->h = h;
    c->t.ended = on_ended;
    c->hd = *hd;
    c->method = xstrdup(rq->method);
    c->path = xstrdup(rq->path);
    if (rq->headers)
        strv_each (it, rq->headers)
            c->headers = curl->curl_slist_append(c->headers, *it);
    /* What libcurl would add by itself: a wait of a second for "100 Continue", a form's type. */
    c->headers = curl->curl_slist_append(c->headers, "Expect:");
    if (!has_header(rq->headers, "Content-Type:"))
        c->headers = curl->curl_slist_append(c->headers, "Content-Type:");
    if (rq->upload) {
        c->upload = *rq->upload;
    } else if (rq->body) {
        c->body = xmalloc(rq->body_len + 1);
        memcpy(c->body, rq->body, rq->body_len);
        c->body_len = rq->body_len;
    }
    c->response.body = STR_INIT_MAX(rq->max_body ? rq->max_body : HTTP_MAX_BODY);
    c->silence_ms = rq->silence_ms ? rq->silence_ms : HTTP_SILENCE_MS;
    c->quiet_ok = rq->quiet_ok;
    c->counted = !rq->quiet_ok;
    DL_APPEND(h->queue, c);
    kick(h);
    return c;
}

void http_resume(struct http_call *c)
{
    c->resume = true;
    c->h->sweep = true;
    kick(c->h);
}

void http_cancel(struct http_call *c)
{
    struct http *h = c->h;
    if (h->nested) {
        c->canceled = true;
        h->sweep = true;
    } else {
        call_free(c);
        kick(h); /* its connection may be waited for */
    }
}
