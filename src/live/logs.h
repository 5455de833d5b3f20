/*
 * Output of containers, line by line, several at once: `logs` and attached `up`.
 *
 * Containers that start later or restart are followed through the event stream; no line is lost or
 * doubled (each stream resumes at the timestamp of its last line). A last line without newline is
 * given when its stream ends; a line of more than 1 MiB is given in pieces. Lines come in the order
 * of their times: exactly so when nothing is followed, within 30 ms otherwise. Memory is bounded: a
 * stream that runs ahead of the others waits at the engine.
 */
#ifndef LIVE_LOGS_H
#define LIVE_LOGS_H

#include "engine/engine.h"
#include "live/log_filter.h"
#include "run/events.h"
#include "state/state.h"

/* A container that has ended, after its last line. */
struct live_exit {
    const char *container;       /* id */
    const char *service, *label; /* name of the service; "web-1", as its lines are labelled */
    int exit_code;
};

struct live_logs_options {
    const char *stack_name;
    const char *const *services; /* NULL-terminated; NULL: all */
    bool follow;
    int64_t tail;      /* lines per container; -1: all */
    const char *since; /* Unix seconds with fraction, or NULL */
    const char *until;
    int index;                 /* only this replica; 0: all */
    struct log_filter *filter; /* NULL: every line */
    int64_t from_ns; /* follow: a wall clock time just before `now` was observed; containers that
                        started since are found by their events */
    /* A container of this service whose lines will come under this label ("web-1"); or NULL. Those
     * in `now` are told before live_logs_start returns. */
    void (*joined)(void *ctx, const char *service, const char *label);
    /* Whether somebody is at work who may start what has stopped: then the end is waited for. Or
     * NULL. */
    bool (*busy)(void *ctx);
    int patience_ms; /* so long does it last, too, when nothing runs any more: for restarts */
    /* Of the containers in `now` that have ended, and of each that ends; or NULL. */
    void (*exited)(void *ctx, const struct live_exit *exit);
};

struct live_logs;

/* EVENT_LOG per line to the sink; `ended` once, with the first error. While following it comes when
 * none of the containers runs any more, or the engine is gone; otherwise after the last line. `now`
 * and `opt` are not kept, what `opt` points to is. */
struct live_logs *live_logs_start(struct engine *e, const struct snapshot *now,
                                  const struct live_logs_options *opt, const struct sink *sink,
                                  void (*ended)(void *ctx, const struct error *err), void *ctx);
/* Also after `ended`, to free it. */
void live_logs_cancel(struct live_logs *l);

#endif
