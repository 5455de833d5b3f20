/* Ignore rules and regular expressions. */
#include "unit.h"

#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "text/pattern.h"

static struct ignore *parsed(const char *text)
{
    struct ignore *ig = NULL;
    auto_error struct error err = ERROR_INIT;

    if (ignore_parse(&ig, text, ".dockerignore", &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return ig;
}

static void assert_match(const char *rules, const char *path, bool expected)
{
    auto_(ignore_freep) struct ignore *ig = parsed(rules);

    if (ignore_match(ig, path) != expected)
        fail_msg("rules %s: path %s: expected %d", rules, path, expected);
}

struct match_case {
    const char *rules;
    const char *path;
    bool match;
};

static void patterns_match_as_in_docker(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        { "abc", "abc", true },
        { "abc", "abcd", false },
        { "abc", "abc/d/e", true }, /* below */
        { "abc", "x/abc", false },  /* only at the root */
        { "a/b", "a", false },
        { "a/b", "a/b/c", true },
        { "*", "fileutils.go", true },
        { "*", "dir/file", true },
        { "*.go", "fileutils.go", true },
        { "*.go", "x/fileutils.go", false },
        { "*/*.go", "x/fileutils.go", true },
        { "a*/b", "abc/b", true },
        { "a*/b", "a/c/b", false },
        { "a*b*c*d*e*/f", "axbxcxdxexxx/f", true },
        { "a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false },
        { "a*b?c*x", "abxbbxdbxebxczzx", true },
        { "a*b?c*x", "abxbbxdbxebxczzy", false },
        { "a?b", "a/b", false },
        { "a?b",
          "a\xE2\x98\xBA"
          "b",
          true },
        { "a???b",
          "a\xE2\x98\xBA"
          "b",
          false },
        { "?", "\xFF", true },
        { ".*", ".foo", true },
        { ".*", "foo", false },
        { "abc.def", "abcZdef", false },
        { "abc?def", "abcdef", false },
        { "a(b)c/def", "a(b)c/def", true },
        { "a.|)$(}+{bc^", "a.|)$(}+{bc^", true },
        { "dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true },
        { "", "anything", false },
        { "*", ".", false },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_match(cases[i].rules, cases[i].path, cases[i].match);
}

static void double_stars_cross_directories(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        { "**", "file", true },
        { "**/", "dir/file", true },
        { "**/**", "dir/file", true },
        { "dir/**", "dir/dir2/file", true },
        { "dir/**", "dir", false },
        { "dir**", "dir2/x", true },
        { "**/dir", "dir", true },
        { "**/dir", "a/b/dir/file", true },
        { "**/dir", "xdir", false },
        { "**/dir2/*", "dir/dir2/file", true },
        { "**/dir2/**", "dir/dir2/dir3/file", true },
        { "**file", "dir/dir/xfile", true },   /* a suffix, as long as all of it is plain */
        { "**file*", "dir/dir/xfile", false }, /* else names are whole */
        { "**file*", "dir/dir/filex", true },
        { "**/file*.txt*", "dir/dir/file.txt", true },
        { "**/**/*.txt", "file.txt", true },
        { "**/**/*.txt2", "dir/dir/file.txt", false },
        { "a**/*.txt", "a/file.txt", true },
        { "a**/*.txt", "a/dir/dir/file.txt", true },
        { "a/*.txt", "a/dir/file.txt", false },
        { "a/*.txt**", "a/file.txt", true },
        { "a/**/b", "a/b", true },
        { "a/**/b", "a/x/y/b/z", true },
        { "a/**/b", "a/xb", false },
        { "**/foo/bar", "dir/dir2/foo/bar", true },
        { "**/.foo", "bar.foo", false },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_match(cases[i].rules, cases[i].path, cases[i].match);
}

static void classes_and_escapes(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        { "a[b-d]e", "ace", true },
        { "a[b-d]e", "aae", false },
        { "a[^b-d]e", "aze", true },
        { "ab[^c]", "abc", false },
        { "[a-\xCE\xB6]*", "\xCE\xB1", true },
        { "*[a-\xCE\xB6]", "A", false },
        { "[\\]a]", "]", true },
        { "[x\\-]", "-", true },
        { "[x\\-]", "z", false },
        { "[*]", "*", true },
        { "[*]", "x", false },
        { "a\\*b", "a*b", true },
        { "a\\*b", "axb", false },
        { "a\\\\", "a\\", true },
        { "\\!x", "!x", true },
        { "x]", "x]", true },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_match(cases[i].rules, cases[i].path, cases[i].match);
}

static void the_last_rule_that_matches_decides(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        { "!fileutils.go\n*.go", "fileutils.go", true },
        { "*.go\n!fileutils.go", "fileutils.go", false },
        { "docs\n!docs/README.md", "docs/README.md", false },
        { "docs\n!docs/README.md", "docs/x", true },
        { "docs/*\n!docs/README.md", "docs/README.md", false },
        { "**\n!util/docker/web", "util/docker/web/foo", false },
        { "**\n!util/docker/web\nutil/docker/web/foo", "util/docker/web/foo", true },
        { "*\n!a\na/b\n!a/b/c", "a/b/c/d", false },
        { "*\n!a\na/b\n!a/b/c", "a/b/x", true },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_match(cases[i].rules, cases[i].path, cases[i].match);
}

static void lines_are_cleaned(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        { "\xEF\xBB\xBF"
          "abc",
          "abc", true },
        { "  abc \r\nx", "abc", true },
        { "/abc", "abc", true },
        { "./abc/", "abc", true },
        { "a//b/../c", "a/c", true },
        { "../abc", "abc", false },
        { "#abc", "#abc", false },
        { " #abc", "#abc", true }, /* a comment starts the line */
        { "abc\n ! /abc/ ", "abc", false },
        { "/", "abc", false },
        { "*\n!!abc", "!abc", false },
    };

    for (size_t i = 0; i < countof(cases); i++)
        assert_match(cases[i].rules, cases[i].path, cases[i].match);
    auto_(ignore_freep) struct ignore *none = NULL;
    assert_int_equal(ignore_parse(&none, NULL, "x", NULL), 0);
    assert_false(ignore_match(none, "abc"));
}

static void malformed_rules_are_named_with_their_line(void **state)
{
    (void)state;
    static const char *const rules[] = { "!",   " ! ",  "[",    "a[",      "[^",  "[^bc", "[]a]",
                                         "[-]", "[x-]", "[-x]", "[a-b-c]", "[\\", "\\",   "a\\" };

    for (size_t i = 0; i < countof(rules); i++) {
        struct ignore *ig = NULL;
        auto_error struct error err = ERROR_INIT;
        auto_str struct str text = STR_INIT;

        str_addf(&text, "ok\n\n%s\n", rules[i]);
        assert_int_equal(ignore_parse(&ig, text.buf, ".dockerignore", &err), -1);
        assert_null(ig);
        assert_int_equal(err.kind, ERR_INPUT);
        if (!str_starts(err.msg, ".dockerignore:3: rule '"))
            fail_msg("%s: %s", rules[i], err.msg);
    }
}

static void rules_can_be_added(void **state)
{
    (void)state;
    auto_(ignore_freep) struct ignore *ig = parsed("*.go\n");
    auto_error struct error err = ERROR_INIT;

    assert_int_equal(ignore_add(ig, "!main.go", &err), 0);
    assert_int_equal(ignore_add(ig, "#x", &err), 0);
    assert_int_equal(ignore_add(ig, "", &err), 0);
    assert_false(ignore_match(ig, "main.go"));
    assert_true(ignore_match(ig, "x.go"));
    assert_true(ignore_match(ig, "#x"));
    assert_int_equal(ignore_add(ig, "a[", &err), -1);
    assert_non_null(strstr(err.msg, "rule 'a['"));
}

static void ignored_directories_are_entered_only_for_exceptions(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        { "a", "a", false },
        { "a\n!a/b/c", "a", true },
        { "a\n!a/b/c", "a/b", true },
        { "a\n!a/b/c", "a/x", false },
        { "*\n!x/*.c", "y", false },
        { "*\n!x/*.c", "x", true },
        { "*\n!x/*.c", "x/y", false },
        { "*\n!**/keep", "y/z", true },
        { "*\n!*/keep", "y", true },
        { "*\n!*/keep", "y/z", false },
        { "!a/b\na", "a", false }, /* the exception comes too early */
        { "a\n!a/b\na/b", "a/b", false },
        { "node_modules\n!src", "node_modules", false },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        auto_(ignore_freep) struct ignore *ig = parsed(cases[i].rules);
        if (ignore_may_keep_below(ig, cases[i].path) != cases[i].match)
            fail_msg("rules %s: path %s: expected %d", cases[i].rules, cases[i].path,
                     cases[i].match);
    }
}

static void hostile_patterns_cost_little(void **state)
{
    (void)state;
    auto_str struct str rule = STR_INIT;
    auto_str struct str path = STR_INIT;
    struct timespec t0, t1;

    for (int i = 0; i < 500; i++)
        str_add(&rule, "*a**/");
    for (int i = 0; i < 4000; i++)
        str_addc(&path, 'a');
    auto_(ignore_freep) struct ignore *ig = parsed(rule.buf);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    assert_true(ignore_match(ig, path.buf));
    assert_false(ignore_match(ig, path.buf + 3501));
    clock_gettime(CLOCK_MONOTONIC, &t1);
    assert_true(t1.tv_sec - t0.tv_sec < 5);

    for (int i = 0; i < 1000; i++)
        str_add(&rule, "*a**/");
    assert_int_equal(ignore_add(ig, rule.buf, NULL), -1);
}

static void regexes_search_text(void **state)
{
    (void)state;
    auto_(regex_freep) struct regex *re = NULL;
    auto_error struct error err = ERROR_INIT;

    assert_int_equal(regex_compile(&re, "ready (to|for) .*conn", &err), 0);
    assert_int_equal(regex_search(re, "db is ready for connections", 27), REGEX_MATCH);
    assert_int_equal(regex_search(re, "db is ready for connections", 15), REGEX_NONE);
    /* Bytes that are no UTF-8. */
    assert_int_equal(regex_search(re, "\xFF ready to conn \xFF", 17), REGEX_MATCH);

    auto_(regex_freep) struct regex *bad = NULL;
    assert_int_equal(regex_compile(&bad, "a(b", &err), -1);
    assert_null(bad);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "not valid at character 4"));
    assert_string_equal(err.hint, "'a(b <-- HERE'");
}

static void hostile_regexes_end(void **state)
{
    (void)state;
    auto_(regex_freep) struct regex *re = NULL;
    char text[10000];

    memset(text, 'a', sizeof(text));
    assert_int_equal(regex_compile(&re, "(a+)+$b", NULL), 0);
    assert_int_equal(regex_search(re, text, sizeof(text)), REGEX_NONE); /* there is no b */
    regex_free(take(re));

    /* Few steps at each place, but many places: the time is limited. */
    const size_t len = 1 << 20;
    auto_free char *many = xmalloc(len);
    memset(many, 'a', len);
    assert_int_equal(regex_compile(&re, "a.*[bc]", NULL), 0);
    int64_t begin_ms = clock_ms();
    assert_int_equal(regex_search(re, many, len), REGEX_GAVE_UP);
    assert_true(clock_ms() - begin_ms < 20 * REGEX_SEARCH_MS);
    /* What is costly but ends is found, at whatever place. */
    memcpy(many + 2000,
           "\xc3\xa4"
           "b",
           3);
    assert_int_equal(regex_search(re, many, 2003), REGEX_MATCH);

    auto_str struct str nested = STR_INIT;
    auto_(regex_freep) struct regex *deep = NULL;
    for (int i = 0; i < 200; i++)
        str_addc(&nested, '(');
    for (int i = 0; i < 200; i++)
        str_addc(&nested, ')');
    assert_int_equal(regex_compile(&deep, nested.buf, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_docker),
        cmocka_unit_test(double_stars_cross_directories),
        cmocka_unit_test(classes_and_escapes),
        cmocka_unit_test(the_last_rule_that_matches_decides),
        cmocka_unit_test(lines_are_cleaned),
        cmocka_unit_test(malformed_rules_are_named_with_their_line),
        cmocka_unit_test(rules_can_be_added),
        cmocka_unit_test(ignored_directories_are_entered_only_for_exceptions),
        cmocka_unit_test(hostile_patterns_cost_little),
        cmocka_unit_test(regexes_search_text),
        cmocka_unit_test(hostile_regexes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
