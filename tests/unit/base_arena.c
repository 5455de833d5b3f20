/* Arena: zeroed and aligned memory that stays where it is. */
#include "unit.h"

#include <stdalign.h>

#include "base/arena.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    unsigned char *blocks[2000];
    /* Sizes on both sides of a chunk, in an order that mixes them. */
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 97 == 0 ? 30000 : i % 50;
        blocks[i] = arena_alloc(a, size);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], (int)(i % 251 + 1), size);
    }
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 97 == 0 ? 30000 : i % 50;
        for (size_t k = 0; k < size; k++)
            assert_int_equal(blocks[i][k], i % 251 + 1);
    }
}

static void empty_blocks_differ(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    void *one = arena_alloc(a, 0);
    assert_non_null(one);
    assert_ptr_not_equal(one, arena_alloc(a, 0));
}

static void strings_are_copied(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    char text[] = "hello";
    char *copy = arena_strdup(a, text);
    text[0] = 'j';
    assert_string_equal(copy, "hello");
    assert_string_equal(arena_strndup(a, "hello", 3), "hel");
    assert_string_equal(arena_strndup(a, "hello", 30), "hello");
    assert_string_equal(arena_printf(a, "%d of %s", 2, "x"), "2 of x");
    assert_null(arena_strdup(a, NULL));
}

static void used_counts_what_was_handed_out(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    assert_int_equal(arena_used(a), 0);
    arena_alloc(a, 100);
    size_t before = arena_used(a);
    assert_true(before >= 100 && before < 200);
    arena_alloc(a, 1 << 20);
    assert_true(arena_used(a) - before >= 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(empty_blocks_differ),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(used_counts_what_was_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
