/*
 * An engine in memory, for tests of plans: the lists that an engine would answer, and what each
 * operation does to them.
 *
 * It is strict: an operation that a real engine would refuse (a name that is taken, a start on a
 * network that is gone, the removal of something that runs) or that comes too early (before a
 * dependency fulfils its condition) fails the test. What takes time on a real engine stays pending
 * until an OP_WAIT on it, or until sim_settle(): a health check, the end of a job.
 */
#ifndef SUPPORT_SIM_H
#define SUPPORT_SIM_H

#include <jansson.h>

#include "model/model.h"
#include "plan/plan.h"
#include "state/state.h"

struct sim {
    json_t *containers, *networks, *volumes, *images;
    unsigned ids;         /* given out so far */
    unsigned pulls;       /* a pull of "x" in generation n gives image "x#n" */
    unsigned jobs;        /* starts of jobs so far */
    bool volumes_may_go;  /* OP_VOLUME_REMOVE is allowed */
    bool api_one_network; /* the API takes one network at create */
    char error[512];      /* what an operation did wrong, or "" */
};

/* A stack from the text of its file, which must be right. Ends the program when it is not. */
struct stack *sim_stack(const char *yaml);

void sim_init(struct sim *s);
void sim_clear(struct sim *s);
void sim_copy(struct sim *to, const struct sim *from);
void sim_add_image(struct sim *s, const char *ref, const char *fingerprint);
struct snapshot *sim_snapshot(const struct sim *s);

/* A run of a plan: made with sim_run(), ended with sim_run_clear(). */
struct sim_run {
    struct sim *sim;
    const struct stack *st;
    const struct snapshot *now;
    const struct plan *plan;
    char **ids; /* of what each operation made, by op->index */
    bool *done;
    size_t ndone;
};
void sim_run_init(struct sim_run *r, struct sim *s, const struct stack *st,
                  const struct snapshot *now, const struct plan *plan);
void sim_run_clear(struct sim_run *r);
/* Applies one operation; false when that was wrong: sim->error says why. */
bool sim_step(struct sim_run *r, const struct op *op);
/* Applies an operation that may come next, chosen by `choice`; NULL when all are done. */
const struct op *sim_next(struct sim_run *r, unsigned choice);

/* Time passes: what is pending ends well. */
void sim_settle(struct sim *s);

/* All that counts of the state, as text: names, labels, states, networks, mounts. Ids that were
 * given out after the first `known` are left out. Owned by the caller. */
char *sim_describe(const struct sim *s, unsigned known);

#endif
