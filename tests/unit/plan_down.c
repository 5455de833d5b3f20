/* What `down`, `stop`, `restart` and the like plan, with the file and from labels alone. */
#include "unit.h"

#include "../support/sim.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"

static const struct plan_options plain = { .timeout_s = -1 };

struct world {
    struct sim sim;
    struct stack *st;
    struct snapshot *now;
    struct plan *plan;
    struct error err;
};

static const char file[] =
    "name: demo\n"
    "services:\n"
    "  web: { image: web, networks: [ front, back ], depends_on: { api: { condition: "
    "service_started, restart: true } } }\n"
    "  api: { image: api, networks: [ back ], depends_on: [ db ] }\n"
    "  db: { image: demo-db, networks: [ back ], volumes: [ 'data:/data' ] }\n"
    "networks: { front: {}, back: {}, unused: {} }\n"
    "volumes: { data: {}, other: {} }\n";

static void forget_plan(struct world *w)
{
    plan_free(w->plan);
    snapshot_free(w->now);
    w->plan = NULL;
    w->now = NULL;
    error_clear(&w->err);
}

/* A running stack. */
static int begin(void **state)
{
    struct world *w = xnew(struct world);
    sim_init(&w->sim);
    w->sim.volumes_may_go = true;
    w->st = sim_stack(file);
    w->now = sim_snapshot(&w->sim);
    if (plan_up(&w->plan, w->st, w->now, NULL, 0, &plain, &w->err) < 0)
        return -1;
    struct sim_run run;
    sim_run_init(&run, &w->sim, w->st, w->now, w->plan);
    for (size_t i = 0; i < w->plan->nops; i++)
        if (!sim_step(&run, w->plan->ops[i]))
            return -1;
    sim_run_clear(&run);
    forget_plan(w);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    forget_plan(w);
    stack_free(w->st);
    sim_clear(&w->sim);
    free(w);
    return 0;
}

static json_t *container(struct world *w, const char *name)
{
    size_t i;
    json_t *c;
    auto_free char *slashed = xasprintf("/%s", name);
    json_array_foreach (w->sim.containers, i, c)
        if (str_eq(json_string_value(json_array_get(json_object_get(c, "Names"), 0)), slashed))
            return c;
    fail_msg("no container %s", name);
    return NULL;
}

static void set_state(struct world *w, const char *name, const char *state_name)
{
    json_object_set_new(container(w, name), "State", json_string(state_name));
}

static void add_copy(struct world *w, const char *of, const char *name, const char *key,
                     const char *value)
{
    auto_free char *slashed = xasprintf("/%s", name);
    json_t *copy = json_deep_copy(container(w, of));
    json_object_set_new(copy, "Id", json_string(name));
    json_object_set_new(copy, "Names", json_pack("[s]", slashed));
    json_object_set_new(json_object_get(copy, "Labels"), key, json_string(value));
    json_array_append_new(w->sim.containers, copy);
}

static void look(struct world *w, unsigned what)
{
    forget_plan(w);
    w->now = sim_snapshot(&w->sim);
    w->now->seen = what;
    if (!(what & OBSERVE_NETWORKS))
        w->now->nnetworks = 0;
    if (!(what & OBSERVE_VOLUMES))
        w->now->nvolumes = 0;
}

static void expect_text(struct world *w, const char *expected)
{
    auto_str struct str text = STR_INIT;
    plan_print(&text, w->plan);
    assert_string_equal(text.buf, expected);
}

static int down(struct world *w, bool with_file, unsigned what, const struct plan_options *opt)
{
    look(w, what);
    return plan_down(&w->plan, with_file ? w->st : NULL, "demo", w->now, opt, &w->err);
}

static void verb(struct world *w, enum plan_verb verb, bool with_file,
                 const struct plan_options *opt, const char *expected)
{
    look(w, OBSERVE_CONTAINERS);
    if (plan_verb(&w->plan, verb, with_file ? w->st : NULL, "demo", w->now, opt, &w->err) < 0)
        fail_msg("%s", w->err.msg);
    expect_text(w, expected);
}

static const struct op *find_op(struct world *w, enum op_kind kind, const char *subject)
{
    for (size_t i = 0; i < w->plan->nops; i++)
        if (w->plan->ops[i]->kind == kind && str_eq(w->plan->ops[i]->subject, subject))
            return w->plan->ops[i];
    return NULL;
}

static bool needs(const struct op *op, const struct op *first)
{
    assert_non_null(op);
    assert_non_null(first);
    for (size_t i = 0; i < op->nneeds; i++)
        if (op->needs[i].op == first)
            return true;
    return false;
}

static const char all_down[] = "web\n"
                               "  stop container demo-web-1\n"
                               "  remove container demo-web-1\n"
                               "api\n"
                               "  stop container demo-api-1\n"
                               "  remove container demo-api-1\n"
                               "db\n"
                               "  stop container demo-db-1\n"
                               "  remove container demo-db-1\n"
                               "networks and volumes\n"
                               "  remove network demo_back\n"
                               "  remove network demo_front\n"
                               "3 containers to remove, 2 networks to remove\n";

static void down_stops_what_depends_on_others_first(void **state)
{
    struct world *w = *state;
    assert_int_equal(plan_down_observe(w->st, &plain), OBSERVE_CONTAINERS);
    assert_int_equal(down(w, true, OBSERVE_CONTAINERS, &plain), 0);
    expect_text(w, all_down);
    assert_true(needs(find_op(w, OP_STOP, "demo-db-1"), find_op(w, OP_STOP, "demo-api-1")));
    assert_true(needs(find_op(w, OP_STOP, "demo-api-1"), find_op(w, OP_STOP, "demo-web-1")));
    /* Only stopping is in order; removing waits for nobody else. */
    assert_false(needs(find_op(w, OP_STOP, "demo-api-1"), find_op(w, OP_REMOVE, "demo-web-1")));
    assert_int_equal(find_op(w, OP_REMOVE, "demo-db-1")->nneeds, 1);
    assert_true(
        needs(find_op(w, OP_NETWORK_REMOVE, "demo_back"), find_op(w, OP_REMOVE, "demo-api-1")));
    assert_false(
        needs(find_op(w, OP_NETWORK_REMOVE, "demo_front"), find_op(w, OP_REMOVE, "demo-api-1")));
    assert_false(find_op(w, OP_REMOVE, "demo-db-1")->volumes);
}

static void down_works_from_labels_alone(void **state)
{
    struct world *w = *state;
    unsigned what = plan_down_observe(NULL, &plain);
    assert_int_equal(what, OBSERVE_CONTAINERS | OBSERVE_NETWORKS);
    assert_int_equal(down(w, false, what, &plain), 0);
    expect_text(w, all_down);
    assert_true(needs(find_op(w, OP_STOP, "demo-db-1"), find_op(w, OP_STOP, "demo-api-1")));
}

static void what_does_not_run_is_only_removed(void **state)
{
    struct world *w = *state;
    set_state(w, "demo-db-1", "exited");
    set_state(w, "demo-api-1", "created");
    set_state(w, "demo-web-1", "restarting");
    down(w, true, OBSERVE_CONTAINERS, &plain);
    assert_null(find_op(w, OP_STOP, "demo-db-1"));
    assert_null(find_op(w, OP_STOP, "demo-api-1"));
    assert_non_null(find_op(w, OP_STOP, "demo-web-1"));
    assert_non_null(find_op(w, OP_REMOVE, "demo-db-1"));
}

static void one_off_containers_go_and_orphans_only_when_asked_for(void **state)
{
    struct world *w = *state;
    add_copy(w, "demo-api-1", "demo-api-run", LABEL_ONEOFF, "True");
    add_copy(w, "demo-api-1", "demo-old-1", LABEL_SERVICE, "old");
    add_copy(w, "demo-api-1", "stranger", LABEL_STACK, "strange");
    down(w, true, OBSERVE_CONTAINERS, &plain);
    assert_non_null(find_op(w, OP_REMOVE, "demo-api-run"));
    assert_null(find_op(w, OP_REMOVE, "demo-old-1"));
    assert_null(find_op(w, OP_REMOVE, "stranger"));
    /* What stays keeps its network. */
    assert_null(find_op(w, OP_NETWORK_REMOVE, "demo_back"));
    assert_non_null(find_op(w, OP_NETWORK_REMOVE, "demo_front"));
    assert_int_equal(w->plan->nnotes, 2);
    assert_string_equal(w->plan->notes[0], "container 'demo-old-1' belongs to no service of the "
                                           "file; --remove-orphans removes it");
    struct plan_options opt = plain;
    opt.remove_orphans = true;
    down(w, true, OBSERVE_CONTAINERS, &opt);
    assert_non_null(find_op(w, OP_REMOVE, "demo-old-1"));
    assert_null(find_op(w, OP_REMOVE, "stranger"));
    down(w, false, OBSERVE_CONTAINERS | OBSERVE_NETWORKS, &plain);
    assert_non_null(find_op(w, OP_REMOVE, "demo-old-1"));
}

static void volumes_go_only_when_asked_for(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.remove_volumes = true;
    /* The names in the file are surely the stack's: nothing is listed for them. */
    assert_int_equal(plan_down_observe(w->st, &opt), OBSERVE_CONTAINERS);
    down(w, true, OBSERVE_CONTAINERS, &opt);
    assert_non_null(find_op(w, OP_VOLUME_REMOVE, "demo_data"));
    unsigned what = OBSERVE_CONTAINERS | OBSERVE_VOLUMES;
    assert_int_equal(plan_down_observe(NULL, &opt), what | OBSERVE_NETWORKS);
    json_array_append_new(w->sim.volumes, json_pack("{s:s, s:{s:s}}", "Name", "demo_kept", "Labels",
                                                    LABEL_STACK, "demo"));
    json_array_append_new(w->sim.volumes, json_pack("{s:s}", "Name", "demo_other"));
    down(w, true, what, &opt);
    const struct op *remove = find_op(w, OP_VOLUME_REMOVE, "demo_data");
    assert_true(needs(remove, find_op(w, OP_REMOVE, "demo-db-1")));
    assert_true(find_op(w, OP_REMOVE, "demo-db-1")->volumes);
    /* Not one that the file does not declare, nor one that is not labelled as ours. */
    assert_null(find_op(w, OP_VOLUME_REMOVE, "demo_kept"));
    assert_null(find_op(w, OP_VOLUME_REMOVE, "demo_other"));
    assert_string_equal(w->plan->notes[0],
                        "volume 'demo_kept' stays: the file does not declare it");
    /* Anonymous ones that were carried over are named ones for the engine. */
    size_t anonymous = 0;
    for (size_t i = 0; i < w->plan->nops; i++)
        anonymous +=
            w->plan->ops[i]->kind == OP_VOLUME_REMOVE && strlen(w->plan->ops[i]->subject) == 64;
    assert_int_equal(anonymous, 3);
    down(w, false, what, &opt);
    assert_non_null(find_op(w, OP_VOLUME_REMOVE, "demo_kept"));
    down(w, true, OBSERVE_ALL, &plain);
    assert_null(find_op(w, OP_VOLUME_REMOVE, "demo_data"));
}

static void networks_with_names_of_their_own_must_be_ours(void **state)
{
    struct world *w = *state;
    stack_free(w->st);
    w->st = sim_stack("name: demo\n"
                      "services: { a: { image: web, networks: [ shared, out ] } }\n"
                      "networks: { shared: { name: shared }, out: { external: true } }\n");
    assert_int_equal(plan_down_observe(w->st, &plain), OBSERVE_CONTAINERS | OBSERVE_NETWORKS);
    json_array_append_new(w->sim.networks, json_pack("{s:s, s:s}", "Name", "shared", "Id", "1"));
    json_array_append_new(w->sim.networks, json_pack("{s:s, s:s}", "Name", "out", "Id", "2"));
    down(w, true, OBSERVE_CONTAINERS | OBSERVE_NETWORKS, &plain);
    assert_null(find_op(w, OP_NETWORK_REMOVE, "shared"));
    assert_null(find_op(w, OP_NETWORK_REMOVE, "out"));
    /* Nothing is guessed without the list either. */
    down(w, true, OBSERVE_CONTAINERS, &plain);
    assert_null(find_op(w, OP_NETWORK_REMOVE, "shared"));
    assert_null(find_op(w, OP_NETWORK_REMOVE, "out"));
}

static void images_go_with_rmi(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.remove_images = "local";
    down(w, true, OBSERVE_CONTAINERS, &opt);
    assert_true(needs(find_op(w, OP_IMAGE_REMOVE, "demo-db"), find_op(w, OP_REMOVE, "demo-db-1")));
    assert_null(find_op(w, OP_IMAGE_REMOVE, "web"));
    opt.remove_images = "all";
    down(w, true, OBSERVE_CONTAINERS, &opt);
    assert_non_null(find_op(w, OP_IMAGE_REMOVE, "web"));
    assert_non_null(find_op(w, OP_IMAGE_REMOVE, "demo-db"));
}

static void images_are_the_same_by_any_of_their_names(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    size_t i;
    json_t *c;
    json_array_foreach (w->sim.containers, i, c) /* as Podman lists them */
        if (strcmp(json_str_or(c, "Image", ""), "demo-db") == 0)
            json_object_set_new(c, "Image", json_string("localhost/demo-db:latest"));
    opt.remove_images = "all";
    down(w, true, OBSERVE_CONTAINERS, &opt);
    assert_true(needs(find_op(w, OP_IMAGE_REMOVE, "demo-db"), find_op(w, OP_REMOVE, "demo-db-1")));
    assert_null(find_op(w, OP_IMAGE_REMOVE, "localhost/demo-db:latest"));
}

static void named_services_alone_go_down(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.services = (const char *const[]){ "api", NULL };
    down(w, true, OBSERVE_CONTAINERS, &opt);
    expect_text(w, "api\n"
                   "  stop container demo-api-1\n"
                   "  remove container demo-api-1\n"
                   "1 container to remove\n");
    opt.services = (const char *const[]){ "nobody", NULL };
    assert_int_equal(down(w, true, OBSERVE_CONTAINERS, &opt), -1);
    assert_int_equal(w->err.kind, ERR_NOTFOUND);
    assert_int_equal(down(w, false, OBSERVE_CONTAINERS, &opt), -1);
    assert_int_equal(w->err.kind, ERR_NOTFOUND);
}

static void the_stack_of_another_file_is_left_alone(void **state)
{
    struct world *w = *state;
    json_t *labels = json_object_get(container(w, "demo-db-1"), "Labels");
    json_object_set_new(labels, LABEL_FILE, json_string("/elsewhere/stack.yaml"));
    json_object_set_new(labels, LABEL_WORKING_DIR, json_string("/elsewhere"));
    assert_int_equal(down(w, true, OBSERVE_CONTAINERS, &plain), -1);
    assert_int_equal(w->err.kind, ERR_CONFLICT);
    assert_non_null(strstr(w->err.msg, "/elsewhere/stack.yaml"));
    /* By name alone that is what was asked for. */
    assert_int_equal(down(w, false, OBSERVE_CONTAINERS | OBSERVE_NETWORKS, &plain), 0);
}

static void stop_and_start(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.timeout_s = 3;
    for (int with_file = 0; with_file < 2; with_file++) {
        verb(w, PLAN_STOP, with_file, &opt,
             "web\n  stop container demo-web-1\n"
             "api\n  stop container demo-api-1\n"
             "db\n  stop container demo-db-1\n"
             "3 containers to stop\n");
        assert_int_equal(find_op(w, OP_STOP, "demo-db-1")->timeout_s, 3);
        verb(w, PLAN_START, with_file, &opt, "nothing to do\n");
    }
    set_state(w, "demo-web-1", "exited");
    set_state(w, "demo-db-1", "exited");
    verb(w, PLAN_START, false, &opt,
         "db\n  start container demo-db-1\n"
         "web\n  start container demo-web-1\n"
         "2 containers to start\n");
    verb(w, PLAN_START, true, &opt,
         "db\n  start container demo-db-1 (it is stopped)\n"
         "web\n  start container demo-web-1 (it is stopped)\n"
         "2 containers to start\n");
    verb(w, PLAN_STOP, true, &opt, "api\n  stop container demo-api-1\n1 container to stop\n");
}

static void what_is_in_no_service_of_the_file_is_left_alone(void **state)
{
    struct world *w = *state;
    add_copy(w, "demo-api-1", "demo-old-1", LABEL_SERVICE, "old");
    verb(w, PLAN_PAUSE, true, &plain,
         "api\n  pause container demo-api-1\n"
         "db\n  pause container demo-db-1\n"
         "web\n  pause container demo-web-1\n"
         "3 containers to stop\n");
    struct plan_options opt = plain;
    opt.services = (const char *const[]){ "old", NULL };
    verb(w, PLAN_PAUSE, true, &opt, "old\n  pause container demo-old-1\n1 container to stop\n");
    verb(w, PLAN_PAUSE, false, &plain,
         "api\n  pause container demo-api-1\n"
         "db\n  pause container demo-db-1\n"
         "old\n  pause container demo-old-1\n"
         "web\n  pause container demo-web-1\n"
         "4 containers to stop\n");
}

static void start_makes_nothing_and_replaces_nothing(void **state)
{
    struct world *w = *state;
    stack_free(w->st);
    w->st = sim_stack("name: demo\n"
                      "services:\n"
                      "  new: { image: web }\n"
                      "  db: { image: other, scale: 3 }\n");
    verb(w, PLAN_START, true, &plain, "nothing to do\n");
    set_state(w, "demo-db-1", "exited");
    verb(w, PLAN_START, true, &plain,
         "db\n  start container demo-db-1 (it is stopped)\n1 container to start\n");
}

static void start_waits_for_conditions(void **state)
{
    struct world *w = *state;
    stack_free(w->st);
    w->st = sim_stack("name: demo\n"
                      "services:\n"
                      "  api: { image: api, depends_on: { db: { condition: service_healthy } } }\n"
                      "  db: { image: demo-db, healthcheck: { test: 'true' } }\n");
    set_state(w, "demo-api-1", "exited");
    set_state(w, "demo-db-1", "exited");
    verb(w, PLAN_START, true, &plain,
         "db\n  start container demo-db-1 (it is stopped)\n  wait for service db: healthy\n"
         "api\n  start container demo-api-1 (it is stopped)\n"
         "2 containers to start\n");
}

static void restart_goes_on_to_those_that_ask_for_it(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.services = (const char *const[]){ "api", NULL };
    for (int with_file = 0; with_file < 2; with_file++)
        verb(w, PLAN_RESTART, with_file, &opt,
             "api\n  restart container demo-api-1\n"
             "web\n  restart container demo-web-1\n"
             "2 containers to restart\n");
    assert_true(needs(find_op(w, OP_RESTART, "demo-web-1"), find_op(w, OP_RESTART, "demo-api-1")));
    opt.services = (const char *const[]){ "db", NULL };
    verb(w, PLAN_RESTART, true, &opt,
         "db\n  restart container demo-db-1\n1 container to restart\n");
}

static void labels_say_what_starts_along_and_what_is_waited_for(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    json_object_set_new(json_object_get(container(w, "demo-web-1"), "Labels"), LABEL_DEPENDS_ON,
                        json_string("api:service_healthy:true,:service_healthy,gone:x:y"));
    set_state(w, "demo-web-1", "exited");
    set_state(w, "demo-api-1", "exited");
    opt.services = (const char *const[]){ "web", NULL };
    verb(w, PLAN_START, false, &opt,
         "api\n  start container demo-api-1\n  wait for service api: ready\n"
         "web\n  start container demo-web-1\n"
         "2 containers to start\n");
    set_state(w, "demo-web-1", "running");
    set_state(w, "demo-api-1", "running");
    opt.services = (const char *const[]){ "api", NULL };
    verb(w, PLAN_RESTART, false, &opt,
         "api\n  restart container demo-api-1\n  wait for service api: ready\n"
         "web\n  restart container demo-web-1\n"
         "2 containers to restart\n");
    const struct op *wait = find_op(w, OP_WAIT, "api");
    assert_true(needs(find_op(w, OP_RESTART, "demo-web-1"), wait));
    assert_ptr_equal(wait->waits[0], find_op(w, OP_RESTART, "demo-api-1"));
    /* What is on its way is waited for too; what has no health check is not. */
    set_state(w, "demo-web-1", "exited");
    opt.services = (const char *const[]){ "web", NULL };
    verb(w, PLAN_START, false, &opt, "web\n  start container demo-web-1\n1 container to start\n");
    json_object_set_new(container(w, "demo-api-1"), "Status",
                        json_string("Up 2 seconds (health: starting)"));
    verb(w, PLAN_START, false, &opt,
         "api\n  wait for service api: ready\n"
         "web\n  start container demo-web-1\n1 container to start\n");
    assert_string_equal(find_op(w, OP_WAIT, "api")->wait_seen[0]->name, "demo-api-1");
}

static void kill_pause_rm(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.services = (const char *const[]){ "db", NULL };
    opt.signal = "HUP";
    verb(w, PLAN_KILL, false, &opt, "db\n  kill container demo-db-1\n1 container to stop\n");
    assert_string_equal(find_op(w, OP_KILL, "demo-db-1")->signal, "HUP");
    opt.signal = NULL;
    verb(w, PLAN_PAUSE, false, &opt, "db\n  pause container demo-db-1\n1 container to stop\n");
    verb(w, PLAN_UNPAUSE, false, &opt, "nothing to do\n");
    verb(w, PLAN_RM, false, &opt, "nothing to do\n");
    set_state(w, "demo-db-1", "paused");
    verb(w, PLAN_UNPAUSE, false, &opt, "db\n  unpause container demo-db-1\n1 container to start\n");
    verb(w, PLAN_PAUSE, false, &opt, "nothing to do\n");
    set_state(w, "demo-db-1", "exited");
    verb(w, PLAN_RM, false, &opt, "db\n  remove container demo-db-1\n1 container to remove\n");
    assert_false(find_op(w, OP_REMOVE, "demo-db-1")->volumes);
    opt.services = NULL;
    opt.stop_first = true;
    verb(w, PLAN_RM, true, &opt,
         "web\n  stop container demo-web-1\n  remove container demo-web-1\n"
         "api\n  stop container demo-api-1\n  remove container demo-api-1\n"
         "db\n  remove container demo-db-1\n"
         "3 containers to remove\n");
}

static void rm_removes_anonymous_volumes_that_nobody_else_has(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.remove_volumes = true;
    set_state(w, "demo-db-1", "exited");
    set_state(w, "demo-api-1", "exited");
    const char *shared = json_string_value(json_object_get(
        json_array_get(json_object_get(container(w, "demo-web-1"), "Mounts"), 0), "Name"));
    json_object_set_new(json_array_get(json_object_get(container(w, "demo-api-1"), "Mounts"), 0),
                        "Name", json_string(shared));
    look(w, OBSERVE_CONTAINERS);
    assert_int_equal(plan_verb(&w->plan, PLAN_RM, NULL, "demo", w->now, &opt, &w->err), 0);
    size_t volumes = 0;
    for (size_t i = 0; i < w->plan->nops; i++)
        if (w->plan->ops[i]->kind == OP_VOLUME_REMOVE) {
            volumes++;
            assert_true(needs(w->plan->ops[i], find_op(w, OP_REMOVE, "demo-db-1")));
            assert_int_equal(strlen(w->plan->ops[i]->subject), 64);
        }
    assert_int_equal(volumes, 1);
}

static void images_alone(void **state)
{
    struct world *w = *state;
    stack_free(w->st);
    w->st = sim_stack("name: demo\n"
                      "services:\n"
                      "  a: { image: web }\n"
                      "  b: { image: web }\n"
                      "  c: { image: new }\n"
                      "  d: { build: /d }\n"
                      "  e: { build: /e, image: own }\n"
                      "  f: { image: web, pull_policy: missing }\n"
                      "  g: { image: 'pinned:1', pull_policy: missing }\n"
                      "  h: { image: web, pull_policy: never }\n");
    struct plan_options opt = plain;
    sim_add_image(&w->sim, "pinned:1", NULL);
    look(w, OBSERVE_IMAGES);
    assert_int_equal(plan_images(&w->plan, OP_IMAGE_PULL, w->st, w->now, NULL, 0, &opt, &w->err),
                     0);
    expect_text(w, "images\n"
                   "  pull image web (look for a newer one)\n"
                   "  pull image new (not on this engine)\n"
                   "note: d Skipped No image to be pulled\n"
                   "note: Image own Skipped Image can be built\n"
                   "note: Image pinned:1 Skipped Image is already present locally\n"
                   "note: Image web Skipped its pull_policy is not to pull\n"
                   "note: Some service image(s) must be built from source by running: stack build "
                   "e\n"
                   "2 images to pull\n");
    opt.pull = "missing";
    opt.services = (const char *const[]){ "a", "c", NULL };
    look(w, OBSERVE_IMAGES);
    plan_images(&w->plan, OP_IMAGE_PULL, w->st, w->now, NULL, 0, &opt, &w->err);
    expect_text(w, "images\n  pull image new (not on this engine)\n"
                   "note: Image web Skipped Image is already present locally\n"
                   "1 image to pull\n");
    opt.services = (const char *const[]){ "d", NULL };
    look(w, OBSERVE_IMAGES);
    plan_images(&w->plan, OP_IMAGE_BUILD, w->st, w->now, NULL, 0, &opt, &w->err);
    expect_text(w, "images\n  build image demo-d (not built yet)\n1 image to build\n");
    opt.services = (const char *const[]){ "x", NULL };
    look(w, OBSERVE_IMAGES);
    assert_int_equal(plan_images(&w->plan, OP_IMAGE_BUILD, w->st, w->now, NULL, 0, &opt, &w->err),
                     -1);
    assert_int_equal(w->err.kind, ERR_NOTFOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(down_stops_what_depends_on_others_first),
        TEST(down_works_from_labels_alone),
        TEST(what_does_not_run_is_only_removed),
        TEST(one_off_containers_go_and_orphans_only_when_asked_for),
        TEST(volumes_go_only_when_asked_for),
        TEST(networks_with_names_of_their_own_must_be_ours),
        TEST(images_go_with_rmi),
        TEST(images_are_the_same_by_any_of_their_names),
        TEST(named_services_alone_go_down),
        TEST(the_stack_of_another_file_is_left_alone),
        TEST(stop_and_start),
        TEST(what_is_in_no_service_of_the_file_is_left_alone),
        TEST(start_makes_nothing_and_replaces_nothing),
        TEST(start_waits_for_conditions),
        TEST(restart_goes_on_to_those_that_ask_for_it),
        TEST(labels_say_what_starts_along_and_what_is_waited_for),
        TEST(kill_pause_rm),
        TEST(rm_removes_anonymous_volumes_that_nobody_else_has),
        TEST(images_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
