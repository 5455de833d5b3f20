/*
 * Watching while something else goes on: `stack watch`, `stack up --watch`.
 *
 *     watching_start(&w, c, &opt, err)     before `up`, so that no change is missed meanwhile
 *     watching_begin(w)                    after it: what is watched is said, initial_sync done
 *     watching_wake(w, &woken)
 *     loop_wait(loop, &woken)
 *     watching_act(w)                      what is due; its failures are told, not returned
 *     watching_stop(w)
 */
#ifndef CLI_WATCHING_H
#define CLI_WATCHING_H

#include "cli/change.h"

struct watching_options {
    const char *const *services; /* NULL-terminated; NULL: all */
    bool prune;                  /* remove images that a rebuild has replaced */
    bool quiet;                  /* no output of builds */
    bool settle; /* look for containers that die right after they were replaced: where their output
                    is not shown anyway */
};

struct watching;

/* `c` outlives it: its signals end what is under way. ERR_INPUT: nothing is to be watched. */
int watching_start(struct watching **out, struct change *c, const struct watching_options *opt,
                   struct error *err);
/* Runs the loop, as does watching_act(). */
void watching_begin(struct watching *w);
/* *flag becomes true when there is something for watching_act(), or is already. NULL: no more. */
void watching_wake(struct watching *w, bool *flag);
void watching_act(struct watching *w);
/* Prints what would be watched: --dry-run. */
void watching_print(const struct watching *w);
void watching_stop(struct watching *w); /* accepts NULL */
DEFINE_FREEP(struct watching, watching_stop)

#endif
