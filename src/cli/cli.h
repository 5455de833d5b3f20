/* What every command has at hand: global options, and the steps load, open, observe, lock. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/command.h"
#include "cli/sources.h"
#include "engine/engine.h"
#include "model/load.h"
#include "run/lock.h"
#include "state/observe.h"
#include "view/view.h"

struct global_options {
    struct strv files, env_files, profiles;
    const char *stack;        /* -s */
    const char *project_name; /* -p */
    const char *instance, *track;
    const char *project_directory;
    const char *context, *host;
    const char *progress, *ansi;
    int parallel;
    bool locked; /* of the commands that have it: as stack.lock says */
    bool dry_run, debug, all_resources, compatibility, help, version, offline, no_ansi;
};

struct cli {
    struct global_options global;
    struct arena *arena; /* of diagnostics */
    struct diag diag;
    struct loop *loop;          /* made on need by cli_loop() */
    struct engine *engine;      /* by cli_engine() */
    struct view *view;          /* by cli_view() */
    bool view_runs;             /* it was made for a command's progress */
    struct stack *stack;        /* by cli_load() */
    char *stack_name;           /* by cli_load() / cli_load_name() */
    struct git_sources sources; /* the projects from git that loading met */
    bool sync;                  /* fetch them all when the stack is loaded: up --sync */
    struct {
        const char *ref;             /* instead of the file's; fetched; NULL: the file's */
        const struct strv *projects; /* of these; empty: of all */
    } at;                            /* rebuild --ref */
    struct lock *lock;
    size_t diag_shown; /* entries of diag that the user has seen */
    struct {
        bool no_color, no_prefix, timestamps, json, split, builds;
    } logs;                /* how the view shows lines of containers; set before it is made */
    const char *argv_text; /* "stack up": what the lock's holder is called; borrowed */
};

/* A whole command line; the exit code. Once in a process. */
int cli_main(int argc, char **argv);

void cli_init(struct cli *cli, const char *argv_text);
void cli_clear(struct cli *cli);
/* Shows collected diagnostics and the error. */
void cli_report(struct cli *cli, const struct error *err);

/* What the global options say about loading; `services` may be NULL. Borrows from both. */
void cli_load_options(struct load_options *out, const struct cli *cli, const struct strv *services);

/* STACK_name, else COMPOSE_name, of the environment or of the .env files of a stack that is loaded;
 * borrowed, or NULL. cli_switch(): whether it is "true" or the like. */
const char *cli_setting(const struct cli *cli, const char *name);
bool cli_switch(const struct cli *cli, const char *name);

/* Each makes its part once; later calls give the same. Projects from git that are missing are
 * cloned before the stack is loaded; cli_load_name() clones nothing: then there is a name alone. */
int cli_load(struct cli *cli, const struct strv *services, struct error *err);
int cli_load_with(struct cli *cli, const struct load_options *opt, struct error *err);
int cli_load_name(struct cli *cli, struct error *err);
/* For commands about projects: what the file says of them, in cli->sources and, when everything
 * else is in order too, cli->stack; nothing is cloned. Once. */
int cli_probe(struct cli *cli, struct error *err);
struct loop *cli_loop(struct cli *cli);
int cli_engine(struct cli *cli, struct error *err);
/* How progress is to be shown: the word of --progress or of the environment, or NULL. */
const char *cli_progress(const struct cli *cli);
/* With a verb: a view for the progress of that command. NULL: the one there is, or a plain one. */
struct view *cli_view(struct cli *cli, const char *verb);
/* Takes the stack's lock, saying whom it waits for. */
int cli_lock(struct cli *cli, const char *command, struct error *err);
void cli_unlock(struct cli *cli);
/* Whether a command that changes the stack is at work. */
bool cli_locked(const struct cli *cli);
/* One list call for each bit of `what` (state/observe.h), for the stack that was loaded or named.
 */
int cli_observe(struct snapshot **out, struct cli *cli, unsigned what,
                const char *const *image_refs, size_t nrefs, struct error *err);

#endif
