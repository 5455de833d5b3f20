/* Answers that say too little, or what is not so: none of them may become a success. */
#include "fake_engine.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"

static void put(const char *text)
{
    FILE *file = fopen("compose.yaml", "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    struct fixture *x;
    if (fixture_open(&x) < 0)
        return -1;
    fake_image(x->f, "base", NULL);
    put("name: t\nservices: {a: {image: base, volumes: ['data:/data']}}\nvolumes: {data: {}}\n");
    *state = x;
    return 0;
}

/* The place of the first request "METHOD /path", where '*' at the end stands for anything. */
static size_t place(const struct fake *f, const char *what)
{
    const struct fake_request *rq = fake_find(f, what, 0);
    if (!rq)
        fail_msg("nothing asked for %s", what);
    size_t k = 0;
    while (fake_request(f, k) != rq)
        k++;
    return k + 1;
}

static void run(struct fake *f, const char *args, int code, const char *says)
{
    auto_trial struct trial t = { 0 };
    trial_run(&t, f, args);
    if (t.late || t.code != code || !strstr(t.err, says))
        fail_msg("stack %s: exit code %d: %s", args, t.code, t.err);
}

/*
 * Runs the command undisturbed, then from the same state with the fault at that request: it ends
 * with `code`, and when that is not 0, the same command again brings what the first one did.
 */
static void disturb(struct fake *f, const char *args, const char *request, enum fake_fault fault,
                    int arg, int code, const char *says)
{
    auto_json json_t *before = fake_save(f);
    fake_forget(f);
    run(f, args, 0, "");
    auto_free char *wanted = fake_summary(f);
    size_t k = place(f, request);
    fake_restore(f, before);
    fake_spoil(f, fault, arg, k);
    run(f, args, code, says);
    assert_true(fake_spoiled(f));
    fake_forget(f);
    if (code)
        run(f, args, 0, "");
    auto_free char *got = fake_summary(f);
    assert_string_equal(got, wanted);
}

static void what_is_said_to_be_so_already_is_looked_at(void **state)
{
    struct fake *f = ((struct fixture *)*state)->f;
    auto_free char *id = NULL;
    auto_free char *start = NULL;
    disturb(f, "up -d", "POST /volumes/create", FAULT_STATUS, 304, 5, "304");
    /* From here on it is there. */
    id = fake_id_of(f, "a");
    start = xasprintf("POST /containers/%s/start", id);
    run(f, "stop", 0, "");
    disturb(f, "start", start, FAULT_STATUS, 304, 0, "");
    run(f, "stop", 0, "");
    disturb(f, "start", start, FAULT_DROP_BEFORE, 0, 0, "");
}

static void a_refused_kill_is_no_death(void **state)
{
    struct fake *f = ((struct fixture *)*state)->f;
    run(f, "up -d", 0, "");
    auto_free char *id = fake_id_of(f, "a");
    auto_free char *kill = xasprintf("POST /containers/%s/kill", id);
    disturb(f, "kill", kill, FAULT_STATUS, 409, 0, "");
}

/* The request of the last run that asks for an end is spoiled in the next one. */
static void assert_no_code(struct fake *f, const char *args, int code, const char *request)
{
    fake_forget(f);
    run(f, args, code, "");
    size_t k = place(f, request);
    fake_forget(f);
    fake_spoil(f, FAULT_ODD_JSON, 0, k);
    run(f, args, 1, "with which code");
}

static void an_end_without_a_code_is_no_success(void **state)
{
    struct fake *f = ((struct fixture *)*state)->f;
    run(f, "up -d", 0, "");
    assert_no_code(f, "exec -T a true", 0, "GET /exec/*");
    run(f, "stop", 0, "");
    assert_no_code(f, "wait a", 143, "POST /containers/*");
}

/* The death that was asked for, to start it again, is none that `up` has to tell. */
static void a_restarted_dependant_is_well(void **state)
{
    struct fake *f = ((struct fixture *)*state)->f;
    static const char form[] =
        "name: t\n"
        "services:\n"
        "  a: {image: base, environment: {V: '%d'}}\n"
        "  b: {image: base, depends_on: {a: {condition: service_started, restart: true}}}\n";
    for (int i = 0; i < 2; i++) {
        auto_free char *text = xasprintf(form, i);
        put(text);
        run(f, "up -d", 0, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_said_to_be_so_already_is_looked_at, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_refused_kill_is_no_death, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_without_a_code_is_no_success, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restarted_dependant_is_well, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
