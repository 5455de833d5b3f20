/* Which files make a stack, where it lives and what it is called. */
#include "model_stack.h"

#define ONE "services: {a: {image: one}}\n"
#define TWO "services: {a: {image: two}}\n"

static void assert_image(const struct loaded *l, const char *image)
{
    assert_string_equal(service(l, "a")->image, image);
}

static void test_names_in_their_order(void **state)
{
    (void)state;
    static const char *const names[] = { "fig.yml",     "docker-compose.yaml", "docker-compose.yml",
                                         "compose.yml", "compose.yaml",        "stack.yml",
                                         "stack.yaml" };
    for (size_t i = 0; i < countof(names); i++) {
        char text[64];
        snprintf(text, sizeof(text), "services: {a: {image: %s}}\n", names[i]);
        put(names[i], text);
        auto_loaded struct loaded l = load_here();
        assert_image(&l, names[i]);
    }
}

static void test_the_nearest_folder_wins(void **state)
{
    put("compose.yaml", ONE);
    put("below/stacks/default.yaml", TWO);
    put("below/deep/er/x", "");
    char cwd[PATH_MAX];
    snprintf(cwd, sizeof(cwd), "%s/below/deep/er", (char *)*state);
    auto_loaded struct loaded l = load_with((struct load_options){ .cwd = cwd });
    assert_image(&l, "two");
    assert_string_equal(l.stack->name, "below");
}

static void test_overrides_beside_it(void **state)
{
    (void)state;
    put("compose.yaml", ONE);
    put("docker-compose.override.yml", "services: {a: {hostname: over}}\n");
    auto_loaded struct loaded l = load_here();
    assert_string_equal(node_text_at(service(&l, "a")->config, "hostname"), "over");
    assert_non_null(l.stack->files[1]);
    assert_null(l.stack->files[2]);
}

static void test_files_that_are_named(void **state)
{
    (void)state;
    put("compose.yaml", ONE);
    put("compose.override.yaml", "services: {a: {hostname: over}}\n");
    put("other/two.yaml", "services: {a: {image: two}, b: {build: .}}\n");
    auto_loaded struct loaded l = load_with((struct load_options){
        .files = (const char *const[]){ "compose.yaml", "other/two.yaml", NULL } });
    assert_image(&l, "two");
    assert_null(node_get(service(&l, "a")->config, "hostname"));
    /* Paths of all files start from the folder of the first. */
    assert_string_equal(service(&l, "b")->build->context, l.stack->dir);
}

static void test_standard_input(void **state)
{
    auto_loaded struct loaded l = load_with((struct load_options){
        .files = (const char *const[]){ "-", NULL },
        .stdin_text = "name: in\nservices: {a: {image: one, build: x}}",
        .stdin_len = strlen("name: in\nservices: {a: {image: one, build: x}}") });
    assert_image(&l, "one");
    assert_string_equal(l.stack->name, "in");
    assert_string_equal(l.stack->dir, *state);
}

static void test_files_from_the_environment(void **state)
{
    (void)state;
    put("compose.yaml", "services: {a: {image: zero}}\n");
    put("x/one.yaml", ONE);
    put("x/two.yaml", TWO);
    auto_loaded struct loaded l = load_with((struct load_options){
        .environ = (const char *const[]){ "COMPOSE_FILE=x/two.yaml,x/one.yaml",
                                          "COMPOSE_PATH_SEPARATOR=,", NULL } });
    assert_image(&l, "one");
    auto_loaded struct loaded twin = load_with(
        (struct load_options){ .environ = (const char *const[]){ "COMPOSE_FILE=x/one.yaml",
                                                                 "STACK_FILE=x/two.yaml", NULL } });
    assert_image(&twin, "two");
    put(".env", "COMPOSE_FILE=x/one.yaml\n");
    auto_loaded struct loaded dotenv = load_here();
    assert_image(&dotenv, "one");
}

static void test_stacks_by_name(void **state)
{
    put("stacks/identity.yaml", "services: {a: {image: one, build: ../src}}\n");
    put("stacks/named.yaml", "name: other\nservices: {a: {image: two}}\n");
    put("deep/er/x", "");
    char cwd[PATH_MAX], context[PATH_MAX];
    snprintf(cwd, sizeof(cwd), "%s/deep/er", (char *)*state);
    snprintf(context, sizeof(context), "%s/src", (char *)*state);
    auto_loaded struct loaded l =
        load_with((struct load_options){ .cwd = cwd, .stack_name = "identity" });
    assert_string_equal(l.stack->name, "identity");
    assert_string_equal(service(&l, "a")->build->context, context);
    auto_loaded struct loaded named = load_with((struct load_options){ .stack_name = "named" });
    assert_string_equal(named.stack->name, "other");
    auto_loaded struct loaded none = load_with((struct load_options){ .stack_name = "nope" });
    assert_refused(&none, "no stack 'nope': no stacks/nope.yaml in ");
    assert_int_equal(none.kind, ERR_NOFILE);
    auto_loaded struct loaded bad = load_with((struct load_options){ .stack_name = "../x" });
    assert_int_equal(bad.kind, ERR_USAGE);
}

static void test_nothing_found(void **state)
{
    (void)state;
    auto_loaded struct loaded l = load_here();
    assert_int_equal(l.kind, ERR_NOFILE);
    assert_refused(&l, "looked for stack.yaml");
    assert_said(&l, "docstack/");
    assert_said(&l, "-f FILE");
    auto_loaded struct loaded named =
        load_with((struct load_options){ .files = (const char *const[]){ "gone.yaml", NULL } });
    assert_int_equal(named.kind, ERR_NOFILE);
    assert_refused(&named, "no file 'gone.yaml'");
}

static void test_the_name(void **state)
{
    (void)state;
    put("My_App-1/compose.yaml", ONE);
    put("named/compose.yaml", "name: ${PREFIX-x}-${COMPOSE_PROJECT_NAME-y}\n" ONE);
    const char *const file[] = { "My_App-1/compose.yaml", NULL };
    const char *const named[] = { "named/compose.yaml", NULL };
    auto_loaded struct loaded folder = load_with((struct load_options){ .files = file });
    assert_string_equal(folder.stack->name, "my_app-1");
    auto_loaded struct loaded own = load_with((struct load_options){ .files = named });
    assert_string_equal(own.stack->name, "x-y");
    auto_loaded struct loaded given =
        load_with((struct load_options){ .files = named, .project_name = "given" });
    assert_string_equal(given.stack->name, "given");
    auto_loaded struct loaded env = load_with((struct load_options){
        .files = named,
        .environ = (const char *const[]){ "COMPOSE_PROJECT_NAME=compose", "STACK_PROJECT_NAME=own",
                                          NULL } });
    assert_string_equal(env.stack->name, "own");
    auto_loaded struct loaded bad =
        load_with((struct load_options){ .files = named, .project_name = "Not Good" });
    assert_int_equal(bad.kind, ERR_USAGE);
}

static void test_names_without_a_file(void **state)
{
    (void)state;
    static const char *const environ_[] = { "COMPOSE_PROJECT_NAME=fromenv", NULL };
    auto_(arena_freep) struct arena *a = arena_new();
    struct diag d;
    diag_init(&d, a);
    auto_free char *name = NULL, *given = NULL;
    struct stack *st = NULL;
    assert_int_equal(
        stack_load_name(&name, &st, &(struct load_options){ .environ = environ_ }, &d, NULL), 0);
    assert_string_equal(name, "fromenv");
    assert_null(st);
    assert_int_equal(
        stack_load_name(&given, &st,
                        &(struct load_options){ .environ = environ_, .project_name = "p" }, &d,
                        NULL),
        0);
    assert_string_equal(given, "p");
    assert_null(st);
    diag_clear(&d);
}

static void test_variables_and_their_files(void **state)
{
    (void)state;
    put("compose.yaml", "services: {a: {image: '${A-}.${B-}.${C-}'}}\n");
    put(".env", "A=dotenv\nB=dotenv\n");
    put("one.env", "B=one\nC=one\n");
    put("two.env", "C=two-${B}\n");
    static const char *const process[] = { "A=process", NULL };
    auto_loaded struct loaded l = load_with((struct load_options){ .environ = process });
    assert_image(&l, "process.dotenv.");
    auto_loaded struct loaded files = load_with((struct load_options){
        .environ = process, .env_files = (const char *const[]){ "one.env", "two.env", NULL } });
    assert_image(&files, "process.one.two-one");
    auto_loaded struct loaded named = load_with((struct load_options){
        .environ = (const char *const[]){ "COMPOSE_ENV_FILES=one.env", NULL } });
    assert_image(&named, ".one.one");
    auto_loaded struct loaded gone =
        load_with((struct load_options){ .env_files = (const char *const[]){ "gone.env", NULL } });
    assert_refused(&gone, "no environment file 'gone.env'");
}

/* As 1.x put names together. */
static void test_compatibility(void **state)
{
    (void)state;
    put("compose.yaml", "name: app\nservices: {a: {build: .}}\n");
    put(".env", "COMPOSE_COMPATIBILITY=true\n");
    auto_loaded struct loaded l = load_here();
    auto_free char *name = service_container_name(l.stack, service(&l, "a"), 1);
    assert_string_equal(name, "app_a_1");
    assert_string_equal(service(&l, "a")->image, "app_a");
    auto_free char *link = service_link_name(l.stack, service(&l, "a"), 2, '-', true);
    assert_string_equal(link, "app-a-2");
}

static void test_dotenv_of_the_place_that_was_found(void **state)
{
    put("compose.yaml", "services: {a: {image: '${A-}.${B-}'}}\n");
    put(".env", "A=above\nB=above\n");
    put("below/.env", "A=here\n");
    char cwd[PATH_MAX];
    snprintf(cwd, sizeof(cwd), "%s/below", (char *)*state);
    auto_loaded struct loaded l = load_with((struct load_options){ .cwd = cwd });
    assert_image(&l, "here.above");
}

static void test_project_directory(void **state)
{
    put("files/compose.yaml", "services: {a: {image: '${A-}', build: ctx}}\n");
    put("elsewhere/.env", "A=there\n");
    auto_loaded struct loaded l = load_with(
        (struct load_options){ .files = (const char *const[]){ "files/compose.yaml", NULL },
                               .project_directory = "elsewhere" });
    char context[PATH_MAX];
    snprintf(context, sizeof(context), "%s/elsewhere/ctx", (char *)*state);
    assert_image(&l, "there");
    assert_string_equal(service(&l, "a")->build->context, context);
    assert_string_equal(l.stack->name, "elsewhere");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_names_in_their_order),
        stack_test(test_the_nearest_folder_wins),
        stack_test(test_overrides_beside_it),
        stack_test(test_files_that_are_named),
        stack_test(test_standard_input),
        stack_test(test_files_from_the_environment),
        stack_test(test_stacks_by_name),
        stack_test(test_nothing_found),
        stack_test(test_the_name),
        stack_test(test_names_without_a_file),
        stack_test(test_variables_and_their_files),
        stack_test(test_compatibility),
        stack_test(test_dotenv_of_the_place_that_was_found),
        stack_test(test_project_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
