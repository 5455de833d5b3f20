/* The event loop. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/str.h"
#include "loop/loop.h"

struct seen {
    struct loop *l;
    struct str order;
    bool done;
    struct loop_timer *a, *b;
    struct loop_io *io;
    int fd;
};

static void add_a(void *ctx)
{
    struct seen *s = ctx;
    str_add(&s->order, "a");
}

static void add_b_and_finish(void *ctx)
{
    struct seen *s = ctx;
    str_add(&s->order, "b");
    s->done = true;
}

static void deferred_runs_later_and_in_order(void **state)
{
    (void)state;
    struct seen s = { .l = loop_new(), .order = STR_INIT };
    loop_defer(s.l, add_a, &s);
    loop_defer(s.l, add_a, &s);
    loop_defer(s.l, add_b_and_finish, &s);
    assert_string_equal(s.order.buf, "");
    assert_true(loop_wait(s.l, &s.done));
    assert_string_equal(s.order.buf, "aab");
    str_clear(&s.order);
    loop_free(s.l);
}

static void defer_again(void *ctx)
{
    struct seen *s = ctx;
    str_add(&s->order, "d");
    loop_defer(s->l, add_b_and_finish, s);
}

static void what_a_deferred_call_defers_runs_too(void **state)
{
    (void)state;
    struct seen s = { .l = loop_new(), .order = STR_INIT };
    loop_defer(s.l, defer_again, &s);
    assert_true(loop_wait(s.l, &s.done));
    assert_string_equal(s.order.buf, "db");
    str_clear(&s.order);
    loop_free(s.l);
}

static void waiting_for_nothing_ends(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    bool done = false;
    assert_false(loop_wait(l, &done));
    loop_free(l);
}

static void timers_run_once_in_order_of_time(void **state)
{
    (void)state;
    struct seen s = { .l = loop_new(), .order = STR_INIT };
    int64_t begin = clock_ms();
    loop_after(&s.b, s.l, 20, add_b_and_finish, &s);
    loop_after(&s.a, s.l, 1, add_a, &s);
    assert_non_null(s.a);
    assert_true(loop_wait(s.l, &s.done));
    assert_string_equal(s.order.buf, "ab");
    assert_null(s.a);
    assert_null(s.b);
    assert_true(clock_ms() - begin >= 19);
    str_clear(&s.order);
    loop_free(s.l);
}

static void a_cancelled_timer_never_runs(void **state)
{
    (void)state;
    struct seen s = { .l = loop_new(), .order = STR_INIT };
    loop_after(&s.a, s.l, 0, add_a, &s);
    loop_after(&s.b, s.l, 5, add_b_and_finish, &s);
    loop_timer_cancel(&s.a);
    assert_null(s.a);
    loop_timer_cancel(&s.a); /* an empty slot is fine */
    assert_true(loop_wait(s.l, &s.done));
    assert_string_equal(s.order.buf, "b");
    str_clear(&s.order);
    loop_free(s.l);
}

static void on_signal(void *ctx, int signum)
{
    struct seen *s = ctx;
    str_addf(&s->order, "%d", signum == SIGUSR1);
    s->done = true;
}

static void raise_signal(void *ctx)
{
    (void)ctx;
    raise(SIGUSR1);
}

static void signals_are_callbacks_and_keep_nothing_alive(void **state)
{
    (void)state;
    struct seen s = { .l = loop_new(), .order = STR_INIT };
    struct loop_signal *signal = loop_signal(s.l, SIGUSR1, on_signal, &s);
    assert_false(loop_wait(s.l, &s.done)); /* although the signal may come */
    loop_after(&s.a, s.l, 1000, add_a, &s);
    loop_defer(s.l, raise_signal, NULL);
    assert_true(loop_wait(s.l, &s.done));
    assert_string_equal(s.order.buf, "1");
    loop_timer_cancel(&s.a);
    loop_signal_cancel(&signal);
    assert_null(signal);
    str_clear(&s.order);
    loop_free(s.l);
}

struct sum {
    long n, total;
    bool done;
};

static void add_up(void *ctx)
{
    struct sum *s = ctx;
    for (long i = 1; i <= s->n; i++)
        s->total += i;
}

static void added_up(void *ctx)
{
    struct sum *s = ctx;
    s->done = true;
}

static void jobs_run_elsewhere_and_report_here(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct sum s = { .n = 1000 };
    loop_work(l, add_up, added_up, &s);
    assert_true(loop_wait(l, &s.done));
    assert_int_equal(s.total, 500500);
    loop_free(l);
}

static void on_readable(void *ctx, int events)
{
    struct seen *s = ctx;
    char buf[8];
    assert_true(events & LOOP_READ);
    ssize_t n = read(s->fd, buf, sizeof(buf));
    assert_true(n > 0);
    str_addn(&s->order, buf, (size_t)n);
    loop_io_cancel(&s->io);
    s->done = true;
}

static void descriptors_tell_when_they_can_be_read(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct seen s = { .l = loop_new(), .order = STR_INIT, .fd = fds[0] };
    s.io = loop_io(s.l, fds[0], 0, on_readable, &s);
    assert_int_equal(write(fds[1], "hi", 2), 2);
    loop_after(&s.a, s.l, 1, add_a, &s);
    bool never = false;
    assert_false(loop_wait(s.l, &never)); /* paused: only the timer kept it going */
    assert_string_equal(s.order.buf, "a");
    loop_io_change(s.io, LOOP_READ);
    assert_true(loop_wait(s.l, &s.done));
    assert_string_equal(s.order.buf, "ahi");
    str_clear(&s.order);
    loop_free(s.l);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deferred_runs_later_and_in_order),
        cmocka_unit_test(what_a_deferred_call_defers_runs_too),
        cmocka_unit_test(waiting_for_nothing_ends),
        cmocka_unit_test(timers_run_once_in_order_of_time),
        cmocka_unit_test(a_cancelled_timer_never_runs),
        cmocka_unit_test(signals_are_callbacks_and_keep_nothing_alive),
        cmocka_unit_test(jobs_run_elsewhere_and_report_here),
        cmocka_unit_test(descriptors_tell_when_they_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
