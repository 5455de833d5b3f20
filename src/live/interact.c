/*
 * The pump between a terminal and a hijacked connection. Input is read as fast as the connection
 * takes it, no faster; files and devices that cannot be polled are read when it has drained.
 */
#include "live/interact.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/frames.h"
#include "loop/tty.h"

#define PENDING_MAX ((size_t)1 << 20)
#define PIECE 16384
#define ASKED_MOST 3 /* signals that ask for the end and are passed on; then they count for us */

/* The first ones ask for the end. */
static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
#define NASKING 4

struct interact {
    struct interact_options *opt;
    struct loop *loop;
    struct hijack *hijack;
    struct loop_io *io;       /* standard input, where it can be polled */
    struct loop_timer *timer; /* the next piece of input that cannot */
    struct loop_signal *winch, *cont;
    struct loop_signal *signals[countof(caught)];
    struct frames frames;
    int asked;  /* signals that asked for the end */
    int signum; /* the one that ends us */
    bool raw, pollable, done, detached;
    struct error err;
};

static void end(struct interact *in)
{
    in->done = true;
}

void interact_end(struct interact_options *opt)
{
    if (opt->running)
        end(opt->running);
}

/* --- output --- */

static void put(struct interact *in, int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) { /* somebody who has the same terminal made it so */
            poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
            continue;
        }
        if (n <= 0) {
            if (!in->err.kind && errno != EPIPE)
                error_errno(&in->err, "write");
            end(in);
            return;
        }
        data += n;
        len -= (size_t)n;
    }
}

static void on_frame(void *ctx, int stream, const char *data, size_t len)
{
    put(ctx, stream == 2 ? STDERR_FILENO : STDOUT_FILENO, data, len);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct interact *in = ctx;
    if (in->opt->tty)
        put(in, STDOUT_FILENO, data, len);
    else if (frames_feed(&in->frames, data, len, on_frame, in, &in->err) < 0)
        end(in);
}

static void on_closed(void *ctx, const struct error *err)
{
    struct interact *in = ctx;
    in->hijack = NULL;
    if (err && !in->err.kind)
        error_copy(&in->err, err);
    else if (!in->err.kind && !frames_complete(&in->frames))
        error_set(&in->err, ERR_NETWORK, 0, "the connection ended in the middle of the output");
    end(in);
}

/* --- input --- */

static void stop_input(struct interact *in)
{
    loop_io_cancel(&in->io);
    loop_timer_cancel(&in->timer);
}

static void pass_input(struct interact *in, const unsigned char *data, size_t len)
{
    unsigned char rest[PIECE + DETACH_MOST];
    if (in->opt->tty && in->opt->detach) {
        len = detach_filter(in->opt->detach, &in->detached, rest, data, len);
        data = rest;
    }
    hijack_write(in->hijack, data, len);
    if (in->detached)
        end(in);
}

static void read_input(struct interact *in)
{
    unsigned char piece[PIECE];
    ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        pass_input(in, piece, (size_t)n);
        return;
    }
    stop_input(in);
    if (in->raw) { /* no key gives an end in raw mode: the terminal is gone */
        in->signum = SIGHUP;
        end(in);
    } else if (in->opt->end_input && in->hijack) {
        hijack_end_write(in->hijack);
    }
}

static void on_input(void *ctx, int events)
{
    struct interact *in = ctx;
    (void)events;
    if (!in->hijack)
        return;
    read_input(in);
    if (in->io && in->hijack && hijack_pending(in->hijack) > PENDING_MAX)
        loop_io_change(in->io, 0);
}

static void on_next_piece(void *ctx)
{
    struct interact *in = ctx;
    if (in->hijack && !in->done)
        read_input(in);
}

static void on_drained(void *ctx)
{
    struct interact *in = ctx;
    if (in->io)
        loop_io_change(in->io, LOOP_READ);
    else if (!in->pollable && in->opt->input && !in->timer)
        loop_after(&in->timer, in->loop, 0, on_next_piece, in);
}

/* Regular files and devices such as /dev/null are always readable, and epoll refuses them. */
static bool can_poll(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd);
}

static void start_input(struct interact *in)
{
    in->pollable = can_poll(STDIN_FILENO);
    if (in->pollable)
        in->io = loop_io(in->loop, STDIN_FILENO, LOOP_READ, on_input, in);
    else
        loop_after(&in->timer, in->loop, 0, on_next_piece, in);
}

/* --- window and signals --- */

static void tell_size(struct interact *in)
{
    int rows, cols;
    if (in->opt->resized && tty_size(STDOUT_FILENO, &rows, &cols))
        in->opt->resized(in->opt->ctx, rows, cols);
}

static void on_winch(void *ctx, int signum)
{
    (void)signum;
    tell_size(ctx);
}

/* Somebody stopped us for a while: the shell has used the terminal, the window may be another. */
static void on_cont(void *ctx, int signum)
{
    struct interact *in = ctx;
    (void)signum;
    if (in->raw)
        tty_resume();
    tell_size(in);
}

static void on_signal(void *ctx, int signum)
{
    struct interact *in = ctx;
    bool asks = false;
    for (size_t i = 0; i < NASKING; i++)
        asks |= signum == caught[i];
    in->asked += asks;
    if (in->opt->signaled && in->asked < ASKED_MOST) {
        in->opt->signaled(in->opt->ctx, signum);
    } else if (asks) {
        in->signum = signum;
        end(in);
    }
}

static void on_open(void *ctx)
{
    struct interact *in = ctx;
    if (in->opt->opened)
        in->opt->opened(in->opt->ctx);
    if (in->opt->tty)
        tell_size(in);
    if (in->opt->input)
        start_input(in);
}

static void catch_signals(struct interact *in)
{
    /* Without a terminal in raw mode, and nobody to pass signals on to, they end us as usual. */
    size_t n = in->opt->signaled ? countof(caught) : in->raw ? NASKING : 0;
    for (size_t i = 0; i < n; i++)
        in->signals[i] = loop_signal(in->loop, caught[i], on_signal, in);
    if (in->opt->tty) {
        in->winch = loop_signal(in->loop, SIGWINCH, on_winch, in);
        in->cont = loop_signal(in->loop, SIGCONT, on_cont, in);
    }
}

static void release_signals(struct interact *in)
{
    loop_signal_cancel(&in->winch);
    loop_signal_cancel(&in->cont);
    for (size_t i = 0; i < countof(caught); i++)
        loop_signal_cancel(&in->signals[i]);
}

int interact_run(struct interact_result *out, struct engine *e, struct interact_options *opt,
                 struct error *err)
{
    struct interact in = { .opt = opt, .loop = engine_loop(e) };
    struct hijack_handlers hd = {
        .open = on_open, .data = on_data, .drained = on_drained, .closed = on_closed, .ctx = &in
    };
    in.raw = opt->tty && opt->input && tty_is(STDIN_FILENO);
    if (in.raw && tty_raw(STDIN_FILENO, err) < 0)
        return -1;
    catch_signals(&in);
    opt->running = &in;
    in.hijack = engine_hijack(e, opt->path, "tcp", NULL, opt->body, &hd);
    loop_wait(in.loop, &in.done);
    opt->running = NULL;
    stop_input(&in);
    if (in.hijack)
        hijack_close(in.hijack);
    if (in.raw)
        tty_restore();
    release_signals(&in);
    if (in.err.kind)
        return error_move(err, &in.err);
    *out = (struct interact_result){ .detached = in.detached, .signum = in.signum };
    return 0;
}
