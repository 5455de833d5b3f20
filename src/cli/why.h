/*
 * Why a service is not what the stack declares, from what the engine remembers: containers, their
 * inspection, the health log, events; where there is no container, from the file and the plan.
 * Pure: whoever asks fetches.
 */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include <jansson.h>

#include "base/strv.h"
#include "base/vec.h"
#include "plan/plan.h"

enum why_state {
    WHY_RUNNING,
    WHY_ENDED,    /* with exit code 0: a job, or what has nothing more to do */
    WHY_OFF,      /* the file asks for no containers of it */
    WHY_STARTING, /* it runs, and is not healthy yet */
    WHY_FAILING,
    WHY_WAITING, /* held back by another service */
    WHY_STOPPED, /* on request */
    WHY_ABSENT,  /* never brought up, or removed */
};
extern const char *const why_state_names[];

struct why_input {
    const char *service;
    const struct stack *st; /* or NULL: no file */
    const struct snapshot *now;
    const struct plan *plan;     /* what `up SERVICE` would do; or NULL */
    const struct error *trouble; /* why it cannot; or NULL, as the next: */
    const char *trouble_phase;   /* in which it would fail */
    const json_t *container;     /* inspection of the one that counts (why_worse()), or NULL */
    const json_t *events;        /* list: what happened to it around its end, or NULL */
};

struct why_wait {
    const struct service *service;
    enum condition condition;
    char *state; /* "unhealthy", "exited with code 1" */
};

struct why {
    enum why_state state;
    const char
        *phase;    /* "pull", "build", "create", "start", "ready", "exited"; NULL: none failed */
    char *reason;  /* one sentence without a full stop */
    char *next;    /* the next step, or NULL */
    int64_t at_ns; /* of the failure, or since when it runs; Unix; 0: unknown */
    int exit_code; /* -1: it has not ended */
    int signum;    /* that ended it, or 0 */
    bool oom;
    int restarts;
    const char *health; /* "healthy" ..., borrowed from the inspection; NULL: no health check */
    int streak;         /* failures of the check in a row */
    char *health_output;
    struct {
        VEC(struct why_wait);
    } waits;
    struct strv held;  /* services that are not up because of it */
    struct strv would; /* what `up` would do to it, and why */
};

/* Whether the container that was inspected says more about what is wrong than another one. */
bool why_worse(const json_t *inspected, const json_t *than);
void why_explain(struct why *out, const struct why_input *in);
void why_clear(struct why *w);
/* 0 for what is as declared, else EXIT_UNREADY. */
int why_exit_code(const struct why *w);

#endif
