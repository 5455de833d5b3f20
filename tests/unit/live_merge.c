/* Lines of several streams in the order of their times. */
#include "unit.h"

#include "live/merge.h"

static struct log_line *line_at(int64_t at_ns, size_t len)
{
    struct log_line *line = xcalloc(1, sizeof(*line) + len + 1);
    line->at_ns = at_ns;
    line->len = len;
    return line;
}

static int64_t take_time(struct merge *m, struct merge_queue *q)
{
    struct log_line *line = merge_take(m, q);
    int64_t at_ns = line->at_ns;
    free(line);
    return at_ns;
}

/* Many queues of many lines with times from a small range: sorted, and nothing lost. */
static void all_lines_come_in_order(void **state)
{
    (void)state;
    enum { QUEUES = 37, LINES = 200 };
    struct merge_queue queues[QUEUES] = { 0 };
    struct merge m = { 0 };
    unsigned random = 1;
    for (size_t i = 0; i < QUEUES; i++) {
        int64_t at = 0;
        queues[i].order = i;
        for (size_t k = 0; k < LINES; k++) {
            random = random * 1103515245 + 12345;
            at += random >> 16 & 7;
            merge_put(&m, &queues[i], line_at(at, k));
        }
    }
    size_t taken = 0, order = 0;
    int64_t last = -1;
    for (struct merge_queue *q; (q = merge_oldest(&m, false)); taken++) {
        int64_t at = take_time(&m, q);
        assert_true(at > last || (at == last && q->order >= order));
        last = at;
        order = q->order;
    }
    assert_int_equal(taken, QUEUES * LINES);
    assert_int_equal(m.bytes, 0);
    merge_clear(&m);
}

static void a_silent_stream_is_waited_for(void **state)
{
    (void)state;
    struct merge_queue a = { .order = 1 }, b = { .order = 2 };
    struct merge m = { 0 };
    merge_expect(&m, &a, true);
    merge_expect(&m, &b, true);
    merge_put(&m, &b, line_at(5, 1));
    assert_null(merge_oldest(&m, false)); /* a may have an older one */
    assert_ptr_equal(merge_oldest(&m, true), &b);
    merge_put(&m, &a, line_at(3, 1));
    assert_ptr_equal(merge_oldest(&m, false), &a);
    assert_int_equal(take_time(&m, &a), 3);
    assert_null(merge_oldest(&m, false)); /* and again */
    merge_expect(&m, &a, false);
    assert_ptr_equal(merge_oldest(&m, false), &b);
    assert_int_equal(take_time(&m, &b), 5);
    assert_null(merge_oldest(&m, true));
    merge_remove(&m, &b);
    merge_clear(&m);
}

static void a_queue_can_go_with_its_lines(void **state)
{
    (void)state;
    struct merge_queue queues[5] = { 0 };
    struct merge m = { 0 };
    for (size_t i = 0; i < 5; i++)
        for (int k = 0; k < 3; k++)
            merge_put(&m, &queues[i], line_at((int64_t)(10 - i) + k * 10, 100));
    merge_remove(&m, &queues[4]); /* the oldest one */
    merge_remove(&m, &queues[1]);
    assert_ptr_equal(merge_oldest(&m, false), &queues[3]);
    assert_int_equal(take_time(&m, &queues[3]), 7);
    assert_ptr_equal(merge_oldest(&m, false), &queues[2]);
    for (size_t i = 0; i < 5; i++)
        merge_remove(&m, &queues[i]);
    assert_int_equal(m.bytes, 0);
    assert_int_equal(m.silent, 0);
    merge_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lines_come_in_order),
        cmocka_unit_test(a_silent_stream_is_waited_for),
        cmocka_unit_test(a_queue_can_go_with_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
