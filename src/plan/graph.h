/* The graph of operations: building, checking, walking. */
#ifndef PLAN_GRAPH_H
#define PLAN_GRAPH_H

#include "base/vec.h"
#include "plan/plan.h"

/* A plan under construction. */
struct graph {
    struct arena *arena;
    VEC(struct op *);
};

struct op *graph_add(struct graph *g, enum op_kind kind, const char *subject, const char *reason);
/* `op` needs `first`; NULL first and doubles are ignored. */
void graph_need(struct graph *g, struct op *op, struct op *first, bool soft);
/* Fills `then`, orders ops so that needs come first. ERR_INPUT with the path of a cycle. */
int graph_finish(struct graph *g, struct error *err);

#endif
