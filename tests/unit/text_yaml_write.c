/* Writing YAML: layout and quoting as Compose's encoder does it, and what is written reads back. */
#include "unit.h"

#include "base/cleanup.h"
#include "text/yaml.h"

static const struct span nowhere = { 0 };

static struct node *read_node(struct arena *a, const char *text)
{
    struct diag d;
    struct node *n = NULL;

    diag_init(&d, a);
    assert_int_equal(yaml_read(&n, a, source_from_text(a, "/f", text, strlen(text)), &d), 0);
    diag_clear(&d);
    return n;
}

/* `text` read and written is `expected`, which in turn is written as itself. */
static void assert_writes(const char *text, const char *expected)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_str struct str once = STR_INIT;
    auto_str struct str twice = STR_INIT;
    const struct node *n = read_node(a, text);

    yaml_write(&once, n);
    assert_string_equal(once.buf, expected);
    const struct node *again = read_node(a, once.buf);
    assert_true(node_equal(n, again));
    yaml_write(&twice, again);
    assert_string_equal(twice.buf, expected);
}

/* A string value (under the key k), and that it reads back. */
static void assert_string_as(const char *value, const char *expected)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_str struct str out = STR_INIT;
    auto_str struct str whole = STR_INIT;
    struct node *map = node_new(a, NODE_MAP, nowhere);

    node_set_string(a, map, "k", value);
    node_set_string(a, map, "z", "end");
    yaml_write(&out, map);
    str_addf(&whole, "k: %s\nz: end\n", expected);
    assert_string_equal(out.buf, whole.buf);
    assert_true(node_equal(map, read_node(a, out.buf)));
}

static void layout(void **state)
{
    (void)state;
    assert_writes(
        "{name: x, services: {a: {image: i, ports: [{mode: ingress, target: 80}], m: null,"
        " e: {}, l: [], b: true, f: 0.5, i: 7}}}",
        "name: x\n"
        "services:\n"
        "  a:\n"
        "    image: i\n"
        "    ports:\n"
        "      - mode: ingress\n"
        "        target: 80\n"
        "    m: null\n"
        "    e: {}\n"
        "    l: []\n"
        "    b: true\n"
        "    f: 0.5\n"
        "    i: 7\n");
    assert_writes("[a, [b, [c, d]], [], {x: {w: 1}, z: [2]}]", "- a\n"
                                                               "- - b\n"
                                                               "  - - c\n"
                                                               "    - d\n"
                                                               "- []\n"
                                                               "- x:\n"
                                                               "    w: 1\n"
                                                               "  z:\n"
                                                               "    - 2\n");
    assert_writes("x", "x\n");
    assert_writes("{}", "{}\n");
    assert_writes("[0400, 1.10, 1e6, True, 18446744073709551615, .Inf]",
                  "- 256\n- 1.1\n- 1e+06\n- true\n- 18446744073709551615\n- .inf\n");
}

static void strings_are_quoted_only_where_needed(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *expected;
    } cases[] = {
        { "plain text", "plain text" },
        { "", "\"\"" },
        { "5", "\"5\"" },
        { "0400", "\"0400\"" },
        { "1.5", "\"1.5\"" },
        { "true", "\"true\"" },
        { "null", "\"null\"" },
        { "~", "\"~\"" },
        { "yes", "\"yes\"" },
        { "N", "\"N\"" },
        { "22:22", "\"22:22\"" },
        { "1:90", "1:90" },
        { "8080:80/tcp", "8080:80/tcp" },
        { "2026-11-21", "\"2026-11-21\"" },
        { "2026-11-21T10:00:00Z", "\"2026-11-21T10:00:00Z\"" },
        { "a: b", "'a: b'" },
        { "a:b", "a:b" },
        { "a:", "'a:'" },
        { "a #b", "'a #b'" },
        { "a#b", "a#b" },
        { "#b", "'#b'" },
        { "-x", "-x" },
        { "- x", "'- x'" },
        { "-", "'-'" },
        { "?x", "?x" },
        { "*x", "'*x'" },
        { "!x", "'!x'" },
        { "%x", "'%x'" },
        { "@x", "'@x'" },
        { "[x", "'[x'" },
        { "x[]{},", "x[]{}," },
        { "it's", "it's" },
        { "'it's'", "'''it''s'''" },
        { "\"x\"", "'\"x\"'" },
        { " x", "' x'" },
        { "x ", "'x '" },
        { "---", "'---'" },
        { "...x", "'...x'" },
        { "<<", "<<" },
        { "$$HOME", "$$HOME" },
        { "a\tb", "\"a\\tb\"" },
        { "a\\b", "a\\b" },
        { "\x1b[0m \"q\" \\", "\"\\e[0m \\\"q\\\" \\\\\"" },
        { "\x01", "\"\\x01\"" },
        { "caf\xC3\xA9", "caf\xC3\xA9" },
        { "\xC2\xA0", "\xC2\xA0" },
        { "\xF0\x9F\x98\x80", "\"\\U0001F600\"" },
        { "a\xE2\x80\xA8", "\"a\\L\"" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_string_as(cases[i].value, cases[i].expected);
}

static void lines_become_literal_blocks(void **state)
{
    (void)state;
    assert_string_as("a\nb", "|-\n  a\n  b");
    assert_string_as("a\nb\n", "|\n  a\n  b");
    assert_string_as("a\n\n", "|+\n  a\n");
    assert_string_as("a\n\n  b", "|-\n  a\n\n    b");
    assert_string_as("\n", "|2+\n");
    assert_string_as(" a\nb", "|2-\n   a\n  b");
    assert_string_as("\ta\nb", "|2-\n  \ta\n  b");
    assert_string_as("a \nb", "\"a \\nb\"");
    assert_string_as("a\nb ", "\"a\\nb \"");
    assert_string_as("a\r\nb", "\"a\\r\\nb\"");
    assert_writes("[\"a\\nb\", {k: \"a\\nb\"}]", "- |-\n  a\n  b\n- k: |-\n    a\n    b\n");
    assert_writes("\"a\\nb\"", "|-\n  a\n  b\n");
}

static void keys_are_quoted_and_long_ones_take_a_line(void **state)
{
    (void)state;
    auto_str struct str in = STR_INIT;
    auto_str struct str out = STR_INIT;
    char key[131];

    assert_writes("{'5': a, 'x: y': b, \"a\\nb\": c, '': d}",
                  "\"5\": a\n'x: y': b\n? \"a\\nb\"\n: c\n\"\": d\n");
    memset(key, 'k', 130);
    key[130] = '\0';
    str_addf(&in, "? %s\n: {a: 1, b: [2, 3]}\n", key);
    str_addf(&out, "? %s\n: a: 1\n  b:\n    - 2\n    - 3\n", key);
    assert_writes(in.buf, out.buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(strings_are_quoted_only_where_needed),
        cmocka_unit_test(lines_become_literal_blocks),
        cmocka_unit_test(keys_are_quoted_and_long_ones_take_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
