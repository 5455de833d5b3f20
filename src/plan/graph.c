/*
 * The graph of operations.
 *
 * Edges are kept as they are added; doubles are dropped at the end, when every operation is looked
 * at once, so that building stays linear. Soft edges only ask for an order: where they would close
 * a circle they are dropped.
 */
#include "plan/graph.h"

#include <string.h>

#include "base/str.h"

/* An operation with what only its construction needs. */
struct growing {
    struct op op; /* first */
    size_t cap;   /* of op.needs */
};

struct op *graph_add(struct graph *g, enum op_kind kind, const char *subject, const char *reason)
{
    struct growing *new = arena_new_(g->arena, struct growing);
    struct op *op = &new->op;
    op->kind = kind;
    op->index = g->len;
    op->subject = subject;
    op->reason = reason;
    op->timeout_s = -1;
    *vec_push(g) = op;
    return op;
}

void graph_need(struct graph *g, struct op *op, struct op *first, bool soft)
{
    struct growing *at = (struct growing *)op;
    if (!first || first == op)
        return;
    if (op->nneeds == at->cap) {
        size_t cap = at->cap ? 2 * at->cap : 4;
        struct op_need *needs = arena_alloc(g->arena, cap * sizeof(*needs));
        if (op->nneeds)
            memcpy(needs, op->needs, op->nneeds * sizeof(*needs));
        op->needs = needs;
        at->cap = cap;
    }
    op->needs[op->nneeds++] = (struct op_need){ first, soft };
}

/* Keeps one edge to each operation: the hard one where there are both. */
static void drop_doubles(struct graph *g)
{
    struct mark {
        const struct op *of;
        size_t at;
    };
    auto_free struct mark *marks = xcalloc(g->len, sizeof(*marks));
    vec_each (it, g) {
        struct op *op = *it;
        size_t kept = 0;
        for (size_t i = 0; i < op->nneeds; i++) {
            struct op_need need = op->needs[i];
            struct mark *mark = &marks[need.op->index];
            if (mark->of == op) {
                op->needs[mark->at].soft = op->needs[mark->at].soft && need.soft;
                continue;
            }
            *mark = (struct mark){ op, kept };
            op->needs[kept++] = need;
        }
        op->nneeds = kept;
    }
}

static void drop_soft_between_stuck(struct graph *g, const size_t *missing)
{
    vec_each (it, g) {
        struct op *op = *it;
        size_t kept = 0;
        for (size_t i = 0; i < op->nneeds; i++)
            if (!op->needs[i].soft || !missing[op->index] || !missing[op->needs[i].op->index])
                op->needs[kept++] = op->needs[i];
        op->nneeds = kept;
    }
}

static void fill_then(struct graph *g)
{
    vec_each (it, g)
        (*it)->nthen = 0;
    vec_each (it, g)
        for (size_t i = 0; i < (*it)->nneeds; i++)
            (*it)->needs[i].op->nthen++;
    vec_each (it, g) {
        (*it)->then = arena_alloc(g->arena, (*it)->nthen * sizeof(*(*it)->then));
        (*it)->nthen = 0;
    }
    vec_each (it, g)
        for (size_t i = 0; i < (*it)->nneeds; i++) {
            struct op *first = (*it)->needs[i].op;
            first->then[first->nthen++] = *it;
        }
}

/* Does what can be done; *missing[i] stays above 0 for what waits in a circle or behind one.
 * Returns how many those are. */
static size_t count_stuck(struct graph *g, size_t *missing)
{
    auto_free struct op **ready = xcalloc(g->len, sizeof(*ready));
    size_t nready = 0, done = 0;
    vec_each (it, g) {
        missing[(*it)->index] = (*it)->nneeds;
        if (!(*it)->nneeds)
            ready[nready++] = *it;
    }
    while (done < nready) {
        const struct op *op = ready[done++];
        for (size_t i = 0; i < op->nthen; i++)
            if (--missing[op->then[i]->index] == 0)
                ready[nready++] = op->then[i];
    }
    return g->len - done;
}

/* Follows needs from a stuck operation until one comes again. */
static int report_circle(struct graph *g, const size_t *missing, struct error *err)
{
    auto_str struct str path = STR_INIT;
    auto_free bool *seen = xcalloc(g->len, sizeof(*seen));
    struct op *op = NULL;
    vec_each (it, g)
        if (missing[(*it)->index])
            op = *it;
    for (bool in_circle = false;;) {
        if (seen[op->index]) {
            if (in_circle)
                break;
            in_circle = true;
            memset(seen, 0, g->len * sizeof(*seen));
        }
        seen[op->index] = true;
        if (in_circle)
            str_addf(&path, "%s %s -> ", op_words[op->kind].verb, op->subject);
        size_t i = 0;
        while (!missing[op->needs[i].op->index])
            i++;
        op = op->needs[i].op;
    }
    str_addf(&path, "%s %s", op_words[op->kind].verb, op->subject);
    return error_set(err, ERR_INPUT, 0, "what is to be done waits for itself: %s", path.buf);
}

/* What an operation needs comes right before it where nobody else needed it earlier; an operation
 * that was added first comes first. Not recursive: chains may be long. */
static void order_ops(struct graph *g)
{
    struct frame {
        struct op *op;
        size_t next;
    };
    auto_free struct frame *stack = xcalloc(g->len, sizeof(*stack));
    auto_free bool *seen = xcalloc(g->len, sizeof(*seen));
    auto_free struct op **order = xcalloc(g->len, sizeof(*order));
    size_t n = 0;
    vec_each (it, g) {
        size_t depth = 0;
        if (!seen[(*it)->index])
            stack[depth++] = (struct frame){ *it, 0 };
        seen[(*it)->index] = true;
        while (depth) {
            struct frame *top = &stack[depth - 1];
            if (top->next == top->op->nneeds) {
                order[n++] = top->op;
                depth--;
                continue;
            }
            struct op *first = top->op->needs[top->next++].op;
            if (!seen[first->index])
                stack[depth++] = (struct frame){ first, 0 };
            seen[first->index] = true;
        }
    }
    for (size_t i = 0; i < n; i++) {
        order[i]->index = i;
        g->items[i] = order[i];
    }
}

int graph_finish(struct graph *g, struct error *err)
{
    auto_free size_t *missing = xcalloc(g->len, sizeof(*missing));
    drop_doubles(g);
    fill_then(g);
    if (count_stuck(g, missing)) {
        drop_soft_between_stuck(g, missing);
        fill_then(g);
        if (count_stuck(g, missing))
            return report_circle(g, missing, err);
    }
    order_ops(g);
    fill_then(g);
    return 0;
}
