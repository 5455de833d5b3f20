/*
 * The pump between a terminal and a hijacked connection. Input is read as fast as the connection
 * takes it, no faster; files and devices that cannot be polled are read when it has drained.
 */
#include "live/interact.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/frames.h"
#include "loop/tty.h"

#define DETACH_DEFAULT "ctrl-p,ctrl-q"
#define PENDING_MAX ((size_t)1 << 20)
#define PIECE 16384

static const int passed_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };

struct interact {
    struct interact_options *opt;
    struct loop *loop;
    struct hijack *hijack;
    struct loop_io *io;       /* standard input, where it can be polled */
    struct loop_timer *timer; /* the next piece of input that cannot */
    struct loop_signal *winch;
    struct loop_signal *signals[countof(passed_signals)];
    struct frames frames;
    unsigned char keys[8];
    int nkeys, matched;
    bool pollable, done, detached;
    struct error err;
};

int interact_keys(unsigned char out[8], const char *text, struct error *err)
{
    auto_strv struct strv names = STRV_INIT;
    strv_split(&names, text, ",");
    if (names.len > 8)
        return error_set(err, ERR_USAGE, 0, "detach keys: at most 8");
    for (size_t i = 0; i < names.len; i++) {
        const char *name = names.items[i];
        int c = tolower((unsigned char)name[str_starts(name, "ctrl-") ? 5 : 0]);
        if (str_starts(name, "ctrl-") && name[5] && !name[6] && (c >= 'a' && c <= 'z'))
            out[i] = (unsigned char)(c - 'a' + 1);
        else if (str_starts(name, "ctrl-") && name[5] && !name[6] && strchr("@[\\]^_", name[5]))
            out[i] = (unsigned char)(name[5] & 0x1f);
        else if (name[0] && !name[1])
            out[i] = (unsigned char)name[0];
        else
            return error_set(err, ERR_USAGE, 0,
                             "detach keys: '%s' is neither a character nor "
                             "'ctrl-' and one",
                             name);
    }
    return (int)names.len;
}

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
    end(in);
}

/* --- input --- */

static void stop_input(struct interact *in)
{
    loop_io_cancel(&in->io);
    loop_timer_cancel(&in->timer);
}

/*
 * Passes typed bytes on, but for those that may be the detach keys: they are held until it is clear
 * that they are not.
 */
static void pass_input(struct interact *in, const unsigned char *data, size_t len)
{
    if (!in->opt->tty || !in->nkeys) {
        hijack_write(in->hijack, data, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (data[i] == in->keys[in->matched]) {
            if (++in->matched == in->nkeys) {
                in->detached = true;
                end(in);
                return;
            }
            continue;
        }
        hijack_write(in->hijack, in->keys, (size_t)in->matched);
        in->matched = data[i] == in->keys[0];
        if (!in->matched)
            hijack_write(in->hijack, &data[i], 1);
    }
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
    if (in->opt->end_input && in->hijack)
        hijack_end_write(in->hijack);
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

static void on_signal(void *ctx, int signum)
{
    struct interact *in = ctx;
    in->opt->signaled(in->opt->ctx, signum);
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

int interact_run(struct interact_result *out, struct engine *e, struct interact_options *opt,
                 struct error *err)
{
    struct interact in = { .opt = opt, .loop = engine_loop(e) };
    auto_json json_t *body = opt->body;
    struct hijack_handlers hd = {
        .open = on_open, .data = on_data, .drained = on_drained, .closed = on_closed, .ctx = &in
    };
    bool raw = opt->tty && opt->input && tty_is(STDIN_FILENO);
    const char *keys = opt->detach_keys ? opt->detach_keys : DETACH_DEFAULT;
    in.nkeys = interact_keys(in.keys, keys, err);
    if (in.nkeys < 0 || (raw && tty_raw(STDIN_FILENO, err) < 0))
        return -1;
    if (opt->tty)
        in.winch = loop_signal(in.loop, SIGWINCH, on_winch, &in);
    for (size_t i = 0; opt->signaled && i < countof(passed_signals); i++)
        in.signals[i] = loop_signal(in.loop, passed_signals[i], on_signal, &in);
    opt->running = &in;
    in.hijack = engine_hijack(e, opt->path, "tcp", NULL, body, &hd);
    loop_wait(in.loop, &in.done);
    opt->running = NULL;
    stop_input(&in);
    loop_signal_cancel(&in.winch);
    for (size_t i = 0; i < countof(passed_signals); i++)
        loop_signal_cancel(&in.signals[i]);
    if (in.hijack)
        hijack_close(in.hijack);
    if (raw)
        tty_restore();
    if (in.err.kind) {
        error_move(err, &in.err);
        return -1;
    }
    out->detached = in.detached;
    return 0;
}
