/* Child processes. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "loop/child.h"

/* Runs `script` by sh with the given options; fails the test when that is not possible. */
static struct child_result run(const char *script, struct child_options opt)
{
    auto_error struct error err = ERROR_INIT;
    auto_(loop_freep) struct loop *l = loop_new();
    const char *argv[] = { "sh", "-c", script, NULL };
    struct child_result r = { .status = -1 };
    opt.argv = argv;
    if (opt.output_max == 0)
        opt.output_max = 4096;
    if (child_run(&r, l, &opt, &err) < 0)
        fail_msg("%s", err.msg);
    return r;
}

static void clear(struct child_result *r)
{
    str_clear(&r->out);
    str_clear(&r->err);
}

static void outputs_and_status_are_kept_apart(void **state)
{
    (void)state;
    struct child_result r = run("echo out; echo err >&2; exit 3", (struct child_options){ 0 });
    assert_int_equal(r.status, 3);
    assert_string_equal(r.out.buf, "out\n");
    assert_string_equal(r.err.buf, "err\n");
    clear(&r);
}

static void a_signal_is_128_and_its_number(void **state)
{
    (void)state;
    struct child_result r = run("kill -TERM $$", (struct child_options){ 0 });
    assert_int_equal(r.status, 128 + SIGTERM);
    clear(&r);
}

static void input_is_given_and_closed(void **state)
{
    (void)state;
    struct child_result r =
        run("cat; echo end", (struct child_options){ .input = "a\0b", .input_len = 3 });
    assert_int_equal(r.out.len, 7);
    assert_memory_equal(r.out.buf, "a\0bend\n", 7);
    clear(&r);
}

static void without_input_there_is_none(void **state)
{
    (void)state;
    struct child_result r = run("cat; echo end", (struct child_options){ 0 });
    assert_string_equal(r.out.buf, "end\n");
    clear(&r);
}

static void a_child_that_does_not_read_is_no_failure(void **state)
{
    (void)state;
    enum { LEN = 1 << 20 };
    char *big = calloc(1, LEN);
    struct child_result r =
        run("exec <&-; echo done", (struct child_options){ .input = big, .input_len = LEN });
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out.buf, "done\n");
    clear(&r);
    free(big);
}

static void output_beyond_the_limit_is_dropped_not_waited_for(void **state)
{
    (void)state;
    struct child_result r = run("head -c 1000000 /dev/zero | tr '\\0' x; echo last >&2",
                                (struct child_options){ .output_max = 10 });
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out.buf, "xxxxxxxxxx");
    assert_string_equal(r.err.buf, "last\n");
    clear(&r);
}

static void folder_and_environment_are_those_given(void **state)
{
    const char *env[] = { "ONLY=this", "PATH=/usr/bin:/bin", NULL };
    struct child_result r =
        run("pwd; echo $ONLY$HOME", (struct child_options){ .cwd = *state, .env = env });
    char want[PATH_MAX + 8];
    snprintf(want, sizeof(want), "%s\nthis\n", (char *)*state);
    assert_string_equal(r.out.buf, want);
    clear(&r);
}

static void a_session_of_its_own(void **state)
{
    (void)state;
    struct child_result r = run("ps -o sid= -p $$ 2>/dev/null || cut -d' ' -f6 /proc/$$/stat; "
                                "echo $$",
                                (struct child_options){ .own_session = true });
    int sid = 0, pid = 1;
    assert_int_equal(sscanf(r.out.buf, "%d %d", &sid, &pid), 2);
    assert_int_equal(sid, pid);
    clear(&r);
}

static void a_program_that_is_not_there(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    auto_(loop_freep) struct loop *l = loop_new();
    const char *argv[] = { "no-such-program-here", NULL };
    struct child_options opt = { .argv = argv };
    struct child_result r;
    assert_int_equal(child_run(&r, l, &opt, &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
    assert_string_equal(err.msg, "'no-such-program-here' is not installed");
}

static void time_is_up(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    auto_(loop_freep) struct loop *l = loop_new();
    const char *argv[] = { "sleep", "60", NULL };
    struct child_options opt = { .argv = argv, .timeout_ms = 20 };
    struct child_result r;
    int64_t begin = clock_ms();
    assert_int_equal(child_run(&r, l, &opt, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_string_equal(err.msg, "'sleep' did not end within 0.02 s");
    assert_true(clock_ms() - begin < 10000);
}

static void what_it_leaves_running_is_not_waited_for(void **state)
{
    (void)state;
    int64_t begin = clock_ms();
    struct child_result r = run("sleep 60 & echo $!", (struct child_options){ 0 });
    assert_true(clock_ms() - begin < 10000);
    int pid = 0;
    assert_int_equal(sscanf(r.out.buf, "%d", &pid), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    clear(&r);
}

struct killed {
    bool done;
    int status;
};

static void on_killed(void *ctx, const struct child_result *r, const struct error *err)
{
    struct killed *k = ctx;
    k->done = true;
    k->status = err ? -1 : r->status;
}

static void a_child_can_be_killed(void **state)
{
    (void)state;
    auto_(loop_freep) struct loop *l = loop_new();
    const char *argv[] = { "sleep", "60", NULL };
    struct child_options opt = { .argv = argv, .own_session = true };
    struct killed k = { 0 };
    struct child *c = child_start(l, &opt, on_killed, &k);
    assert_false(k.done);
    child_kill(c, SIGTERM);
    assert_true(loop_wait(l, &k.done));
    assert_int_equal(k.status, 128 + SIGTERM);
}

static void one_descriptor_as_both_input_and_output(void **state)
{
    (void)state;
    int fds[2];
    char got[8] = { 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(write(fds[0], "in\n", 3), 3);
    struct child_result r =
        run("read x; echo $x-out; echo err >&2", (struct child_options){ .stdio_fd = fds[1] });
    assert_int_equal(read(fds[0], got, sizeof(got)), 7);
    assert_string_equal(got, "in-out\n");
    assert_string_equal(r.out.buf, "");
    assert_string_equal(r.err.buf, "err\n");
    clear(&r);
    close(fds[0]);
    close(fds[1]);
}

static void a_cancelled_child_does_not_report(void **state)
{
    (void)state;
    int fds[2];
    char got;
    struct killed k = { 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct loop *l = loop_new();
    const char *argv[] = { "sleep", "60", NULL };
    struct child_options opt = { .argv = argv, .stdio_fd = fds[1] };
    child_cancel(child_start(l, &opt, on_killed, &k));
    close(fds[1]);
    loop_free(l);
    assert_false(k.done);
    assert_int_equal(read(fds[0], &got, 1), 0); /* it has ended, and with it the other side */
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_status_are_kept_apart),
        cmocka_unit_test(a_signal_is_128_and_its_number),
        cmocka_unit_test(input_is_given_and_closed),
        cmocka_unit_test(without_input_there_is_none),
        cmocka_unit_test(a_child_that_does_not_read_is_no_failure),
        cmocka_unit_test(output_beyond_the_limit_is_dropped_not_waited_for),
        cmocka_unit_test_setup_teardown(folder_and_environment_are_those_given, unit_dir_make,
                                        unit_dir_remove),
        cmocka_unit_test(a_session_of_its_own),
        cmocka_unit_test(a_program_that_is_not_there),
        cmocka_unit_test(time_is_up),
        cmocka_unit_test(what_it_leaves_running_is_not_waited_for),
        cmocka_unit_test(a_child_can_be_killed),
        cmocka_unit_test(one_descriptor_as_both_input_and_output),
        cmocka_unit_test(a_cancelled_child_does_not_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
