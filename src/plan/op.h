/*
 * Operations: what a plan is made of. An operation is one engine request, or one build, pull or
 * wait. An edge says "needs that one first"; sequences are edges, not callbacks.
 */
#ifndef PLAN_OP_H
#define PLAN_OP_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"
#include "state/state.h"

enum op_kind {
    OP_NETWORK_CREATE,
    OP_NETWORK_REMOVE,
    OP_VOLUME_CREATE,
    OP_VOLUME_REMOVE,
    OP_IMAGE_PULL,
    OP_IMAGE_FETCH, /* of an image that this stack builds: from its registry, if that has it */
    OP_IMAGE_BUILD,
    OP_IMAGE_PUSH,
    OP_IMAGE_REMOVE,
    OP_CREATE,  /* a container */
    OP_CONNECT, /* a further network, where create takes only one (API < 1.44), or one that is
                   missing */
    OP_FILES,   /* contents of configs and secrets into a created container */
    OP_START,
    OP_STOP,
    OP_KILL,
    OP_REMOVE,
    OP_RENAME,
    OP_RESTART,
    OP_PAUSE,
    OP_UNPAUSE,
    OP_WAIT,         /* until the containers of a service fulfil a condition */
    OP_HOOK,         /* post_start, pre_stop: commands by exec */
    OP_PROJECT_SYNC, /* a project from git is brought up to date; in plans of its own */
};

/* Words for each kind: "create", "creating", "created", and the object's ("container"); `name` is
 * the kind in JSON: "container_create". */
struct op_words {
    const char *verb, *doing, *done, *object, *name;
};
extern const struct op_words op_words[];

struct op;

struct op_need {
    struct op *op;
    bool soft; /* only order: its failure does not hold this one back */
};

/* A container that another one names in its configuration (network_mode, ipc, pid, volumes_from).
 */
struct op_parent {
    const struct service *service;
    const char *id;    /* known, or */
    struct op *create; /* made by this plan */
};

struct op {
    enum op_kind kind;
    size_t index;        /* in plan->ops */
    const char *subject; /* name of the object: "demo-web-1", "demo_default", "busybox:latest" */
    const char *reason;  /* why, for people: "new", "image changed", "environment.DEBUG changed,
                            stack.yaml:42"; NULL: goes with another of the same object */
    const struct service *service; /* or NULL */
    int number;                    /* replica, from 1; 0: none */
    const char *service_name;      /* also of services that are only known from labels; or NULL */

    /* The container (network, volume, image) it works on: an id known from the snapshot, or the
     * result of `target` (an OP_CREATE). */
    const char *id;
    struct op *target;

    const char *name; /* CREATE: name to create under; RENAME: the name to give */
    const struct network *network;
    const struct volume *volume;
    const struct image *image; /* BUILD */
    const char *ref;           /* PULL, BUILD, PUSH, IMAGE_REMOVE, CREATE: the image reference */
    const char *platform;
    const char *fingerprint; /* BUILD: label for the image */
    struct op *fetch;        /* BUILD: not needed when that one brings the image */
    bool must;               /* FETCH: nobody builds the image if the registry has it not */
    bool exact;              /* FETCH: by content alone, not by commit */
    const struct seen_container *old; /* CREATE: the container that it takes the place of: its
                                         anonymous volumes are carried over */
    bool renew_anon_volumes;          /* CREATE: do not */
    const char *image_id; /* CREATE: id from the snapshot, NULL if pulled or built here */
    struct op *image_op;  /* CREATE: the PULL or BUILD that brings it, or NULL */
    const struct op_parent *parents; /* CREATE */
    size_t nparents;
    const struct endpoint *endpoint; /* CONNECT */
    enum condition condition;        /* WAIT */
    bool optional;                   /* WAIT: all who wait can do without (required: false) */
    struct op **waits; /* WAIT: the STARTs and RESTARTs of containers, NULL-terminated */
    /* WAIT: containers that already run, NULL-terminated */
    const struct seen_container *const *wait_seen;
    int timeout_s;      /* STOP, RESTART, WAIT; -1: default */
    const char *signal; /* KILL, STOP */
    bool force;         /* REMOVE, VOLUME_REMOVE */
    bool volumes;       /* REMOVE: anonymous ones go along; VOLUME_REMOVE: it may have gone so */
    const struct node *hook; /* HOOK */

    struct op_need *needs;
    size_t nneeds;
    struct op **then; /* the other direction, filled by graph.c */
    size_t nthen;
};

#endif
