/*
 * The executor: runs a plan on the loop.
 *
 * A counter of unfinished needs for each operation, a ready list, a limit for each kind, one policy
 * for failure: what does not depend on a failed operation goes on. Waits are driven by the engine's
 * event stream, opened before the first change when something will have to be waited for.
 *
 * No request that changes something is repeated blindly. When its answer is lost, the object is
 * looked at again and the operation counts as done, is sent again, or fails.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "build/build.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "run/events.h"
#include "state/state.h"

/* Operations of a kind under way at once. */
struct run_limits {
    int starts;  /* 0: 8 */
    int creates; /* 0: 8 */
    int stops;   /* 0: 16 */
    int builds;  /* 0: 4 */
    int pulls;   /* 0: 4 */
    int probes;  /* 0: 4 */
};

struct run_options {
    const struct stack *stack; /* may be NULL: down, stop ... from labels */
    const char *stack_name;
    const struct snapshot *now;
    const struct build_survey *survey; /* when the plan builds */
    const struct build_options *build; /* --no-cache, --pull, --build-arg; or NULL */
    struct run_limits limits;          /* --parallel */
    int wait_timeout_s;                /* --wait-timeout; 0: each wait's own */
    bool hook_output; /* what hooks say comes as EVENT_LOG, like the output of containers */
    bool settle;      /* after the last start, look for containers that died at once (up -d) */
    /* The body of each container that is created, or connected, may be changed before it is sent:
     * `run`. */
    void (*adjust)(void *ctx, const struct op *op, json_t *body);
    void *adjust_ctx;
    struct run_control *control; /* or NULL: filled while the plan runs */
};

struct run_failure {
    const struct op *op;
    struct error err; /* phase, reason */
    char *output;     /* last lines of the container or build, raw; or NULL */
    char **held;      /* names of services that were held back by it, NULL-terminated */
};

/* The longest chain: "db 8.2 s -> keystone 2.9 s". */
struct run_step {
    const char *name;
    int64_t ms;
};

struct run_result {
    int64_t elapsed_ms;
    size_t done, skipped, failed, held, canceled;
    struct run_failure *failures;
    size_t nfailures;
    struct run_step *critical;
    size_t ncritical;
    bool interrupted;
};
void run_result_clear(struct run_result *r);

struct run;

/* How a signal callback reaches the plan that runs. */
struct run_control {
    struct run *run; /* NULL: nothing runs */
};

/* Runs the plan to its end; *out is always filled. 0 when every operation was done; else -1 with
 * the first failure's error (ERR_UNREADY, ERR_BUILD, ERR_PULL, ERR_ENGINE, ..., ERR_CANCELED when
 * interrupted). */
int run_plan(struct run_result *out, struct engine *e, const struct plan *plan,
             const struct run_options *opt, const struct sink *sink, struct error *err);

/* From a signal callback: the first call starts nothing new and lets what runs finish (waits,
 * builds and pulls are cancelled); the second cancels everything. Safe when nothing runs. */
void run_interrupt(struct run_control *control);

#endif
