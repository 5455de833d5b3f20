/*
 * What happens while a plan runs, told to a sink. run and build print nothing; view draws it.
 * Texts inside events are borrowed for the call; those that come from outside are raw and are made
 * safe by who shows them.
 */
#ifndef RUN_EVENTS_H
#define RUN_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/plan.h"

enum outcome {
    OUTCOME_DONE,
    OUTCOME_SKIPPED, /* there was nothing to do after all (already gone, already running) */
    OUTCOME_FAILED,
    OUTCOME_HELD, /* something it needs failed: `cause` */
    OUTCOME_CANCELED,
};

enum event_kind {
    EVENT_BEGIN,    /* plan */
    EVENT_STARTED,  /* op */
    EVENT_PROGRESS, /* op, text and/or current/total: layers of a pull, of a step of a build, what a
                       wait waits for */
    EVENT_STEP,     /* op, text: a step of a build begins, "[2/5] RUN make" */
    EVENT_OUTPUT,   /* op, text: a line of output of a build */
    EVENT_ENDED,    /* op, outcome, err, cause, elapsed_ms */
    EVENT_LOG,      /* container, service, number, stream, text: a line of a container's output */
    EVENT_NOTE,     /* text: for the user, once */
    EVENT_END,      /* result */
};

struct run_result;

struct event {
    enum event_kind kind;
    const struct plan *plan;
    const struct op *op;
    const char *text;
    size_t len;
    int64_t current, total; /* bytes; 0: unknown */
    enum outcome outcome;
    const struct error *err;
    const struct op *cause;
    int64_t elapsed_ms;
    /* EVENT_LOG */
    const char *container, *name; /* its id, its name */
    const char *service;
    const char *label; /* "web-1": what its lines begin with */
    int number;
    int stream;       /* 1 stdout, 2 stderr */
    const char *time; /* RFC 3339 or NULL */
    const struct run_result *result;
};

struct sink {
    void (*event)(void *ctx, const struct event *e);
    void *ctx;
};

#endif
