/* Naming the keys that changed. */
#include "unit.h"

#include "../support/sim.h"
#include "base/mem.h"
#include "base/str.h"
#include "plan/keys.h"

static char *label_of(const char *service)
{
    auto_free char *yaml = xasprintf("name: demo\nservices:\n  a:\n%s", service);
    auto_(stack_freep) struct stack *st = sim_stack(yaml);
    return keys_text(&st->services[0]);
}

static void expect(const char *before, const char *after, const char *expected)
{
    auto_free char *label = label_of(before);
    auto_free char *yaml = xasprintf("name: demo\nservices:\n  a:\n%s", after);
    auto_(stack_freep) struct stack *st = sim_stack(yaml);
    auto_free char *text = keys_changed(&st->services[0], label);
    assert_string_equal(text, expected);
}

static void keys_are_named_with_their_line(void **state)
{
    (void)state;
    expect("    image: x\n", "    image: y\n", "image changed, <stdin>:4");
    expect("    image: x\n    environment:\n      A: b\n",
           "    image: x\n    environment:\n      A: c\n", "environment.A changed, <stdin>:6");
    expect("    image: x\n", "    image: x\n    tty: true\n", "tty added, <stdin>:5");
    expect("    image: x\n    tty: true\n", "    image: x\n", "tty removed");
    expect("    image: x\n    ports: [ '1:1' ]\n", "    image: x\n    ports: [ '1:1', '2:2' ]\n",
           "ports changed, <stdin>:5");
}

static void not_more_than_three_are_named(void **state)
{
    (void)state;
    expect("    image: x\n    environment: { A: 1, B: 1, C: 1, D: 1, E: 1 }\n",
           "    image: x\n    environment: { A: 2, B: 2, C: 2, D: 2, E: 2 }\n",
           "environment.A changed, <stdin>:5; environment.B changed, <stdin>:5; "
           "environment.C changed, <stdin>:5; 2 more");
}

static void what_makes_no_container_is_no_key(void **state)
{
    (void)state;
    auto_free char *plain = label_of("    image: x\n");
    auto_free char *more = label_of("    image: x\n    scale: 2\n    pull_policy: always\n"
                                    "    profiles: []\n    deploy: { replicas: 2 }\n");
    assert_string_equal(plain, more);
}

static void keys_with_odd_bytes_stay_one_word(void **state)
{
    (void)state;
    auto_free char *label = label_of("    image: x\n    labels: { 'a b=c': d }\n");
    assert_non_null(strstr(label, "labels.a_b=c="));
    expect("    image: x\n    labels: { 'a b=c': d }\n",
           "    image: x\n    labels: { 'a b=c': e }\n", "labels.a_b=c changed, <stdin>:5");
}

static void a_label_of_somebody_else_is_no_problem(void **state)
{
    (void)state;
    auto_(stack_freep) struct stack *st = sim_stack("name: demo\nservices: { a: { image: x } }\n");
    static const char *const labels[] = { "", " ", "=", "no-digest", "a=b c", "==== = =" };
    for (size_t i = 0; i < countof(labels); i++) {
        auto_free char *text = keys_changed(&st->services[0], labels[i]);
        assert_true(*text);
    }
}

static void when_no_key_changed_it_is_the_content(void **state)
{
    (void)state;
    auto_(stack_freep) struct stack *st =
        sim_stack("name: demo\nservices: { a: { image: x, configs: [ c ] } }\n"
                  "configs: { c: { content: x } }\n");
    auto_free char *label = keys_text(&st->services[0]);
    auto_free char *text = keys_changed(&st->services[0], label);
    assert_string_equal(text, "the content of a config or secret changed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_named_with_their_line),
        cmocka_unit_test(not_more_than_three_are_named),
        cmocka_unit_test(what_makes_no_container_is_no_key),
        cmocka_unit_test(keys_with_odd_bytes_stay_one_word),
        cmocka_unit_test(a_label_of_somebody_else_is_no_problem),
        cmocka_unit_test(when_no_key_changed_it_is_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
