/* An engine that misbehaves, and a command that is interrupted, at any one request: every scenario,
 * every kind of fault, every k. */
#include <signal.h>

#include "../support/sweep.h"
#include "../unit/unit.h"

#include "base/cleanup.h"

static const struct sweep_fault faults[] = {
    { "status 500", FAULT_STATUS, 500 },
    { "status 409", FAULT_STATUS, 409 },
    { "status 404", FAULT_STATUS, 404 },
    { "status 503", FAULT_STATUS, 503 },
    { "an error with escapes", FAULT_ANSI, 0 },
    { "a very long error", FAULT_LONG, 0 },
    { "dropped before", FAULT_DROP_BEFORE, 0 },
    { "dropped after", FAULT_DROP_AFTER, 0 },
    { "cut", FAULT_CUT, 0 },
    { "no HTTP", FAULT_BAD_HTTP, 0 },
    { "no JSON", FAULT_NOT_JSON, 0 },
    { "odd JSON", FAULT_ODD_JSON, 0 },
    { "silent", FAULT_SILENT, 0 },
    { "silent after", FAULT_MUTE, 0 },
    { "SIGKILL before", FAULT_KILL_BEFORE, SIGKILL },
    { "SIGKILL after", FAULT_KILL_AFTER, SIGKILL },
    { "SIGINT before", FAULT_KILL_BEFORE, SIGINT },
    { "SIGINT after", FAULT_KILL_AFTER, SIGINT },
    { "SIGTERM before", FAULT_KILL_BEFORE, SIGTERM },
    { "SIGTERM after", FAULT_KILL_AFTER, SIGTERM },
};

struct given {
    const struct scenario *scenario;
    void *dir;
};

static int set_up(void **state)
{
    static struct given given;
    given.scenario = *state;
    *state = &given;
    return unit_dir_make(&given.dir);
}

static int tear_down(void **state)
{
    struct given *given = *state;
    return unit_dir_remove(&given->dir);
}

static void an_engine_that_misbehaves(void **state)
{
    const struct given *given = *state;
    assert_int_equal(sweep(given->scenario, faults, countof(faults), given->dir), 0);
}

int main(void)
{
    struct CMUnitTest tests[64] = { 0 };
    assert_true(scenarios_len <= countof(tests));
    for (size_t i = 0; i < scenarios_len; i++)
        tests[i] = (struct CMUnitTest){ .name = scenarios[i].name,
                                        .test_func = an_engine_that_misbehaves,
                                        .setup_func = set_up,
                                        .teardown_func = tear_down,
                                        .initial_state = (void *)(uintptr_t)&scenarios[i] };
    return _cmocka_run_group_tests("faults", tests, scenarios_len, NULL, NULL);
}
