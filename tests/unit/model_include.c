/* `include`: other files with folders and variables of their own. */
#include "model_stack.h"

static void test_its_own_folder_and_variables(void **state)
{
    put("sub/i.yaml", "services: {i: {image: '${A-}.${B-}', build: ctx}}\nvolumes: {v: {}}\n");
    put("sub/.env", "A=sub\nB=sub\n");
    put(".env", "A=root\n");
    auto_loaded struct loaded l =
        load_text("include: [sub/i.yaml]\nservices: {a: {image: x, depends_on: [i]}}\n");
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/sub/ctx", (char *)*state);
    assert_string_equal(service(&l, "i")->image, "root.sub");
    assert_string_equal(service(&l, "i")->build->context, path);
    assert_non_null(stack_volume(l.stack, "v"));
    assert_string_equal(service(&l, "a")->deps[0].service->name, "i");
    assert_null(node_get(l.stack->tree, "include"));
}

static void test_the_long_form(void **state)
{
    put("inc/one.yaml", "services: {i: {image: '${A-}', build: ctx}}\n");
    put("inc/two.yaml", "services: {i: {hostname: two}}\n");
    put("vars.env", "A=vars\n");
    put("more.env", "A=more\n");
    auto_loaded struct loaded l =
        load_text("include:\n  - path: [inc/one.yaml, inc/two.yaml]\n"
                  "    project_directory: elsewhere\n    env_file: [vars.env, more.env]\n");
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/elsewhere/ctx", (char *)*state);
    assert_string_equal(service(&l, "i")->image, "more");
    assert_string_equal(service(&l, "i")->build->context, path);
    assert_string_equal(node_text_at(service(&l, "i")->config, "hostname"), "two");
}

static void test_the_same_twice_and_different(void **state)
{
    (void)state;
    put("base.yaml", "services: {shared: {image: x}}\n");
    put("one.yaml", "include: [base.yaml]\n");
    put("two.yaml", "include: [base.yaml]\n");
    auto_loaded struct loaded l = load_text("include: [one.yaml, two.yaml]\n");
    assert_non_null(service(&l, "shared"));
    auto_loaded struct loaded bad =
        load_text("include: [base.yaml]\nservices: {shared: {image: other}}\n");
    assert_refused(&bad,
                   "base.yaml:1:12: error: services.shared is also in the file that includes");
    assert_refused(&bad, "compose.yaml:2:12");
}

static void test_cycles(void **state)
{
    (void)state;
    put("one.yaml", "include: [two.yaml]\n");
    put("two.yaml", "include: [one.yaml]\n");
    auto_loaded struct loaded l = load_text("include: [one.yaml]\nservices: {a: {image: x}}\n");
    assert_refused(&l, "two.yaml:1:11: error: files include each other in a cycle: one.yaml -> "
                       "two.yaml -> one.yaml");
    auto_loaded struct loaded self = load_text("include: [compose.yaml]\n");
    assert_refused(&self, "in a cycle: compose.yaml -> compose.yaml");
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    put("one.yaml", "services: {a: {imge: x}}\n");
    auto_loaded struct loaded l =
        load_text("include:\n  - gone.yaml\n  - {path: one.yaml, env_file: gone.env}\n");
    assert_refused(&l, "compose.yaml:2:5: error: ");
    assert_refused(&l, "compose.yaml:3:32: error: there is no such environment file");
    assert_refused(&l, "one.yaml:1:16: error: services.a: unknown key 'imge'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_its_own_folder_and_variables),
        stack_test(test_the_long_form),
        stack_test(test_the_same_twice_and_different),
        stack_test(test_cycles),
        stack_test(test_what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
