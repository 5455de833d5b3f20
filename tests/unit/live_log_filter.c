/* Which lines are wanted. */
#include "unit.h"

#include "live/log_filter.h"

static bool wants(const char *grep, const char *not_, const char *text, size_t len)
{
    struct strv wanted = STRV_INIT, unwanted = STRV_INIT;
    struct log_filter f;
    strv_split(&wanted, grep, " ");
    strv_split(&unwanted, not_, " ");
    assert_int_equal(log_filter_open(&f, &wanted, &unwanted, NULL), 0);
    bool yes = log_filter_wants(&f, text, len);
    log_filter_close(&f);
    strv_clear(&wanted);
    strv_clear(&unwanted);
    return yes;
}

#define WANTS(grep, not_, text) wants(grep, not_, text, sizeof(text) - 1)

static void any_of_some_and_none_of_others(void **state)
{
    (void)state;
    assert_true(WANTS("", "", "anything"));
    assert_true(WANTS("a b", "", "only b"));
    assert_false(WANTS("a b", "", "neither"));
    assert_false(WANTS("a b", "c", "a and c"));
    assert_false(WANTS("", "x y", "y"));
    assert_true(WANTS("", "x y", "z"));
    assert_true(WANTS("^$", "", ""));
}

static void escapes_are_not_seen(void **state)
{
    (void)state;
    assert_true(WANTS("^red$", "", "\x1b[31mred\x1b[0m"));
    assert_true(WANTS("^red$", "", "\x1b[38;5;196mr\x1b[1me\x1b[md\x1b[K"));
    assert_true(WANTS("^text$", "", "\x1b]0;title\ate\x1b]8;;http://x\x1b\\xt"));
    assert_true(WANTS("^ab$", "", "a\x1b(B\x1b\x37\rb"));
    assert_true(WANTS("^a\\tb$", "", "a\tb")); /* a tab is text */
    assert_true(WANTS("^x$", "", "x\x1b"));    /* sequences that do not end */
    assert_true(WANTS("^x$", "", "x\x1b[31"));
    assert_true(WANTS("^x$", "", "x\x1b]0;title"));
    assert_true(WANTS("ba", "",
                      "\xff\xfe"
                      "ba")); /* bytes that are no UTF-8 */
    assert_true(WANTS("^ab$", "", "a\0b"));
}

static void a_search_that_takes_too_long_hides_nothing(void **state)
{
    (void)state;
    struct strv wanted = STRV_INIT, none = STRV_INIT;
    struct log_filter f;
    char *text = malloc(1 << 20);
    memset(text, 'a', 1 << 20);
    strv_add(&wanted, "(a+)+[bc]$");
    assert_int_equal(log_filter_open(&f, &wanted, &none, NULL), 0);
    assert_true(log_filter_wants(&f, text, 1 << 20));
    assert_int_equal(f.gave_up, 1);
    log_filter_close(&f);
    strv_clear(&wanted);
    free(text);
}

static void a_wrong_pattern_is_pointed_at(void **state)
{
    (void)state;
    struct strv good = STRV_INIT, bad = STRV_INIT;
    struct log_filter f;
    auto_error struct error err = ERROR_INIT;
    strv_add(&good, "fine");
    strv_add(&bad, "a) and more");
    assert_int_equal(log_filter_open(&f, &good, &bad, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.msg, "--not: "));
    assert_string_equal(err.hint, "'a <-- HERE ) and more'");
    strv_clear(&good);
    strv_clear(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_of_some_and_none_of_others),
        cmocka_unit_test(escapes_are_not_seen),
        cmocka_unit_test(a_search_that_takes_too_long_hides_nothing),
        cmocka_unit_test(a_wrong_pattern_is_pointed_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
