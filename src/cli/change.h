/*
 * What commands that change something share: lock, survey and observe, plan, run, report.
 *
 *     struct change c;
 *     change_begin(&c, cli, "stop", err)       the engine, the lock
 *     change_observe(&c, what, err)            c.now
 *     plan_verb(&c.plan, ...)
 *     change_run(&c, err)                      the exit code
 *     change_end(&c)
 */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "build/build.h"
#include "cli/cli.h"
#include "plan/plan.h"

struct change {
    struct cli *cli;
    const char *verb;
    struct snapshot *now;
    struct build_survey *survey;
    struct plan *plan;
    struct run_options run; /* to be filled before change_run(), where defaults do not do */
    struct build_options build;
    bool quiet_pull, quiet_build;
    bool no_build; /* contexts that only a build needs are not looked at */
    bool digests;  /* digests of images that are not built are observed, too */
    void (*seen)(void *ctx, const struct event *e); /* each event of the run, or NULL */
    void *seen_ctx;
    const char *format; /* of a plan that is printed: NULL or "text", "json" */

    /* Signals, from change_begin() on. */
    struct loop_signal *signals[3];
    struct run_control control;
    int signum;                     /* the first one that came, or 0 */
    int interrupts;                 /* how many came */
    const char *say;                /* to be said when the first one comes; or NULL */
    void (*interrupted)(void *ctx); /* each time one comes; or NULL */
    void *ctx;
};

/* Opens the engine and takes the lock; with --dry-run no lock. */
int change_begin(struct change *c, struct cli *cli, const char *verb, struct error *err);
void change_end(struct change *c);
/* The signals alone: from here on they do not end the program, but stop the plan that runs. */
void change_catch(struct change *c);

/* By service->index: whether it is one of `services` (NULL: all), or, unless no_deps, one of them
 * depends on it. Owned by the caller. */
bool *change_selected(const struct stack *st, const char *const *services, bool no_deps);

/* Replaces c->now. `what`: of enum observe_what, without images. */
int change_observe(struct change *c, unsigned what, struct error *err);
/* All four lists, with every image that the stack names; before it the survey of what is built for
 * `services` (NULL: all) and what they depend on. Replaces c->now and c->survey. */
int change_observe_up(struct change *c, const char *const *services, struct error *err);

/* Runs c->plan and reports; with --dry-run prints it. The exit code, or -1 with what kept the plan
 * from running. */
int change_run(struct change *c, struct error *err);
/* Observes, plans and runs `up`; and once more when images came that may be others than those which
 * run. Returns as change_run(). */
int change_up(struct change *c, struct plan_options *opt, struct error *err);
/* For plan_options.same_file: by inode. */
bool change_same_file(const char *a, const char *b);
/* Prints c->plan on standard output. */
void change_print(const struct change *c);
/* 128 + the signal that came. */
int change_signal_code(const struct change *c);
/* A note of our own to the user. */
void change_note(struct change *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
