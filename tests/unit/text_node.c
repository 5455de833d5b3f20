/* The document tree. */
#include "unit.h"

#include "base/cleanup.h"
#include "text/node.h"

static const struct span nowhere = { 0 };

static struct arena *setup_map(struct node **map)
{
    struct arena *a = arena_new();

    *map = node_new(a, NODE_MAP, nowhere);
    node_set_string(a, *map, "b", "1");
    node_set(a, *map, "a", node_int(a, 7, nowhere));
    node_set(a, *map, "c", node_bool(a, true, nowhere));
    return a;
}

static void keys_are_found_replaced_renamed_and_removed(void **state)
{
    (void)state;
    struct node *map;
    auto_(arena_freep) struct arena *a = setup_map(&map);

    assert_int_equal(map->len, 3);
    assert_string_equal(node_text(node_get(map, "b")), "1");
    node_set_string(a, map, "b", "2");
    assert_int_equal(map->len, 3);
    assert_string_equal(node_text_at(map, "b"), "2");
    assert_int_equal(node_index(map, "b"), 0);

    node_rename(a, map, "b", "z");
    assert_null(node_get(map, "b"));
    assert_int_equal(node_index(map, "z"), 0);
    node_rename(a, map, "z", "c");
    assert_int_equal(map->len, 2);
    assert_string_equal(node_text_at(map, "c"), "2");
    node_rename(a, map, "missing", "x");
    assert_int_equal(map->len, 2);

    node_remove(map, "a");
    node_remove(map, "missing");
    assert_int_equal(map->len, 1);
    assert_int_equal(node_index(map, "a"), -1);
}

static void getters_find_nothing_in_null_and_other_kinds(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *text = node_string(a, "x", nowhere);

    assert_null(node_get(NULL, "a"));
    assert_null(node_get(text, "a"));
    assert_null(node_at(NULL, "a.b"));
    assert_null(node_at(text, "a.b"));
    assert_int_equal(node_index(NULL, "a"), -1);
    assert_null(node_text(NULL));
    assert_null(node_text(node_new(a, NODE_LIST, nowhere)));
    assert_null(node_text(node_new(a, NODE_NULL, nowhere)));
    assert_false(node_is_scalar(NULL));
    node_each (i, (struct node *)NULL)
        fail();
}

static void dotted_paths_lead_through_maps(void **state)
{
    (void)state;
    struct node *map;
    auto_(arena_freep) struct arena *a = setup_map(&map);
    struct node *root = node_new(a, NODE_MAP, nowhere);

    node_set(a, root, "deploy", map);
    assert_int_equal(node_int_at(root, "deploy.a", -1), 7);
    assert_int_equal(node_int_at(root, "deploy.b", -1), -1); /* a string */
    assert_int_equal(node_int_at(root, "deploy.a.x", -1), -1);
    assert_int_equal(node_int_at(root, "deplo.a", -1), -1);
    assert_int_equal(node_int_at(root, "deploy.aa", -1), -1);
    assert_true(node_bool_at(root, "deploy.c", false));
    assert_true(node_bool_at(root, "deploy.missing", true));
    assert_ptr_equal(node_at(root, "deploy"), map);
}

static void lists_grow_and_shrink(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *list = node_new(a, NODE_LIST, nowhere);

    for (int i = 0; i < 100; i++)
        node_append(a, list, node_int(a, i, nowhere));
    assert_int_equal(list->len, 100);
    assert_int_equal(list->items[57]->integer, 57);
    node_remove_at(list, 0);
    node_remove_at(list, 98);
    assert_int_equal(list->len, 98);
    assert_int_equal(list->items[0]->integer, 1);
    assert_int_equal(list->items[97]->integer, 98);
}

static void keys_sort_bytewise(void **state)
{
    (void)state;
    struct node *map;
    auto_(arena_freep) struct arena *a = setup_map(&map);

    node_set_string(a, map, "Z", "last added");
    node_sort_keys(map);
    assert_string_equal(map->keys[0], "Z");
    assert_string_equal(map->keys[1], "a");
    assert_string_equal(map->keys[3], "c");
    assert_string_equal(node_text(map->items[0]), "last added");
    node_sort_keys(NULL);
}

static void copies_share_nothing(void **state)
{
    (void)state;
    struct node *map;
    auto_(arena_freep) struct arena *a = setup_map(&map);
    auto_(arena_freep) struct arena *other = arena_new();
    struct node *copy = node_copy(other, map);

    assert_true(node_equal(map, copy));
    node_set_string(a, map, "b", "changed");
    node_remove(map, "a");
    assert_string_equal(node_text_at(copy, "b"), "1");
    assert_int_equal(node_int_at(copy, "a", -1), 7);
    node_set_string(other, copy, "new", "x");
    assert_null(node_get(map, "new"));
}

static void equality_is_by_value(void **state)
{
    (void)state;
    struct node *map;
    auto_(arena_freep) struct arena *a = setup_map(&map);
    struct node *same = node_new(a, NODE_MAP, nowhere);

    node_set(a, same, "c", node_bool(a, true, nowhere));
    node_set(a, same, "a", node_int(a, 7, nowhere));
    assert_false(node_equal(map, same));
    node_set_string(a, same, "b", "1");
    assert_true(node_equal(map, same)); /* another order */
    node_set_string(a, same, "a", "7");
    assert_false(node_equal(map, same)); /* another kind */
    assert_true(node_equal(NULL, NULL));
    assert_false(node_equal(map, NULL));

    struct node *ab = node_new(a, NODE_LIST, nowhere);
    struct node *ba = node_new(a, NODE_LIST, nowhere);
    node_append(a, ab, node_string(a, "a", nowhere));
    node_append(a, ab, node_string(a, "b", nowhere));
    node_append(a, ba, node_string(a, "b", nowhere));
    node_append(a, ba, node_string(a, "a", nowhere));
    assert_false(node_equal(ab, ba));
}

static void keys_know_where_they_stand(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *map = node_new(a, NODE_MAP, nowhere);
    struct span at = { .line = 3, .column = 9 };

    node_set(a, map, "k", node_string(a, "v", at));
    assert_int_equal(node_key_span(map, "k").line, 3);
    assert_int_equal(node_key_span(map, "missing").line, 0);
}

/* Maps of many keys have a table; nothing but the time may tell. */
static void many_keys_are_found_whatever_happened(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *map = node_new(a, NODE_MAP, (struct span){ 0 });
    char key[32];

    for (int i = MANY - 1; i >= 0; i--) {
        snprintf(key, sizeof(key), "k%04d", i);
        assert_int_equal(node_index(map, key), -1);
        node_set(a, map, key, node_int(a, i, map->span));
        assert_int_equal(node_index(map, key), MANY - 1 - i);
    }
    node_set(a, map, "k0007", node_int(a, 7000, map->span));
    assert_int_equal(map->len, MANY);
    assert_int_equal(node_get(map, "k0007")->integer, 7000);

    node_remove(map, "k0008");
    assert_null(node_get(map, "k0008"));
    assert_int_equal(node_get(map, "k0009")->integer, 9);
    node_rename(a, map, "k0009", "new");
    assert_null(node_get(map, "k0009"));
    assert_int_equal(node_get(map, "new")->integer, 9);

    node_sort_keys(map);
    assert_int_equal(node_index(map, "k0000"), 0);
    assert_int_equal(node_index(map, "new"), map->len - 1);

    /* Moved, cut and copied by hand. */
    const char *first = map->keys[0];
    map->keys[0] = map->keys[1];
    map->keys[1] = first;
    assert_int_equal(node_index(map, "k0000"), 1);
    struct node shallow = *map;
    shallow.len = 2;
    assert_int_equal(node_index(&shallow, "k0000"), 1);
    assert_int_equal(node_index(&shallow, "k0002"), -1);
    assert_int_equal(node_index(map, "k0002"), 2);

    struct node *copy = node_copy(a, map);
    node_set(a, copy, "more", node_int(a, 1, map->span));
    assert_null(node_get(map, "more"));
    assert_int_equal(node_index(copy, "more"), map->len);
    assert_true(node_equal(node_get(copy, "k0500"), node_get(map, "k0500")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_replaced_renamed_and_removed),
        cmocka_unit_test(getters_find_nothing_in_null_and_other_kinds),
        cmocka_unit_test(dotted_paths_lead_through_maps),
        cmocka_unit_test(lists_grow_and_shrink),
        cmocka_unit_test(keys_sort_bytewise),
        cmocka_unit_test(copies_share_nothing),
        cmocka_unit_test(equality_is_by_value),
        cmocka_unit_test(keys_know_where_they_stand),
        cmocka_unit_test(many_keys_are_found_whatever_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
