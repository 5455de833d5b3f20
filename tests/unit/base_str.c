/* Growable strings, their maximum, and the small helpers. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/str.h"

static void appends_grow_and_stay_terminated(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT;
    assert_string_equal(s.buf, "");
    str_add(&s, "ab");
    str_addn(&s, "cdef", 2);
    str_addc(&s, 'e');
    str_addf(&s, "%03d", 7);
    assert_string_equal(s.buf, "abcde007");
    assert_int_equal(s.len, 8);
    for (int i = 0; i < 10000; i++)
        str_addc(&s, 'x');
    assert_int_equal(s.len, 10008);
    assert_int_equal(strlen(s.buf), 10008);
    assert_false(s.overflow);
}

static void bytes_may_be_nul(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT;
    str_addn(&s, "a\0b", 3);
    str_addc(&s, '\0');
    assert_int_equal(s.len, 4);
    assert_memory_equal(s.buf, "a\0b\0", 5);
}

static void passing_the_maximum_cuts_and_is_remembered(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT_MAX(5);
    str_add(&s, "hello");
    assert_false(s.overflow);
    str_add(&s, "");
    assert_false(s.overflow);
    str_add(&s, "!");
    assert_true(s.overflow);
    assert_string_equal(s.buf, "hello");
    str_truncate(&s, 3);
    str_addf(&s, "%d", 1234);
    assert_string_equal(s.buf, "hel12");
    assert_true(s.overflow);

    str_clear(&s);
    assert_false(s.overflow);
    assert_string_equal(s.buf, "");
    str_add(&s, "123456");
    assert_string_equal(s.buf, "12345");
}

static void no_room_at_all_is_fine(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT_MAX(0);
    str_add(&s, "a");
    assert_true(s.overflow);
    assert_string_equal(s.buf, "");
}

static void consume_drops_the_front_truncate_the_back(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT;
    str_consume(&s, 3);
    str_truncate(&s, 0);
    str_add(&s, "abcdef");
    str_consume(&s, 2);
    assert_string_equal(s.buf, "cdef");
    str_truncate(&s, 10);
    assert_string_equal(s.buf, "cdef");
    str_truncate(&s, 1);
    assert_string_equal(s.buf, "c");
    str_consume(&s, 9);
    assert_int_equal(s.len, 0);
    assert_string_equal(s.buf, "");
}

static void detach_hands_over(void **state)
{
    (void)state;
    auto_str struct str s = STR_INIT;
    auto_free char *empty = str_detach(&s);
    assert_string_equal(empty, "");
    str_add(&s, "x");
    auto_free char *text = str_detach(&s);
    assert_string_equal(text, "x");
    assert_int_equal(s.len, 0);
    str_add(&s, "y");
    assert_string_equal(text, "x");
    assert_string_equal(s.buf, "y");
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(str_eq("a", "a"));
    assert_false(str_eq("a", "b"));
    assert_true(str_eq(NULL, NULL));
    assert_false(str_eq(NULL, ""));
    assert_false(str_eq("", NULL));
    assert_true(str_starts("abc", "ab"));
    assert_true(str_starts("abc", ""));
    assert_false(str_starts("ab", "abc"));
    assert_true(str_ends("abc", "bc"));
    assert_true(str_ends("abc", ""));
    assert_false(str_ends("bc", "abc"));
    assert_false(str_ends("abc", "ab"));
}

static void distance_counts_edits_up_to_the_limit(void **state)
{
    (void)state;
    assert_int_equal(str_distance("kitten", "sitting", 5), 3);
    assert_int_equal(str_distance("sitting", "kitten", 5), 3);
    assert_int_equal(str_distance("", "abc", 3), 3);
    assert_int_equal(str_distance("same", "same", 0), 0);
    assert_int_equal(str_distance("kitten", "sitting", 2), 3);
    assert_int_equal(str_distance("a", "abcdefgh", 2), 3);
    char long_a[300], long_b[300];
    memset(long_a, 'a', 299), long_a[299] = '\0';
    memset(long_b, 'a', 299), long_b[299] = '\0';
    assert_int_equal(str_distance(long_a, long_b, 2), 3);
}

static void switches(void **state)
{
    (void)state;
    static const char *const on[] = { "1", "t", "true", "True", "Y", "yes" };
    static const char *const off[] = { "", "0", "false", "no", "on ", "2", NULL };
    for (size_t i = 0; i < countof(on); i++)
        assert_true(str_is_true(on[i]));
    for (size_t i = 0; i < countof(off); i++)
        assert_false(str_is_true(off[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switches),
        cmocka_unit_test(appends_grow_and_stay_terminated),
        cmocka_unit_test(bytes_may_be_nul),
        cmocka_unit_test(passing_the_maximum_cuts_and_is_remembered),
        cmocka_unit_test(no_room_at_all_is_fine),
        cmocka_unit_test(consume_drops_the_front_truncate_the_back),
        cmocka_unit_test(detach_hands_over),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(distance_counts_edits_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
