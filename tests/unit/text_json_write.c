/* Writing JSON as Go's encoder does. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "text/yaml.h"

static void assert_json(const char *yaml, enum node_json style, const char *expected)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_str struct str out = STR_INIT;
    struct diag d;
    struct node *n = NULL;

    diag_init(&d, a);
    assert_int_equal(yaml_read(&n, a, source_from_text(a, "/f", yaml, strlen(yaml)), &d), 0);
    diag_clear(&d);
    node_write_json(&out, n, style);
    assert_string_equal(out.buf, expected);
    auto_json json_t *j = json_loads(out.buf, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(j);
}

static void pretty_has_two_spaces(void **state)
{
    (void)state;
    assert_json("{a: {b: [1, {c: null}], e: {}, l: []}, t: true}", NODE_JSON_PRETTY,
                "{\n"
                "  \"a\": {\n"
                "    \"b\": [\n"
                "      1,\n"
                "      {\n"
                "        \"c\": null\n"
                "      }\n"
                "    ],\n"
                "    \"e\": {},\n"
                "    \"l\": []\n"
                "  },\n"
                "  \"t\": true\n"
                "}");
}

static void compact_has_no_spaces(void **state)
{
    (void)state;
    assert_json("{a: {b: [1, {c: null}]}}", NODE_JSON_COMPACT, "{\"a\":{\"b\":[1,{\"c\":null}]}}");
}

static void strings_are_escaped(void **state)
{
    (void)state;
    assert_json("\"\\\" \\\\ / \\n\\r\\t\\b\\f\\e <&> \\u00e9 \\u2028 \\x7f\"", NODE_JSON_COMPACT,
                "\"\\\" \\\\ / \\n\\r\\t\\b\\f\\u001b <&> \xC3\xA9 \\u2028 \x7f\"");
    assert_json("{'a\"b': 1}", NODE_JSON_COMPACT, "{\"a\\\"b\":1}");
}

static void numbers_are_printed_as_go_prints_them(void **state)
{
    (void)state;
    assert_json("[0400, -5, 0.5, 1.0, 1e6, 1e20, 1e21, 0.000001, 1.5e-7, 100.25, -0.0]",
                NODE_JSON_COMPACT,
                "[256,-5,0.5,1,1000000,100000000000000000000,1e+21,0.000001,1.5e-7,100.25,-0]");
    assert_json("[18446744073709551615, .inf, .nan]", NODE_JSON_COMPACT,
                "[18446744073709551615,\".inf\",\".nan\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pretty_has_two_spaces),
        cmocka_unit_test(compact_has_no_spaces),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(numbers_are_printed_as_go_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
