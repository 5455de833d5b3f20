/*
 * One changing command per engine and stack at a time: flock on a file in path_runtime_dir(), which
 * the kernel releases at death. The holder's pid and command stand in it for the message.
 */
#ifndef RUN_LOCK_H
#define RUN_LOCK_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "loop/loop.h"

struct lock;

/* Waits up to timeout_ms (-1: for ever; 0: not at all), looking again a few times a second, and
 * calls `waiting` once, after the first second, with the holder's description. ERR_CONFLICT with
 * the holder in the message. `engine_host` identifies the engine (engine_endpoint()->host). */
int lock_take(struct lock **out, struct loop *l, const char *engine_host, const char *stack_name,
              const char *command, int64_t timeout_ms,
              void (*waiting)(void *ctx, const char *holder), void *ctx, struct error *err);
/* Whether somebody has it now. */
bool lock_is_held(const char *engine_host, const char *stack_name);
/* Whether the holder before was killed: requests of it may take effect even now. */
bool lock_was_broken(const struct lock *k);
void lock_release(struct lock *k);
DEFINE_FREEP(struct lock, lock_release)

#endif
