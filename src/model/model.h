/*
 * What a stack means. The header to read first.
 *
 * A `struct stack` is the normalised meaning of its files, whatever dialect they came from: every
 * default filled in, every short form expanded, every mistake already reported. Nobody past the
 * loader asks which dialect it was. It is read-only after loading; everything in it lives in its
 * arena and is freed by stack_free().
 *
 * Two views of the same thing: `tree` is the canonical document (what `stack config` prints; each
 * service's part is service->config, which hashes and engine requests are made from, so that a key
 * needs no field here), and the structs hold what planning needs: names, references resolved to
 * pointers, waits, images.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "text/diag.h"
#include "text/node.h"

struct service;
struct network;
struct volume;
struct image;
struct lockfile;

/* A network, volume, config or secret as the file declares it. */
struct network {
    const char *key;  /* in the file: "default" */
    const char *name; /* on the engine: "demo_default" */
    bool external;    /* must exist; never made or removed */
    bool used;        /* by an enabled service */
    struct node *config;
    struct span span;
    char hash[DIGEST_HEX_LEN + 1];
};

struct volume {
    const char *key;
    const char *name;
    bool external;
    bool used;
    struct node *config;
    struct span span;
    char hash[DIGEST_HEX_LEN + 1];
};

/* A config or a secret. */
struct file_object {
    const char *key;
    const char *name;
    bool external;
    bool secret;
    const char *file;        /* absolute path of the content, or NULL */
    const char *environment; /* name of the variable that holds it, or NULL */
    const char *content;     /* configs: inline, or the variable's value; NULL otherwise */
    struct node *config;
    struct span span;
};

/* Use of a config or secret by a service. */
struct file_use {
    const struct file_object *object;
    const char *target;    /* absolute path in the container */
    const char *uid, *gid; /* "0" where the file says nothing */
    int mode;              /* 0444 where the file says nothing */
    bool plain;            /* no uid, gid, mode were asked for */
};

/* A plain `file:` is a read-only bind mount, as in docker compose; content, and files whose owner
 * or mode was asked for, are put into the created container instead. */
static inline bool file_use_is_bind(const struct file_use *use)
{
    return use->object->file && use->plain;
}

enum condition {
    COND_STARTED,
    COND_HEALTHY,
    COND_COMPLETED,
    COND_READY, /* `ready:`, else the health check, else the start: native and fig form */
};

/* `service` must come first. From depends_on, links, volumes_from, network_mode/ipc/pid: service.
 */
struct dependency {
    const struct service *service;
    enum condition condition;
    bool required; /* false: go on without it when it fails or is absent */
    bool restart;  /* restart me when stack restarts or recreates it */
    bool identity; /* my container names its container: recreated together */
    struct span span;
};

struct link {
    const struct service *service;
    const char *alias;
};

/* external_links: a container outside the stack. */
struct port {
    const char *host_ip;   /* "" : all */
    const char *published; /* "8080", "8080-8090", "" : the engine chooses */
    int target;
    const char *protocol; /* "tcp", "udp", "sctp" */
    const char *mode;     /* "ingress", "host" */
    struct span span;
};

struct mount {
    const char *type;   /* "bind", "volume", "tmpfs", "npipe", "cluster", "image" */
    const char *source; /* bind: absolute path; volume: name on the engine, "" : anonymous */
    const char *target;
    bool read_only;
    const struct volume *volume; /* type volume with a declared name, else NULL */
    const struct node *config;
};

/* Membership of a network. */
struct endpoint {
    const struct network *network;
    const struct node *config; /* aliases, addresses, priority ...; may be NULL */
    int priority;
};

/* When a service may be used. Several hold together; none set: as soon as it has started. */
struct ready {
    const char *log;       /* regular expression on its output, or NULL */
    int tcp;               /* port inside the container, or 0 */
    int http_port;         /* 0: no http check */
    const char *http_host; /* Host header, or NULL */
    const char *http_path;
    int http_status; /* exactly this; 0: any 2xx or 3xx */
    const char *const
        *exec;    /* argv (a string became ["/bin/sh","-c",...]), NULL-terminated, or NULL */
    bool healthy; /* the health check of the container */
    bool set;     /* some check is there */
    int64_t timeout_ms;
    int64_t interval_ms;
};

/* The health check as the file has it; an image may bring one that is unknown here. */
struct health {
    bool set;
    bool disabled;
    const char *const *test; /* argv for exec: CMD as is, CMD-SHELL as sh -c; or NULL */
    int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns; /* 0: engine's default */
    int retries;
    bool engine_only; /* x-probe: engine */
};

enum pull_policy {
    PULL_MISSING,
    PULL_ALWAYS,
    PULL_NEVER,
    PULL_BUILD,
    PULL_EVERY, /* when older than pull_every_s (daily, weekly, every_<duration>) */
};

/* An image that this stack builds: a service's `build:` or an entry of a project's `images:`. */
struct image {
    const char *name;    /* service or image name: what messages and FROM may call it */
    const char *project; /* the source project that owns it, or NULL */
    const char *ref;     /* the tag it gets: "demo-web" */
    const char *locked;  /* "registry.example.org/x/web@sha256:...": only that; or NULL */
    const char *context; /* absolute directory, or a URL the engine fetches */
    bool remote_context;
    const char *dockerfile; /* path relative to context or absolute; NULL with dockerfile_inline */
    const char *dockerfile_inline;
    const char *target;        /* stage or NULL */
    const struct node *args;   /* map of strings (null: from our environment, already taken) */
    const struct node *labels; /* map of strings or NULL */
    const struct node *config; /* the whole canonical `build:` */
    const char *platform;      /* or NULL */
    struct span span;
};

struct service {
    const char *name;
    size_t index;        /* in stack->services */
    struct node *config; /* canonical: everything the file says about it */
    struct span span;
    const char *project; /* the source project it came from, or NULL */
    const char *image;   /* reference its containers run; never NULL for a service that can run */
    const struct image *build; /* non-NULL: this stack builds `image` */
    enum pull_policy pull_policy;
    int64_t pull_every_s;
    const char *platform;       /* or NULL */
    const char *container_name; /* or NULL: <stack>-<service>-<n> */
    int replicas;
    bool job;    /* some service waits for its successful end */
    bool attach; /* its output is shown by an attached `up` */
    bool tty, stdin_open;
    const char *restart;      /* "no", "always", "on-failure[:n]", "unless-stopped" */
    const char *stop_signal;  /* or NULL */
    int64_t stop_grace_ns;    /* -1: not set */
    bool link_environment;    /* give it the variables of 2014's links */
    bool link_numbers;        /* those of "db_1" and "<stack>_db_1" as well */
    const char *network_mode; /* "host", "none", "service:x", "container:x", or NULL */
    struct ready ready;
    struct health health;
    const struct dependency *deps;
    size_t ndeps;
    const struct link *links;
    size_t nlinks;
    const struct endpoint *endpoints; /* by priority, then as written */
    size_t nendpoints;
    const struct port *ports;
    size_t nports;
    const struct mount *mounts;
    size_t nmounts;
    const struct file_use *files; /* configs, then secrets */
    size_t nfiles;
    const struct node *post_start; /* lists of hooks, or NULL */
    const struct node *pre_stop;
    /* Of `config` without what does not make a container (build, pull_policy, scale, replicas,
     * depends_on, profiles, develop ...), with the content of configs and secrets: "1:<hex>". The
     * number is the version of the form that is hashed. */
    char hash[DIGEST_HEX_LEN + 8];
};

/* A source project: what owns a docstack/. */
struct project {
    const char *name;
    const char *dir; /* absolute: its root, the folder of docstack/ */
    /* git: as the file has it, a path absolute; it may hold a password, so that nobody shows it but
     * through git/url.h. NULL: a folder of this machine. */
    const char *url;
    const char *ref;   /* git: or NULL, the default branch */
    const char *below; /* git: the folder in the repository that is its root; "" for all of it */
    bool submodules;
    struct span span; /* of its name in the stack file */
};

/* A mistake that matters to who makes containers of the service, or of both together. */
struct fault {
    const char *service, *other; /* or NULL */
    const char *text, *hint;     /* or NULL */
    struct span span;
};

struct stack {
    struct arena *arena;
    const struct lockfile *lock; /* what it was loaded by; NULL: not locked */
    const char *name;
    const char *instance;           /* the name ends in it; NULL: the main one */
    int port_block;                 /* first port of its lease; 0: none */
    const char *dir;                /* absolute: what relative paths start from */
    const char *const *files;       /* absolute, in merge order, NULL-terminated */
    const char *const *env_files;   /* the same */
    struct node *tree;              /* canonical document, disabled services left out */
    const struct node *disabled;    /* map of services that no active profile enables */
    const struct service *services; /* enabled ones, sorted by name */
    size_t nservices;
    const struct network *networks;
    size_t nnetworks;
    const struct volume *volumes;
    size_t nvolumes;
    const struct file_object *configs;
    size_t nconfigs;
    const struct file_object *secrets;
    size_t nsecrets;
    const struct fault *faults; /* where the loader let them pass; of enabled services */
    size_t nfaults;
    const struct image *images; /* every image that this stack builds, each once */
    size_t nimages;
    const struct project *projects; /* native form: in the order of the file */
    size_t nprojects;
    const char *registry; /* native form: where project images are found, or NULL */
    const char *track;
    /* Variables seen in interpolation: map name -> {default, required, alternative, value}. */
    const struct node *variables;
    /* The variables that interpolation saw the values of: process, .env files; map of strings. */
    const struct node *environment;
    const char *const *profiles; /* the active ones, NULL-terminated */
    char separator;              /* between the parts of names: '-', or '_' for compatibility */
};

void stack_free(struct stack *s);
DEFINE_FREEP(struct stack, stack_free)

/* By name, or NULL. */
const struct service *stack_service(const struct stack *s, const char *name);
const struct network *stack_network(const struct stack *s, const char *key);
const struct volume *stack_volume(const struct stack *s, const char *key);

/* "8080" or "8080-8090"; false for anything else: "" and "0" leave it to the engine. */
bool port_numbers(int *first, int *last, const char *published);

/* Whether a key of service->config is part of service->hash. */
bool service_key_is_hashed(const char *key);

/* "<stack>-<service>-<number>", or container_name. Owned by the caller. */
char *service_container_name(const struct stack *st, const struct service *s, int number);
/* Names of one replica for who links to it: "<service>_<number>", `whole`: with the stack's before.
 * Owned by the caller. */
char *service_link_name(const struct stack *st, const struct service *s, int number, char separator,
                        bool whole);

#endif
