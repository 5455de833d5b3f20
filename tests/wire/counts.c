/*
 * How many requests a command makes: exactly the floors of the architecture, for N containers in
 * one network with one volume. N, W and V are the containers, networks and volumes.
 */
#include "../support/trial.h"
#include "../unit/unit.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"

/* N services, the first of which the others wait for when `waits`. */
static void write_stack(int n, bool waits)
{
    FILE *file = fopen("compose.yaml", "w");
    assert_non_null(file);
    fprintf(file, "name: t\nservices:\n");
    for (int i = 1; i <= n; i++)
        fprintf(file, "  s%d: {image: base, volumes: ['data:/data']%s}\n", i,
                !waits   ? ""
                : i == 1 ? ", healthcheck: {test: 'exit 0'}"
                         : ", depends_on: {s1: {condition: service_healthy}}");
    fprintf(file, "volumes: {data: {}}\n");
    fclose(file);
}

/* What `stack ARGS` asks; 0 when it fails. */
static size_t requests(struct fake *f, const char *args)
{
    auto_trial struct trial t = { 0 };
    fake_forget(f);
    trial_run(&t, f, args);
    if (t.code != 0)
        printf("# stack %s: exit code %d: %s\n", args, t.code, t.err);
    return t.code == 0 ? fake_count(f) : 0;
}

static void check_floors(struct fake *f, size_t n)
{
    write_stack((int)n, false);
    assert_int_equal(requests(f, "up -d"), 2 * n + 1 + 1 + 4 + 1); /* and the events that settle */
    assert_int_equal(requests(f, "up -d"), 4);
    assert_int_equal(requests(f, "ps"), 1);
    assert_int_equal(requests(f, "logs"), 1 + n);
    assert_int_equal(requests(f, "stats --no-stream"), 1 + n);
    assert_int_equal(requests(f, "stop"), 1 + n);
    assert_int_equal(requests(f, "start"), 1 + n);
    assert_int_equal(requests(f, "down -v"), 1 + 2 * n + 1 + 1);
}

static void no_more_requests_than_needed(void **state)
{
    static const size_t sizes[] = { 1, 10, 50 };
    auto_free char *socket = xasprintf("%s/engine", (char *)*state);
    struct fake *f = fake_new(socket);
    fake_image(f, "base", NULL);
    for (size_t i = 0; i < countof(sizes); i++)
        check_floors(f, sizes[i]);
    fake_free(f);
}

/* The numbers of the scripted sample, by a template. */
static void stats_of_one_sample(void **state)
{
    auto_free char *socket = xasprintf("%s/engine", (char *)*state);
    auto_trial struct trial t = { 0 };
    struct fake *f = fake_new(socket);
    fake_image(f, "base", NULL);
    write_stack(1, false);
    assert_int_not_equal(requests(f, "up -d"), 0);
    trial_run(&t, f, "stats --format {{.Name}}={{.CPUPerc}}={{.MemUsage}}={{.PIDs}} --no-stream");
    assert_string_equal(t.out, "t-s1-1=20.00%=1.5KiB / 6KiB=3\n");
    const struct fake_request *rq = fake_request(f, fake_count(f) - 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(rq->query, "stream"), 0)),
                        "0");
    assert_null(json_object_get(rq->query, "one-shot")); /* it would leave one look at the CPU */
    fake_free(f);
}

/* What the engine said is in the report; each thing is asked once. */
static void doctor_asks_each_thing_once(void **state)
{
    auto_free char *socket = xasprintf("%s/engine", (char *)*state);
    auto_trial struct trial t = { 0 };
    struct fake *f = fake_new(socket);
    write_stack(1, false);
    trial_run(&t, f, "doctor");
    assert_int_equal(t.code, 0);
    assert_non_null(strstr(t.out, "Docker Engine 20.10.24, API 1.41"));
    assert_non_null(strstr(t.out, "images 5 MB, containers 2 kB, volumes 3 kB, build cache 0 B"));
    assert_non_null(strstr(t.out, "compose.yaml: stack 't', 1 service\n"));
    static const char *const wanted[] = { "/_ping", "/version", "/info", "/system/df",
                                          "/containers/json" };
    assert_int_equal(fake_count(f), countof(wanted));
    for (size_t i = 0; i < countof(wanted); i++)
        assert_string_equal(fake_request(f, i)->path, wanted[i]);
    fake_free(f);
}

/* One answer that never comes is a line of the report. */
static void doctor_ends_when_the_engine_does_not_answer(void **state)
{
    auto_free char *socket = xasprintf("%s/engine", (char *)*state);
    setenv("STACK_SILENCE_MS", "200", 1);
    for (size_t k = 1; k <= 5; k++) {
        auto_trial struct trial t = { 0 };
        struct fake *f = fake_new(socket);
        write_stack(1, false);
        fake_spoil(f, FAULT_SILENT, 0, k);
        trial_run(&t, f, "doctor");
        assert_false(t.late);
        assert_int_equal(t.code, k <= 3); /* 4: the disk is a warning */
        assert_true(text_is_safe(t.out));
        fake_free(f);
    }
    unsetenv("STACK_SILENCE_MS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_more_requests_than_needed, unit_dir_make,
                                        unit_dir_remove),
        cmocka_unit_test_setup_teardown(stats_of_one_sample, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(doctor_asks_each_thing_once, unit_dir_make,
                                        unit_dir_remove),
        cmocka_unit_test_setup_teardown(doctor_ends_when_the_engine_does_not_answer, unit_dir_make,
                                        unit_dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
