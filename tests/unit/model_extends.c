/* `extends`: bases of this file and of others, chains, cycles. */
#include "model_stack.h"

static const char *at(const struct loaded *l, const char *name, const char *path)
{
    const char *text = node_text_at(service(l, name)->config, path);
    return text ? text : "(nothing)";
}

static void test_a_chain(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("services:\n"
                  "  c: {extends: b, environment: {C: '3', A: over}}\n"
                  "  b: {extends: {service: a}, environment: {B: '2'}}\n"
                  "  a: {image: x, environment: {A: '1'}, command: run}\n");
    assert_string_equal(at(&l, "c", "environment.A"), "over");
    assert_string_equal(at(&l, "c", "environment.B"), "2");
    assert_string_equal(at(&l, "c", "environment.C"), "3");
    assert_string_equal(service(&l, "c")->image, "x");
    assert_string_equal(at(&l, "b", "environment.A"), "1");
    assert_string_equal(at(&l, "b", "environment.C"), "(nothing)");
    assert_null(node_get(service(&l, "c")->config, "extends"));
}

/* Nothing is taken over from an empty service, and `extends` stays, as in docker compose. */
static void test_an_empty_base(void **state)
{
    (void)state;
    put("base.yaml", "services: {base: }\n");
    auto_loaded struct loaded l =
        load_text("services:\n"
                  "  a: {extends: {file: base.yaml, service: base}, image: x}\n"
                  "  b: {extends: a, hostname: h}\n");
    assert_string_equal(at(&l, "a", "extends.service"), "base");
    assert_true(*at(&l, "a", "extends.file") == '/');
    assert_string_equal(service(&l, "b")->image, "x");
    assert_null(node_get(service(&l, "b")->config, "extends"));
}

static void test_another_file(void **state)
{
    put("sub/base.yaml", "services:\n"
                         "  base: {extends: root, build: ctx, volumes: ['./v:/v']}\n"
                         "  root: {extends: {file: more/root.yaml, service: r}}\n");
    put("sub/more/root.yaml", "services: {r: {env_file: r.env, image: '${I-none}'}}\n");
    put("sub/more/r.env", "R=1\n");
    auto_loaded struct loaded l = load_text(
        "services:\n  a: {extends: {file: sub/base.yaml, service: base}, volumes: ['./w:/w']}\n");
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sub/ctx", (char *)*state);
    assert_string_equal(service(&l, "a")->build->context, path);
    assert_string_equal(at(&l, "a", "environment.R"), "1");
    assert_string_equal(service(&l, "a")->image, "none");
    assert_int_equal(service(&l, "a")->nmounts, 2);
    snprintf(path, sizeof(path), "%s/sub/v", (char *)*state);
    assert_string_equal(service(&l, "a")->mounts[0].source, path);
    snprintf(path, sizeof(path), "%s/w", (char *)*state);
    assert_string_equal(service(&l, "a")->mounts[1].source, path);
}

/* Paths that are not to be resolved are still told from the folder of the stack. */
static void test_unresolved_paths(void **state)
{
    (void)state;
    put("more/base.yaml", "services: {base: {image: x, volumes: ['./v:/v', '../w:/w']}}\n");
    put("sub/compose.yaml", "services: {a: {extends: {file: ../more/base.yaml, service: base}}}\n");
    static const char *const files[] = { "sub/compose.yaml", NULL };
    auto_loaded struct loaded l =
        load_with((struct load_options){ .files = files, .no_resolve_paths = true });
    const struct node *volumes = node_get(service(&l, "a")->config, "volumes");
    assert_string_equal(node_text_at(volumes->items[0], "source"), "../more/v");
    assert_string_equal(node_text_at(volumes->items[1], "source"), "../w");
}

static void test_reset(void **state)
{
    (void)state;
    auto_loaded struct loaded l =
        load_text("services:\n"
                  "  b: {extends: a, ports: !reset [], command: !override [two]}\n"
                  "  a: {image: x, ports: ['80'], command: one}\n");
    assert_int_equal(service(&l, "b")->nports, 0);
    assert_int_equal(service(&l, "a")->nports, 1);
    assert_string_equal(node_text(node_get(service(&l, "b")->config, "command")->items[0]), "two");
}

static void test_cycles(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_text("services:\n"
                                            "  x: {extends: a}\n"
                                            "  a: {extends: b}\n"
                                            "  b: {extends: c}\n"
                                            "  c: {extends: a, image: x}\n");
    assert_refused(&l, "services extend each other in a cycle: a -> b -> c -> a");
    put("other.yaml", "services: {o: {extends: {file: compose.yaml, service: a}}}\n");
    auto_loaded struct loaded files =
        load_text("services: {a: {extends: {file: other.yaml, service: o}}}\n");
    assert_refused(&files, "services extend each other in a cycle: a -> o -> a");
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    put("other.yaml", "services: {base: {image: x}}\n");
    auto_loaded struct loaded l =
        load_text("services:\n"
                  "  a: {image: x, extends: bb}\n"
                  "  b: {image: x, extends: {file: other.yaml, service: bas}}\n"
                  "  c: {image: x, extends: {file: gone.yaml, service: base}}\n");
    assert_refused(&l, "compose.yaml:2:26: error: service 'a' extends 'bb', which is not a "
                       "service of compose.yaml; did you mean 'b'?");
    assert_refused(&l, "compose.yaml:3:54: error: service 'b' extends 'bas', which is not a "
                       "service of other.yaml; did you mean 'base'?");
    assert_refused(&l, "compose.yaml:4:33: error: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_a_chain),
        stack_test(test_an_empty_base),
        stack_test(test_another_file),
        stack_test(test_unresolved_paths),
        stack_test(test_reset),
        stack_test(test_cycles),
        stack_test(test_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
