/*
 * Loading: from command line and environment to a `struct stack`.
 *
 * The order, a file each: find.c and env.c (which files, project folder, variables), document.c
 * (read, replace variables), fig.c (the 2014 form into the Compose form), schema_check.c and
 * schema_expand.c (mistakes, short forms), extends.c, include.c, schema_merge.c (several files),
 * native.c (projects, infrastructure and what they require become services), schema_finish.c
 * (types, defaults), paths.c, normalise.c (names, networks, implied dependencies, env_file),
 * profiles.c, validate.c, extract.c and extract_run.c (the structs of model.h), hash.c.
 */
#ifndef MODEL_LOAD_H
#define MODEL_LOAD_H

#include "base/strv.h"
#include "model/model.h"

/* A project that the stack file names by a git source. */
struct load_git_source {
    const char *project;
    const char *url;    /* as the file has it; a path is absolute */
    const char *ref;    /* or NULL */
    const char *commit; /* exactly this one: the lock file's; or NULL */
    bool submodules;
    const char *stack_name, *stack_dir;
};

/* Finds the folder of its checkout. 0 with *out_dir (absolute, owned by the caller), or -1 with
 * *err. Called in the order of the file; everything in `source` is borrowed for the call. */
typedef int load_git_fn(char **out_dir, void *ctx, const struct load_git_source *source,
                        struct error *err);

struct load_options {
    const char *const *files; /* -f, NULL-terminated; NULL: discovery */
    const char *stdin_text;   /* what the file "-" reads; NULL: standard input */
    size_t stdin_len;
    const char *stack_name;   /* -s NAME: stacks/NAME.yaml */
    const char *project_name; /* -p */
    const char *track;        /* --track; NULL: the file's */
    const char *instance; /* --instance; "": the main one; NULL: by the environment or work tree */
    const char *project_directory;
    const char *const *env_files; /* --env-file, NULL-terminated, or NULL */
    const char *const *profiles;  /* --profile, or NULL */
    const char *const *services;  /* named on the command line: enabled whatever their profile */
    const char *cwd;              /* absolute; NULL: getcwd() */
    const char *const *environ;   /* NULL: the process's */
    /* for `config` */
    bool no_interpolate, no_normalize, no_resolve_paths, no_env_resolution, no_consistency;
    bool list_variables; /* fill st->variables although no_interpolate is set */
    bool all_profiles;
    bool lenient;       /* mistakes that matter to single services alone go to st->faults */
    bool locked;        /* as stack.lock beside the stack file says; ERR_NOFILE without one */
    bool compatibility; /* names with '_' between their parts; also COMPOSE_COMPATIBILITY */
    load_git_fn *git;   /* NULL: git sources are an error that says they are not cloned */
    void *git_ctx;
};

/* Loads everything. Mistakes in files go to `d` (its arena may be any; entries stay valid as long
 * as it), the result is then -1 with ERR_INPUT "N errors in the stack file". ERR_NOFILE when
 * nothing was found: message and hint list what was looked for and where. */
int stack_load(struct stack **out, const struct load_options *opt, struct diag *d,
               struct error *err);

/* The stack's name alone, for commands that work from labels: -p, COMPOSE_PROJECT_NAME /
 * STACK_PROJECT_NAME, else the file's. `*out_stack` is set when a file was found and loaded, else
 * NULL (then only -p or the environment can have given the name). */
int stack_load_name(char **out_name, struct stack **out_stack, const struct load_options *opt,
                    struct diag *d, struct error *err);

#endif
