/*
 * develop.watch: which changes of files lead to what.
 *
 * Every rule that a path falls under counts. A path falls under a rule when it is at or below the
 * rule's `path`, matches one of `include` (none: all), and is not ignored: by `ignore`, by the
 * .dockerignore of the service's build, or because it is .git or what editors leave about.
 */
#ifndef LIVE_WATCH_RULES_H
#define LIVE_WATCH_RULES_H

#include "base/arena.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "base/vec.h"
#include "model/model.h"
#include "text/pattern.h"

enum watch_does {
    WATCH_SYNC = 1 << 0,
    WATCH_RESTART = 1 << 1,
    WATCH_EXEC = 1 << 2,
    WATCH_REBUILD = 1 << 3,
};

struct watch_rule {
    const struct service *service;
    const char *action; /* as the file has it; borrowed from the stack, like `hook` */
    unsigned does;      /* of enum watch_does */
    char *path;         /* absolute */
    char *target;       /* absolute; NULL where nothing is copied */
    const struct node *hook;
    bool initial_sync;
    bool folder; /* `path` is one, or was when it was last there */
    struct ignore *ignored;
    struct ignore *included;      /* NULL: all */
    const struct ignore *context; /* of the build, or NULL; below context_root */
    const char *context_root;
};

struct watch_rules {
    VEC(struct watch_rule);
    struct arena *arena;
    struct strmap contexts; /* by service -> struct ignore */
    struct strv notes;      /* rules that are left out, and why */
};

/* Of the services in `selected` (by index). Borrows from the stack. ERR_INPUT: a rule that cannot
 * work, or there is none at all. */
int watch_rules_make(struct watch_rules **out, const struct stack *st, const bool *selected,
                     struct error *err);
void watch_rules_free(struct watch_rules *r);
DEFINE_FREEP(struct watch_rules, watch_rules_free)

/* Whether no rule can concern anything at or below a directory. */
bool watch_rules_skip(const struct watch_rules *r, const char *dir);
/* Whether a path falls under the rule. */
bool watch_rule_matches(const struct watch_rule *rule, const char *path);
/* Where it goes in the container; owned by the caller. NULL: nowhere, as with the folder that the
 * rule is about. */
char *watch_rule_target(const struct watch_rule *rule, const char *path);

struct watch_file {
    char *from, *to; /* on this machine, in the container */
    bool fresh;      /* before, nothing was there: when nothing is now, there is nothing to do */
};

/* What is to be done for a service. */
struct watch_work {
    const struct service *service;
    unsigned does;
    struct {
        VEC(struct watch_file);
    } files; /* by `to`, each once: what is around something comes before it */
    struct {
        VEC(const struct node *);
    } hooks;
};

struct watch_batch {
    VEC(struct watch_work);
};

/* What paths that changed lead to; a value of `paths` that is not NULL: fresh. */
void watch_rules_batch(struct watch_batch *out, struct watch_rules *r, const struct strmap *paths);
/* The files of the rules that ask for initial_sync, of one service; n of them. */
void watch_rules_initial(struct watch_work *out, struct watch_rules *r, const struct service *s);
void watch_work_clear(struct watch_work *w);
void watch_batch_clear(struct watch_batch *b);

#endif
