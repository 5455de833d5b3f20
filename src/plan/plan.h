/*
 * The plan: a pure function of model, snapshot and options. No I/O, nothing of the engine.
 *
 * plan_up() compares what is declared with what is seen and gives a graph of operations, each with
 * its reason; nothing to do is an empty graph. Everything is derived anew from the snapshot, so
 * that a run that was killed anywhere is completed by the next: a container under a temporary name
 * is an unfinished replacement, a created one was not started, and so on.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/cleanup.h"
#include "base/str.h"
#include "plan/op.h"

/* An image that the stack builds, with what build/ found out about it (no engine involved). */
struct plan_image {
    const struct image *image;
    const char *fingerprint; /* hex of all that goes into it; NULL: unknown, always build */
    const size_t *bases;     /* indexes of the images of this list that it is FROM */
    size_t nbases;
};

enum recreate { RECREATE_CHANGED, RECREATE_FORCE, RECREATE_NEVER };

struct plan_options {
    const char *const *services; /* named on the command line, NULL-terminated; NULL: all */
    enum recreate recreate;
    bool always_recreate_deps;
    bool no_deps;
    bool no_start;    /* `create` */
    bool build;       /* --build: always */
    bool no_build;    /* --no-build: never, a missing image is an error */
    const char *pull; /* --pull: "always", "missing", "never", "build", or NULL: per service */
    bool remove_orphans;
    bool renew_anon_volumes;
    bool wait;     /* --wait: wait for every service, not only where something needs it */
    int timeout_s; /* -t; -1: each container's own */
    const struct plan_scale {
        const char *service;
        int replicas;
    } * scale;
    size_t nscale;
    bool adopt;  /* containers of the same stack name made by another stack file are ours now */
    int64_t now; /* Unix seconds: for pull policies with an age */

    /* down */
    bool remove_volumes;
    const char *remove_images; /* --rmi: "local", "all", or NULL */
    bool force;                /* rm -f, kill -s ... */
    const char *signal;
};

struct plan {
    struct arena *arena;
    struct op **ops;
    size_t nops;
    /* Notes for the user: orphans that were left, volumes whose definition differs ... */
    const char *const *notes;
    size_t nnotes;
    /* Containers that stay as they are, for the display. */
    const struct seen_container *const *kept;
    size_t nkept;
};

void plan_free(struct plan *p);
DEFINE_FREEP(struct plan, plan_free)

/* Errors: ERR_NOTFOUND (unknown service), ERR_CONFLICT (owned by another stack file: the message
 * names it; a volume whose definition differs), ERR_INPUT (cycle: printed as its path). */
int plan_up(struct plan **out, const struct stack *st, const struct snapshot *now,
            const struct plan_image *images, size_t nimages, const struct plan_options *opt,
            struct error *err);

/* The others work from labels when `st` is NULL. */
int plan_down(struct plan **out, const struct stack *st, const char *stack_name,
              const struct snapshot *now, const struct plan_options *opt, struct error *err);
enum plan_verb {
    PLAN_START,
    PLAN_STOP,
    PLAN_RESTART,
    PLAN_KILL,
    PLAN_RM,
    PLAN_PAUSE,
    PLAN_UNPAUSE
};
int plan_verb(struct plan **out, enum plan_verb verb, const struct stack *st,
              const char *stack_name, const struct snapshot *now, const struct plan_options *opt,
              struct error *err);
/* Only the images: `build` and `pull`. */
int plan_images(struct plan **out, enum op_kind kind, const struct stack *st,
                const struct snapshot *now, const struct plan_image *images, size_t nimages,
                const struct plan_options *opt, struct error *err);

/* Text for `plan` and --dry-run: an operation a line with its reason; or JSON. */
void plan_print(struct str *out, const struct plan *p);
void plan_print_json(struct str *out, const struct plan *p);

#endif
