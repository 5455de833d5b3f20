/* Lists of strings. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/strv.h"

static void the_list_owns_copies_and_ends_in_null(void **state)
{
    (void)state;
    auto_strv struct strv v = STRV_INIT;
    char text[] = "one";
    strv_add(&v, text);
    text[0] = 'X';
    strv_addn(&v, "twofold", 3);
    strv_addf(&v, "%d", 3);
    strv_take(&v, strdup("four"));
    assert_int_equal(v.len, 4);
    assert_string_equal(v.items[0], "one");
    assert_string_equal(v.items[1], "two");
    assert_string_equal(v.items[2], "3");
    assert_string_equal(v.items[3], "four");
    assert_null(v.items[4]);
    for (int i = 4; i < 100; i++) {
        strv_addf(&v, "%d", i);
        assert_null(v.items[v.len]);
    }
}

static void has_finds_whole_strings(void **state)
{
    (void)state;
    auto_strv struct strv v = STRV_INIT;
    assert_false(strv_has(&v, "a"));
    strv_add(&v, "ab");
    assert_false(strv_has(&v, "a"));
    assert_true(strv_has(&v, "ab"));
}

static void sort_is_by_bytes(void **state)
{
    (void)state;
    auto_strv struct strv v = STRV_INIT;
    strv_sort(&v);
    strv_split(&v, "b a C B a", " ");
    strv_sort(&v);
    auto_free char *text = strv_join(&v, " ");
    assert_string_equal(text, "B C a a b");
    assert_null(v.items[v.len]);
}

static void split_drops_empty_parts(void **state)
{
    (void)state;
    auto_strv struct strv v = STRV_INIT;
    strv_split(&v, ",a,, b;c;", ",;");
    assert_int_equal(v.len, 3);
    assert_string_equal(v.items[1], " b");
    strv_split(&v, "", ",");
    strv_split(&v, ",,", ",");
    assert_int_equal(v.len, 3);
}

static void join_puts_separators_between(void **state)
{
    (void)state;
    auto_strv struct strv v = STRV_INIT;
    auto_free char *none = strv_join(&v, ", ");
    assert_string_equal(none, "");
    strv_add(&v, "a");
    auto_free char *one = strv_join(&v, ", ");
    assert_string_equal(one, "a");
    strv_add(&v, "");
    strv_add(&v, "b");
    auto_free char *more = strv_join(&v, ", ");
    assert_string_equal(more, "a, , b");
}

static void each_walks_in_order_and_empty_lists_are_fine(void **state)
{
    (void)state;
    auto_strv struct strv v = STRV_INIT;
    int seen = 0;
    strv_each (it, &v)
        seen++;
    assert_int_equal(seen, 0);
    strv_split(&v, "0 1 2", " ");
    strv_each (it, &v)
        assert_int_equal((*it)[0] - '0', seen++);
    assert_int_equal(seen, 3);
    strv_clear(&v);
    assert_int_equal(v.len, 0);
    strv_add(&v, "again");
    assert_string_equal(v.items[0], "again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_owns_copies_and_ends_in_null),
        cmocka_unit_test(has_finds_whole_strings),
        cmocka_unit_test(sort_is_by_bytes),
        cmocka_unit_test(split_drops_empty_parts),
        cmocka_unit_test(join_puts_separators_between),
        cmocka_unit_test(each_walks_in_order_and_empty_lists_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
