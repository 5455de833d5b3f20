/*
 * The plan: a pure function of model, snapshot and options. No I/O, nothing of the engine.
 *
 * plan_up() compares what is declared with what is seen and gives a graph of operations, each with
 * its reason; nothing to do is an empty graph. Everything is derived anew from the snapshot, so
 * that a run that was killed anywhere is completed by the next: a container under a temporary name
 * is an unfinished replacement, a created one was not started, and so on.
 *
 * A container is replaced under a temporary name, "<12 of the old one's id>_<name>": create, stop
 * the old one, remove it, rename, start. Nothing but names and the labels of every container is
 * needed to see which of these a killed run had done, and the labels are the same whichever way a
 * container came to be.
 *
 * Plans borrow from the stack and from the snapshot, which must outlive them.
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
    /* The same without what bases from elsewhere are. It decides where `incomplete` says that the
     * engine has not all of them, as where the image was pulled. */
    const char *source;
    bool incomplete;
    const size_t *bases; /* indexes of the images of this list that it is FROM */
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
    bool ignore_orphans; /* nothing is said of those that stay */
    bool all_resources;  /* networks and volumes that no service uses, too */
    bool renew_anon_volumes;
    bool wait;     /* --wait: wait for every service, not only where something needs it */
    int timeout_s; /* -t; -1: each container's own */
    const struct plan_scale {
        const char *service;
        int replicas;
    } * scale;
    size_t nscale;
    bool second; /* after a plan with `again`: nothing is forced, images are pulled and built only
                    where there are none */
    /* `run`: instead of the containers of this service, whatever there is of them, create one more
     * of this name when what it depends on is ready, and do not start it. */
    const char *oneoff, *oneoff_name;
    bool adopt; /* containers of the same stack name made by another stack file are ours now */
    /* Whether two paths lead to the same file; NULL: by text alone. */
    bool (*same_file)(const char *a, const char *b);
    int64_t now; /* Unix seconds: for pull policies with an age */

    /* down */
    bool remove_volumes;
    const char *remove_images; /* --rmi: "local", "all", or NULL */
    const char *signal;        /* kill */
    bool stop_first;           /* rm --stop */
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
    /* Images are pulled or built because that was asked for (--build, pull_policy: always, ...),
     * and may turn out to be others than those which kept containers run: observe after the run and
     * plan once more with opt->second. Usually there is nothing to do then. */
    bool again;
};

void plan_free(struct plan *p);
DEFINE_FREEP(struct plan, plan_free)

/* `now` must hold all four lists; the networks without the label filter, and the volumes too when
 * an external one is used.
 *
 * Errors: ERR_NOTFOUND (unknown service; an external network or volume that is not there; an image
 * that may be neither pulled nor built), ERR_CONFLICT (owned by another stack file: the message
 * names it; a volume whose definition differs; a network that must change and is used by others),
 * ERR_INPUT (cycle: printed as its path). */
int plan_up(struct plan **out, const struct stack *st, const struct snapshot *now,
            const struct plan_image *images, size_t nimages, const struct plan_options *opt,
            struct error *err);

/* Brings the images of which wanted[i] is true, by position in the stack, and what they are FROM:
 * where need be, or with opt->build in any case. */
int plan_rebuild(struct plan **out, const struct stack *st, const struct snapshot *now,
                 const struct plan_image *images, size_t nimages, const bool *wanted,
                 const struct plan_options *opt, struct error *err);
/* Pushes references, each for the image of that name. */
struct push_ref {
    const char *image, *ref;
};
int plan_push(struct plan **out, const struct stack *st, const struct push_ref *refs, size_t n,
              const struct plan_options *opt, struct error *err);

/* The others work from labels when `st` is NULL. */

/* What plan_down() must know, of enum observe_what: the containers; networks, and volumes when they
 * are to be removed, only where the file does not tell surely which ones are the stack's. */
unsigned plan_down_observe(const struct stack *st, const struct plan_options *opt);
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
/* Only the images: `build`, `pull` and `push`, by `kind`; a push needs no snapshot. */
int plan_images(struct plan **out, enum op_kind kind, const struct stack *st,
                const struct snapshot *now, const struct plan_image *images, size_t nimages,
                const struct plan_options *opt, struct error *err);

/* Text for `plan` and --dry-run: an operation a line with its reason; or JSON. */
void plan_print(struct str *out, const struct plan *p);
void plan_print_json(struct str *out, const struct plan *p);

#endif
