/* The parts of OP_WAIT: its containers, and the checks that each goes through; for op_wait*.c. */
#ifndef RUN_WAIT_H
#define RUN_WAIT_H

#include "engine/frames.h"
#include "net/lines.h"
#include "run/last_lines.h"
#include "run/private.h"
#include "run/probe.h"
#include "text/pattern.h"

enum check { CHECK_LOG, CHECK_TCP, CHECK_HTTP, CHECK_EXEC, CHECK_HEALTH, CHECK_COUNT };

struct target {
    struct wait *wait;
    char *id;
    const char *name;
    bool over;
    bool listed[CHECK_COUNT]; /* still to be fulfilled */
    bool unhealthy;           /* the engine said so before: one more attempt is enough */
    enum check now;
    int attempts;
    int64_t pause_ms;
    char *address; /* to reach it from here, or NULL */
    bool tty;
    const struct task *start;   /* that started it, or NULL: it ran before */
    char since[LOGS_SINCE_MAX]; /* what it said before does not count; or "" */
    char **health_test;         /* argv, NULL-terminated; or NULL */
    int64_t health_timeout_ms;
    struct probe *probe;
    struct loop_timer *timer;
    struct engine_call *call; /* inspection, or the log */
    struct frames frames;
    struct lines lines;
    struct regex *regex;
};

struct wait {
    struct task *t;
    struct watch_listener listener;
    struct target *targets;
    size_t ntargets, left;
    struct loop_timer *limit;
    struct error failure;     /* while the last output is fetched */
    struct last_lines *fetch; /* of the one that failed */
};

/* op_wait.c */

/* Where no stack file is read, the service is not known: nothing is asked of it. */
const struct ready *wait_ready_of(const struct op *op);
/* Ends the wait with an error (taken over) after fetching what the container said last. */
void wait_fail(struct target *g, struct error *err);
/* All checks are passed, or none was asked for; `g` may be gone after that. */
void wait_passed(struct target *g);
/* ERR_UNREADY: the engine's verdict. -1. */
int wait_unhealthy(const struct target *g, struct error *err);

/* op_wait_checks.c */

/* Begins the first of the checks that are listed; without one the target has passed. */
void wait_check_next(struct target *g);
/* The current one is fulfilled. */
void wait_check_passed(struct target *g);
/* Nothing of a check is under way after it. */
void wait_stop_checks(struct target *g);
const char *wait_check_name(enum check c);

#endif
