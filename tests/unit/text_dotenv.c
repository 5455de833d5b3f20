/* Environment files. */
#include "unit.h"

#include "base/cleanup.h"
#include "text/dotenv.h"

static const char *get(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "SHELL_VAR") == 0 ? "from shell" : NULL;
}

static const struct variables vars = { .get = get };

/* Entries as "name=value" or "name", a line each, then the diagnostics. */
static char *parsed(const char *text, size_t len, enum dotenv_format format)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_str struct str out = STR_INIT;
    struct dotenv env = { 0 };
    struct diag d;

    diag_init(&d, a);
    if (dotenv_parse(&env, a, source_from_text(a, "/e", text, len), format, &vars, &d) == 0)
        vec_each (e, &env)
            str_addf(&out, "%s%s%s;", e->name, e->value ? "=" : "", e->value ? e->value : "");
    else
        assert_int_equal(env.len, 0);
    diag_print(&out, &d, true);
    vec_free(&env);
    diag_clear(&d);
    return str_detach(&out);
}

static void assert_parses(const char *text, enum dotenv_format format, const char *expected)
{
    auto_free char *got = parsed(text, strlen(text), format);

    if (strcmp(got, expected) != 0)
        fail_msg("%s: expected '%s', got '%s'", text, expected, got);
}

static void statements_of_all_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "", "" },
        { "\n \t\r\n", "" },
        { "# a\n\n   # b\n", "" },
        { "K=v", "K=v;" },
        { "K=v\nL=w\n", "K=v;L=w;" },
        { "K=v\r\nL=w\r\n", "K=v;L=w;" },
        { "\xEF\xBB\xBFK=v\n", "K=v;" },
        { "K = v\n", "K=v;" },
        { "\tK =\tv \n", "K=v;" },
        { "K:v\n", "K=v;" },
        { "K: \"a b\"\n", "K=a b;" },
        { "export K=v\nexport\tL: w\nexporter=x\n", "K=v;L=w;exporter=x;" },
        { "export=v\n", "export=v;" },
        { "K\nL=w\nM", "K;L=w;M;" },
        { "K=\nL=w\n", "K=;L=w;" },
        { "=v\n", "=v;" },
        { "A-B=1\nC.D=2\nE[0]=3\n1F=4\n\xC3\xA9=5\n", "A-B=1;C.D=2;E[0]=3;1F=4;\xC3\xA9=5;" },
        { "K=1\nK=2\n", "K=1;K=2;" },
        { "K=a=b=c\n", "K=a=b=c;" },
        { "K=a b c\n", "K=a b c;" },
        { "K=a\rL=b\n", "K=a\rL=b;" },
        { "K=http://u:p@h:1/x?a=b&c=d#f\n", "K=http://u:p@h:1/x?a=b&c=d#f;" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_parses(cases[i].text, DOTENV_COMPOSE, cases[i].expected);
}

static void comments_and_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "K=a # c", "K=a;" },
        { "K=a #", "K=a;" },
        { "K=a#b", "K=a#b;" },
        { "K=#c", "K=#c;" },
        { "K= # c\nL=w", "K=# c;L=w;" },
        { "K='a # b' # c\nL=w", "K=a # b;L=w;" },
        { "K=\"a#b\"#c\nL=w", "K=a#b;L=w;" },
        { "K=\"\"\nL=''\n", "K=;L=;" },
        { "K=a\"b\"c\nL=a'b'c\n", "K=a\"b\"c;L=a'b'c;" },
        { "K=\"a\"b\n", "K=a;b;" },
        { "K=\"a\"L=\"b\"\n", "K=a;L=b;" },
        { "K=\"l1\nl2\"\nL='m1\nm2'\n", "K=l1\nl2;L=m1\nm2;" },
        { "K='{\"a\": \"b\", \"c\": \"#\"}'\n", "K={\"a\": \"b\", \"c\": \"#\"};" },
        { "K='it\\'s'\n", "K=it's;" },
        { "K='a\\nb\\\\'\n", "K=a\\nb\\\\;" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_parses(cases[i].text, DOTENV_COMPOSE, cases[i].expected);
}

static void escapes_in_double_quotes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "K=\"a\\\"b\"", "K=a\"b;" },
        { "K=\"\\a\\b\\f\\n\\r\\t\\v\\\\\"", "K=\a\b\f\n\r\t\v\\;" },
        { "K=\"a\\qb\\x07\\c\"", "K=a\\qb\\x07\\c;" },
        { "K=\"bar\\\\\\n\\ b\"", "K=bar\\\n\\ b;" },
        { "K=\"a\\\nb\"", "K=a\\\nb;" },
        { "K=\"\\0123 \\0351\"", "K=S \xC3\xA9;" },
        { "K=\"\\012 \\0 \\0999\"", "K=\\12 \\ \\999;" },
        { "K=a\\nb\\", "K=a\\nb\\;" }, /* without quotes there are none */
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_parses(cases[i].text, DOTENV_COMPOSE, cases[i].expected);
}

static void values_are_substituted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "A=1\nB=$A\nC=\"${A}-${B}\"", "A=1;B=1;C=1-1;" },
        { "A=1\nA=2\nB=$A", "A=1;A=2;B=2;" },
        { "B=$SHELL_VAR", "B=from shell;" },
        { "SHELL_VAR=file\nB=$SHELL_VAR", "SHELL_VAR=file;B=from shell;" },
        { "A='$SHELL_VAR'\nB=$A", "A=$SHELL_VAR;B=$SHELL_VAR;" },
        { "E=\nK=${E-d}|${E:-d}|${NO-d}", "E=;K=|d|d;" },
        { "B=1\nK=${B:+set}|${NO:+set}", "B=1;K=set|;" },
        { "K=$$A $(date) $", "K=$A $(date) $;" },
        { "K=\"\\$A $$A\"", "K=$A $A;" },
        { "K=x$NO", "K=x;/e:1:4: warning: variable 'NO' is not set, an empty string is used\n" },
        { "NAME\nK=${NAME-unset}", "NAME;K=unset;" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_parses(cases[i].text, DOTENV_COMPOSE, cases[i].expected);
}

static void mistakes_have_places_and_do_not_end_the_reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "!K=v\nA B\n!\nC=2",
          "/e:1:1: error: unexpected character in a variable name, expected '=' after the name\n"
          "/e:2:2: error: a variable name cannot contain a space\n"
          "/e:3:1: error: unexpected character in a variable name, expected '=' after the name\n" },
        { "K<<EOF", "/e:1:2: error: unexpected character in a variable name, expected '=' after "
                    "the name\n" },
        { "A=1\nK=\"abc\nL=w\n", "/e:2:3: error: the quotes that open here are never closed\n" },
        { "K='abc\\'", "/e:1:3: error: the quotes that open here are never closed\n" },
        { "K=\"\\0000\"", "/e:1:3: error: a value must not contain the character NUL\n" },
        { "A=1\nK=${NO:?set it}",
          "/e:2:3: error: required variable 'NO' is missing a value: set it\n" },
        { "K=\"x ${\"", "/e:1:8: error: malformed substitution, expected a variable name after "
                        "'${'; write $$ for a dollar sign\n" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_parses(cases[i].text, DOTENV_COMPOSE, cases[i].expected);
    auto_free char *nul = parsed("K=a\0b\n", 6, DOTENV_COMPOSE);
    assert_string_equal(nul, "/e:1:4: error: the file contains the character NUL\n");
}

static void raw_files_are_taken_as_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "\n\nK=v\n\n# c\n  L=w \n\n", "K=v;L=w ;" },
        { "K=\"a\\nb\" # x\nL='$K'\r\nM=${K\n", "K=\"a\\nb\" # x;L='$K';M=${K;" },
        { "K=\"abc\nL\n", "K=\"abc;L;" },
        { "\xEF\xBB\xBFK=\nL= x", "K=;L= x;" },
        { "A B=1\n=x\n", "/e:1:2: error: a variable name cannot contain a space\n"
                         "/e:2:1: error: expected a variable name before '='\n" },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_parses(cases[i].text, DOTENV_RAW, cases[i].expected);
}

static void entries_know_their_positions(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    struct dotenv env = { 0 };
    struct diag d;
    static const char text[] = "A=\"x\ny\"\n  export B=1\n";

    diag_init(&d, a);
    assert_int_equal(dotenv_parse(&env, a, source_from_text(a, "/e", text, strlen(text)),
                                  DOTENV_COMPOSE, NULL, &d),
                     0);
    assert_int_equal(env.items[0].span.line, 1);
    assert_int_equal(env.items[1].span.line, 3);
    assert_int_equal(env.items[1].span.column, 10);
    vec_free(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_of_all_forms),
        cmocka_unit_test(comments_and_quotes),
        cmocka_unit_test(escapes_in_double_quotes),
        cmocka_unit_test(values_are_substituted),
        cmocka_unit_test(mistakes_have_places_and_do_not_end_the_reading),
        cmocka_unit_test(raw_files_are_taken_as_they_stand),
        cmocka_unit_test(entries_know_their_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
