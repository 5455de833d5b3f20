/* The graph of operations: order, doubles, circles. */
#include "unit.h"

#include "plan/graph.h"

static int begin(void **state)
{
    struct graph *g = calloc(1, sizeof(*g));
    g->arena = arena_new();
    *state = g;
    return 0;
}

static int end(void **state)
{
    struct graph *g = *state;
    arena_free(g->arena);
    vec_free(g);
    free(g);
    return 0;
}

static struct op *add(struct graph *g, const char *name)
{
    return graph_add(g, OP_START, name, NULL);
}

static void what_is_needed_comes_first(void **state)
{
    struct graph *g = *state;
    struct op *web = add(g, "web"), *alone = add(g, "alone"), *db = add(g, "db");
    graph_need(g, web, db, false);
    assert_int_equal(graph_finish(g, NULL), 0);
    assert_ptr_equal(g->items[0], db);
    assert_ptr_equal(g->items[1], web);
    assert_ptr_equal(g->items[2], alone);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(g->items[i]->index, i);
    assert_int_equal(db->nthen, 1);
    assert_ptr_equal(db->then[0], web);
}

static void nothing_itself_and_doubles_are_ignored(void **state)
{
    struct graph *g = *state;
    struct op *a = add(g, "a"), *b = add(g, "b"), *c = add(g, "c");
    graph_need(g, a, NULL, false);
    graph_need(g, a, a, false);
    for (int i = 0; i < 20; i++) {
        graph_need(g, a, b, true);
        graph_need(g, a, c, true);
    }
    graph_need(g, a, c, false);
    assert_int_equal(graph_finish(g, NULL), 0);
    assert_int_equal(a->nneeds, 2);
    assert_ptr_equal(a->needs[0].op, b);
    assert_true(a->needs[0].soft);
    /* Hard and soft together are hard. */
    assert_ptr_equal(a->needs[1].op, c);
    assert_false(a->needs[1].soft);
    assert_int_equal(b->nthen, 1);
}

static void a_soft_edge_gives_way_to_a_circle(void **state)
{
    struct graph *g = *state;
    struct op *a = add(g, "a"), *b = add(g, "b"), *c = add(g, "c"), *d = add(g, "d");
    graph_need(g, a, b, false);
    graph_need(g, b, c, false);
    graph_need(g, c, a, true);
    graph_need(g, d, c, true);
    assert_int_equal(graph_finish(g, NULL), 0);
    assert_int_equal(c->nneeds, 0);
    assert_int_equal(a->nneeds, 1);
    assert_true(c->index < b->index && b->index < a->index);
}

static void a_circle_is_told(void **state)
{
    struct graph *g = *state;
    struct error err = ERROR_INIT;
    struct op *a = add(g, "a"), *b = add(g, "b"), *behind = add(g, "behind");
    graph_need(g, a, b, false);
    graph_need(g, b, a, false);
    graph_need(g, behind, a, false);
    assert_int_equal(graph_finish(g, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(err.msg,
                        "what is to be done waits for itself: start a -> start b -> start a");
    error_clear(&err);
}

static void long_chains_are_no_problem(void **state)
{
    struct graph *g = *state;
    enum { N = 200000 };
    struct op *before = NULL;
    for (int i = 0; i < N; i++) {
        struct op *op = add(g, "x");
        graph_need(g, before ? before : op, op, false);
        before = op;
    }
    assert_int_equal(graph_finish(g, NULL), 0);
    assert_ptr_equal(g->items[0], before);
}

static void an_empty_graph_is_finished(void **state)
{
    struct graph *g = *state;
    assert_int_equal(graph_finish(g, NULL), 0);
    assert_int_equal(g->len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_needed_comes_first),        TEST(nothing_itself_and_doubles_are_ignored),
        TEST(a_soft_edge_gives_way_to_a_circle), TEST(a_circle_is_told),
        TEST(long_chains_are_no_problem),        TEST(an_empty_graph_is_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
