/* What every command has at hand: global options, and the steps load, open, observe, lock. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/command.h"
#include "engine/engine.h"
#include "model/load.h"
#include "run/lock.h"
#include "state/observe.h"
#include "view/view.h"

struct global_options {
    struct strv files, env_files, profiles;
    const char *stack;        /* -s */
    const char *project_name; /* -p */
    const char *project_directory;
    const char *context, *host;
    const char *progress, *ansi;
    int parallel;
    bool dry_run, debug, all_resources, compatibility, help, version;
};

struct cli {
    struct global_options global;
    struct arena *arena; /* of diagnostics */
    struct diag diag;
    struct loop *loop;     /* made on need by cli_loop() */
    struct engine *engine; /* by cli_engine() */
    struct view *view;     /* by cli_view() */
    struct stack *stack;   /* by cli_load() */
    char *stack_name;      /* by cli_load() / cli_load_name() */
    struct lock *lock;
    const char *argv_text; /* the command line without values of options, for the lock's holder */
};

/* Each makes its part once; later calls give the same. */
int cli_load(struct cli *cli, const struct strv *services, struct error *err);
int cli_load_name(struct cli *cli, struct error *err);
struct loop *cli_loop(struct cli *cli);
int cli_engine(struct cli *cli, struct error *err);
struct view *cli_view(struct cli *cli, const char *verb);
/* Takes the stack's lock, saying whom it waits for. */
int cli_lock(struct cli *cli, const char *command, struct error *err);
int cli_observe(struct snapshot **out, struct cli *cli, unsigned what, struct error *err);

#endif
