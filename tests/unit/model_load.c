/* Loading as a whole: several files, empty ones, what is left after a failure. */
#include "model_stack.h"

#include "model/schema.h"

static void test_several_files(void **state)
{
    (void)state;
    put("one.yaml", "services: {a: {image: one, ports: ['80'], environment: {A: '1', B: '1'}}}\n");
    put("two.yaml",
        "services: {a: {image: two, ports: ['81'], environment: [B=2]}, b: {image: b}}\n");
    put("three.yaml", "services: {a: {ports: !override ['82']}, b: !reset null}\n");
    auto_loaded struct loaded l = load_with((struct load_options){
        .files = (const char *const[]){ "one.yaml", "two.yaml", "three.yaml", NULL } });
    const struct service *a = service(&l, "a");
    assert_string_equal(a->image, "two");
    assert_int_equal(a->nports, 1);
    assert_int_equal(a->ports[0].target, 82);
    assert_string_equal(node_text_at(a->config, "environment.A"), "1");
    assert_string_equal(node_text_at(a->config, "environment.B"), "2");
    assert_int_equal(l.stack->nservices, 1);
}

static void test_not_normalised(void **state)
{
    (void)state;
    put("compose.yaml", "name: Shop\nservices: {a: {build: {context: ., args: {A: }}}}\n"
                        "networks: {n: }\nsecrets: {s: {driver: d}}\n");
    auto_loaded struct loaded l =
        load_with((struct load_options){ .no_normalize = true, .no_consistency = true });
    assert_non_null(l.stack);
    assert_string_equal(node_text_at(l.stack->tree, "name"), "Shop");
    assert_null(node_at(l.stack->tree, "services.a.build.dockerfile"));
    assert_non_null(node_at(schema_json_view(l.stack->arena, l.stack->tree), "networks.n.ipam"));
    auto_loaded struct loaded whole = load_with((struct load_options){ .no_consistency = true });
    assert_string_equal(node_text_at(whole.stack->tree, "name"), "shop");
    assert_string_equal(node_text_at(whole.stack->tree, "services.a.build.dockerfile"),
                        "Dockerfile");
    assert_null(node_at(whole.stack->tree, "services.a.build.args"));
}

static void test_native_and_compose_files_together(void **state)
{
    (void)state;
    put("web/docstack/Dockerfile", "");
    put("stack.yaml", "projects: {web: gone}\ninfrastructure: {db: 'x:1'}\n");
    put("stack.override.yaml", "projects: {web: {path: web}}\nservices: {db: {hostname: h}}\n");
    auto_loaded struct loaded l = load_here();
    assert_string_equal(service(&l, "web")->project, "web");
    assert_string_equal(service(&l, "db")->image, "x:1");
    assert_string_equal(node_text_at(service(&l, "db")->config, "hostname"), "h");
    put("sub/stack.yaml", "projects: {inner: ../inner}\n");
    put("inner/docstack/Dockerfile", "");
    put("stack.override.yaml", "include: [sub/stack.yaml]\nprojects: {web: {path: web}}\n");
    auto_loaded struct loaded included = load_here();
    assert_string_equal(service(&included, "inner")->project, "inner");
}

static void test_empty_files(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "# nothing\n", "version: '3'\n", "{}\n" };
    for (size_t i = 0; i < countof(texts); i++) {
        auto_loaded struct loaded l = load_text(texts[i]);
        assert_refused(&l, "error: the stack file is empty");
    }
    auto_loaded struct loaded list = load_text("- a\n");
    assert_refused(&list, "compose.yaml:1:1: error: a stack file is a mapping at its top level");
    auto_loaded struct loaded null = load_text("~\n");
    assert_refused(&null, "compose.yaml:1:1: error: a stack file is a mapping at its top level");
    auto_loaded struct loaded none = load_text("services: {}\n");
    assert_non_null(none.stack);
    assert_int_equal(none.stack->nservices, 0);
}

static void test_mistakes_of_all_files_in_one_run(void **state)
{
    (void)state;
    put("one.yaml", "services: {a: {imge: x}}\n");
    put("two.yaml", "services: {b: {image: x, depends_on: [c]}\n");
    put("three.yaml", "services: {d: {image: x, depends_on: [e]}}\n");
    auto_loaded struct loaded l = load_with((struct load_options){
        .files = (const char *const[]){ "one.yaml", "two.yaml", "three.yaml", NULL } });
    assert_refused(&l, "one.yaml:1:16: error: services.a: unknown key 'imge'");
    assert_refused(&l, "two.yaml:2:1: error: ");
    assert_refused(&l, "three.yaml:1:39: error: service 'd' depends on 'e'");
}

/* What was reported names its files after the failed stack has gone. */
static void test_diagnostics_outlive_the_stack(void **state)
{
    (void)state;
    put("compose.yaml", "services:\n  a: {image: x, prts: []}\n");
    auto_(arena_freep) struct arena *a = arena_new();
    struct stack *st = NULL;
    struct diag d;
    diag_init(&d, a);
    assert_int_equal(stack_load(&st, &(struct load_options){ 0 }, &d, NULL), -1);
    assert_int_equal(d.len, 1);
    assert_string_equal(d.items[0].span.source->shown, "compose.yaml");
    assert_non_null(strstr(d.items[0].span.source->text, "prts"));
    assert_int_equal(d.items[0].span.line, 2);
    diag_clear(&d);
}

static void test_profiles(void **state)
{
    (void)state;
    put("compose.yaml", "services:\n"
                        "  a: {image: x}\n"
                        "  b: {image: x, profiles: [one]}\n"
                        "  c: {image: x, profiles: [two, one]}\n"
                        "  d: {image: x, profiles: [three]}\n");
    static const char *const one[] = { "one", NULL }, *const star[] = { "*", NULL };
    static const char *const d[] = { "d", NULL };
    static const char *const environ_[] = { "COMPOSE_PROFILES=three, two", NULL };
    auto_loaded struct loaded none = load_here();
    assert_int_equal(none.stack->nservices, 1);
    assert_non_null(node_get(none.stack->disabled, "d"));
    auto_loaded struct loaded some = load_with((struct load_options){ .profiles = one });
    assert_int_equal(some.stack->nservices, 3);
    assert_string_equal(some.stack->profiles[0], "one");
    auto_loaded struct loaded env = load_with((struct load_options){ .environ = environ_ });
    assert_int_equal(env.stack->nservices, 3);
    auto_loaded struct loaded wins =
        load_with((struct load_options){ .environ = environ_, .profiles = one });
    assert_null(stack_service(wins.stack, "d"));
    auto_loaded struct loaded all = load_with((struct load_options){ .profiles = star });
    assert_int_equal(all.stack->nservices, 4);
    auto_loaded struct loaded named = load_with((struct load_options){ .services = d });
    assert_non_null(stack_service(named.stack, "d"));
    assert_null(stack_service(named.stack, "b"));
}

/* The empty name is active as long as no other is asked for. */
static void test_empty_profile(void **state)
{
    (void)state;
    put("compose.yaml", "services: {a: {image: x, profiles: ['', one]}}\n");
    static const char *const two[] = { "two", NULL };
    static const char *const set[] = { "COMPOSE_PROFILES=two", NULL };
    static const char *const rest[] = { "COMPOSE_PROFILES=two,", NULL };
    auto_loaded struct loaded usual = load_here();
    assert_int_equal(usual.stack->nservices, 1);
    auto_loaded struct loaded other = load_with((struct load_options){ .profiles = two });
    assert_int_equal(other.stack->nservices, 0);
    auto_loaded struct loaded env = load_with((struct load_options){ .environ = set });
    assert_int_equal(env.stack->nservices, 0);
    auto_loaded struct loaded both = load_with((struct load_options){ .environ = rest });
    assert_int_equal(both.stack->nservices, 1);
}

static void test_files_of_variables(void **state)
{
    (void)state;
    put("one.env", "A=file\nB=file\nC=${A}-${OS}\nBARE\n");
    put("two.env", "B=two\nD=${B}\n");
    put("raw.env", "R='${A}' # kept\n");
    put("l.env", "label=${OS-none}\n");
    put("compose.yaml", "services:\n  a:\n    image: x\n"
                        "    environment: {A: own, OS: , GONE: }\n"
                        "    env_file: [one.env, two.env, {path: gone.env, required: false},"
                        " {path: raw.env, format: raw}]\n"
                        "    label_file: l.env\n    labels: {other: x}\n");
    auto_loaded struct loaded l = load_with(
        (struct load_options){ .environ = (const char *const[]){ "OS=os", "BARE=bare", NULL } });
    static const char *const wanted[][2] = { { "A", "own" },          { "B", "two" },
                                             { "C", "own-os" },       { "BARE", "bare" },
                                             { "D", "two" },          { "OS", "os" },
                                             { "R", "'${A}' # kept" } };
    const struct node *env = node_get(service(&l, "a")->config, "environment");
    for (size_t i = 0; i < countof(wanted); i++)
        assert_string_equal(node_text(node_get(env, wanted[i][0])), wanted[i][1]);
    assert_int_equal(node_get(env, "GONE")->kind, NODE_NULL);
    assert_string_equal(node_text_at(service(&l, "a")->config, "labels.label"), "none");
    assert_null(node_get(service(&l, "a")->config, "env_file"));
    put("compose.yaml", "services: {a: {image: x, env_file: gone.env}}\n");
    auto_loaded struct loaded bad = load_here();
    assert_refused(&bad, "compose.yaml:1:36: error: service 'a': env file gone.env not found");
    auto_loaded struct loaded lenient = load_with((struct load_options){ .lenient = true });
    assert_int_equal(lenient.stack->nfaults, 1);
    assert_string_equal(lenient.stack->faults[0].text, "service 'a': env file gone.env not found");
}

static void test_limits(void **state)
{
    (void)state;
    auto_str struct str text = STR_INIT;
    str_add(&text, "services:\n  s0: {image: x}\n");
    for (int i = 1; i < 200; i++)
        str_addf(&text, "  s%d: {extends: s%d}\n", i, i - 1);
    auto_loaded struct loaded chain = load_text(text.buf);
    assert_non_null(chain.stack); /* each base is complete before it is extended */
    str_clear(&text);
    str_add(&text, "services:\n");
    for (int i = 200; i > 0; i--)
        str_addf(&text, "  s%03d: {extends: s%03d}\n", 200 - i, 201 - i);
    str_add(&text, "  s200: {image: x}\n");
    auto_loaded struct loaded deep = load_text(text.buf);
    assert_refused(&deep, "more than 64 services extend each other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_several_files),
        stack_test(test_not_normalised),
        stack_test(test_native_and_compose_files_together),
        stack_test(test_empty_files),
        stack_test(test_mistakes_of_all_files_in_one_run),
        stack_test(test_diagnostics_outlive_the_stack),
        stack_test(test_profiles),
        stack_test(test_empty_profile),
        stack_test(test_files_of_variables),
        stack_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
