/* A scripted HTTP peer. */
#include "peer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utlist.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/vec.h"

struct reply {
    char *text;
    enum peer_after after;
};

struct connection {
    struct connection *prev, *next;
    struct peer *p;
    int fd;
    struct loop_io *io;
    struct str in, out;
    enum peer_after after; /* once `out` is sent */
    bool echo, ended;
};

struct peer {
    struct loop *loop;
    int fd;
    struct loop_io *io;
    struct connection *connections;
    struct {
        VEC(struct reply);
    } replies;
    struct strv requests;
    int accepted;
};

static void prepare(int fd)
{
    int rc = fcntl(fd, F_SETFD, FD_CLOEXEC) | fcntl(fd, F_SETFL, O_NONBLOCK);
    assert(rc == 0);
}

static void drop(struct connection *c)
{
    DL_DELETE(c->p->connections, c);
    loop_io_cancel(&c->io);
    close(c->fd);
    str_clear(&c->in);
    str_clear(&c->out);
    free(c);
}

/* Length of the first whole request in `in`, or 0. */
static size_t whole_request(const struct str *in)
{
    const char *end = strstr(in->buf, "\r\n\r\n");
    if (!end)
        return 0;
    size_t head = (size_t)(end - in->buf) + 4;
    const char *length = strcasestr(in->buf, "\r\nContent-Length: ");
    if (length && length < end) {
        auto_free char *digits = xstrndup(length + 18, strcspn(length + 18, "\r"));
        int64_t n = 0;
        assert(num_int(&n, digits) == 0);
        return in->len >= head + (size_t)n ? head + (size_t)n : 0;
    }
    const char *chunked = strcasestr(in->buf, "\r\nTransfer-Encoding: chunked");
    if (chunked && chunked < end) {
        const char *last = memmem(end, in->len - (head - 4), "\r\n0\r\n\r\n", 7);
        return last ? (size_t)(last - in->buf) + 7 : 0;
    }
    return head;
}

static void take_request(struct connection *c, size_t n)
{
    struct peer *p = c->p;
    size_t k = p->requests.len;
    strv_addn(&p->requests, c->in.buf, n);
    str_consume(&c->in, n);
    if (k < p->replies.len) {
        str_add(&c->out, p->replies.items[k].text);
        c->after = p->replies.items[k].after;
    }
}

static void on_connection(void *ctx, int events)
{
    struct connection *c = ctx;
    char buf[4096];
    if (events & LOOP_READ) {
        ssize_t n = read(c->fd, buf, sizeof(buf));
        if (n < 0 && errno != EAGAIN) {
            drop(c);
            return;
        }
        if (n == 0 && !c->echo) {
            drop(c);
            return;
        }
        if (n == 0) {
            c->ended = true;
            str_add(&c->out, "end");
        } else if (n > 0 && c->echo) {
            str_addn(&c->out, buf, (size_t)n);
        } else if (n > 0) {
            str_addn(&c->in, buf, (size_t)n);
            size_t whole = whole_request(&c->in);
            if (whole)
                take_request(c, whole);
        }
    }
    while (c->out.len > 0) {
        ssize_t n = write(c->fd, c->out.buf, c->out.len);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            drop(c);
            return;
        }
        str_consume(&c->out, (size_t)n);
    }
    if (c->out.len == 0 && (c->after == PEER_CLOSE || c->ended)) {
        drop(c);
        return;
    }
    if (c->out.len == 0 && c->after == PEER_ECHO) {
        c->echo = true;
        c->after = PEER_KEEP;
    }
    loop_io_change(c->io, (c->ended ? 0 : LOOP_READ) | (c->out.len > 0 ? LOOP_WRITE : 0));
}

static void on_listen(void *ctx, int events)
{
    struct peer *p = ctx;
    (void)events;
    int fd = accept(p->fd, NULL, NULL);
    if (fd < 0)
        return;
    prepare(fd);
    struct connection *c = xnew(struct connection);
    p->accepted++;
    c->p = p;
    c->fd = fd;
    c->in = STR_INIT;
    c->out = STR_INIT;
    c->io = loop_io(p->loop, fd, LOOP_READ, on_connection, c);
    DL_APPEND(p->connections, c);
}

static struct peer *listen_at(struct loop *l, const struct sockaddr *address, socklen_t len)
{
    struct peer *p = xnew(struct peer);
    p->loop = l;
    p->fd = socket(address->sa_family, SOCK_STREAM, 0);
    prepare(p->fd);
    int rc = bind(p->fd, address, len);
    assert(rc == 0);
    rc = listen(p->fd, 64);
    assert(rc == 0);
    p->io = loop_io(l, p->fd, LOOP_READ, on_listen, p);
    return p;
}

struct peer *peer_new(struct loop *l, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    assert(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    return listen_at(l, (struct sockaddr *)&address, sizeof(address));
}

struct peer *peer_new_tcp(struct loop *l, int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    struct peer *p = listen_at(l, (struct sockaddr *)&address, len);
    int rc = getsockname(p->fd, (struct sockaddr *)&address, &len);
    assert(rc == 0);
    *port = ntohs(address.sin_port);
    return p;
}

void peer_free(struct peer *p)
{
    while (p->connections)
        drop(p->connections);
    loop_io_cancel(&p->io);
    close(p->fd);
    vec_each (it, &p->replies)
        free(it->text);
    vec_free(&p->replies);
    strv_clear(&p->requests);
    free(p);
}

void peer_reply(struct peer *p, const char *text, enum peer_after after)
{
    *vec_push(&p->replies) = (struct reply){ .text = xstrdup(text), .after = after };
}

void peer_answer(struct peer *p, int status, const char *body)
{
    auto_free char *text = xasprintf("HTTP/1.1 %d X\r\nApi-Version: 1.41\r\nServer: Peer/1\r\n"
                                     "Content-Length: %zu\r\n\r\n%s",
                                     status, strlen(body), body);
    peer_reply(p, text, PEER_KEEP);
}

const struct strv *peer_requests(const struct peer *p)
{
    return &p->requests;
}

int peer_connections(const struct peer *p)
{
    return p->accepted;
}

bool peer_saw(const struct peer *p, size_t k, const char *text)
{
    return k < p->requests.len && str_starts(p->requests.items[k], text);
}
