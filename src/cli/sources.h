/*
 * The projects of a stack that come from git. Loading asks for each where it is (sources_find());
 * those that are missing, or all when that is asked for, are got side by side, and the stack is
 * loaded again.
 */
#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H

#include <stdbool.h>

#include "base/strv.h"
#include "base/vec.h"
#include "model/load.h"

struct cli;

struct git_source {
    char *project;
    char *url, *ref; /* as the file has them, or as --ref says; ref may be NULL */
    char *lock;      /* the commit that it must have, or NULL */
    bool submodules;
    char *stack_name, *stack_dir;
    char *tree;   /* in the cache, whether it is there or not; NULL: the URL is wrong */
    char *commit; /* what it has checked out; NULL: it is not there */
    char *dev;    /* the checkout of the user's that stands in for it, or NULL */
    char *before; /* set by sources_get(): the commit it had, */
    bool fetched; /* and whether the repository was asked */
};

struct git_sources {
    VEC(struct git_source);
};
void sources_clear(struct git_sources *s);
struct git_source *sources_named(const struct git_sources *s, const char *project);

/* A load_git_fn; `ctx` is the struct cli, whose `sources` get one more. */
int sources_find(char **out_dir, void *ctx, const struct load_git_source *source,
                 struct error *err);

struct sources_options {
    bool sync;                /* fetch, all of them; else those that are missing */
    bool force;               /* over changes in work trees of the cache */
    const struct strv *names; /* with sync: only these, and what is missing; NULL or empty: all */
    bool report;              /* ends with a summary, and a block for each failure */
};
/* Whether sources_get() would do anything. Those with a checkout of the user's stay as they are. */
bool sources_wanted(const struct git_sources *s, const struct sources_options *opt);

/* Gets them, showing progress; a plan of its own for the view. With --dry-run a sync is only told.
 * -1 with the first error when one failed; the others went on. */
int sources_get(struct cli *cli, const struct sources_options *opt, struct error *err);

/* Moves what the room git said to *to, and returns -1. A repository that cannot be reached is not
 * an engine that cannot be reached: the exit code is that of other failures. */
int sources_failed(struct error *to, struct error *from);

#endif
