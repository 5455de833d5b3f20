/* JSON: paths, defaults, and what is no JSON. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"

static json_t *parse(const char *text)
{
    auto_error struct error err = ERROR_INIT;
    json_t *j = json_parse(text, strlen(text), "test", &err);
    if (!j)
        fail_msg("%s", err.msg);
    return j;
}

static void paths_lead_to_values(void **state)
{
    (void)state;
    auto_json json_t *j =
        parse("{\"State\":{\"Health\":{\"Status\":\"healthy\"},\"Pid\":7},\"A\":[1]}");
    assert_string_equal(json_str(j, "State.Health.Status"), "healthy");
    assert_int_equal(json_int(j, "State.Pid", 0), 7);
    assert_true(json_is_array(json_at(j, "A")));
    assert_null(json_at(j, "State.Health.Log"));
    assert_null(json_at(j, "State.Pid.Deeper"));
    assert_null(json_at(j, "Stat"));
    assert_null(json_at(j, "State."));
    assert_null(json_at(j, ""));
    assert_null(json_at(NULL, "a.b"));
}

static void absent_or_mistyped_values_are_the_default(void **state)
{
    (void)state;
    auto_json json_t *j = parse("{\"s\":\"x\",\"n\":1,\"b\":true,\"z\":null,\"r\":2.9}");
    assert_null(json_str(j, "n"));
    assert_null(json_str(j, "z"));
    assert_string_equal(json_str_or(j, "n", "d"), "d");
    assert_string_equal(json_str_or(j, "s", "d"), "x");
    assert_int_equal(json_int(j, "s", -3), -3);
    assert_int_equal(json_int(j, "b", -3), -3);
    assert_int_equal(json_int(j, "r", -3), 2);
    assert_true(json_bool(j, "b", false));
    assert_true(json_bool(j, "s", true));
    assert_false(json_bool(j, "n", false));
    assert_false(json_bool(NULL, "n", false));
}

static void any_single_value_is_json(void **state)
{
    (void)state;
    auto_json json_t *s = parse(" \"text\" ");
    assert_string_equal(json_string_value(s), "text");
    auto_json json_t *n = parse("null");
    assert_true(json_is_null(n));
}

static void integers_beyond_64_bits_do_not_spoil_the_rest(void **state)
{
    (void)state;
    auto_json json_t *j = parse("{\"limit\":18446744073709551615,\"low\":-99999999999999999999,"
                                "\"time\":1795251600123456789,\"real\":1.5e3,"
                                "\"text\":\"18446744073709551615 \\\" 18446744073709551615\","
                                "\"list\":[18446744073709551615,3]}");
    assert_int_equal(json_int(j, "limit", 0), INT64_MAX);
    assert_int_equal(json_int(j, "low", 0), INT64_MIN);
    assert_int_equal(json_int(j, "time", 0), INT64_C(1795251600123456789));
    assert_int_equal(json_int(j, "real", 0), 1500);
    assert_string_equal(json_str(j, "text"), "18446744073709551615 \" 18446744073709551615");
    assert_int_equal(json_array_size(json_at(j, "list")), 2);
}

static void strings_may_hold_zero_bytes(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": \"x\\u0000y\"}";
    auto_json json_t *j = json_parse(text, strlen(text), "answer", NULL);
    assert_non_null(j);
    assert_int_equal(json_string_length(json_object_get(j, "a")), 3);
    assert_memory_equal(json_str(j, "a"), "x\0y", 3);
}

static void check_refused(const char *text, size_t len)
{
    auto_error struct error err = ERROR_INIT;
    assert_null(json_parse(text, len, "the answer", &err));
    assert_int_equal(err.kind, ERR_PROTOCOL);
    assert_non_null(strstr(err.msg, "the answer is not JSON: "));
}

static void other_text_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "",         "{",     "{} {}",
                                       "{\"a\":}", "nul",   "[1,]",
                                       "\"\xff\"", "1e999", "[18446744073709551615",
                                       "{'a':1}" };
    for (size_t i = 0; i < countof(bad); i++)
        check_refused(bad[i], strlen(bad[i]));
    check_refused("[\0]", 3);
    check_refused(NULL, 0);

    auto_free char *deep = malloc(100000);
    memset(deep, '[', 100000);
    check_refused(deep, 100000);
}

static void the_text_itself_is_not_repeated(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    const char *text = "{\"auth\": hunter2}";
    assert_null(json_parse(text, strlen(text), "config.json", &err));
    assert_null(strstr(err.msg, "hunter2"));
    assert_non_null(strstr(err.msg, "at byte "));
}

static void canonical_text_does_not_depend_on_order_or_blanks(void **state)
{
    (void)state;
    auto_json json_t *a = parse("{ \"b\": [1, 2.5], \"a\": {\"y\":null, \"x\":true} }");
    auto_json json_t *b = parse("{\"a\":{\"x\":true,\"y\":null},\"b\":[1,2.5]}");
    auto_free char *text_a = json_canonical(a);
    auto_free char *text_b = json_canonical(b);
    assert_string_equal(text_a, "{\"a\":{\"x\":true,\"y\":null},\"b\":[1,2.5]}");
    assert_string_equal(text_a, text_b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_values),
        cmocka_unit_test(absent_or_mistyped_values_are_the_default),
        cmocka_unit_test(any_single_value_is_json),
        cmocka_unit_test(integers_beyond_64_bits_do_not_spoil_the_rest),
        cmocka_unit_test(strings_may_hold_zero_bytes),
        cmocka_unit_test(other_text_is_refused),
        cmocka_unit_test(the_text_itself_is_not_repeated),
        cmocka_unit_test(canonical_text_does_not_depend_on_order_or_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
