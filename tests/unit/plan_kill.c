/*
 * A run of a plan that is killed anywhere is completed by the next.
 *
 * Each scenario leads from what one file made to what another one declares. It is run once without
 * a kill; then it is killed after each operation, in the order of the plan and in others that it
 * allows, once or twice; and run again. Every way must end in the same names, labels, networks and
 * volumes, and then nothing must be left to do.
 */
#include "unit.h"

#include "../support/sim.h"
#include "base/mem.h"
#include "base/str.h"

#define ORDERS 150 /* random ones for each scenario */

struct scenario {
    const char *name;
    const char *before;            /* file, or NULL: nothing is there */
    const char *middle;            /* file of the run that is killed, where it is not `after` */
    const char *after;             /* file, or NULL: down */
    void (*change)(struct sim *s); /* what else happens between */
    struct plan_options opt;
    const char *was_built_from, *is_built_from; /* fingerprint of each image that is built */
    bool then_all;
    bool may_be_same; /* nothing may have changed */
    size_t orders;    /* random ones; 0: ORDERS */
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

/* What the images of the stack are to be built from; owned by the caller. */
static struct plan_image *survey(const struct stack *st, const char *fingerprint)
{
    struct plan_image *images = xcalloc(st->nimages, sizeof(*images));
    for (size_t i = 0; i < st->nimages; i++)
        images[i] = (struct plan_image){ .image = &st->images[i], .fingerprint = fingerprint };
    return images;
}

/* Plans and applies at most `limit` operations. Returns how many the plan had. */
static size_t run_once(struct sim *s, const struct stack *st, const char *fingerprint,
                       const struct plan_options *opt, bool down, size_t limit, unsigned *random)
{
    auto_free struct plan_image *images = survey(st, fingerprint);
    auto_(snapshot_freep) struct snapshot *now = sim_snapshot(s);
    auto_(plan_freep) struct plan *plan = NULL;
    auto_error struct error err = ERROR_INIT;
    int planned = down ? plan_down(&plan, st, NULL, now, opt, &err)
                       : plan_up(&plan, st, now, images, st->nimages, opt, &err);
    if (planned < 0)
        fail_msg("%s", err.msg);
    struct sim_run run;
    sim_run_init(&run, s, st, now, plan);
    for (size_t i = 0; i < plan->nops && i < limit; i++) {
        const struct op *op = random ? sim_next(&run, next_random(random)) : plan->ops[i];
        assert_non_null(op);
        if (!sim_step(&run, op)) {
            auto_str struct str text = STR_INIT;
            plan_print(&text, plan);
            fail_msg("%s\n%s", s->error, text.buf);
        }
    }
    size_t nops = plan->nops;
    sim_run_clear(&run);
    sim_settle(s);
    return nops;
}

/* Where a command names services, what it left of the others is completed by one for all. */
static void complete(struct sim *s, const struct scenario *sc, const struct stack *st,
                     unsigned *random)
{
    run_once(s, st, sc->is_built_from, &sc->opt, !sc->after, SIZE_MAX, random);
    if (sc->then_all)
        run_once(s, st, sc->is_built_from, &plain, false, SIZE_MAX, random);
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
    struct stack *middle, *after;
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
    if (!down && run_once(s, t->after, t->sc->is_built_from, &plain, down, 0, NULL) != 0) {
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
    run_once(&s, t->middle, t->sc->is_built_from, &t->sc->opt, down, first, random);
    if (second)
        run_once(&s, t->after, t->sc->is_built_from, &t->sc->opt, down, second, random);
    complete(&s, t->sc, t->after, random);
    check_end(t, &s, how, first);
    sim_clear(&s);
}

static void run_scenario(const struct scenario *sc)
{
    struct trial t = { .sc = sc };
    auto_(stack_freep) struct stack *before = sc->before ? sim_stack(sc->before) : NULL;
    auto_(stack_freep) struct stack *after = sim_stack(sc->after ? sc->after : sc->before);
    auto_(stack_freep) struct stack *middle = sc->middle ? sim_stack(sc->middle) : NULL;
    t.after = after;
    t.middle = middle ? middle : after;
    sim_init(&t.start);
    t.start.api_one_network = sc->two_networks_one_by_one;
    if (before)
        run_once(&t.start, before, sc->was_built_from, &plain, false, SIZE_MAX, NULL);
    if (sc->change)
        sc->change(&t.start);
    t.known = t.start.ids;

    struct sim s;
    sim_copy(&s, &t.start);
    t.nops = run_once(&s, after, sc->is_built_from, &sc->opt, !sc->after, SIZE_MAX, NULL);
    assert_true(t.nops > 0 || sc->middle || sc->may_be_same);
    complete(&s, sc, after, NULL);
    t.expected = sim_describe(&s, t.known);
    check_end(&t, &s, "never", t.nops);
    sim_clear(&s);
    if (sc->middle) {
        sim_copy(&s, &t.start);
        t.nops = run_once(&s, middle, sc->is_built_from, &sc->opt, !sc->after, 0, NULL);
        sim_clear(&s);
    }

    unsigned random = 2463534242;
    for (size_t i = 0; i <= t.nops; i++) {
        kill_at(&t, i, 0, NULL, "in order");
        for (size_t k = 1; k <= (sc->orders ? 1 : 5); k++)
            kill_at(&t, i, k, NULL, "twice in order");
    }
    for (size_t i = 0; i < (sc->orders ? sc->orders : ORDERS); i++) {
        size_t first = next_random(&random) % (t.nops + 1);
        kill_at(&t, first, 0, &random, "in some order");
        kill_at(&t, first, 1 + next_random(&random) % 6, &random, "twice in some order");
    }
    free(t.expected);
    sim_clear(&t.start);
}

/* Services are written in flow form, one a line. */
#define FILE_OF(services) "name: demo\nservices:\n" services
#define VOLUME "volumes: { data: {} }\n"

#define DB(more)                                                                  \
    "  db: { image: db, volumes: [ 'data:/data' ], healthcheck: { test: 'true' }" \
    " " more " }\n"
#define WEB(more) \
    "  web: { image: web, depends_on: { db: { condition: service_healthy } }" more " }\n"

static const char web_db[] = FILE_OF(WEB("") DB("")) VOLUME;

static void fresh(void **state)
{
    (void)state;
    run_scenario(&(struct scenario){ .name = "fresh", .after = web_db, .opt = plain });
}

static void two_services_are_replaced(void **state)
{
    (void)state;
    run_scenario(&(struct scenario){
        .name = "replace two",
        .before = web_db,
        .after = FILE_OF(WEB(", environment: { A: b }") DB(", environment: { A: b }")) VOLUME,
        .opt = plain });
}

static void the_file_changes_again_before_the_next_run(void **state)
{
    (void)state;
    static const char a[] =
        FILE_OF(WEB(", environment: { A: a }") DB(", environment: { A: a }")) VOLUME;
    static const char b[] =
        FILE_OF(WEB(", environment: { A: b }") DB(", environment: { A: b }")) VOLUME;
    run_scenario(&(struct scenario){
        .name = "changed again", .before = web_db, .middle = a, .after = b, .opt = plain });
    run_scenario(&(struct scenario){
        .name = "changed back", .before = web_db, .middle = a, .after = web_db, .opt = plain });
    run_scenario(&(struct scenario){ .name = "scaled, then changed",
                                     .before = web_db,
                                     .middle = FILE_OF(WEB(", scale: 3") DB("")) VOLUME,
                                     .after = a,
                                     .opt = plain });
}

static void replacing_is_asked_for(void **state)
{
    (void)state;
    struct plan_options force = plain;
    force.recreate = RECREATE_FORCE;
    /* The next run, plain, must not go on replacing; names and volumes end the same. */
    run_scenario(
        &(struct scenario){ .name = "force", .before = web_db, .after = web_db, .opt = force });
}

static void new_images(struct sim *s)
{
    static const char *const refs[] = { "web", "db", "i0", "i1" };
    s->pulls++;
    for (size_t i = 0; i < countof(refs); i++)
        sim_add_image(s, refs[i], NULL);
}

static void images_changed(void **state)
{
    (void)state;
    run_scenario(&(struct scenario){
        .name = "images", .before = web_db, .after = web_db, .change = new_images, .opt = plain });
}

static void sources_changed(void **state)
{
    (void)state;
    static const char built[] = FILE_OF("  a: { build: /a, scale: 2 }\n"
                                        "  b: { build: /b, depends_on: [ a ] }\n"
                                        "  c: { image: web, depends_on: [ b ] }\n");
    run_scenario(
        &(struct scenario){ .name = "built", .after = built, .opt = plain, .is_built_from = "f1" });
    run_scenario(&(struct scenario){ .name = "built again",
                                     .before = built,
                                     .after = built,
                                     .opt = plain,
                                     .was_built_from = "f1",
                                     .is_built_from = "f2" });
}

static void scaled_up_and_down(void **state)
{
    (void)state;
    static const char three[] = FILE_OF(WEB(", scale: 3") DB("")) VOLUME;
    static const char two_new[] = FILE_OF(WEB(", scale: 2, environment: { A: b }") DB("")) VOLUME;
    run_scenario(
        &(struct scenario){ .name = "scale up", .before = web_db, .after = three, .opt = plain });
    run_scenario(
        &(struct scenario){ .name = "scale down", .before = three, .after = web_db, .opt = plain });
    run_scenario(&(struct scenario){
        .name = "scale down and change", .before = three, .after = two_new, .opt = plain });
}

#define MIGRATE(more) \
    "  migrate: { image: web, depends_on: { db: { condition: service_healthy } }" more " }\n"
#define APP                                                                                       \
    "  app: { image: web, depends_on: { migrate: { condition: service_completed_successfully } }" \
    " }\n"

static void a_job_runs_when_what_it_depends_on_changed(void **state)
{
    (void)state;
    static const char before[] = FILE_OF(APP MIGRATE("") DB("")) VOLUME;
    run_scenario(&(struct scenario){ .name = "job, fresh", .after = before, .opt = plain });
    run_scenario(
        &(struct scenario){ .name = "job, changed",
                            .before = before,
                            .after = FILE_OF(APP MIGRATE(", environment: { A: b }") DB("")) VOLUME,
                            .opt = plain });
    run_scenario(
        &(struct scenario){ .name = "job, dependency changed",
                            .before = before,
                            .after = FILE_OF(APP MIGRATE("") DB(", environment: { A: b }")) VOLUME,
                            .opt = plain });
    run_scenario(&(struct scenario){ .name = "job, image of the dependency changed",
                                     .before = before,
                                     .after = before,
                                     .change = new_images,
                                     .opt = plain });
}

#define NETWORKS(web, front)                                                     \
    FILE_OF("  web: { image: web, networks: [ " web " ], depends_on: [ db ] }\n" \
            "  db: { image: db, networks: [ back ] }\n"                          \
            "  alone: { image: web, network_mode: none }\n"                      \
            "  sidecar: { image: web, network_mode: 'service:web' }\n")          \
    "networks: { front: { " front " }, back: {} }\n"

static void a_network_changed(void **state)
{
    (void)state;
    static const char before[] = NETWORKS("front, back", "");
    for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
        run_scenario(&(struct scenario){ .name = "networks, fresh",
                                         .after = before,
                                         .opt = plain,
                                         .two_networks_one_by_one = one_by_one });
        run_scenario(&(struct scenario){ .name = "network replaced",
                                         .before = before,
                                         .after = NETWORKS("front, back", "internal: true"),
                                         .opt = plain,
                                         .two_networks_one_by_one = one_by_one });
        run_scenario(&(struct scenario){ .name = "network renamed",
                                         .before = before,
                                         .after = NETWORKS("front, back", "name: other"),
                                         .opt = plain,
                                         .two_networks_one_by_one = one_by_one });
        run_scenario(&(struct scenario){ .name = "network left",
                                         .before = before,
                                         .after = NETWORKS("back", ""),
                                         .opt = plain,
                                         .two_networks_one_by_one = one_by_one });
    }
}

static void a_network_of_services_that_were_not_asked_for_changed(void **state)
{
    (void)state;
    static const char *const only_db[] = { "db", NULL };
    struct plan_options opt = plain;
    opt.services = only_db;
    static const char before[] = FILE_OF("  web: { image: web }\n  db: { image: db }\n");
    static const char after[] = FILE_OF(
        "  web: { image: web }\n  db: { image: db }\n") "networks: { default: { internal: true } }\n";
    run_scenario(&(struct scenario){ .name = "network of others",
                                     .before = before,
                                     .after = after,
                                     .opt = opt,
                                     .then_all = true });
}

static void parents_take_their_children_along(void **state)
{
    (void)state;
#define VPN(more) "  vpn: { image: db" more " }\n"
#define CHILDREN                                               \
    "  torrent: { image: web, network_mode: 'service:vpn' }\n" \
    "  probe: { image: web, pid: 'service:torrent', volumes_from: [ vpn ], scale: 2 }\n"
    run_scenario(&(struct scenario){
        .name = "children, fresh", .after = FILE_OF(VPN("") CHILDREN), .opt = plain });
    run_scenario(&(struct scenario){ .name = "parent replaced",
                                     .before = FILE_OF(VPN("") CHILDREN),
                                     .after = FILE_OF(VPN(", environment: { A: b }") CHILDREN),
                                     .opt = plain });
    static const char *const only_vpn[] = { "vpn", NULL };
    struct plan_options opt = plain;
    opt.services = only_vpn;
    run_scenario(&(struct scenario){ .name = "parent alone replaced",
                                     .before = FILE_OF(VPN("") CHILDREN),
                                     .after = FILE_OF(VPN(", environment: { A: b }") CHILDREN),
                                     .opt = opt });
}

static void those_that_ask_for_it_are_restarted(void **state)
{
    (void)state;
#define CACHE(more) "  cache: { image: db" more " }\n"
#define CLIENT                                                                 \
    "  client: { image: web, scale: 2, depends_on: { cache: { restart: true, " \
    "condition: service_started } } }\n"                                       \
    "  second: { image: web, depends_on: { client: { restart: true, "          \
    "condition: service_started } } }\n"
    run_scenario(&(struct scenario){ .name = "restart",
                                     .before = FILE_OF(CACHE("") CLIENT),
                                     .after = FILE_OF(CACHE(", environment: { A: b }") CLIENT),
                                     .opt = plain });
}

static void link_variables_follow_their_target(void **state)
{
    (void)state;
#define LINKED(db)                                                                  \
    FILE_OF("  web: { image: web, links: [ 'db:pg' ], x-link-environment: true }\n" \
            "  db: { image: db" db " }\n")
    run_scenario(&(struct scenario){ .name = "links, target changed",
                                     .before = LINKED(""),
                                     .after = LINKED(", environment: { A: b }"),
                                     .opt = plain });
    run_scenario(&(struct scenario){ .name = "links, image of the target changed",
                                     .before = LINKED(""),
                                     .after = LINKED(""),
                                     .change = new_images,
                                     .opt = plain });
}

static void ports_and_names_move_between_services(void **state)
{
    (void)state;
    run_scenario(&(struct scenario){
        .name = "ports",
        .before = FILE_OF("  a: { image: web, ports: [ '8080:80' ] }\n  b: { image: web }\n"),
        .after = FILE_OF("  a: { image: web, ports: [ '8081:80' ] }\n"
                         "  b: { image: web, ports: [ '8080:80' ] }\n"),
        .opt = plain });
    run_scenario(
        &(struct scenario){ .name = "names",
                            .before = FILE_OF("  a: { image: web, container_name: one }\n"
                                              "  b: { image: web, container_name: two }\n"),
                            .after = FILE_OF("  a: { image: web, container_name: two }\n"
                                             "  b: { image: web, container_name: one }\n"
                                             "  c: { image: web, container_name: three }\n"),
                            .opt = plain });
}

static void orphans_are_removed(void **state)
{
    (void)state;
    struct plan_options opt = plain;
    opt.remove_orphans = true;
    run_scenario(
        &(struct scenario){ .name = "orphans",
                            .before = FILE_OF("  old: { image: web, scale: 2 }\n" DB("")) VOLUME,
                            .after = FILE_OF(DB("")) VOLUME,
                            .opt = opt });
}

static void down_leaves_volumes(void **state)
{
    (void)state;
    run_scenario(&(struct scenario){ .name = "down", .before = web_db, .opt = plain });
    run_scenario(&(struct scenario){
        .name = "down, networks", .before = NETWORKS("front, back", ""), .opt = plain });
}

static void allow_volumes(struct sim *s)
{
    s->volumes_may_go = true;
}

static void down_with_volumes(void **state)
{
    (void)state;
    struct plan_options opt = plain;
    opt.remove_volumes = true;
    run_scenario(&(struct scenario){
        .name = "down -v", .before = web_db, .change = allow_volumes, .opt = opt });
}

/* --- any stack, any change of it --- */

#define PAIRS 60
#define SERVICES 5

static bool one_in(unsigned n, unsigned *random)
{
    return next_random(random) % n == 0;
}

/* How a service waits for an earlier one. */
static void write_dependency(struct str *out, int i, unsigned *random, const bool *job)
{
    bool restart = one_in(3, random);
    str_addf(out, "      s%d: { condition: %s, restart: %s }\n", i,
             job[i]              ? "service_completed_successfully"
             : one_in(2, random) ? "service_started"
                                 : "service_healthy",
             restart ? "true" : "false");
}

/* The shape (who depends on whom, jobs, parents) follows from one seed, the rest from another. */
static char *write_stack(unsigned shape, unsigned detail)
{
    struct str out = STR_INIT;
    bool job[SERVICES] = { false };
    str_add(&out, "name: demo\nservices:\n");
    for (int i = 0; i < SERVICES; i++) {
        bool child = i > 0 && !job[i - 1] && one_in(5, &shape);
        job[i] = i < SERVICES - 1 && !child && one_in(5, &shape);
        str_addf(&out, "  s%d:\n    image: i%d\n", i, i % 3);
        if (!job[i])
            str_add(&out, "    healthcheck: { test: 'true' }\n");
        if (!job[i] && !child)
            str_addf(&out, "    scale: %u\n", next_random(&detail) % 3 ? 1 : 2);
        if (one_in(2, &detail))
            str_addf(&out, "    environment: { V: '%u' }\n", next_random(&detail) % 2);
        if (one_in(3, &detail))
            str_addf(&out, "    volumes: [ 'v%d:/data' ]\n", i % 2);
        if (child)
            str_addf(&out, "    %s: 'service:s%d'\n", one_in(2, &shape) ? "network_mode" : "pid",
                     i - 1);
        else if (one_in(3, &detail))
            str_addf(&out, "    networks: [ %s ]\n", one_in(2, &detail) ? "a" : "a, b");
        bool depends = false;
        for (int k = 0; k < i; k++)
            if ((job[k] && k == i - 1) || one_in(4, &shape)) {
                if (!depends)
                    str_add(&out, "    depends_on:\n");
                depends = true;
                write_dependency(&out, k, &shape, job);
            }
    }
    str_addf(&out,
             "networks:\n  a: { internal: %s }\n  b: { internal: %s }\n"
             "  default: { internal: %s }\nvolumes: { v0: {}, v1: {} }\n",
             one_in(3, &detail) ? "true" : "false", one_in(3, &detail) ? "true" : "false",
             one_in(3, &detail) ? "true" : "false");
    return str_detach(&out);
}

static void any_change_of_any_stack(void **state)
{
    (void)state;
    unsigned random = 88675123;
    for (int i = 0; i < PAIRS; i++) {
        unsigned shape = next_random(&random);
        auto_free char *before = write_stack(shape, next_random(&random));
        auto_free char *after = write_stack(shape, next_random(&random));
        run_scenario(&(struct scenario){ .name = before,
                                         .before = before,
                                         .after = after,
                                         .opt = plain,
                                         .may_be_same = true,
                                         .orders = 10,
                                         .change = one_in(3, &random) ? new_images : NULL,
                                         .two_networks_one_by_one = one_in(2, &random) });
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh),
        cmocka_unit_test(two_services_are_replaced),
        cmocka_unit_test(the_file_changes_again_before_the_next_run),
        cmocka_unit_test(replacing_is_asked_for),
        cmocka_unit_test(images_changed),
        cmocka_unit_test(sources_changed),
        cmocka_unit_test(scaled_up_and_down),
        cmocka_unit_test(a_job_runs_when_what_it_depends_on_changed),
        cmocka_unit_test(a_network_changed),
        cmocka_unit_test(a_network_of_services_that_were_not_asked_for_changed),
        cmocka_unit_test(parents_take_their_children_along),
        cmocka_unit_test(those_that_ask_for_it_are_restarted),
        cmocka_unit_test(link_variables_follow_their_target),
        cmocka_unit_test(ports_and_names_move_between_services),
        cmocka_unit_test(orphans_are_removed),
        cmocka_unit_test(down_leaves_volumes),
        cmocka_unit_test(down_with_volumes),
        cmocka_unit_test(any_change_of_any_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
