/* Variable substitution. */
#include "unit.h"

#include "base/cleanup.h"
#include "text/interpolate.h"
#include "text/yaml.h"

struct pair {
    const char *name;
    const char *value;
};

static const struct pair values[] = {
    { "FOO", "first" },   { "EMPTY", "" }, { "JSON", "{\"json\":2}" },
    { "DOLLAR", "$FOO" }, { "_u1", "us" }, { NULL, NULL },
};

static const char *get(void *ctx, const char *name)
{
    for (const struct pair *p = ctx; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p->value;
    return NULL;
}

static const struct variables vars = { .get = get, .ctx = (void *)(uintptr_t)values };

struct attempt {
    struct arena *arena;
    struct diag diag;
    struct str out;
    struct str said;
    int result;
};

static void attempt_clear(struct attempt *t)
{
    diag_clear(&t->diag);
    str_clear(&t->out);
    str_clear(&t->said);
    arena_free(t->arena);
}

static struct attempt attempt(const char *text, const struct variables *v)
{
    struct attempt t = { .arena = arena_new(), .out = STR_INIT, .said = STR_INIT };

    diag_init(&t.diag, t.arena);
    t.result = interpolate(&t.out, text, (struct span){ 0 }, v, &t.diag);
    diag_print(&t.said, &t.diag, true);
    return t;
}

static void assert_gives(const char *text, const char *expected)
{
    auto_(attempt_clear) struct attempt t = attempt(text, &vars);

    if (t.result < 0 || t.diag.warnings)
        fail_msg("%s: %s", text, t.said.buf);
    if (strcmp(t.out.buf, expected) != 0)
        fail_msg("%s: expected '%s', got '%s'", text, expected, t.out.buf);
}

static void assert_fails(const char *text, const char *message)
{
    auto_(attempt_clear) struct attempt t = attempt(text, &vars);

    assert_int_equal(t.result, -1);
    assert_string_equal(t.out.buf, "");
    if (!strstr(t.said.buf, message))
        fail_msg("%s: expected '%s', got '%s'", text, message, t.said.buf);
}

static void text_without_variables_stays(void **state)
{
    (void)state;
    static const char *const texts[] = { "",  "foo", "a $ string", "^REGEX$", "$}",
                                         "$", "$1",  "$-",         "{a}",     "$(date)" };

    for (size_t i = 0; i < countof(texts); i++)
        assert_gives(texts[i], texts[i]);
    assert_gives("$$", "$");
    assert_gives("$$$$", "$$");
    assert_gives("$${FOO}", "${FOO}");
    assert_gives("$$FOO $$$FOO", "$FOO $first");
}

static void values_take_the_place_of_names(void **state)
{
    (void)state;
    assert_gives("$FOO", "first");
    assert_gives("${FOO}", "first");
    assert_gives("<${FOO}$FOO-bar$_u1>", "<firstfirst-barus>");
    assert_gives("${EMPTY}", "");
    assert_gives("${FOO}}", "first}");
    assert_gives("${JSON}", "{\"json\":2}");
    assert_gives("$DOLLAR", "$FOO"); /* values are not looked into */
}

static void every_form_follows_set_empty_and_unset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "${UNSET:-def}", "def" },
        { "${UNSET-def}", "def" },
        { "${EMPTY:-def}", "def" },
        { "${EMPTY-def}", "" },
        { "${FOO:-def}", "first" },
        { "${FOO-def}", "first" },
        { "${UNSET:-}", "" },
        { "${UNSET:+x}", "" },
        { "${UNSET+x}", "" },
        { "${EMPTY:+x}", "" },
        { "${EMPTY+x}", "x" },
        { "${FOO:+x}", "x" },
        { "${FOO+x}", "x" },
        { "${FOO+}", "" },
        { "${FOO:?err}", "first" },
        { "${FOO?err}", "first" },
        { "${EMPTY?err}", "" },
        { "${UNSET:-/non:-alpha}", "/non:-alpha" },
        { "${UNSET:-a+b?c}", "a+b?c" },
        { "${UNSET-a:-b}", "a:-b" },
        { "-ok ${EMPTY:-def} ${UNSET-def}", "-ok def def" },
        { "+ok ${UNSET:-${EMPTY-def}}", "+ok " },
        { ":?ok ${EMPTY-def}", ":?ok " },
        { "${UNSET:-'q' ~/x (a) b}", "'q' ~/x (a) b" },
        { "${UNSET:-$$x}", "$x" },
        { "${UNSET:-l1\nl2}", "l1\nl2" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_gives(cases[i].text, cases[i].expected);
}

static void defaults_nest(void **state)
{
    (void)state;
    assert_gives("${UNSET-$FOO}", "first");
    assert_gives("${UNSET-${FOO} ${FOO}}!", "first first!");
    assert_gives("${A:-${B:-${C:-deep}}}", "deep");
    assert_gives("${EMPTY+$FOO ${FOO:+second}}", "first second");
    assert_gives("${UNSET:-{}}", "{}");
    assert_gives("${UNSET:-{\"a\":{\"b\":1}}} ${FOO}", "{\"a\":{\"b\":1}} first");
    assert_gives("${UNSET:-{} x", "{ x"); /* braces that do not add up: the last one closes */
}

static void required_variables_show_their_message(void **state)
{
    (void)state;
    assert_fails("x ${UNSET:?set it}", "required variable 'UNSET' is missing a value: set it");
    assert_fails("${EMPTY:?set it}", "required variable 'EMPTY' is missing a value: set it");
    assert_fails("${UNSET?not $FOO ${UNSET:-x}}", "is missing a value: not first x");
    assert_fails("${UNSET?}", "required variable 'UNSET' is missing a value\n");
    assert_gives("${FOO:-${UNSET?unused}}", "first");
}

static void malformed_forms_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "${", "expected a variable name after '${'" },
        { "${}", "expected a variable name after '${'" },
        { "${ }", "expected a variable name after '${'" },
        { "${ foo}", "expected a variable name after '${'" },
        { "${1}", "expected a variable name after '${'" },
        { "${\xC3\xA9}", "expected a variable name after '${'" },
        { "${foo }", "expected '}', ':-', '-'" },
        { "${foo!}", "expected '}', ':-', '-'" },
        { "${foo:x}", "expected '}', ':-', '-'" },
        { "${foo:=x}", "expected '}', ':-', '-'" },
        { "${foo${FOO}}", "expected '}', ':-', '-'" },
        { "${foo", "expected a '}' for this '${'" },
        { "${foo:", "expected a '}' for this '${'" },
        { "${foo:-x", "expected a '}' for this '${'" },
        { "${UNSET:-${}}", "expected a variable name after '${'" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        assert_fails(cases[i].text, cases[i].message);
        assert_fails(cases[i].text, "write $$ for a dollar sign");
    }
    auto_(attempt_clear) struct attempt t = attempt("hunter2${hunter2!}", &vars);
    assert_null(strstr(t.said.buf, "hunter2"));
}

static void mistakes_are_shown_where_they_stand(void **state)
{
    (void)state;
    static const char text[] = "a: \xC3\xA9 ${x!}\nb: 'q ${'\nc: |\n  one\n  ${\nd: \"\\t${\"\n";
    static const struct {
        const char *key;
        const char *place;
    } cases[] = { { "a", "/f:1:9: error" },   /* the '!' */
                  { "b", "/f:2:9: error" },   /* after "${" */
                  { "c", "/f:3:4: error" },   /* a block: its start */
                  { "d", "/f:6:4: error" } }; /* an escape before it: the scalar */

    for (size_t i = 0; i < countof(cases); i++) {
        auto_(attempt_clear) struct attempt t = { .arena = arena_new(),
                                                  .out = STR_INIT,
                                                  .said = STR_INIT };
        struct node *root = NULL;

        diag_init(&t.diag, t.arena);
        assert_int_equal(
            yaml_read(&root, t.arena, source_from_text(t.arena, "/f", text, strlen(text)), &t.diag),
            0);
        const struct node *n = node_get(root, cases[i].key);
        assert_int_equal(interpolate(&t.out, n->text, n->span, &vars, &t.diag), -1);
        diag_print(&t.said, &t.diag, true);
        if (!strstr(t.said.buf, cases[i].place))
            fail_msg("expected %s, got %s", cases[i].place, t.said.buf);
    }
}

static void an_unset_variable_warns_once(void **state)
{
    (void)state;
    auto_(attempt_clear) struct attempt t = attempt("$X ${X} $Y ${Z:+$X}", &vars);

    assert_int_equal(t.result, 0);
    assert_string_equal(t.out.buf, "   ");
    assert_string_equal(t.said.buf, "warning: variable 'X' is not set, an empty string is used\n"
                                    "warning: variable 'Y' is not set, an empty string is used\n");
    assert_int_equal(interpolate(&t.out, "$X", (struct span){ 0 }, &vars, &t.diag), 0);
    assert_int_equal(t.diag.warnings, 2);
}

static void an_unset_variable_is_an_error_in_the_native_form(void **state)
{
    (void)state;
    struct variables strict = vars;
    strict.unset_is_error = true;
    auto_(attempt_clear) struct attempt t = attempt("a $X", &strict);

    assert_int_equal(t.result, -1);
    assert_non_null(strstr(t.said.buf, "error: variable 'X' is not set; set it in"));
    auto_(attempt_clear) struct attempt ok = attempt("a ${X:-}${X+y}", &strict);
    assert_int_equal(ok.result, 0);
}

static void note_seen(void *ctx, const char *name, const char *fallback, bool required,
                      const char *alternative)
{
    str_addf(ctx, "%s(%s,%d,%s) ", name, fallback ? fallback : "-", required,
             alternative ? alternative : "-");
}

static const char *get_nothing(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "SET") == 0 ? "1" : NULL;
}

static void variables_are_seen_in_unused_branches_too(void **state)
{
    (void)state;
    auto_str struct str seen = STR_INIT;
    struct variables v = { .get = get_nothing, .seen = note_seen, .ctx = &seen };
    auto_(attempt_clear) struct attempt t = attempt("$A ${SET:-d${B:?m}} ${C:+x$D} ${SET?${}}", &v);

    assert_int_equal(t.result, 0);
    assert_string_equal(seen.buf, "A(-,0,-) SET(d${B:?m},0,-) B(-,1,-) C(-,0,x$D) D(-,0,-) "
                                  "SET(-,1,-) ");
    /* Only the first is a warning; a mistake in an unused branch is none. */
    assert_int_equal(t.diag.warnings, 1);
}

static const char *get_long(void *ctx, const char *name)
{
    (void)name;
    return ctx;
}

static void depth_and_length_are_limited(void **state)
{
    (void)state;
    auto_str struct str deep = STR_INIT;
    auto_str struct str many = STR_INIT;
    char value[10001];

    for (int i = 0; i < 10000; i++)
        str_add(&deep, "${A:-");
    for (int i = 0; i < 10000; i++)
        str_addc(&deep, '}');
    assert_fails(deep.buf, "nested deeper than 32 levels");

    memset(value, 'x', 10000);
    value[10000] = '\0';
    for (int i = 0; i < 1000; i++)
        str_add(&many, "$A");
    struct variables v = { .get = get_long, .ctx = value };
    auto_(attempt_clear) struct attempt t = attempt(many.buf, &v);
    assert_int_equal(t.result, -1);
    assert_non_null(strstr(t.said.buf, "longer than 4194304 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_variables_stays),
        cmocka_unit_test(values_take_the_place_of_names),
        cmocka_unit_test(every_form_follows_set_empty_and_unset),
        cmocka_unit_test(defaults_nest),
        cmocka_unit_test(required_variables_show_their_message),
        cmocka_unit_test(malformed_forms_are_explained),
        cmocka_unit_test(mistakes_are_shown_where_they_stand),
        cmocka_unit_test(an_unset_variable_warns_once),
        cmocka_unit_test(an_unset_variable_is_an_error_in_the_native_form),
        cmocka_unit_test(variables_are_seen_in_unused_branches_too),
        cmocka_unit_test(depth_and_length_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
