/*
 * Output of containers, line by line, several at once: `logs` and attached `up`.
 *
 * Containers that start later or restart are followed through the event stream; no line is lost or
 * doubled (each stream resumes at the timestamp of its last line). A last line without newline is
 * given when its stream ends.
 */
#ifndef LIVE_LOGS_H
#define LIVE_LOGS_H

#include "engine/engine.h"
#include "run/events.h"
#include "state/state.h"

struct live_logs_options {
    const char *stack_name;
    const char *const *services; /* NULL-terminated; NULL: all */
    bool follow;
    bool timestamps;
    int64_t tail;      /* per container; -1: all */
    const char *since; /* Unix seconds with fraction, or NULL */
    const char *until;
    int index; /* only this replica; 0: all */
};

struct live_logs;

/* EVENT_LOG per line to the sink; `ended` once when all are done (never while following, unless
 * every container is gone or the engine is). */
struct live_logs *live_logs_start(struct engine *e, const struct snapshot *now,
                                  const struct live_logs_options *opt, const struct sink *sink,
                                  void (*ended)(void *ctx, const struct error *err), void *ctx);
void live_logs_cancel(struct live_logs *l);

#endif
