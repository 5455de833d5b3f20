/*
 * The labels of a container that follow from the plan; those that follow from the model alone are
 * added by engine/create.h.
 *
 * They are set when the container is created, from the ids of images and containers as they are
 * then, and compared by the next plan with the ids that it sees: so that nothing has to be known
 * before an image is pulled or built.
 */
#ifndef PLAN_LABELS_H
#define PLAN_LABELS_H

#include "base/strv.h"
#include "plan/op.h"

/* What a run found out. */
struct plan_ids {
    /* The id of an image that the run pulled or built, by its reference, or NULL. */
    const char *(*image)(void *ctx, const char *ref);
    /* The id of the container that an OP_CREATE of the run made. */
    const char *(*container)(void *ctx, const struct op *create);
    void *ctx;
};

/* Appends key, value, key, value ... for create_input.labels. `now` is the snapshot that the plan
 * was made from. Everything that op `create` needs must be done. */
void plan_labels(struct strv *out, const struct stack *st, const struct snapshot *now,
                 const struct op *create, const struct plan_ids *ids);

#endif
