/* Queues of lines, and a heap over them. */
#include "live/merge.h"

static bool before(const struct merge_queue *a, const struct merge_queue *b)
{
    if (a->first->at_ns != b->first->at_ns)
        return a->first->at_ns < b->first->at_ns;
    return a->order < b->order;
}

static void set(struct merge *m, size_t place, struct merge_queue *q)
{
    m->items[place - 1] = q;
    q->place = place;
}

static void move_up(struct merge *m, struct merge_queue *q)
{
    size_t place = q->place;
    for (; place > 1 && before(q, m->items[place / 2 - 1]); place /= 2)
        set(m, place, m->items[place / 2 - 1]);
    set(m, place, q);
}

static void move_down(struct merge *m, struct merge_queue *q)
{
    size_t place = q->place;
    for (;;) {
        size_t child = place * 2;
        if (child < m->len && before(m->items[child], m->items[child - 1]))
            child++;
        if (child > m->len || !before(m->items[child - 1], q))
            break;
        set(m, place, m->items[child - 1]);
        place = child;
    }
    set(m, place, q);
}

static void leave_heap(struct merge *m, struct merge_queue *q)
{
    struct merge_queue *last = m->items[m->len - 1];
    size_t place = q->place;
    m->len--;
    q->place = 0;
    if (last == q)
        return;
    set(m, place, last);
    move_up(m, last);
    move_down(m, last);
}

static bool is_silent(const struct merge_queue *q)
{
    return q->expected && !q->first;
}

void merge_expect(struct merge *m, struct merge_queue *q, bool expected)
{
    m->silent -= is_silent(q);
    q->expected = expected;
    m->silent += is_silent(q);
}

static size_t size_of(const struct log_line *line)
{
    return sizeof(*line) + line->len;
}

void merge_put(struct merge *m, struct merge_queue *q, struct log_line *line)
{
    q->bytes += size_of(line);
    m->bytes += size_of(line);
    line->next = NULL;
    if (q->first) {
        q->last = q->last->next = line;
        return;
    }
    m->silent -= is_silent(q);
    q->first = q->last = line;
    *vec_push(m) = q;
    q->place = m->len;
    move_up(m, q);
}

struct merge_queue *merge_oldest(const struct merge *m, bool all)
{
    return m->len && (all || !m->silent) ? m->items[0] : NULL;
}

struct log_line *merge_take(struct merge *m, struct merge_queue *q)
{
    struct log_line *line = q->first;
    q->bytes -= size_of(line);
    m->bytes -= size_of(line);
    q->first = line->next;
    if (q->first) {
        move_down(m, q);
    } else {
        leave_heap(m, q);
        m->silent += is_silent(q);
    }
    return line;
}

void merge_remove(struct merge *m, struct merge_queue *q)
{
    merge_expect(m, q, false);
    while (q->first)
        free(merge_take(m, q));
}

void merge_clear(struct merge *m)
{
    vec_free(m);
}
