/* Byte streams to a peer. */
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/dial.h"
#include "net/private.h"

/*
 * Connecting to a unix socket succeeds or fails at once, except when the peer has too many others
 * in its queue: then it is tried again in a moment. A later turn of the loop reports what came of
 * it.
 *
 * What a connection of libcurl's sends and receives goes through libcurl, so that TLS is nobody's
 * concern; its socket is only watched.
 */

#define QUEUE_FULL_MS 10

struct stream {
    struct http *h;
    struct stream_handlers hd;
    struct dial *dial; /* NULL: a unix socket */
    int fd;            /* -1: not connected; of a dial its own */
    struct loop_io *io;
    struct loop_timer *timer; /* the next step */
    int64_t began_ms;
    struct error failure;
    int events;  /* watched for */
    bool told;   /* that it is connected */
    bool unread; /* there may be more than the socket shows: TLS holds it */
    bool nested; /* inside one of its callbacks */
    bool closed;
};

static void free_stream(struct stream *s)
{
    error_clear(&s->failure);
    free(s);
}

void stream_close(struct stream *s)
{
    if (!s || s->closed)
        return;
    s->closed = true;
    loop_timer_cancel(&s->timer);
    loop_io_cancel(&s->io);
    if (s->dial)
        dial_close(s->dial);
    else if (s->fd >= 0)
        close(s->fd);
    if (!s->nested)
        free_stream(s);
}

static void on_unread(void *ctx);

static void report(struct stream *s, int events)
{
    struct http *h = s->h;
    http_enter(h);
    s->nested = true;
    s->unread = false;
    if (s->failure.kind) {
        s->hd.failed(s->hd.ctx, &s->failure);
    } else if (!s->told) {
        s->told = true;
        s->hd.connected(s->hd.ctx);
    } else {
        s->hd.ready(s->hd.ctx, events);
    }
    s->nested = false;
    if (s->closed)
        free_stream(s);
    else if (s->unread && (s->events & LOOP_READ) && !s->timer)
        loop_after(&s->timer, h->loop, 0, on_unread, s);
    http_leave(h);
}

static void on_unread(void *ctx)
{
    report(ctx, LOOP_READ);
}

static void on_io(void *ctx, int events)
{
    struct stream *s = ctx;
    report(s, events & s->events);
}

static void on_settled(void *ctx)
{
    report(ctx, 0);
}

static void connect_unix(void *ctx)
{
    struct stream *s = ctx;
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    const char *path = s->h->socket_path;
    int failed = 0;
    if (strlen(path) >= sizeof(to.sun_path))
        failed = ENAMETOOLONG;
    else
        memcpy(to.sun_path, path, strlen(path));
    if (!failed && s->fd < 0) {
        s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (s->fd < 0 || fcntl(s->fd, F_SETFD, FD_CLOEXEC) < 0 ||
            fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0)
            failed = errno;
    }
    if (!failed && connect(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        failed = errno;
    if (failed == EAGAIN && clock_ms() < s->began_ms + HTTP_CONNECT_MS) {
        loop_after(&s->timer, s->h->loop, QUEUE_FULL_MS, connect_unix, s);
        return;
    }
    if (failed)
        error_set(&s->failure, ERR_NETWORK, HTTP_ABSENT, "connect to %s: %s", s->h->where,
                  strerror(failed));
    loop_after(&s->timer, s->h->loop, 0, on_settled, s);
}

static void on_dialed(void *ctx, int fd, const struct error *err)
{
    struct stream *s = ctx;
    s->fd = fd;
    if (err)
        error_copy(&s->failure, err);
    report(s, 0);
}

struct stream *stream_open(struct http *h, const struct stream_handlers *hd)
{
    struct stream *s = xnew(struct stream);
    s->h = h;
    s->hd = *hd;
    s->fd = -1;
    s->began_ms = clock_ms();
    if (h->dialer)
        s->dial = dial_start(h->dialer, on_dialed, s);
    else
        connect_unix(s);
    return s;
}

void stream_hand_over(struct stream *s, const struct stream_handlers *hd)
{
    s->hd = *hd;
}

void stream_watch(struct stream *s, int events)
{
    if (s->closed || s->events == events)
        return;
    s->events = events;
    if (s->io)
        loop_io_change(s->io, events);
    else
        s->io = loop_io(s->h->loop, s->fd, events, on_io, s);
}

long stream_send(struct stream *s, const char *data, size_t len)
{
    if (s->dial)
        return dial_send(s->dial, data, len);
    ssize_t n = write(s->fd, data, len);
    if (n >= 0)
        return (long)n;
    return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_BROKEN;
}

long stream_recv(struct stream *s, char *buf, size_t max)
{
    if (s->dial) {
        long n = dial_recv(s->dial, buf, max);
        s->unread = n > 0;
        return n;
    }
    ssize_t n = read(s->fd, buf, max);
    if (n >= 0)
        return (long)n;
    return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_BROKEN;
}

const char *stream_problem(const struct stream *s)
{
    return s->dial && s->h->tls ? dial_problem(s->dial) : NULL;
}

void stream_end_write(struct stream *s)
{
    if (s->dial)
        dial_end_write(s->dial);
    else
        shutdown(s->fd, SHUT_WR);
}
