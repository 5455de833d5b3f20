/*
 * The event loop: one thread runs it, everything asynchronous reports through it.
 *
 * Rules for all of it: what was started reports exactly once, later, through its callback (errors
 * and cancellation too), never from inside the starting function, unless it is cancelled by its
 * owner before: then the callback does not run. Callbacks may start and cancel anything, but never
 * free the loop.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct loop;
struct uv_loop_s;

struct loop *loop_new(void);
/* Everything on it must have ended or been cancelled; pending closes are run to their end. */
void loop_free(struct loop *l);
DEFINE_FREEP(struct loop, loop_free)

struct uv_loop_s *loop_uv(struct loop *l); /* for the rooms loop and net only */

/* Runs turns of the loop until *done is true. The way to call asynchronous functions from
 * straight-line code. Returns false when nothing is left that could set it. */
bool loop_wait(struct loop *l, const bool *done);

/* Runs fn in a later turn of the loop, once. */
void loop_defer(struct loop *l, void (*fn)(void *ctx), void *ctx);

/* One-shot timer. *slot is set, and NULL again when it ran or was cancelled. */
struct loop_timer;
void loop_after(struct loop_timer **slot, struct loop *l, int64_t ms, void (*fn)(void *ctx),
                void *ctx);
void loop_timer_cancel(struct loop_timer **slot); /* accepts a NULL slot value */

/* A signal as a callback, until cancelled. Does not keep loop_wait() alive. */
struct loop_signal;
struct loop_signal *loop_signal(struct loop *l, int signum, void (*fn)(void *ctx, int signum),
                                void *ctx);
void loop_signal_cancel(struct loop_signal **slot);

/* A job on the worker pool: `work` runs on another thread and may touch nothing but ctx; `done`
 * runs on the loop afterwards. Cannot be cancelled once begun: let `work` look at a flag. */
void loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx);

/* Readable/writable on a file descriptor that stays the caller's, until cancelled. */
enum loop_io_events { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_io;
struct loop_io *loop_io(struct loop *l, int fd, int events, void (*fn)(void *ctx, int events),
                        void *ctx);
void loop_io_change(struct loop_io *io, int events); /* 0: pause */
void loop_io_cancel(struct loop_io **slot);

#endif
