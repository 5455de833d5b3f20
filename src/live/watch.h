/*
 * Changes of files gathered until it is quiet, so that a burst of them is one: an editor that
 * writes beside and renames, a checkout of a thousand files. A single save waits WATCH_QUIET_MS, a
 * burst a little longer, and none longer than WATCH_LONGEST_MS since its first change.
 */
#ifndef LIVE_WATCH_H
#define LIVE_WATCH_H

#include "live/watch_rules.h"
#include "loop/watch.h"

#define WATCH_QUIET_MS 30
#define WATCH_BURST_QUIET_MS 150
#define WATCH_BURST 8 /* paths that make a burst */
#define WATCH_LONGEST_MS 2000

struct live_watch;

struct live_watch_handlers {
    /* There is a batch to take. Again only after it was taken. */
    void (*due)(void *ctx);
    void (*trouble)(void *ctx, const struct error *err); /* as in loop/watch.h */
    void *ctx;
};

/* The rules must outlive it. Fails as loop_watch_start(). */
int live_watch_start(struct live_watch **out, struct loop *l, struct watch_rules *rules,
                     const struct live_watch_handlers *hd, struct error *err);
/* What has come together: nothing, when it all was of no interest. */
void live_watch_take(struct watch_batch *out, struct live_watch *w);
void live_watch_cancel(struct live_watch **slot); /* accepts a NULL slot value */

#endif
