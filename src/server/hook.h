/*
 * `stack hook`: deliveries come in, jobs go out.
 *
 *     POST /hook/PROJECT   a delivery for that project, proven by its secret
 *     POST /hook           one for whichever project has the repository, proven by the common
 * secret GET  ...             server/page.h
 *
 * Answers: 202 {"job": N} queued; 200 {"duplicate": true} or {"ignored": why}; 400 proven but not
 * understood; 401 not proven, always the same text; 404 no such project; 405, 413, 415; 503 the
 * queue cannot be written or is full: send it again.
 */
#ifndef SERVER_HOOK_H
#define SERVER_HOOK_H

#include "base/cleanup.h"
#include "loop/loop.h"
#include "server/config.h"

struct hook_handlers {
    /* One line about what happened, safe to print. */
    void (*say)(void *ctx, const char *line);
    /* It was asked to stop, and all jobs have ended or wait again. */
    void (*stopped)(void *ctx);
    void *ctx;
};

struct hook;
/* Listens, and begins with what waits. The configuration is its own from here on, also when this
 * fails. `stack` is this program's path. */
int hook_open(struct hook **out, struct loop *l, struct hook_config *c, const char *stack,
              const struct hook_handlers *hd, struct error *err);
/* "127.0.0.1:9666" */
const char *hook_address(const struct hook *h);
/* Another configuration, for everything but addresses, limits of connections and the queue. */
void hook_reload(struct hook *h, struct hook_config *c);
/* No more deliveries; running jobs get the configured time, then they are stopped and wait for the
 * next start. Asked again: they are stopped now. */
void hook_stop(struct hook *h);
void hook_close(struct hook *h); /* after `stopped`, or before anything ran */
DEFINE_FREEP(struct hook, hook_close)

#endif
