/*
 * The inside of plan_up(); for its files alone.
 *
 * First everything is decided, dependencies before what depends on them: objects.c which networks
 * and volumes, decide.c and images.c which images, decide.c and differ.c which container stays, is
 * replaced, is finished, goes. Then emit.c makes the operations and order.c their order.
 */
#ifndef PLAN_UP_H
#define PLAN_UP_H

#include "plan/images.h"

/* One replica of a service, and what is there of it. */
struct slot {
    int number;
    const char *name;                  /* that it is to have */
    const struct seen_container *now;  /* the one that counts as this replica, or NULL */
    const struct seen_container *next; /* its replacement, which a killed run left unfinished */
    const char *reason;                /* why `now` is replaced; NULL: it stays */
    bool restart;                      /* it stays, but is stopped and started */
    const char *id;                    /* of the container that will be this replica; NULL: made */
    struct op *create, *stop, *remove, *start;
    struct op *up; /* the last operation before it counts as started; NULL: it is already */
};

/* A service, with what this plan does to it. */
struct member {
    const struct service *s;
    bool named;    /* on the command line, or all are meant */
    bool selected; /* named, or something named depends on it */
    bool touched;  /* decided upon: selected, or it cannot stay because of others */
    bool replaced; /* a container that was there is replaced or restarted */
    struct slot *slots;
    size_t nslots;
    struct {
        VEC(const struct seen_container *);
    } extra; /* containers that go */
    struct {
        VEC(struct op *);
    } stops;

    const char *image_id; /* of the image to create from; NULL: unknown before image_op */
    struct op *image_op;
    const char *image_reason; /* why image_op brings another image; NULL: it may be the same */

    const char *network_reason; /* one of its networks is replaced: stop before creating */
    struct op_parent *parents;
    size_t nparents;
    const char *parents_text; /* LABEL_PARENTS that a container must have; NULL: cannot be yet */
    const char *links_text;   /* LABEL_LINKS, LABEL_DEPS, in the same way */
    const char *deps_text;
    bool below_new; /* something that it depends on gets an image that is not known yet */
    struct op *waits[COND_READY + 1];
};

enum object_state {
    OBJECT_UNUSED,
    OBJECT_THERE,
    OBJECT_CREATE,
    OBJECT_REPLACE, /* networks only */
};

struct object {
    enum object_state state;
    const char *id; /* of a network that is there */
    const char *reason;
    struct op *remove, *create;
};

struct up {
    struct planner p;
    bool only_there; /* `start`: nothing is made, nothing is replaced */
    struct image_ops images;
    struct member *members; /* by service->index */
    struct service_list order;
    struct object *networks; /* by position in the stack */
    struct object *volumes;
    hex_digest *digests;   /* by service->index; NULL without jobs */
    struct strmap mounted; /* names of volumes that containers have; filled on need */
    struct strmap leaving; /* names of containers that go or are replaced */
    struct op **removals;  /* by position of the container in the snapshot */
    struct {
        VEC(const struct seen_container *);
    } orphans; /* to be removed */
};

static inline struct member *member_of(struct up *u, const struct service *s)
{
    return &u->members[s->index];
}
static inline struct object *network_of(struct up *u, const struct network *n)
{
    return &u->networks[n - u->p.st->networks];
}
static inline struct object *volume_of(struct up *u, const struct volume *v)
{
    return &u->volumes[v - u->p.st->volumes];
}

/* objects.c */
int decide_networks(struct up *u, struct error *err);
int decide_volumes(struct up *u, struct error *err);
/* Whether the container is a member of the network as it is now. */
bool uses_network(const struct seen_container *c, const char *name, const char *id);

/* differ.c: why the container is not what the stack declares, or NULL. */
const char *differs(struct up *u, const struct member *m, const struct seen_container *c);

/* decide.c */
int decide_services(struct up *u, struct error *err);

/* up.c: `start` with a file. */
int plan_start(struct plan **out, const struct stack *st, const struct snapshot *now,
               const struct plan_options *opt, struct error *err);

/* emit.c, order.c */
void emit(struct up *u);
void order(struct up *u);

/* Whether this plan makes a container for `run` of it. */
bool is_oneoff(const struct up *u, const struct member *m);

#endif
