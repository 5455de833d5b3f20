/* What `up` plans, and why: as people read it. */
#include "unit.h"

#include "../support/sim.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"

static const struct plan_options plain = { .timeout_s = -1 };

/* A stack, the engine, and what is planned for them. */
struct world {
    struct sim sim;
    struct stack *st;
    struct snapshot *now;
    struct plan *plan;
    struct plan_image *images;
    size_t nimages;
    struct error err;
};

static void forget_plan(struct world *w)
{
    plan_free(w->plan);
    snapshot_free(w->now);
    stack_free(w->st);
    free(w->images);
    w->plan = NULL;
    w->now = NULL;
    w->st = NULL;
    w->images = NULL;
    error_clear(&w->err);
}

static int begin(void **state)
{
    struct world *w = xnew(struct world);
    sim_init(&w->sim);
    *state = w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    forget_plan(w);
    sim_clear(&w->sim);
    free(w);
    return 0;
}

/* Plans; `fingerprints` are those of the images that the stack builds, in their order, or NULL: no
 * survey. 0, or -1 with w->err. */
static int plan_with(struct world *w, const char *yaml, const struct plan_options *opt,
                     const char *const *fingerprints)
{
    forget_plan(w);
    w->st = sim_stack(yaml);
    w->now = sim_snapshot(&w->sim);
    if (fingerprints) {
        w->nimages = w->st->nimages;
        w->images = xcalloc(w->nimages, sizeof(*w->images));
        for (size_t i = 0; i < w->nimages; i++)
            w->images[i] =
                (struct plan_image){ .image = &w->st->images[i], .fingerprint = fingerprints[i] };
    }
    return plan_up(&w->plan, w->st, w->now, w->images, fingerprints ? w->nimages : 0, opt, &w->err);
}

static void apply(struct world *w)
{
    struct sim_run run;
    sim_run_init(&run, &w->sim, w->st, w->now, w->plan);
    for (size_t i = 0; i < w->plan->nops; i++)
        if (!sim_step(&run, w->plan->ops[i]))
            fail_msg("%s", w->sim.error);
    sim_run_clear(&run);
    sim_settle(&w->sim);
}

static void expect_text(struct world *w, const char *expected)
{
    auto_str struct str text = STR_INIT;
    plan_print(&text, w->plan);
    assert_string_equal(text.buf, expected);
}

static void expect(struct world *w, const char *yaml, const struct plan_options *opt,
                   const char *expected)
{
    if (plan_with(w, yaml, opt, NULL) < 0)
        fail_msg("%s", w->err.msg);
    expect_text(w, expected);
}

static void expect_error(struct world *w, const char *yaml, const struct plan_options *opt,
                         enum error_kind kind, const char *message, const char *hint)
{
    assert_int_equal(plan_with(w, yaml, opt, NULL), -1);
    assert_int_equal(w->err.kind, kind);
    assert_string_equal(w->err.msg, message);
    if (hint)
        assert_string_equal(w->err.hint, hint);
}

/* Brings the engine to what the file declares. */
static void up(struct world *w, const char *yaml)
{
    if (plan_with(w, yaml, &plain, NULL) < 0)
        fail_msg("%s", w->err.msg);
    apply(w);
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

static void set_state(struct world *w, const char *name, const char *state, const char *status)
{
    json_t *c = container(w, name);
    json_object_set_new(c, "State", json_string(state));
    json_object_set_new(c, "Status", json_string(status));
}

static void set_label(struct world *w, const char *name, const char *key, const char *value)
{
    json_t *labels = json_object_get(container(w, name), "Labels");
    if (value)
        json_object_set_new(labels, key, json_string(value));
    else
        json_object_del(labels, key);
}

static void remove_container(struct world *w, const char *name)
{
    json_t *c = container(w, name);
    for (size_t i = 0; i < json_array_size(w->sim.containers); i++)
        if (json_array_get(w->sim.containers, i) == c) {
            json_array_remove(w->sim.containers, i);
            return;
        }
}

static const struct op *find_op(struct world *w, enum op_kind kind, const char *subject)
{
    for (size_t i = 0; i < w->plan->nops; i++)
        if (w->plan->ops[i]->kind == kind && str_eq(w->plan->ops[i]->subject, subject))
            return w->plan->ops[i];
    return NULL;
}

/* 'h' for a hard edge, 's' for a soft one, '-' for none. */
static char need_of(const struct op *op, const struct op *first)
{
    assert_non_null(op);
    assert_non_null(first);
    for (size_t i = 0; i < op->nneeds; i++)
        if (op->needs[i].op == first)
            return op->needs[i].soft ? 's' : 'h';
    return '-';
}

/* --- the whole of it --- */

static const char web_db[] =
    "name: demo\n"
    "services:\n"
    "  web:\n"
    "    image: web\n"
    "    depends_on: { db: { condition: service_healthy } }\n"
    "    environment:\n"
    "      DEBUG: '0'\n"
    "  db: { image: db, volumes: [ 'data:/data' ], healthcheck: { test: 'true' } }\n"
    "volumes: { data: {} }\n";

static const char web_db_debug[] =
    "name: demo\n"
    "services:\n"
    "  web:\n"
    "    image: web\n"
    "    depends_on: { db: { condition: service_healthy } }\n"
    "    environment:\n"
    "      DEBUG: '1'\n"
    "  db: { image: db, volumes: [ 'data:/data' ], healthcheck: { test: 'true' } }\n"
    "volumes: { data: {} }\n";

static void a_fresh_stack_is_made_whole(void **state)
{
    struct world *w = *state;
    expect(w, web_db, &plain,
           "images\n"
           "  pull image db (not on this engine)\n"
           "  pull image web (not on this engine)\n"
           "networks and volumes\n"
           "  create network demo_default (new)\n"
           "  create volume demo_data (new)\n"
           "db\n"
           "  create container demo-db-1 (new)\n"
           "  start container demo-db-1\n"
           "  wait for service db: healthy\n"
           "web\n"
           "  create container demo-web-1 (new)\n"
           "  start container demo-web-1\n"
           "2 containers to create, 2 images to pull, 1 network to create, 1 volume to create\n");
    /* No barrier: the web is created while the database is not even pulled. */
    const struct op *create = find_op(w, OP_CREATE, "demo-web-1");
    assert_int_equal(need_of(create, find_op(w, OP_IMAGE_PULL, "db")), '-');
    assert_int_equal(need_of(create, find_op(w, OP_IMAGE_PULL, "web")), 'h');
    assert_int_equal(need_of(create, find_op(w, OP_NETWORK_CREATE, "demo_default")), 'h');
    assert_int_equal(need_of(find_op(w, OP_START, "demo-web-1"), find_op(w, OP_WAIT, "db")), 'h');
}

static void a_second_run_has_nothing_to_do(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    expect(w, web_db, &plain, "nothing to do\n");
    assert_int_equal(w->plan->nops, 0);
    assert_int_equal(w->plan->nkept, 2);
    assert_string_equal(w->plan->kept[0]->name, "demo-db-1");
    assert_false(w->plan->again);
}

static void a_changed_key_is_named_with_its_line(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    expect(w, web_db_debug, &plain,
           "web\n"
           "  create container demo-web-1 in place of 000000040000"
           " (environment.DEBUG changed, <stdin>:7)\n"
           "  stop container demo-web-1 (to be replaced)\n"
           "  remove container demo-web-1 (to be replaced)\n"
           "  rename container demo-web-1\n"
           "  start container demo-web-1\n"
           "1 container to replace\n");
    const struct op *create = find_op(w, OP_CREATE, "demo-web-1");
    assert_string_equal(create->name, "000000040000_demo-web-1");
    assert_string_equal(create->old->name, "demo-web-1");
    assert_string_equal(find_op(w, OP_RENAME, "demo-web-1")->name, "demo-web-1");
}

static void values_are_in_no_label_and_no_reason(void **state)
{
    struct world *w = *state;
    up(w, "name: demo\nservices: { a: { image: web, environment: { PASSWORD: hunter2 } } }\n");
    auto_free char *all = json_dumps(w->sim.containers, 0);
    assert_null(strstr(all, "hunter2"));
    plan_with(w,
              "name: demo\nservices: { a: { image: web, environment: { PASSWORD: swordfish } } }\n",
              &plain, NULL);
    auto_str struct str text = STR_INIT;
    plan_print_json(&text, w->plan);
    assert_non_null(strstr(text.buf, "environment.PASSWORD changed"));
    assert_null(strstr(text.buf, "swordfish"));
}

static void what_stopped_is_started(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    set_state(w, "demo-web-1", "exited", "Exited (1) 3 seconds ago");
    expect(w, web_db, &plain,
           "web\n  start container demo-web-1 (it is stopped)\n1 container to start\n");
    set_state(w, "demo-web-1", "paused", "Up 3 seconds (Paused)");
    expect(w, web_db, &plain,
           "web\n  unpause container demo-web-1 (it is paused)\n1 container to start\n");
    set_state(w, "demo-web-1", "restarting", "Restarting (1) 3 seconds ago");
    expect(w, web_db, &plain, "nothing to do\n");
    /* What it depends on is not ready any more. */
    set_state(w, "demo-web-1", "created", "Created");
    set_state(w, "demo-db-1", "running", "Up 3 seconds (unhealthy)");
    expect(w, web_db, &plain,
           "db\n  wait for service db: healthy\n"
           "web\n  start container demo-web-1 (it was never started)\n1 container to start\n");
    assert_string_equal(find_op(w, OP_WAIT, "db")->wait_seen[0]->id,
                        json_string_value(json_object_get(container(w, "demo-db-1"), "Id")));
    set_state(w, "demo-db-1", "dead", "Dead");
    plan_with(w, web_db, &plain, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-db-1")->reason, "it is broken");
}

/* --- images --- */

static void an_image_that_moved_replaces_its_containers(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    w->sim.pulls++;
    sim_add_image(&w->sim, "web", NULL);
    plan_with(w, web_db, &plain, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-web-1")->reason, "image 'web' changed");
    assert_null(find_op(w, OP_CREATE, "demo-db-1"));
    /* The engine may list another kind of id than the one that the image list has. */
    const char *id = w->now->images[0].id;
    for (size_t i = 0; i < w->now->nimages; i++)
        if (str_eq(w->now->images[i].refs[0], "web:latest"))
            id = w->now->images[i].id;
    set_label(w, "demo-web-1", LABEL_IMAGE, id);
    expect(w, web_db, &plain, "nothing to do\n");
}

static void an_image_is_pulled_only_to_create_from_it(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    json_array_clear(w->sim.images);
    expect(w, web_db, &plain, "nothing to do\n");
    plan_with(w, web_db_debug, &plain, NULL);
    assert_non_null(find_op(w, OP_IMAGE_PULL, "web"));
    assert_null(find_op(w, OP_IMAGE_PULL, "db"));
    assert_false(w->plan->again);
}

static void pull_policies(void **state)
{
    struct world *w = *state;
    static const char never[] = "name: demo\nservices: { a: { image: web, pull_policy: never } }\n";
    static const char always[] =
        "name: demo\nservices: { a: { image: web, pull_policy: always } }\n";
    expect_error(w, never, &plain, ERR_NOTFOUND,
                 "service 'a': image 'web' is not on the engine and is never to be pulled",
                 "docker pull web");
    up(w, always);
    /* What runs may be the newest: it stays until that is known. */
    expect(w, always, &plain, "images\n  pull image web (pull_policy: always)\n1 image to pull\n");
    assert_true(w->plan->again);
    struct plan_options opt = plain;
    opt.second = true;
    expect(w, always, &opt, "nothing to do\n");
    assert_false(w->plan->again);
    opt.second = false;
    opt.pull = "missing";
    expect(w, always, &opt, "nothing to do\n");
    assert_false(w->plan->again);
    opt.pull = "always";
    expect(w, never, &opt, "images\n  pull image web (--pull always)\n1 image to pull\n");
    assert_true(w->plan->again);
}

static const char built[] = "name: demo\n"
                            "services: { web: { build: /src }, db: { image: db } }\n";

static void an_image_is_built_when_its_sources_changed(void **state)
{
    struct world *w = *state;
    assert_int_equal(plan_with(w, built, &plain, (const char *const[]){ "f1" }), 0);
    assert_string_equal(find_op(w, OP_IMAGE_BUILD, "demo-web")->reason, "not built yet");
    assert_string_equal(find_op(w, OP_IMAGE_BUILD, "demo-web")->fingerprint, "f1");
    assert_int_equal(
        need_of(find_op(w, OP_CREATE, "demo-web-1"), find_op(w, OP_IMAGE_BUILD, "demo-web")), 'h');
    apply(w);
    plan_with(w, built, &plain, (const char *const[]){ "f1" });
    expect_text(w, "nothing to do\n");
    plan_with(w, built, &plain, (const char *const[]){ "f2" });
    assert_string_equal(find_op(w, OP_IMAGE_BUILD, "demo-web")->reason, "its sources changed");
    assert_string_equal(find_op(w, OP_CREATE, "demo-web-1")->reason,
                        "image 'demo-web': its sources changed");
    assert_null(find_op(w, OP_CREATE, "demo-db-1"));
    assert_false(w->plan->again);
    apply(w);
    plan_with(w, built, &plain, (const char *const[]){ "f2" });
    expect_text(w, "nothing to do\n");

    struct plan_options opt = plain;
    opt.no_build = true;
    plan_with(w, built, &opt, (const char *const[]){ "f3" });
    expect_text(w, "nothing to do\n");
    opt.no_build = false;
    opt.build = true;
    plan_with(w, built, &opt, (const char *const[]){ "f2" });
    expect_text(w, "images\n  build image demo-web (asked for)\n1 image to build\n");
    assert_true(w->plan->again);
    opt.second = true;
    plan_with(w, built, &opt, (const char *const[]){ "f2" });
    expect_text(w, "nothing to do\n");
    /* What could not be surveyed is built at every run, and never twice in one. */
    plan_with(w, built, &plain, (const char *const[]){ NULL });
    expect_text(w, "images\n  build image demo-web (asked for)\n1 image to build\n");
    plan_with(w, built, &opt, (const char *const[]){ NULL });
    expect_text(w, "nothing to do\n");
}

static void without_builds_a_missing_image_is_an_error(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.no_build = true;
    expect_error(w, built, &opt, ERR_NOTFOUND, "service 'web': its image 'demo-web' is not built",
                 "leave --no-build out");
}

static void an_image_is_built_after_those_it_is_from(void **state)
{
    struct world *w = *state;
    forget_plan(w);
    w->st = sim_stack("name: demo\nservices: { a: { build: /a }, b: { build: /b } }\n");
    w->now = sim_snapshot(&w->sim);
    assert_int_equal(w->st->nimages, 2);
    static const size_t first[] = { 0 };
    struct plan_image images[] = {
        { .image = &w->st->images[0], .fingerprint = "f1" },
        { .image = &w->st->images[1], .fingerprint = "f2", .bases = first, .nbases = 1 }
    };
    assert_int_equal(plan_up(&w->plan, w->st, w->now, images, 2, &plain, NULL), 0);
    assert_int_equal(
        need_of(find_op(w, OP_IMAGE_BUILD, "demo-b"), find_op(w, OP_IMAGE_BUILD, "demo-a")), 'h');
    assert_int_equal(
        need_of(find_op(w, OP_IMAGE_BUILD, "demo-a"), find_op(w, OP_IMAGE_BUILD, "demo-b")), '-');
}

/* --- replicas --- */

static void gaps_are_filled_and_the_highest_go(void **state)
{
    struct world *w = *state;
    static const char three[] = "name: demo\nservices: { a: { image: web, scale: 3 } }\n";
    up(w, three);
    remove_container(w, "demo-a-2");
    expect(w, three, &plain,
           "a\n  create container demo-a-2 (new)\n  start container demo-a-2\n"
           "1 container to create\n");
    struct plan_options opt = plain;
    opt.scale = (struct plan_scale[]){ { "a", 1 } };
    opt.nscale = 1;
    expect(w, three, &opt,
           "a\n  stop container demo-a-3 (scaled down)\n"
           "  remove container demo-a-3 (scaled down)\n1 container to remove\n");
    assert_false(find_op(w, OP_REMOVE, "demo-a-3")->volumes);
    opt.scale = (struct plan_scale[]){ { "b", 1 } };
    expect_error(w, three, &opt, ERR_NOTFOUND, "no such service: b", "did you mean 'a'?");
    opt.scale = (struct plan_scale[]){ { "a", 1000000 } };
    expect_error(w, three, &opt, ERR_INPUT,
                 "service 'a' has 1000000 containers: 0 to 10000 are possible", NULL);
    opt.scale = (struct plan_scale[]){ { "a", 2 } };
    expect_error(w, "name: demo\nservices: { a: { image: web, container_name: only } }\n", &opt,
                 ERR_INPUT, "service 'a' has a container_name and cannot have 2 containers", NULL);
}

/* A copy of a container as a killed run could have left it. */
static json_t *add_copy(struct world *w, const char *of, const char *id, const char *name)
{
    auto_free char *slashed = xasprintf("/%s", name);
    json_t *copy = json_deep_copy(container(w, of));
    json_object_set_new(copy, "Id", json_string(id));
    json_object_set_new(copy, "Names", json_pack("[s]", slashed));
    json_object_set_new(copy, "State", json_string("created"));
    json_object_set_new(copy, "Status", json_string("Created"));
    json_object_del(copy, "Ports");
    json_array_append_new(w->sim.containers, copy);
    return copy;
}

#define ID(c) c c c c c c c c c c c c c c c c

static void an_unfinished_replacement_is_finished(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    const char *id = json_string_value(json_object_get(container(w, "demo-web-1"), "Id"));
    auto_free char *temporary = xasprintf("%.12s_demo-web-1", id);
    auto_(stack_freep) struct stack *st = sim_stack(web_db_debug);
    add_copy(w, "demo-web-1", ID("aaaa"), temporary);
    set_label(w, temporary, LABEL_HASH, stack_service(st, "web")->hash);
    expect(w, web_db_debug, &plain,
           "web\n"
           "  stop container demo-web-1 (to be replaced)\n"
           "  remove container demo-web-1 (environment.DEBUG changed, <stdin>:7)\n"
           "  rename container demo-web-1\n"
           "  start container demo-web-1\n"
           "1 container to replace\n");
    assert_string_equal(find_op(w, OP_RENAME, "demo-web-1")->id, ID("aaaa"));

    /* The file has changed back since: it goes. */
    auto_str struct str expected = STR_INIT;
    str_addf(&expected,
             "web\n  remove container %s (left by an unfinished run)\n1 container to remove\n",
             temporary);
    expect(w, web_db, &plain, expected.buf);

    /* It replaces another container than the one that is there: it may have other volumes. */
    json_object_set_new(container(w, temporary), "Names",
                        json_pack("[s]", "/bbbbbbbbbbbb_demo-web-1"));
    plan_with(w, web_db_debug, &plain, NULL);
    assert_non_null(find_op(w, OP_REMOVE, "bbbbbbbbbbbb_demo-web-1"));
    assert_non_null(find_op(w, OP_CREATE, "demo-web-1"));
}

static void of_several_unfinished_ones_the_right_one_is_taken(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    set_state(w, "demo-web-1", "created", "Created");
    add_copy(w, "demo-web-1", ID("aaaa"), "cccccccccccc_demo-web-1");
    add_copy(w, "demo-web-1", ID("bbbb"), "dddddddddddd_demo-web-1");
    set_label(w, "dddddddddddd_demo-web-1", LABEL_HASH, "1:other");
    /* Newest, but not what is declared. */
    json_object_set_new(container(w, "dddddddddddd_demo-web-1"), "Created", json_integer(99999));
    json_object_set_new(container(w, "demo-web-1"), "Names",
                        json_pack("[s]", "/eeeeeeeeeeee_demo-web-1"));
    set_label(w, "eeeeeeeeeeee_demo-web-1", LABEL_HASH, "1:other");
    plan_with(w, web_db, &plain, NULL);
    assert_string_equal(find_op(w, OP_RENAME, "demo-web-1")->id, ID("aaaa"));
    assert_string_equal(find_op(w, OP_START, "demo-web-1")->id, ID("aaaa"));
    assert_non_null(find_op(w, OP_REMOVE, "dddddddddddd_demo-web-1"));
    assert_non_null(find_op(w, OP_REMOVE, "eeeeeeeeeeee_demo-web-1"));
    assert_null(find_op(w, OP_CREATE, "demo-web-1"));
}

static void a_name_that_docker_compose_left_broken_is_repaired(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    json_object_set_new(container(w, "demo-web-1"), "Names",
                        json_pack("[s]", "/7481b178e4c1_7481b178e4c1_demo-web-1"));
    expect(w, web_db, &plain,
           "web\n"
           "  rename container demo-web-1 (it is called '7481b178e4c1_7481b178e4c1_demo-web-1')\n"
           "1 container to change\n");
}

static void a_name_that_another_container_has_is_not_taken(void **state)
{
    struct world *w = *state;
    static const char two[] = "name: demo\nservices: { a: { image: web, scale: 2 } }\n";
    up(w, two);
    json_object_set_new(container(w, "demo-a-1"), "Names", json_pack("[s]", "/mine"));
    json_object_set_new(container(w, "demo-a-2"), "Names", json_pack("[s]", "/demo-a-1"));
    /* One after the other: first the one whose name is free. */
    expect(w, two, &plain,
           "a\n"
           "  rename container demo-a-2 (it is called 'demo-a-1')\n"
           "note: container 'mine' should be called 'demo-a-1', as another one is\n"
           "1 container to change\n");
    apply(w);
    expect(w, two, &plain,
           "a\n  rename container demo-a-1 (it is called 'mine')\n1 container to change\n");
}

/* --- jobs --- */

static const char with_job[] =
    "name: demo\n"
    "services:\n"
    "  app: { image: web, depends_on: { job: { condition: service_completed_successfully } } }\n"
    "  job: { image: job, depends_on: [ db ] }\n"
    "  db: { image: db }\n";

static void a_job_that_is_done_is_not_run_again(void **state)
{
    struct world *w = *state;
    up(w, with_job);
    expect(w, with_job, &plain, "nothing to do\n");
    /* Not even when something else has to wait for it. */
    set_state(w, "demo-app-1", "exited", "Exited (0) 3 seconds ago");
    expect(w, with_job, &plain,
           "app\n  start container demo-app-1 (it is stopped)\n1 container to start\n");
}

static void a_job_that_failed_is_started_again(void **state)
{
    struct world *w = *state;
    up(w, with_job);
    set_state(w, "demo-job-1", "exited", "Exited (3) 3 seconds ago");
    set_state(w, "demo-app-1", "created", "Created");
    expect(w, with_job, &plain,
           "job\n"
           "  start container demo-job-1 (it failed with exit code 3)\n"
           "  wait for service job: completed\n"
           "app\n"
           "  start container demo-app-1 (it was never started)\n"
           "2 containers to start\n");
}

static void a_job_runs_again_when_what_it_depends_on_changed(void **state)
{
    struct world *w = *state;
    up(w, with_job);
    unsigned jobs = w->sim.jobs;
    static const char changed[] =
        "name: demo\n"
        "services:\n"
        "  app: { image: web, depends_on: { job: { condition: service_completed_successfully } } }\n"
        "  job: { image: job, depends_on: [ db ] }\n"
        "  db: { image: db, environment: { A: b } }\n";
    plan_with(w, changed, &plain, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-job-1")->reason, "'db' changed since it ran");
    assert_null(find_op(w, OP_CREATE, "demo-app-1"));
    apply(w);
    assert_int_equal(w->sim.jobs, jobs + 1);
    expect(w, changed, &plain, "nothing to do\n");

    w->sim.pulls++;
    sim_add_image(&w->sim, "db", NULL);
    plan_with(w, changed, &plain, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-job-1")->reason, "'db' changed since it ran");
    /* Only the reference is gone: nothing changed for what runs. */
    up(w, changed);
    json_array_clear(w->sim.images);
    expect(w, changed, &plain, "nothing to do\n");
}

static void a_service_that_became_a_job_runs_once(void **state)
{
    struct world *w = *state;
    up(w, "name: demo\nservices: { job: { image: job, depends_on: [ db ] }, db: { image: db } }\n");
    plan_with(w, with_job, &plain, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-job-1")->reason,
                        "it was no job when it was made");
}

/* --- who owns it --- */

static void containers_of_docker_compose_are_replaced_once(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    set_label(w, "demo-web-1", LABEL_HASH, NULL);
    set_label(w, "demo-db-1", LABEL_HASH, "0:abc");
    plan_with(w, web_db, &plain, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-web-1")->reason,
                        "it was made by docker compose");
    assert_string_equal(find_op(w, OP_CREATE, "demo-db-1")->reason,
                        "it was made by another version of stack");
    apply(w);
    expect(w, web_db, &plain, "nothing to do\n");
}

static bool same(const char *a, const char *b)
{
    return str_eq(a, "/srv/link") && str_eq(b, "/srv/demo");
}

static void another_file_owns_the_name(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    set_label(w, "demo-web-1", LABEL_FILE, "/srv/other/stack.yaml");
    set_label(w, "demo-web-1", LABEL_WORKING_DIR, "/srv/other");
    expect_error(w, web_db, &plain, ERR_CONFLICT,
                 "container 'demo-web-1' of stack 'demo' was made from '/srv/other/stack.yaml'",
                 "choose another name with -p, or take its containers over with --adopt, as after "
                 "the folder was moved");
    struct plan_options opt = plain;
    opt.adopt = true;
    plan_with(w, web_db, &opt, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-web-1")->reason,
                        "it was made from '/srv/other/stack.yaml'");
    assert_null(find_op(w, OP_CREATE, "demo-db-1"));
    apply(w);
    expect(w, web_db, &plain, "nothing to do\n");
    /* The same place by another path. */
    set_label(w, "demo-web-1", LABEL_WORKING_DIR, "/srv/link");
    assert_int_equal(plan_with(w, web_db, &plain, NULL), -1);
    opt = plain;
    opt.same_file = same;
    expect(w, web_db, &opt, "nothing to do\n");
}

static void orphans_are_noted_or_removed(void **state)
{
    struct world *w = *state;
    static const char only_db[] = "name: demo\n"
                                  "services:\n"
                                  "  db: { image: db, volumes: [ 'data:/data' ], healthcheck: { "
                                  "test: 'true' } }\n"
                                  "volumes: { data: {} }\n";
    up(w, web_db);
    add_copy(w, "demo-web-1", ID("aaaa"), "demo-web-run-1");
    set_label(w, "demo-web-run-1", LABEL_ONEOFF, "True");
    expect(w, only_db, &plain,
           "note: container 'demo-web-1' belongs to no service of the file; --remove-orphans "
           "removes it\n"
           "nothing to do\n");
    struct plan_options opt = plain;
    opt.remove_orphans = true;
    expect(w, only_db, &opt,
           "web\n"
           "  stop container demo-web-1 (orphan)\n"
           "  remove container demo-web-1 (orphan)\n"
           "1 container to remove\n");
    /* A service of a profile that is not active is no orphan. */
    expect(w,
           "name: demo\n"
           "services:\n"
           "  db: { image: db, volumes: [ 'data:/data' ], healthcheck: { test: 'true' } }\n"
           "  web: { image: web, profiles: [ extra ] }\n"
           "volumes: { data: {} }\n",
           &opt, "nothing to do\n");
}

/* --- networks and volumes --- */

static void external_objects_must_be_there(void **state)
{
    struct world *w = *state;
    static const char network[] = "name: demo\n"
                                  "services: { a: { image: web, networks: [ x ] } }\n"
                                  "networks: { x: { external: true } }\n";
    static const char volume[] = "name: demo\n"
                                 "services: { a: { image: web, volumes: [ 'store:/x' ] } }\n"
                                 "volumes: { store: { external: true, name: theirs } }\n";
    expect_error(w, network, &plain, ERR_NOTFOUND,
                 "service 'a': network x declared as external, but could not be found (<stdin>:3)",
                 "make it: docker network create x");
    expect_error(w, volume, &plain, ERR_NOTFOUND,
                 "service 'a': external volume \"theirs\" not found (<stdin>:3)",
                 "make it: docker volume create theirs");
    json_array_append_new(w->sim.networks, json_pack("{s:s, s:s}", "Name", "x", "Id", "77"));
    up(w, network);
    expect(w, network, &plain, "nothing to do\n");
}

static void a_volume_is_never_replaced(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    static const char changed[] = "name: demo\n"
                                  "services: { db: { image: db, volumes: [ 'data:/data' ] } }\n"
                                  "volumes: { data: { labels: { a: b } } }\n";
    expect_error(w, changed, &plain, ERR_CONFLICT,
                 "service 'db': the definition of volume 'demo_data' changed (<stdin>:3); its data "
                 "would be lost, so it is not replaced",
                 "undo the change, or save the data and then: stack down; docker volume rm "
                 "demo_data; stack up");
}

static void objects_that_others_made_are_used_as_they_are(void **state)
{
    struct world *w = *state;
    json_array_append_new(w->sim.networks,
                          json_pack("{s:s, s:s}", "Name", "demo_default", "Id", "77"));
    json_array_append_new(w->sim.volumes, json_pack("{s:s}", "Name", "demo_data"));
    up(w, web_db);
    expect(w, web_db, &plain,
           "note: network 'demo_default' was not made by this stack; it is used as it is\n"
           "note: volume 'demo_data' was not made by this stack; it is used as it is\n"
           "nothing to do\n");
    /* A list by label does not have the volume; that a container has it shows that it is there. */
    json_array_clear(w->sim.volumes);
    expect(w, web_db, &plain,
           "note: network 'demo_default' was not made by this stack; it is used as it is\n"
           "nothing to do\n");
}

static void a_network_that_changed_is_replaced_with_its_users_stopped(void **state)
{
    struct world *w = *state;
    static const char before[] = "name: demo\nservices: { a: { image: web } }\n";
    static const char after[] = "name: demo\nservices: { a: { image: web } }\n"
                                "networks: { default: { internal: true } }\n";
    up(w, before);
    expect(w, after, &plain,
           "a\n"
           "  stop container demo-a-1 (to be replaced)\n"
           "  create container demo-a-1 in place of 000000020000"
           " (network 'demo_default' is replaced)\n"
           "  remove container demo-a-1 (to be replaced)\n"
           "  rename container demo-a-1\n"
           "  start container demo-a-1\n"
           "networks and volumes\n"
           "  remove network demo_default (its definition changed, <stdin>:3)\n"
           "  create network demo_default (its definition changed, <stdin>:3)\n"
           "1 container to replace, 1 network to replace\n");
    struct plan_options opt = plain;
    opt.recreate = RECREATE_NEVER;
    expect(w, after, &opt,
           "note: network 'demo_default' changed; it stays as it is with --no-recreate\n"
           "nothing to do\n");
    /* Somebody else's container cannot be replaced with it. */
    add_copy(w, "demo-a-1", ID("aaaa"), "guest");
    set_state(w, "guest", "running", "Up 3 seconds");
    set_label(w, "guest", LABEL_ONEOFF, "True");
    expect_error(w, after, &plain, ERR_CONFLICT,
                 "service 'a': network 'demo_default' changed (<stdin>:3), but container 'guest' "
                 "is on it and not part of this stack",
                 "stop it first: docker stop guest");
}

static void a_missing_membership_is_made_up_for(void **state)
{
    struct world *w = *state;
    static const char two[] = "name: demo\n"
                              "services: { a: { image: web, networks: [ x, y ] } }\n"
                              "networks: { x: {}, y: {} }\n";
    up(w, two);
    json_object_del(
        json_object_get(json_object_get(container(w, "demo-a-1"), "NetworkSettings"), "Networks"),
        "demo_y");
    expect(w, two, &plain,
           "a\n  connect container demo-a-1 to network demo_y\n1 container to change\n");
}

static void older_engines_connect_further_networks_before_the_start(void **state)
{
    struct world *w = *state;
    static const char two[] = "name: demo\n"
                              "services: { a: { image: web, networks: [ x, y ] } }\n"
                              "networks: { x: {}, y: {} }\n";
    w->sim.api_one_network = true;
    plan_with(w, two, &plain, NULL);
    const struct op *connect = find_op(w, OP_CONNECT, "demo-a-1");
    assert_string_equal(connect->network->name, "demo_y");
    assert_int_equal(need_of(find_op(w, OP_START, "demo-a-1"), connect), 'h');
    assert_int_equal(need_of(connect, find_op(w, OP_NETWORK_CREATE, "demo_y")), 'h');
    w->sim.api_one_network = false;
    plan_with(w, two, &plain, NULL);
    assert_null(find_op(w, OP_CONNECT, "demo-a-1"));
}

/* --- options --- */

static void named_services_bring_what_they_depend_on(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.services = (const char *const[]){ "db", NULL };
    plan_with(w, web_db, &opt, NULL);
    assert_null(find_op(w, OP_CREATE, "demo-web-1"));
    opt.services = (const char *const[]){ "web", NULL };
    plan_with(w, web_db, &opt, NULL);
    assert_non_null(find_op(w, OP_CREATE, "demo-db-1"));
    opt.no_deps = true;
    plan_with(w, web_db, &opt, NULL);
    assert_null(find_op(w, OP_CREATE, "demo-db-1"));
    assert_null(find_op(w, OP_WAIT, "db"));
    assert_null(find_op(w, OP_VOLUME_CREATE, "demo_data"));
    opt.services = (const char *const[]){ "webb", NULL };
    expect_error(w, web_db, &opt, ERR_NOTFOUND, "no such service: webb", "did you mean 'web'?");
}

static void replacing_can_be_forced_and_forbidden(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    struct plan_options opt = plain;
    opt.recreate = RECREATE_FORCE;
    opt.services = (const char *const[]){ "web", NULL };
    plan_with(w, web_db, &opt, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-web-1")->reason, "--force-recreate");
    assert_null(find_op(w, OP_CREATE, "demo-db-1"));
    opt.always_recreate_deps = true;
    plan_with(w, web_db, &opt, NULL);
    assert_string_equal(find_op(w, OP_CREATE, "demo-db-1")->reason, "--always-recreate-deps");
    opt = plain;
    opt.recreate = RECREATE_NEVER;
    expect(w, web_db_debug, &opt, "nothing to do\n");
    opt = plain;
    opt.renew_anon_volumes = true;
    plan_with(w, web_db, &opt, NULL);
    assert_true(find_op(w, OP_CREATE, "demo-db-1")->renew_anon_volumes);
}

static void create_alone_starts_nothing(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.no_start = true;
    plan_with(w, web_db, &opt, NULL);
    assert_null(find_op(w, OP_START, "demo-web-1"));
    assert_null(find_op(w, OP_WAIT, "db"));
    apply(w);
    expect(w, web_db, &opt, "nothing to do\n");
    expect(w, web_db, &plain,
           "db\n"
           "  start container demo-db-1 (it was never started)\n"
           "  wait for service db: healthy\n"
           "web\n"
           "  start container demo-web-1 (it was never started)\n"
           "2 containers to start\n");
}

static void wait_waits_for_every_service(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.wait = true;
    plan_with(w, with_job, &opt, NULL);
    assert_int_equal(find_op(w, OP_WAIT, "app")->condition, COND_READY);
    assert_int_equal(find_op(w, OP_WAIT, "job")->condition, COND_COMPLETED);
    apply(w);
    expect(w, with_job, &opt, "nothing to do\n");
}

static void an_optional_dependency_holds_nothing_back(void **state)
{
    struct world *w = *state;
    plan_with(w,
              "name: demo\n"
              "services:\n"
              "  web: { image: web, depends_on: { db: { condition: service_healthy, required: "
              "false } } }\n"
              "  db: { image: db, healthcheck: { test: 'true' } }\n",
              &plain, NULL);
    assert_int_equal(need_of(find_op(w, OP_START, "demo-web-1"), find_op(w, OP_WAIT, "db")), 's');
    assert_true(find_op(w, OP_WAIT, "db")->optional);
    static const char needed[] =
        "name: demo\n"
        "services:\n"
        "  web: { image: web, depends_on: { db: { condition: service_healthy, required: false } } }\n"
        "  job: { image: job, depends_on: { db: { condition: service_healthy } } }\n"
        "  db: { image: db, healthcheck: { test: 'true' } }\n";
    plan_with(w, needed, &plain, NULL);
    assert_false(find_op(w, OP_WAIT, "db")->optional);
}

static void what_no_service_uses_comes_when_asked_for(void **state)
{
    struct world *w = *state;
    static const char file[] = "name: demo\n"
                               "services: {}\n"
                               "networks: { spare: {} }\n"
                               "volumes: { spare: {} }\n";
    expect(w, file, &plain, "nothing to do\n");
    struct plan_options opt = plain;
    opt.all_resources = true;
    expect(w, file, &opt,
           "networks and volumes\n"
           "  create network demo_spare (new)\n"
           "  create volume demo_spare (new)\n"
           "1 network to create, 1 volume to create\n");
}

static void a_run_gets_its_files_and_is_not_started(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.oneoff = "web";
    opt.oneoff_name = "demo-web-run-1";
    plan_with(w,
              "name: demo\n"
              "services: { web: { image: web, configs: [ c ] } }\n"
              "configs: { c: { content: hello } }\n",
              &opt, NULL);
    assert_int_equal(
        need_of(find_op(w, OP_FILES, "demo-web-run-1"), find_op(w, OP_CREATE, "demo-web-run-1")),
        'h');
    for (size_t i = 0; i < w->plan->nops; i++)
        assert_int_not_equal(w->plan->ops[i]->kind, OP_START);
}

static void hooks_and_files_stand_where_they_belong(void **state)
{
    struct world *w = *state;
    static const char before[] = "name: demo\n"
                                 "services:\n"
                                 "  web: { image: web, depends_on: [ db ] }\n"
                                 "  db:\n"
                                 "    image: db\n"
                                 "    configs: [ c ]\n"
                                 "    post_start: [ { command: [ one ] }, { command: [ two ] } ]\n"
                                 "    pre_stop: [ { command: [ three ] } ]\n"
                                 "configs: { c: { content: hello } }\n";
    expect(w, before, &plain,
           "images\n"
           "  pull image db (not on this engine)\n"
           "  pull image web (not on this engine)\n"
           "networks and volumes\n"
           "  create network demo_default (new)\n"
           "db\n"
           "  create container demo-db-1 (new)\n"
           "  fill container demo-db-1\n"
           "  start container demo-db-1\n"
           "  run a hook in container demo-db-1 (post_start)\n"
           "  run a hook in container demo-db-1 (post_start)\n"
           "web\n"
           "  create container demo-web-1 (new)\n"
           "  start container demo-web-1\n"
           "2 containers to create, 2 images to pull, 1 network to create\n");
    /* What depends on it starts when the hooks are done. */
    const struct op *start = find_op(w, OP_START, "demo-web-1"), *last = NULL;
    for (size_t i = 0; i < w->plan->nops; i++)
        if (w->plan->ops[i]->kind == OP_HOOK)
            last = w->plan->ops[i];
    assert_int_equal(need_of(start, last), 'h');
    apply(w);
    struct plan_options opt = plain;
    opt.recreate = RECREATE_FORCE;
    opt.services = (const char *const[]){ "db", NULL };
    plan_with(w, before, &opt, NULL);
    const struct op *hook = find_op(w, OP_HOOK, "demo-db-1");
    assert_string_equal(hook->reason, "pre_stop");
    assert_int_equal(need_of(hook, find_op(w, OP_CREATE, "demo-db-1")), 'h');
    assert_int_equal(need_of(find_op(w, OP_STOP, "demo-db-1"), hook), 's');
}

static void a_parent_is_removed_after_its_children(void **state)
{
    static const char yaml[] = "name: demo\n"
                               "services:\n"
                               "  child: { image: web, pid: 'service:vpn' }\n"
                               "  vpn: { image: db }\n";
    struct world *w = *state;
    struct plan_options opt = plain;
    opt.recreate = RECREATE_FORCE;
    up(w, yaml);
    plan_with(w, yaml, &opt, NULL);
    const struct op *parent = find_op(w, OP_REMOVE, "demo-vpn-1");
    assert_int_equal(need_of(parent, find_op(w, OP_REMOVE, "demo-child-1")), 's');
}

static void a_child_without_its_parent_is_an_error(void **state)
{
    struct world *w = *state;
    struct plan_options opt = plain;
    static const char yaml[] = "name: demo\n"
                               "services:\n"
                               "  child: { image: web, network_mode: 'service:vpn' }\n"
                               "  vpn: { image: db }\n";
    static const char message[] =
        "service 'child': cannot share network namespace with service vpn: "
        "container missing";
    opt.services = (const char *const[]){ "child", NULL };
    opt.no_deps = true;
    expect_error(w, yaml, &opt, ERR_NOTFOUND, message,
                 "'up' without --no-deps makes it, unless its scale is 0");
    up(w, yaml);
    expect(w, yaml, &opt, "nothing to do\n");
    remove_container(w, "demo-vpn-1");
    expect_error(w, yaml, &opt, ERR_NOTFOUND, message, NULL);
}

static void a_name_is_taken_only_by_those_that_are_made(void **state)
{
    struct world *w = *state;
    static const char yaml[] = "name: demo\nservices:\n"
                               "  a: { image: web, container_name: one }\n"
                               "  b: { image: web, container_name: one }\n";
    struct plan_options opt = plain;
    expect_error(w, yaml, &opt, ERR_INPUT,
                 "<stdin>:4: service 'b': container name \"one\" is already in use by service 'a'",
                 NULL);
    opt.services = (const char *const[]){ "b", NULL };
    plan_with(w, yaml, &opt, NULL);
    assert_non_null(find_op(w, OP_CREATE, "one"));
}

static void the_plan_grows_with_the_stack_and_not_faster(void **state)
{
    struct world *w = *state;
    size_t edges[2] = { 0 };
    for (size_t round = 0; round < 2; round++) {
        int n = round ? 2000 : 200;
        auto_str struct str yaml = STR_INIT;
        str_add(&yaml, "name: demo\nservices:\n");
        for (int i = 0; i < n; i++)
            str_addf(&yaml, "  s%d: { image: web, ports: [ '%d:80' ]%s%d%s }\n", i, 10000 + i,
                     i ? ", depends_on: { s" : ", x-none: { s", i ? i - 1 : 0,
                     i ? ": { condition: service_started } }" : ": 1 }");
        plan_with(w, yaml.buf, &plain, NULL);
        for (size_t i = 0; i < w->plan->nops; i++)
            edges[round] += w->plan->ops[i]->nneeds;
        assert_int_equal(w->plan->nops, 2 * n + 2);
    }
    assert_in_range(edges[1], 9 * edges[0], 10 * edges[0] + 10);
}

static void json_has_operations_with_their_needs(void **state)
{
    struct world *w = *state;
    auto_str struct str text = STR_INIT;
    plan_with(w, web_db, &plain, NULL);
    plan_print_json(&text, w->plan);
    auto_json json_t *j = json_loads(text.buf, 0, NULL);
    const json_t *ops = json_object_get(j, "operations");
    assert_int_equal(json_array_size(ops), w->plan->nops);
    const json_t *last = json_array_get(ops, w->plan->nops - 1);
    assert_string_equal(json_string_value(json_object_get(last, "kind")), "start");
    assert_string_equal(json_string_value(json_object_get(last, "subject")), "demo-web-1");
    assert_string_equal(json_string_value(json_object_get(last, "service")), "web");
    const json_t *needs = json_object_get(last, "needs");
    assert_int_equal(json_array_size(needs), 2);
    for (size_t i = 0; i < 2; i++)
        assert_in_range(json_integer_value(json_object_get(json_array_get(needs, i), "op")), 0,
                        (json_int_t)w->plan->nops - 2);
}

static void bytes_from_outside_do_not_drive_the_terminal(void **state)
{
    struct world *w = *state;
    up(w, web_db);
    add_copy(w, "demo-web-1", ID("aaaa"), "x\x1b[2Jy");
    set_label(w, "x\x1b[2Jy", LABEL_SERVICE, "evil\x1b]0;z\x07");
    struct plan_options opt = plain;
    opt.remove_orphans = true;
    plan_with(w, web_db, &opt, NULL);
    auto_str struct str text = STR_INIT;
    plan_print(&text, w->plan);
    assert_null(strchr(text.buf, 0x1b));
    assert_null(strchr(text.buf, 7));
    assert_non_null(strstr(text.buf, "x\\x1b[2Jy"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fresh_stack_is_made_whole),
        TEST(a_second_run_has_nothing_to_do),
        TEST(a_changed_key_is_named_with_its_line),
        TEST(values_are_in_no_label_and_no_reason),
        TEST(what_stopped_is_started),
        TEST(an_image_that_moved_replaces_its_containers),
        TEST(an_image_is_pulled_only_to_create_from_it),
        TEST(pull_policies),
        TEST(an_image_is_built_when_its_sources_changed),
        TEST(without_builds_a_missing_image_is_an_error),
        TEST(an_image_is_built_after_those_it_is_from),
        TEST(gaps_are_filled_and_the_highest_go),
        TEST(an_unfinished_replacement_is_finished),
        TEST(of_several_unfinished_ones_the_right_one_is_taken),
        TEST(a_name_that_docker_compose_left_broken_is_repaired),
        TEST(a_name_that_another_container_has_is_not_taken),
        TEST(a_job_that_is_done_is_not_run_again),
        TEST(a_job_that_failed_is_started_again),
        TEST(a_job_runs_again_when_what_it_depends_on_changed),
        TEST(a_service_that_became_a_job_runs_once),
        TEST(containers_of_docker_compose_are_replaced_once),
        TEST(another_file_owns_the_name),
        TEST(orphans_are_noted_or_removed),
        TEST(external_objects_must_be_there),
        TEST(a_volume_is_never_replaced),
        TEST(objects_that_others_made_are_used_as_they_are),
        TEST(a_network_that_changed_is_replaced_with_its_users_stopped),
        TEST(a_missing_membership_is_made_up_for),
        TEST(older_engines_connect_further_networks_before_the_start),
        TEST(named_services_bring_what_they_depend_on),
        TEST(replacing_can_be_forced_and_forbidden),
        TEST(create_alone_starts_nothing),
        TEST(wait_waits_for_every_service),
        TEST(an_optional_dependency_holds_nothing_back),
        TEST(what_no_service_uses_comes_when_asked_for),
        TEST(a_run_gets_its_files_and_is_not_started),
        TEST(hooks_and_files_stand_where_they_belong),
        TEST(a_parent_is_removed_after_its_children),
        TEST(a_child_without_its_parent_is_an_error),
        TEST(a_name_is_taken_only_by_those_that_are_made),
        TEST(the_plan_grows_with_the_stack_and_not_faster),
        TEST(json_has_operations_with_their_needs),
        TEST(bytes_from_outside_do_not_drive_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
