/*
 * Files of this machine brought into containers: what is there is sent as one tar, with modes and
 * times, and belongs to the container's user; what is gone is removed by rm in the container.
 */
#ifndef LIVE_WATCH_SYNC_H
#define LIVE_WATCH_SYNC_H

#include "engine/engine.h"
#include "live/watch_rules.h"
#include "state/state.h"

struct watch_sync_options {
    const struct watch_work *work;                  /* whose `files` */
    const struct seen_container *const *containers; /* n of them */
    size_t n;
    /* Only what has another size or time there, or is not there; asked by stat(1) in the container.
     * Where that does not work, everything counts as different. Nothing is removed. */
    bool differing;
};

struct watch_sync_result {
    size_t files, folders, removed; /* the most that any of the containers got */
    const char *first;              /* a file, as the container has it; or NULL */
};

struct watch_sync;

/* Borrows all until the end. `done` runs once, with the first error; other containers are not held
 * up by it. */
struct watch_sync *watch_sync_start(struct engine *e, const struct watch_sync_options *opt,
                                    void (*done)(void *ctx, const struct watch_sync_result *result,
                                                 const struct error *err),
                                    void *ctx);
void watch_sync_cancel(struct watch_sync *s); /* `done` does not run; accepts NULL */

#endif
