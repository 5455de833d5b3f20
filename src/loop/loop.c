/* The event loop: timers, signals, jobs and file descriptors over libuv. */
#include "loop/loop.h"

#include <assert.h>
#include <signal.h>

#include <uv.h>

#include "base/mem.h"

/*
 * libuv frees nothing and wants a handle's memory until its close callback ran. So each object
 * here is one allocation that begins with its handle, and ends in free_handle() in the turn after
 * it was cancelled; the slot that the owner holds is emptied at once.
 *
 * An error from libuv's start functions can only mean a bug of ours (a wrong signal number, a file
 * descriptor that is not open) or that the process has no file descriptors left: assert_ok().
 */

struct deferred {
    struct deferred *next;
    void (*fn)(void *ctx);
    void *ctx;
};

struct loop {
    uv_loop_t uv;
    uv_idle_t idle; /* active while something is deferred, so that the loop does not sleep */
    struct deferred *first, **last;
};

static void assert_ok(int rc)
{
    assert(rc == 0);
    (void)rc;
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

struct loop *loop_new(void)
{
    struct loop *l = xnew(struct loop);
    /* A peer that went away is an error of the write to it, never a death of the program. */
    signal(SIGPIPE, SIG_IGN);
    assert_ok(uv_loop_init(&l->uv));
    assert_ok(uv_idle_init(&l->uv, &l->idle));
    l->last = &l->first;
    return l;
}

static void assert_closing(uv_handle_t *h, void *unused)
{
    (void)unused;
    assert(uv_is_closing(h));
    (void)h;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    assert(!l->first);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_walk(&l->uv, assert_closing, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    assert_ok(uv_loop_close(&l->uv));
    free(l);
}

struct uv_loop_s *loop_uv(struct loop *l)
{
    return &l->uv;
}

bool loop_wait(struct loop *l, const bool *done)
{
    bool more = true;
    while (!*done && more)
        more = uv_run(&l->uv, UV_RUN_ONCE) != 0;
    return *done;
}

/* What is deferred by one of these runs in the next turn. */
static void run_deferred(uv_idle_t *idle)
{
    struct loop *l = idle->data;
    struct deferred *d = l->first;
    l->first = NULL;
    l->last = &l->first;
    uv_idle_stop(idle);
    while (d) {
        struct deferred *next = d->next;
        d->fn(d->ctx);
        free(d);
        d = next;
    }
}

void loop_defer(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    struct deferred *d = xnew(struct deferred);
    *d = (struct deferred){ .fn = fn, .ctx = ctx };
    *l->last = d;
    l->last = &d->next;
    l->idle.data = l;
    assert_ok(uv_idle_start(&l->idle, run_deferred));
}

struct loop_timer {
    uv_timer_t uv;
    struct loop_timer **slot;
    void (*fn)(void *ctx);
    void *ctx;
};

static void run_timer(uv_timer_t *uv)
{
    struct loop_timer *t = (struct loop_timer *)uv;
    *t->slot = NULL;
    uv_close((uv_handle_t *)&t->uv, free_handle);
    t->fn(t->ctx);
}

void loop_after(struct loop_timer **slot, struct loop *l, int64_t ms, void (*fn)(void *ctx),
                void *ctx)
{
    struct loop_timer *t = xnew(struct loop_timer);
    t->slot = slot;
    t->fn = fn;
    t->ctx = ctx;
    assert_ok(uv_timer_init(&l->uv, &t->uv));
    /* The loop's own idea of now is as old as this turn; a wait begins now. */
    uv_update_time(&l->uv);
    assert_ok(uv_timer_start(&t->uv, run_timer, ms > 0 ? (uint64_t)ms : 0, 0));
    *slot = t;
}

void loop_timer_cancel(struct loop_timer **slot)
{
    if (!*slot)
        return;
    uv_close((uv_handle_t *)&(*slot)->uv, free_handle);
    *slot = NULL;
}

struct loop_signal {
    uv_signal_t uv;
    void (*fn)(void *ctx, int signum);
    void *ctx;
};

static void run_signal(uv_signal_t *uv, int signum)
{
    struct loop_signal *s = (struct loop_signal *)uv;
    s->fn(s->ctx, signum);
}

struct loop_signal *loop_signal(struct loop *l, int signum, void (*fn)(void *ctx, int signum),
                                void *ctx)
{
    struct loop_signal *s = xnew(struct loop_signal);
    s->fn = fn;
    s->ctx = ctx;
    assert_ok(uv_signal_init(&l->uv, &s->uv));
    assert_ok(uv_signal_start(&s->uv, run_signal, signum));
    uv_unref((uv_handle_t *)&s->uv);
    return s;
}

void loop_signal_cancel(struct loop_signal **slot)
{
    if (!*slot)
        return;
    uv_close((uv_handle_t *)&(*slot)->uv, free_handle);
    *slot = NULL;
}

struct job {
    uv_work_t uv;
    void (*work)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

static void run_work(uv_work_t *uv)
{
    struct job *j = (struct job *)uv;
    j->work(j->ctx);
}

static void run_done(uv_work_t *uv, int status)
{
    struct job *j = (struct job *)uv;
    (void)status; /* only uv_cancel() makes it anything but 0 */
    j->done(j->ctx);
    free(j);
}

void loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    struct job *j = xnew(struct job);
    j->work = work;
    j->done = done;
    j->ctx = ctx;
    assert_ok(uv_queue_work(&l->uv, &j->uv, run_work, run_done));
}

struct loop_io {
    uv_poll_t uv;
    void (*fn)(void *ctx, int events);
    void *ctx;
};

/* A descriptor in error is reported as both: the read or write that follows says what it is. */
static void run_io(uv_poll_t *uv, int status, int events)
{
    struct loop_io *io = (struct loop_io *)uv;
    int got = status < 0 ? LOOP_READ | LOOP_WRITE : 0;
    if (events & (UV_READABLE | UV_DISCONNECT))
        got |= LOOP_READ;
    if (events & UV_WRITABLE)
        got |= LOOP_WRITE;
    io->fn(io->ctx, got);
}

struct loop_io *loop_io(struct loop *l, int fd, int events, void (*fn)(void *ctx, int events),
                        void *ctx)
{
    struct loop_io *io = xnew(struct loop_io);
    io->fn = fn;
    io->ctx = ctx;
    assert_ok(uv_poll_init(&l->uv, &io->uv, fd));
    loop_io_change(io, events);
    return io;
}

void loop_io_change(struct loop_io *io, int events)
{
    int want = (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
    assert_ok(want ? uv_poll_start(&io->uv, want, run_io) : uv_poll_stop(&io->uv));
}

void loop_io_cancel(struct loop_io **slot)
{
    if (!*slot)
        return;
    uv_close((uv_handle_t *)&(*slot)->uv, free_handle);
    *slot = NULL;
}
