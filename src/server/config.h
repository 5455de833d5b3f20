/* hook.yaml: what `stack hook` listens to, builds and reports. Mistakes are diagnostics. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdint.h>

#include "base/arena.h"
#include "base/strv.h"
#include "base/vec.h"
#include "server/signature.h"
#include "text/diag.h"

/* Of one step of a job; 0: none. */
struct hook_limits {
    int64_t time_ms;   /* then its processes are killed */
    int64_t cpu_ms;    /* RLIMIT_CPU, of each process; whole seconds, rounded up */
    int64_t memory;    /* RLIMIT_AS, of each process */
    int64_t file_size; /* RLIMIT_FSIZE */
    int64_t log;       /* bytes kept of what the job prints: the last ones */
};

struct hook_status {
    const char *api;     /* base URL; NULL: follows from the project's `git` and `forge` */
    const char *context; /* what the forge shows it as */
    struct secret token; /* none: nothing is reported */
};

struct hook_project {
    const char *name;
    const char *git;
    const char *forge;    /* only its format is taken; NULL: any */
    struct secret secret; /* its own, or the common one; none: only polls */
    bool own_secret;      /* the common one proves nothing about it */
    struct strv refs;     /* patterns of fnmatch(3) on full names */
    struct strv command;  /* with placeholders, see server/words.h */
    const char *stack_file;
    const char *up; /* or NULL */
    int64_t poll_ms;
    struct hook_limits limits;
    struct hook_status status;
};

struct hook_config {
    struct arena *arena;
    const char *dir; /* the file's folder: where relative paths start and jobs run */
    const char *host;
    int port;
    const char *queue; /* folder; NULL: the usual one */
    const char *url;   /* where people see this server; NULL: unknown */
    int parallel;      /* jobs at a time */
    int keep;          /* finished jobs of a project, and as many that were superseded */
    int64_t stop_ms;   /* what running jobs get to end when the server stops */
    int connections, connections_per_source;
    int64_t body_max, request_ms;
    struct secret view;        /* token for the pages; none: for this machine alone */
    struct hook_project usual; /* what projects have unless they say otherwise */
    struct strv secret_env;    /* variables that held a secret: jobs do not get them */
    struct {
        VEC(struct hook_project);
    } projects;
};

/* Reads the file, and the files of secrets that it names. 0, or -1 with diagnostics or *err. */
int hook_config_load(struct hook_config **out, const char *path, struct diag *d, struct error *err);
void hook_config_free(struct hook_config *c); /* secrets are overwritten */
DEFINE_FREEP(struct hook_config, hook_config_free)

const struct hook_project *hook_config_project(const struct hook_config *c, const char *name);
/* Whether the ref (full name) is one that the project builds. */
bool hook_config_wants(const struct hook_project *p, const char *ref);
/* Letters, digits, '_', '.', '-', not first a sign; at most 64. */
bool hook_config_name_valid(const char *name);

/* "127.0.0.1:9666", "[::1]:9666", ":9666", "9666"; *host is owned by the caller. 0 or -1. */
int hook_config_address(char **host, int *port, const char *text);

#endif
