/*
 * A run of a plan that is killed anywhere is completed by the next.
 *
 * Each scenario leads from what one file made to what another one declares. It is run once without
 * a kill; then it is killed after each operation, in the order of the plan and in others that it
 * allows, once or twice; and run again. Every way must end in the same names, labels, networks and
 * volumes, and then nothing must be left to do.
 */
#include "unit.h"

#include "base/mem.h"
#include "base/str.h"
#include "../support/sim.h"

#define ORDERS 150 /* random ones for each scenario */

struct scenario {
    const char *name;
    const char *before;            /* file, or NULL: nothing is there */
    const char *after;             /* file, or NULL: down */
    void (*change)(struct sim *s); /* what else happens between */
    struct plan_options opt;
    bool two_networks_one_by_one;
};

static const struct plan_options plain = { .timeout_s = -1 };

/* xorshift: the same orders in every run of the test. */
static unsigned next_random(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

enum { IN_ORDER = 0 };

/* Plans and applies at most `limit` operations. Returns how many the plan had. */
static size_t run_once(struct sim *s, const struct stack *st, const struct plan_options *opt,
                       bool down, size_t limit, unsigned *random)
{
    auto_(snapshot_freep) struct snapshot *now = sim_snapshot(s);
    auto_(plan_freep) struct plan *plan = NULL;
    auto_error struct error err = ERROR_INIT;
    int planned = down ? plan_down(&plan, st, NULL, now, opt, &err)
                       : plan_up(&plan, st, now, NULL, 0, opt, &err);
    if (planned < 0)
        fail_msg("%s", err.msg);
    struct sim_run run;
    sim_run_init(&run, s, st, now, plan);
    for (size_t i = 0; i < plan->nops && i < limit; i++) {
        const struct op *op = random ? sim_next(&run, next_random(random)) : plan->ops[i];
        assert_non_null(op);
        if (!sim_step(&run, op))
            fail_msg("%s", s->error);
    }
    size_t nops = plan->nops;
    sim_run_clear(&run);
    sim_settle(s);
    return nops;
}

static void print_plan(struct sim *s, const struct stack *st, const struct plan_options *opt)
{
    auto_(snapshot_freep) struct snapshot *now = sim_snapshot(s);
    auto_(plan_freep) struct plan *plan = NULL;
    auto_str struct str text = STR_INIT;
    if (plan_up(&plan, st, now, NULL, 0, opt, NULL) == 0)
        plan_print(&text, plan);
    print_message("%s", text.buf);
}

struct trial {
    const struct scenario *sc;
    struct stack *after;
    struct sim start;
    unsigned known;
    char *expected;
    size_t nops;
    unsigned jobs;
};

static void check_end(struct trial *t, struct sim *s, const char *how, size_t at)
{
    bool down = !t->sc->after;
    auto_free char *end = sim_describe(s, t->known);
    if (!str_eq(end, t->expected)) {
        print_message("--- expected\n%s--- found\n%s", t->expected, end);
        fail_msg("%s: killed %s after %zu operations: another end", t->sc->name, how, at);
    }
    if (!down && run_once(s, t->after, &plain, down, 0, NULL) != 0) {
        print_plan(s, t->after, &plain);
        fail_msg("%s: killed %s after %zu operations: something is left to do", t->sc->name, how,
                 at);
    }
}

/* The first run ends after `first` operations, a second one after `second`, a third completes. */
static void kill_at(struct trial *t, size_t first, size_t second, unsigned *random, const char *how)
{
    struct sim s;
    bool down = !t->sc->after;
    sim_copy(&s, &t->start);
    run_once(&s, t->after, &t->sc->opt, down, first, random);
    if (second)
        run_once(&s, t->after, &t->sc->opt, down, second, random);
    run_once(&s, t->after, &t->sc->opt, down, SIZE_MAX, random);
    check_end(t, &s, how, first);
    sim_clear(&s);
}

static void run_scenario(const struct scenario *sc)
{
    struct trial t = { .sc = sc };
    auto_(stack_freep) struct stack *before = sc->before ? sim_stack(sc->before) : NULL;
    auto_(stack_freep) struct stack *after = sim_stack(sc->after ? sc->after : sc->before);
    t.after = after;
    sim_init(&t.start);
    t.start.api_one_network = sc->two_networks_one_by_one;
    if (before)
        run_once(&t.start, before, &plain, false, SIZE_MAX, NULL);
    if (sc->change)
        sc->change(&t.start);
    t.known = t.start.ids;

    struct sim s;
    sim_copy(&s, &t.start);
    t.nops = run_once(&s, after, &sc->opt, !sc->after, SIZE_MAX, NULL);
    assert_true(t.nops > 0);
    t.expected = sim_describe(&s, t.known);
    check_end(&t, &s, "never", t.nops);
    sim_clear(&s);

    unsigned random = 2463534242;
    for (size_t i = 0; i <= t.nops; i++) {
        kill_at(&t, i, 0, NULL, "in order");
        for (size_t k = 1; k <= 5; k++)
            kill_at(&t, i, k, NULL, "twice in order");
    }
    for (size_t i = 0; i < ORDERS; i++) {
        size_t first = next_random(&random) % (t.nops + 1);
        kill_at(&t, first, 0, &random, "in some order");
        kill_at(&t, first, 1 + next_random(&random) % 6, &random, "twice in some order");
    }
    free(t.expected);
    sim_clear(&t.start);
}

#define WEB_DB(web, db)                                                                       \
    "name: demo\n"                                                                            \
    "services:\n"                                                                             \
    "  web: { image: web, depends_on: { db: { condition: service_healthy } }, " web " }\n"    \
    "  db: { image: db, volumes: [ 'data:/data' ], healthcheck: { test: 'true' }, " db " }\n" \
    "volumes: { data: {} }\n"

static void fresh(void **state)
{
    (void)state;
    run_scenario(&(struct scenario){ .name = "fresh", .after = WEB_DB("", ""), .opt = plain });
}

static void two_services_are_replaced(void **state)
{
    (void)state;
    run_scenario(
        &(struct scenario){ .name = "replace two",
                            .before = WEB_DB("", ""),
                            .after = WEB_DB("environment: { A: b }", "environment: { C: d }"),
                            .opt = plain });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh),
        cmocka_unit_test(two_services_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
