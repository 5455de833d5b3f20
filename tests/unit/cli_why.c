/* What an inspection and the engine's events say about the end of a container. */
#include "unit.h"

#include "base/json.h"
#include "cli/command.h"
#include "cli/why.h"

static void explain(struct why *out, const char *container, const char *events,
                    const struct error *trouble)
{
    struct snapshot *now = snapshot_new();
    auto_json json_t *seen = json_parse(container, strlen(container), "a container", NULL);
    auto_json json_t *list = events ? json_parse(events, strlen(events), "events", NULL) : NULL;
    assert_non_null(seen);
    why_explain(out, &(struct why_input){ .service = "web",
                                          .now = now,
                                          .container = seen,
                                          .events = list,
                                          .trouble = trouble,
                                          .trouble_phase = "start" });
    snapshot_free(now);
}

static void assert_why(const char *container, const char *events, enum why_state state,
                       const char *phase, const char *reason)
{
    struct why w;
    explain(&w, container, events, NULL);
    assert_string_equal(w.reason, reason);
    assert_int_equal(w.state, state);
    if (phase)
        assert_string_equal(w.phase, phase);
    else
        assert_null(w.phase);
    assert_int_equal(why_exit_code(&w), state <= WHY_OFF ? EXIT_DONE : EXIT_UNREADY);
    if (state > WHY_OFF)
        assert_non_null(w.next);
    why_clear(&w);
}

static void how_it_ended(void **state)
{
    (void)state;
    assert_why("{\"State\":{\"Status\":\"exited\",\"ExitCode\":0}}", NULL, WHY_ENDED, NULL,
               "it has ended by itself with exit code 0");
    assert_why("{\"State\":{\"Status\":\"exited\",\"ExitCode\":3}}", NULL, WHY_FAILING, "exited",
               "it ended with exit code 3");
    assert_why("{\"State\":{\"Status\":\"exited\",\"ExitCode\":139}}", NULL, WHY_FAILING, "exited",
               "it ended by SIGSEGV (exit code 139)");
    assert_why("{\"State\":{\"Status\":\"exited\",\"ExitCode\":137,\"OOMKilled\":true},"
               "\"HostConfig\":{\"Memory\":64000000}}",
               NULL, WHY_FAILING, "exited", "it was killed for lack of memory: its limit is 64 MB");
    assert_why("{\"State\":{\"Status\":\"restarting\",\"ExitCode\":1},\"RestartCount\":4}", NULL,
               WHY_FAILING, "exited",
               "it ends again and again, restarted 4 times: the last time it ended with exit code "
               "1");
}

/* The same end on request, from outside, and when the engine no longer knows. */
static void who_ended_it(void **state)
{
    static const char killed[] = "{\"State\":{\"Status\":\"exited\",\"ExitCode\":137}}";
    struct why asked, not_asked, unknown;
    (void)state;
    assert_why(killed, "[{\"Action\":\"kill\"},{\"Action\":\"die\"}]", WHY_STOPPED, NULL,
               "it was stopped on request, and ended by SIGKILL (exit code 137)");
    explain(&asked, killed, "[{\"Action\":\"kill\"}]", NULL);
    explain(&not_asked, killed, "[{\"Action\":\"die\"}]", NULL);
    explain(&unknown, killed, "[]", NULL);
    assert_int_equal(not_asked.state, WHY_FAILING);
    assert_int_equal(unknown.state, WHY_FAILING);
    assert_non_null(strstr(not_asked.next, "something outside killed it"));
    assert_non_null(strstr(unknown.next, "'stack stop' and 'stack kill' end it so"));
    why_clear(&asked);
    why_clear(&not_asked);
    why_clear(&unknown);
}

static void what_runs(void **state)
{
    (void)state;
    assert_why("{\"State\":{\"Status\":\"running\"},\"RestartCount\":1}", NULL, WHY_RUNNING, NULL,
               "nothing is wrong: it runs, restarted 1 time");
    assert_why("{\"State\":{\"Status\":\"running\",\"Health\":{\"Status\":\"healthy\"}}}", NULL,
               WHY_RUNNING, NULL, "nothing is wrong: it runs and is healthy");
    assert_why("{\"State\":{\"Status\":\"running\",\"Health\":{\"Status\":\"starting\"}}}", NULL,
               WHY_STARTING, "ready", "its health check has not succeeded yet");
    assert_why(
        "{\"State\":{\"Status\":\"running\",\"Health\":{\"Status\":\"unhealthy\","
        "\"FailingStreak\":3,\"Log\":[{\"ExitCode\":0},{\"ExitCode\":7,\"Output\":\"x\"}]}}}",
        NULL, WHY_FAILING, "ready",
        "its health check fails: 3 times in a row, the last one with exit code 7");
    assert_why("{\"State\":{\"Status\":\"paused\",\"Paused\":true}}", NULL, WHY_STOPPED, NULL,
               "it is paused");
}

static void what_the_engine_refused_to_start(void **state)
{
    struct why w;
    struct error taken = ERROR_INIT;
    (void)state;
    error_set(&taken, ERR_CONFLICT, 0, "port 80/tcp is taken by process 1 (nginx)");
    error_hint(&taken, "stop it");
    explain(&w,
            "{\"State\":{\"Status\":\"created\",\"ExitCode\":128,\"Error\":\"address in use\"}}",
            NULL, &taken);
    assert_int_equal(w.state, WHY_FAILING);
    assert_string_equal(w.phase, "start");
    assert_string_equal(w.reason, "the engine could not start it: address in use "
                                  "(port 80/tcp is taken by process 1 (nginx))");
    assert_string_equal(w.next, "stop it");
    why_clear(&w);
    error_clear(&taken);
}

static void the_worst_of_several_counts(void **state)
{
    (void)state;
    auto_json json_t *runs = json_pack("{s:{s:s}}", "State", "Status", "running");
    auto_json json_t *ended =
        json_pack("{s:{s:s, s:i}}", "State", "Status", "exited", "ExitCode", 0);
    auto_json json_t *failed =
        json_pack("{s:{s:s, s:i}}", "State", "Status", "exited", "ExitCode", 1);
    assert_true(why_worse(runs, NULL));
    assert_true(why_worse(ended, runs));
    assert_true(why_worse(failed, ended));
    assert_false(why_worse(runs, failed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_it_ended),
        cmocka_unit_test(who_ended_it),
        cmocka_unit_test(what_runs),
        cmocka_unit_test(what_the_engine_refused_to_start),
        cmocka_unit_test(the_worst_of_several_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
