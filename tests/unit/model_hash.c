/* What changes a hash, and what does not. */
#include "model_stack.h"

/* The hash of service `a` whose keys are `keys`, in a folder as it stands; owned by the caller. */
static char *hash_of(const char *keys)
{
    auto_free char *text = xasprintf("name: demo\nservices:\n  a: {%s}\n  b: {image: b}\n"
                                     "configs: {c: {file: ./c}, i: {content: '%s'}}\n",
                                     keys, strstr(keys, "# other content") ? "two" : "one");
    auto_loaded struct loaded l = load_text(text);
    return xstrdup(service(&l, "a")->hash);
}

static void assert_hashes(const char *one, const char *two, bool same)
{
    auto_free char *x = hash_of(one), *y = hash_of(two);
    if (!strcmp(x, y) != same)
        fail_msg("%s\n%s\nshould %sbe the same", one, two, same ? "" : "not ");
}

static void test_its_form(void **state)
{
    (void)state;
    auto_free char *hash = hash_of("image: x");
    assert_int_equal(strlen(hash), 2 + DIGEST_HEX_LEN);
    assert_int_equal(strncmp(hash, "1:", 2), 0);
    /* Kept for ever: a change of what is hashed needs a new number. */
    assert_string_equal(hash, "1:d038255d54878c8f5810452dd71d2c84dfd0e56d2c5dd9e0e8e3b145ed42e77d");
}

static void test_what_makes_a_container(void **state)
{
    (void)state;
    assert_hashes("image: x", "image: y", false);
    assert_hashes("image: x", "image: x, command: run", false);
    assert_hashes("image: x, environment: {A: '1'}", "image: x, environment: {A: '2'}", false);
    assert_hashes("image: x, environment: {A: '1', B: '2'}", "image: x, environment: [B=2, A=1]",
                  true);
    assert_hashes("image: x, command: [a, b]", "image: x, command: [ab]", false);
    assert_hashes("image: x, ports: ['80']", "image: x, ports: [{target: 80}]", true);
    assert_hashes("image: x, deploy: {resources: {limits: {memory: 1g}}}",
                  "image: x, deploy: {resources: {limits: {memory: 2g}}}", false);
    assert_hashes("image: x, mem_limit: 1g", "image: x, mem_limit: 1024m", true);
}

static void test_what_does_not(void **state)
{
    (void)state;
    static const char *const others[] = {
        "image: x, scale: 2",
        "image: x, deploy: {replicas: 2}",
        "image: x, depends_on: [b]",
        "image: x, pull_policy: always",
        "image: x, attach: false",
        "image: x, x-ready: {tcp: 80}",
        "image: x, build: .",
        "image: x, build: {context: ., args: {A: '1'}}",
        "image: x, develop: {watch: [{path: ., action: rebuild}]}",
    };
    for (size_t i = 0; i < countof(others); i++)
        assert_hashes("image: x", others[i], true);
}

static void test_content(void **state)
{
    (void)state;
    put("c", "one");
    auto_free char *before = hash_of("image: x, configs: [c]");
    auto_free char *plain = hash_of("image: x");
    put("c", "two");
    auto_free char *after = hash_of("image: x, configs: [c]");
    auto_free char *unused = hash_of("image: x");
    assert_string_not_equal(before, after);
    assert_string_equal(plain, unused);
    assert_hashes("image: x, configs: [i]", "image: x, configs: [i] # other content\n", false);
}

static void test_networks_and_volumes(void **state)
{
    (void)state;
    auto_loaded struct loaded one = load_text(
        "services: {a: {image: x}}\nnetworks: {n: {}}\nvolumes: {v: {}, w: {driver: d}}\n");
    auto_loaded struct loaded two = load_text(
        "services: {a: {image: x}}\nnetworks: {n: {internal: true}}\nvolumes: {v: {}, w: {}}\n");
    assert_string_not_equal(stack_network(one.stack, "n")->hash,
                            stack_network(two.stack, "n")->hash);
    assert_string_equal(stack_volume(one.stack, "v")->hash, stack_volume(two.stack, "v")->hash);
    assert_string_not_equal(stack_volume(one.stack, "w")->hash, stack_volume(two.stack, "w")->hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stack_test(test_its_form),
        stack_test(test_what_makes_a_container),
        stack_test(test_what_does_not),
        stack_test(test_content),
        stack_test(test_networks_and_volumes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
