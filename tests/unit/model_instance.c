/* Names and ports of an instance, and the git work tree that it follows from. */
#include "model_stack.h"

#include "model/instance.h"

#define STACK                                                \
    "name: shop\n"                                           \
    "services:\n"                                            \
    "  web:\n"                                               \
    "    image: x\n"                                         \
    "    container_name: front\n"                            \
    "    ports: ['8080:80', '180:1', '9000-9002:90', '7']\n" \
    "volumes:\n"                                             \
    "  data: {name: goods}\n"                                \
    "  cache: {}\n"                                          \
    "  own: {name: '${COMPOSE_PROJECT_NAME}-own'}\n"         \
    "  theirs: {external: true, name: theirs}\n"

static struct loaded load_as(const char *instance)
{
    return load_with((struct load_options){ .instance = instance });
}

static const char *volume_name(const struct loaded *l, const char *key)
{
    return stack_volume(l->stack, key)->name;
}

static void test_names_end_in_it(void **state)
{
    (void)state;
    put("compose.yaml", STACK);
    auto_loaded struct loaded l = load_as("two");
    assert_string_equal(l.stack->name, "shop-two");
    assert_string_equal(service(&l, "web")->container_name, "front-two");
    assert_string_equal(volume_name(&l, "data"), "goods-two");
    assert_string_equal(volume_name(&l, "cache"), "shop-two_cache");
    assert_string_equal(volume_name(&l, "own"), "shop-two-own");
    assert_string_equal(volume_name(&l, "theirs"), "theirs");
}

static void test_none(void **state)
{
    (void)state;
    put("compose.yaml", STACK);
    auto_loaded struct loaded l = load_as("");
    assert_string_equal(l.stack->name, "shop");
    assert_null(l.stack->instance);
    assert_string_equal(service(&l, "web")->container_name, "front");
}

static void test_bad_name(void **state)
{
    (void)state;
    put("compose.yaml", STACK);
    auto_loaded struct loaded l = load_as("Two/../x");
    assert_int_equal(l.kind, ERR_USAGE);
    assert_non_null(strstr(l.said, "'Two/../x' cannot be the name of an instance"));
}

/* `main` and `linked`, a work tree of it. */
static void make_worktrees(const char *top)
{
    put("main/.git/HEAD", "ref: refs/heads/main\n");
    char text[PATH_MAX + 32];
    snprintf(text, sizeof(text), "gitdir: %s/main/.git/worktrees/linked\n", top);
    put("linked/.git", text);
    put("module/.git", "gitdir: ../main/.git/modules/module\n");
}

static struct loaded load_at(const char *top, const char *dir, const char *project_name)
{
    char cwd[PATH_MAX];
    snprintf(cwd, sizeof(cwd), "%s/%s", top, dir);
    return load_with((struct load_options){ .cwd = cwd, .project_name = project_name });
}

static void test_linked_worktree(void **state)
{
    static const char *const text = "services: {a: {image: x}}\n";
    make_worktrees(*state);
    put("main/compose.yaml", text);
    put("linked/compose.yaml", text);
    put("linked/deep/compose.yaml", text);
    put("module/compose.yaml", text);
    static const struct {
        const char *dir, *project_name, *name, *instance;
    } cases[] = {
        { "main", NULL, "main", NULL },
        { "linked", NULL, "main-linked", "linked" },
        { "linked/deep", NULL, "deep-linked", "linked" },
        { "linked", "given", "given", NULL },
        { "module", NULL, "module", NULL },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_loaded struct loaded l = load_at(*state, cases[i].dir, cases[i].project_name);
        assert_string_equal(l.stack->name, cases[i].name);
        if (cases[i].instance)
            assert_string_equal(l.stack->instance, cases[i].instance);
        else
            assert_null(l.stack->instance);
    }
}

static void test_ports_move(void **state)
{
    (void)state;
    put("compose.yaml", STACK);
    auto_loaded struct loaded l = load_as("two");
    const struct service *web = service(&l, "web");
    auto_free struct instance_port *ports = NULL;
    size_t n;
    char before[sizeof(web->hash)];
    memcpy(before, web->hash, sizeof(before));
    assert_int_equal(instance_ports(&ports, &n, l.stack, NULL), 0);
    assert_int_equal(n, 3);
    instance_move_ports(l.stack, ports, n, 20100);
    /* 180 came first to 80, so that 8080 has the next one. */
    static const char *const published[] = { "20181", "20180", "20100-20102", "" };
    const struct node *list = node_get(web->config, "ports");
    for (size_t i = 0; i < countof(published); i++) {
        assert_string_equal(web->ports[i].published, published[i]);
        if (*published[i])
            assert_string_equal(node_text_at(list->items[i], "published"), published[i]);
    }
    assert_string_not_equal(web->hash, before);
}

static void test_too_many_ports(void **state)
{
    (void)state;
    put("compose.yaml", "services: {a: {image: x, ports: ['7000-7100:7000-7100']}}\n");
    auto_loaded struct loaded l = load_as("two");
    auto_free struct instance_port *ports = NULL;
    auto_error struct error err = ERROR_INIT;
    size_t n;
    assert_int_equal(instance_ports(&ports, &n, l.stack, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_names_end_in_it), stack_test(test_none),
        stack_test(test_bad_name),        stack_test(test_linked_worktree),
        stack_test(test_ports_move),      stack_test(test_too_many_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
