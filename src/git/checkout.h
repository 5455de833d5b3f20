/*
 * Getting a work tree: clone or fetch the mirror where that is needed, find the commit, check it
 * out.
 *
 * Each runs in a process of its own (`stack __git`), with limits on time and memory: libgit2 1.5
 * blocks without a timeout, and what it reads comes from outside. Several run side by side. A
 * process that is killed at any moment leaves nothing that a later one does not mend.
 *
 * Nothing that a repository contains is executed: no hooks, no filters, no configuration of it. Its
 * files are checked out as they are in the repository (no line ending conversion, no LFS).
 */
#ifndef GIT_CHECKOUT_H
#define GIT_CHECKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "loop/loop.h"

#define REPO_STALL_MS 60000 /* without any progress; STACK_GIT_TIMEOUT (seconds) overrides */

enum repo_fetch {
    REPO_FETCH_MISSING, /* only when the mirror, the ref or the commit is not there */
    REPO_FETCH_ALWAYS,  /* sync */
    REPO_FETCH_NEVER,   /* --offline: what is missing is ERR_NOTFOUND */
};

struct repo_want {
    const char *name; /* for messages: the project */
    const char *url;  /* of any form that repo_url_parse() takes, but no relative path */
    const char *ref; /* branch, tag, "refs/...", full or abbreviated commit; NULL: default branch */
    const char *commit; /* exactly this one (40 hex), as a lock file has it; NULL: what ref means */
    const char *tree;   /* the work tree to make or move: repo_tree_path(), or a folder of the
                           user's (then a plain clone with origin and a branch is made; it must not
                           exist or be empty); NULL: only the mirror is brought up to date */
    bool own;           /* `tree` is the user's folder */
    bool submodules;
    bool force; /* throw away changes in the work tree */
    enum repo_fetch fetch;
};

struct repo_got {
    const char *commit;   /* 40 hex */
    const char *before;   /* the commit that the work tree had, or NULL */
    const char *ref_name; /* "refs/heads/main", "refs/tags/v1"; "" for a commit */
    const char *mirror;   /* the mirror's folder */
    bool fetched;         /* the network (or the other repository) was asked */
};

/* Texts are borrowed for the call, and may come from outside. */
struct repo_progress {
    const char *phase;      /* "connecting", "receiving", "resolving", "checking out", "waiting" */
    int64_t current, total; /* objects or files; 0: unknown */
    int64_t bytes;          /* received so far */
};

struct repo_handlers {
    void (*progress)(void *ctx, const struct repo_progress *p); /* or NULL */
    /* Once, last. Errors: ERR_NOTFOUND (no such repository or ref, near names in the hint; not in
     * the cache while offline), ERR_NETWORK (also refused credentials), ERR_TIMEOUT, ERR_CONFLICT
     * (changes in the work tree, a folder that is not empty), ERR_INPUT (URL, ref), ERR_SYSTEM. */
    void (*done)(void *ctx, const struct repo_got *got, const struct error *err);
    void *ctx;
};

struct repo_job;
/* `want` is copied. */
struct repo_job *repo_checkout_start(struct loop *l, const struct repo_want *want,
                                     const struct repo_handlers *hd);
/* Kills it; `done` does not run. What was received is thrown away. */
void repo_checkout_cancel(struct repo_job *job);

/* The other side: reads one job from standard input, reports on standard output, both a socket. The
 * exit code. What the hidden command `__git` runs; unit tests have it too. */
int repo_worker_main(void);

#endif
