/*
 * libmicrohttpd on the loop. The library watches its sockets with one epoll descriptor, which the
 * loop watches in turn: when it is readable, or the library's own timeout has passed, MHD_run()
 * does what can be done without waiting.
 *
 * The library closes connections that are silent; one that sends a byte now and then is not. So
 * each connection has an end, counted from its opening or its last answer, and a sweep every second
 * shuts down those that passed it.
 */
#include "server/http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "server/microhttpd.h"

enum {
    HEAD_MAX = 32 << 10,    /* of a request, with what the library needs besides */
    BODIES_AT_A_TIME = 8,   /* of the largest size; more have to wait outside */
    SMALL_BODY = 256 << 10, /* always finds room: the number of connections bounds these */
    SWEEP_MS = 1000,
    BACKLOG = 128,
};

struct connection {
    struct connection *prev, *next;
    struct http_server *server;
    struct MHD_Connection *mhd;
    int64_t end_ms;
    char source[INET6_ADDRSTRLEN];
    bool local;
};

/* One request on its connection. */
struct exchange {
    struct connection *c;
    char *method, *path;
    struct strv headers;
    struct str body;
    size_t reserved; /* of the server's bodies */
    int refused;     /* status for what is too much; the rest of the body is thrown away */
};

struct http_server {
    struct loop *loop;
    const struct microhttpd_api *api;
    struct MHD_Daemon *daemon;
    struct loop_io *io;
    struct loop_timer *timeout, *sweep;
    struct connection *connections;
    struct http_server_options opt;
    struct http_server_handlers hd;
    size_t bodies; /* bytes reserved by all */
    int listen_fd;
    char *address;
};

/* --- requests and answers as data --- */

static const char *header_value(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) == 0 && str_starts(line + n, ": ") ? line + n + 2 : NULL;
}

const char *request_header(const struct request *rq, const char *name)
{
    strv_each (it, rq->headers)
        if (header_value(*it, name))
            return header_value(*it, name);
    return NULL;
}

size_t request_header_count(const struct request *rq, const char *name)
{
    size_t n = 0;
    strv_each (it, rq->headers)
        n += header_value(*it, name) != NULL;
    return n;
}

void answer_error(struct answer *a, int status, const char *text)
{
    a->status = status;
    a->type = NULL;
    str_clear(&a->body);
    str_addf(&a->body, "{\"error\":\"%s\"}\n", text);
}

static void answer_clear(struct answer *a)
{
    str_clear(&a->body);
    strv_clear(&a->headers);
}

static enum MHD_Result send_answer(struct exchange *x, struct answer *a)
{
    const struct microhttpd_api *api = x->c->server->api;
    struct MHD_Response *r =
        api->MHD_create_response_from_buffer(a->body.len, a->body.buf, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    api->MHD_add_response_header(r, "Content-Type", a->type ? a->type : "application/json");
    api->MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    api->MHD_add_response_header(r, "Cache-Control", "no-store");
    strv_each (it, &a->headers) {
        const char *colon = strstr(*it, ": ");
        auto_free char *name = xstrndup(*it, (size_t)(colon - *it));
        api->MHD_add_response_header(r, name, colon + 2);
    }
    enum MHD_Result rc = api->MHD_queue_response(x->c->mhd, (unsigned)a->status, r);
    api->MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result send_error(struct exchange *x, int status, const char *text)
{
    struct answer a = { .body = STR_INIT };
    answer_error(&a, status, text);
    if (status == 503)
        strv_add(&a.headers, "Retry-After: 30");
    enum MHD_Result rc = send_answer(x, &a);
    answer_clear(&a);
    return rc;
}

static enum MHD_Result send_refusal(struct exchange *x)
{
    return send_error(x, x->refused,
                      x->refused == 413 ? "the body is too large" : "too much at a time");
}

/* --- a request as it comes --- */

static enum MHD_Result add_header(void *ctx, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    struct exchange *x = ctx;
    auto_str struct str line = STR_INIT_MAX(HEAD_MAX);
    (void)kind;
    for (const char *c = key; *c; c++)
        str_addc(&line, (char)tolower((unsigned char)*c));
    str_addf(&line, ": %s", value ? value : "");
    strv_take(&x->headers, str_detach(&line));
    return MHD_YES;
}

/* Whether the bytes may be held; otherwise the request is refused. */
static bool reserve(struct exchange *x, size_t whole)
{
    struct http_server *s = x->c->server;
    if (whole > s->opt.body_max) {
        x->refused = 413;
    } else if (whole > x->reserved) {
        size_t more = whole - x->reserved;
        if (whole > SMALL_BODY && s->bodies + more > BODIES_AT_A_TIME * s->opt.body_max) {
            x->refused = 503;
        } else {
            s->bodies += more;
            x->reserved = whole;
        }
    }
    return !x->refused;
}

static struct request request_of(const struct exchange *x)
{
    return (struct request){
        .method = x->method,
        .path = x->path,
        .headers = &x->headers,
        .body = x->body.buf,
        .len = x->body.len,
        .source = x->c->source,
        .local = x->c->local,
    };
}

static enum MHD_Result begin(struct exchange *x)
{
    struct http_server *s = x->c->server;
    struct request rq = request_of(x);
    struct answer a = { .body = STR_INIT };
    enum MHD_Result rc = MHD_YES;
    const char *length = request_header(&rq, "content-length");
    int64_t n = 0;
    if (length && num_range(&n, length, 0, INT64_MAX) < 0)
        return send_error(x, 400, "the length of the body is no number");
    if (!s->hd.begin(s->hd.ctx, &rq, &a))
        rc = send_answer(x, &a);
    else if (!reserve(x, (size_t)n))
        rc = send_refusal(x);
    answer_clear(&a);
    return rc;
}

static enum MHD_Result finish(struct exchange *x)
{
    struct http_server *s = x->c->server;
    if (x->refused)
        return send_refusal(x);
    struct request rq = request_of(x);
    struct answer a = { .body = STR_INIT };
    s->hd.serve(s->hd.ctx, &rq, &a);
    enum MHD_Result rc = send_answer(x, &a);
    answer_clear(&a);
    return rc;
}

static struct connection *connection_of(const struct http_server *s, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        s->api->MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **slot)
{
    struct http_server *s = ctx;
    struct exchange *x = *slot;
    (void)version;
    if (!x) {
        struct connection *c = connection_of(s, mhd);
        if (!c)
            return MHD_NO;
        *slot = x = xnew(struct exchange);
        x->c = c;
        x->method = xstrdup(method);
        x->path = xstrdup(url);
        x->body = STR_INIT_MAX(s->opt.body_max);
        s->api->MHD_get_connection_values(mhd, MHD_HEADER_KIND, add_header, x);
        return begin(x);
    }
    if (!*len)
        return finish(x);
    if (!x->refused && reserve(x, x->body.len + *len))
        str_addn(&x->body, data, *len);
    *len = 0;
    return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **slot,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    struct exchange *x = *slot;
    (void)mhd, (void)code;
    if (!x)
        return;
    s->bodies -= x->reserved;
    x->c->end_ms = clock_ms() + s->opt.request_ms;
    free(x->method);
    free(x->path);
    strv_clear(&x->headers);
    str_clear(&x->body);
    free(x);
    *slot = NULL;
}

/* --- connections --- */

static void describe_peer(struct connection *c, const struct sockaddr *addr)
{
    if (addr && addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)addr;
        inet_ntop(AF_INET, &in->sin_addr, c->source, sizeof(c->source));
        c->local = ntohl(in->sin_addr.s_addr) >> 24 == 127;
    } else if (addr && addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)addr;
        inet_ntop(AF_INET6, &in->sin6_addr, c->source, sizeof(c->source));
        c->local = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr) ||
                   (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) && in->sin6_addr.s6_addr[12] == 127);
    }
}

static void sweep(void *ctx)
{
    struct http_server *s = ctx;
    int64_t now = clock_ms();
    for (struct connection *c = s->connections; c; c = c->next) {
        const union MHD_ConnectionInfo *info =
            s->api->MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        /* The library sees the end of it, as if the peer had gone, and cleans up. */
        if (now > c->end_ms && info)
            shutdown(info->connect_fd, SHUT_RDWR);
    }
    if (s->connections)
        loop_after(&s->sweep, s->loop, SWEEP_MS, sweep, s);
}

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **slot,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = ctx;
    struct connection *c = *slot;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = c = xnew(struct connection);
        c->server = s;
        c->mhd = mhd;
        c->end_ms = clock_ms() + s->opt.request_ms;
        const union MHD_ConnectionInfo *info =
            s->api->MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        describe_peer(c, info ? info->client_addr : NULL);
        c->next = s->connections;
        if (c->next)
            c->next->prev = c;
        s->connections = c;
        if (!s->sweep)
            loop_after(&s->sweep, s->loop, SWEEP_MS, sweep, s);
    } else if (c) {
        if (c->prev)
            c->prev->next = c->next;
        else
            s->connections = c->next;
        if (c->next)
            c->next->prev = c->prev;
        free(c);
        *slot = NULL;
    }
}

/* --- on the loop --- */

static void run(void *ctx)
{
    struct http_server *s = ctx;
    unsigned long long ms;
    loop_timer_cancel(&s->timeout);
    s->api->MHD_run(s->daemon);
    if (s->api->MHD_get_timeout(s->daemon, &ms) == MHD_YES)
        loop_after(&s->timeout, s->loop, ms > SWEEP_MS ? SWEEP_MS : (int64_t)ms, run, s);
}

static void on_readable(void *ctx, int events)
{
    (void)events;
    run(ctx);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *ctx, const char *fmt, va_list ap)
{
    (void)ctx;
    if (!log_enabled())
        return;
    auto_free char *text = xvasprintf(fmt, ap);
    log_debug("http: %s", text);
}

static char *address_text(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0 ||
        getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return xstrdup("?");
    return xasprintf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_at(const char *host, int port, struct error *err)
{
    char service[16];
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
    snprintf(service, sizeof(service), "%d", port);
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0)
        return error_set(err, ERR_NETWORK, 0, "listen at '%s': %s", host, gai_strerror(rc));
    int one = 1;
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        error_errno(err, "listen at %s:%d", host, port);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static int start(struct http_server *s, struct error *err)
{
    if (s->api->MHD_is_feature_supported(MHD_FEATURE_EPOLL) != MHD_YES)
        return error_set(err, ERR_NOTFOUND, 0, "stack hook needs Linux: there is no epoll here");
    s->listen_fd = listen_at(s->opt.host, s->opt.port, err);
    if (s->listen_fd < 0)
        return -1;
    s->address = address_text(s->listen_fd);
    unsigned silence_s = (unsigned)(s->opt.request_ms + 999) / 1000;
    s->daemon = s->api->MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
        /* first: it is for what the others say */
        MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, s->listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->opt.connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)s->opt.connections_per_source,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        silence_s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
    if (!s->daemon) {
        close(s->listen_fd);
        return error_set(err, ERR_SYSTEM, 0, "start the HTTP server at %s", s->address);
    }
    int epoll_fd = s->api->MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    s->io = loop_io(s->loop, epoll_fd, LOOP_READ, on_readable, s);
    return 0;
}

int http_server_open(struct http_server **out, struct loop *l,
                     const struct http_server_options *opt, const struct http_server_handlers *hd,
                     struct error *err)
{
    struct http_server *s = xnew(struct http_server);
    s->loop = l;
    s->opt = *opt;
    s->hd = *hd;
    s->api = microhttpd_api(err);
    if (!s->api || start(s, err) < 0) {
        free(s->address);
        free(s);
        return -1;
    }
    s->opt.host = NULL;
    *out = s;
    return 0;
}

const char *http_server_address(const struct http_server *s)
{
    return s->address;
}

void http_server_refuse(struct http_server *s)
{
    if (s->listen_fd < 0)
        return;
    s->api->MHD_quiesce_daemon(s->daemon);
    close(s->listen_fd);
    s->listen_fd = -1;
}

void http_server_close(struct http_server *s)
{
    if (!s)
        return;
    loop_io_cancel(&s->io);
    loop_timer_cancel(&s->timeout);
    s->api->MHD_stop_daemon(s->daemon);
    loop_timer_cancel(&s->sweep);
    free(s->address);
    free(s);
}
