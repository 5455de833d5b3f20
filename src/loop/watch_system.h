/*
 * What watch.c needs of a system. Events say where to look, not what happened: watch.c keeps the
 * names that it knows and compares.
 */
#ifndef LOOP_WATCH_SYSTEM_H
#define LOOP_WATCH_SYSTEM_H

#include "loop/loop.h"

struct watch_system;

struct watch_system_handlers {
    /* Something about `name` in a directory that was added. moved: it may be another one than
     * before, or new, or gone; else only its content or attributes are different. */
    void (*entry)(void *ctx, const char *dir, const char *name, bool moved);
    /* A directory that was added is itself gone, or elsewhere. */
    void (*gone)(void *ctx, const char *dir);
    /* Events were lost. */
    void (*lost)(void *ctx);
    /* Last, after some of these. calm: no event waits. May close the system. */
    void (*done)(void *ctx, bool calm);
    void *ctx;
};

int watch_system_open(struct watch_system **out, struct loop *l,
                      const struct watch_system_handlers *hd, struct error *err);
/* Not from inside another handler than `done`. Accepts NULL. */
void watch_system_close(struct watch_system *s);

/* Adds a directory. 1: it is another one than was known under this path, or was not known; 0: it is
 * the same. -1 with ERR_SYSTEM and errno as code. */
int watch_system_add(struct watch_system *s, const char *dir, struct error *err);
void watch_system_remove(struct watch_system *s, const char *dir);
/* Whether a directory has to be added although one above it was. */
bool watch_system_needs_each(void);
/* Whether add() failed because of a limit of the system. */
bool watch_system_limit(const struct error *err);

#endif
