/*
 * A job at work: its command, then `stack -s NAME up -d --sync` where the project asks for it. Each
 * runs below a process of ours that holds it to the limits (server/supervise.h).
 */
#ifndef SERVER_WORK_H
#define SERVER_WORK_H

#include "loop/loop.h"
#include "server/config.h"
#include "server/job.h"

struct work_order {
    const struct hook_config *config;
    const struct hook_project *project;
    const struct job *job;
    const char *stack; /* this program's path, for {stack} */
    const char *log, *lock;
};

enum work_result { WORK_DONE, WORK_FAILED, WORK_STOPPED };

struct work;
/* What the order points to is copied. `done` comes once; `message` says why it failed. */
struct work *work_start(struct loop *l, const struct work_order *order,
                        void (*done)(void *ctx, enum work_result result, const char *message),
                        void *ctx);
/* Asks it to end: `done` comes with WORK_STOPPED, unless it has just ended. */
void work_stop(struct work *w);

#endif
