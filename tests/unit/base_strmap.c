/* Maps from strings. */
#include "unit.h"

#include "base/strmap.h"

static void values_are_found_replaced_and_removed(void **state)
{
    (void)state;
    struct strmap m = STRMAP_INIT;
    int one = 1, two = 2;
    char key[] = "a";
    assert_null(strmap_get(&m, "a"));
    assert_null(strmap_set(&m, key, &one));
    key[0] = 'z';
    assert_ptr_equal(strmap_get(&m, "a"), &one);
    assert_false(strmap_has(&m, "z"));
    assert_ptr_equal(strmap_set(&m, "a", &two), &one);
    assert_ptr_equal(strmap_get(&m, "a"), &two);
    assert_int_equal(strmap_len(&m), 1);
    assert_ptr_equal(strmap_remove(&m, "a"), &two);
    assert_null(strmap_remove(&m, "a"));
    assert_int_equal(strmap_len(&m), 0);
    strmap_clear(&m, NULL);
}

static void a_null_value_is_still_there(void **state)
{
    (void)state;
    struct strmap m = STRMAP_INIT;
    strmap_set(&m, "a", NULL);
    assert_true(strmap_has(&m, "a"));
    assert_null(strmap_get(&m, "a"));
    strmap_clear(&m, NULL);
    assert_false(strmap_has(&m, "a"));
}

static void iteration_is_in_insertion_order(void **state)
{
    (void)state;
    struct strmap m = STRMAP_INIT;
    static char values[1000];
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "k%d", i * 7919 % 1000);
        strmap_set(&m, key, &values[i]);
    }
    strmap_set(&m, "k0", &values[0]); /* replacing keeps the place */
    strmap_remove(&m, "k919");        /* the second */
    int i = 0;
    strmap_each (it, &m) {
        if (i == 1)
            i = 2;
        assert_ptr_equal(it->value, &values[i++]);
    }
    assert_int_equal(i, 1000);
    assert_int_equal(strmap_len(&m), 999);
    strmap_clear(&m, NULL);
}

static void clear_releases_each_value_once(void **state)
{
    (void)state;
    struct strmap m = STRMAP_INIT;
    strmap_set(&m, "a", strdup("1"));
    strmap_set(&m, "b", strdup("2"));
    free(strmap_set(&m, "b", strdup("3")));
    strmap_clear(&m, free);
    assert_int_equal(strmap_len(&m), 0);
    strmap_set(&m, "c", NULL);
    assert_true(strmap_has(&m, "c"));
    strmap_clear(&m, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_replaced_and_removed),
        cmocka_unit_test(a_null_value_is_still_there),
        cmocka_unit_test(iteration_is_in_insertion_order),
        cmocka_unit_test(clear_releases_each_value_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
