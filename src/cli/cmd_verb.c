/* The commands that do one thing to the containers that are there: start, stop, restart, kill, rm,
 * pause, unpause. They work from labels, with the stack file or without. */
#include "base/mem.h"
#include "base/str.h"
#include "cli/change.h"
#include "cli/confirm.h"

struct verb_options {
    int timeout, wait_timeout;
    bool wait, no_deps, force, yes, stop, volumes, remove_orphans, ignored;
    const char *signal;
};
#define OPTIONS verb_options

static void defaults(void *values)
{
    ((struct verb_options *)values)->timeout = -1;
}

static int run_change(struct change *c, enum plan_verb verb, const struct verb_options *o,
                      const struct strv *args, struct error *err)
{
    struct cli *cli = c->cli;
    struct plan_options opt = {
        .services = args->len ? (const char *const *)args->items : NULL,
        .timeout_s = o->timeout,
        .same_file = change_same_file,
        .wait = o->wait,
        .no_deps = o->no_deps,
        .signal = o->signal,
        .stop_first = o->stop,
        .remove_volumes = o->volumes,
        .remove_orphans = o->remove_orphans,
    };
    if (change_begin(c, cli, c->verb, err) < 0 || change_observe(c, OBSERVE_CONTAINERS, err) < 0 ||
        plan_verb(&c->plan, verb, cli->stack, cli->stack_name, c->now, &opt, err) < 0)
        return -1;
    int code = verb == PLAN_RM && !o->force && !o->yes ? confirm_containers(c, err) : 0;
    c->run.wait_timeout_s = o->wait_timeout;
    return code ? code : change_run(c, err);
}

static int run_verb(struct cli *cli, enum plan_verb verb, const char *name, const void *values,
                    const struct strv *args, struct error *err)
{
    struct change c = { .cli = cli, .verb = name };
    if (cli_load_name(cli, err) < 0)
        return -1;
    int code = run_change(&c, verb, values, args, err);
    change_end(&c);
    return code;
}

#define ROW_TIMEOUT                             \
    ROW_INT('t', "timeout", timeout, "SECONDS", \
            "How long a container may take to stop (default: its stop_grace_period)")

static const struct option start_rows[] = {
    ROW_FLAG(0, "wait", wait, "Return when every service is running and healthy"),
    ROW_INT(0, "wait-timeout", wait_timeout, "SECONDS", "Longest wait for readiness"),
};
static const struct option stop_rows[] = { ROW_TIMEOUT };
static const struct option restart_rows[] = {
    ROW_TIMEOUT,
    ROW_FLAG(0, "no-deps", no_deps, "Do not restart services that depend on the named ones"),
};
static const struct option kill_rows[] = {
    ROW_STRING('s', "signal", signal, "SIGNAL", COMPLETE_NONE, "Signal to send (default SIGKILL)"),
    ROW_FLAG(0, "remove-orphans", remove_orphans,
             "Remove containers of services that the file no longer has"),
};
static const struct option rm_rows[] = {
    ROW_FLAG('f', "force", force, "Do not ask"),
    ROW_FLAG('y', "yes", yes, "The same"),
    ROW_FLAG('s', "stop", stop, "Stop running containers before"),
    ROW_HIDDEN('a', "all", ignored), /* those of runs too: they always are */
    ROW_FLAG('v', "volumes", volumes, "Remove their anonymous volumes, too"),
};

/* A command that is one verb. */
#define VERB(word, id, rows, n, line)                                             \
    static int run_##word(struct cli *cli, void *values, const struct strv *args, \
                          struct error *err)                                      \
    {                                                                             \
        return run_verb(cli, id, #word, values, args, err);                       \
    }                                                                             \
    extern const struct command cmd_##word;                                       \
    const struct command cmd_##word = {                                           \
        .name = #word,                                                            \
        .group = "Containers",                                                    \
        .usage = "[OPTIONS] [SERVICE...]",                                        \
        .summary = line,                                                          \
        .options = rows,                                                          \
        .noptions = n,                                                            \
        .options_size = sizeof(struct verb_options),                              \
        .defaults = defaults,                                                     \
        .max_args = -1,                                                           \
        .args = COMPLETE_SERVICE,                                                 \
        .run = run_##word,                                                        \
    }

VERB(start, PLAN_START, start_rows, countof(start_rows), "Start containers that are stopped");
VERB(stop, PLAN_STOP, stop_rows, countof(stop_rows), "Stop containers without removing them");
VERB(restart, PLAN_RESTART, restart_rows, countof(restart_rows),
     "Stop containers and start them again, as they are");
VERB(kill, PLAN_KILL, kill_rows, countof(kill_rows), "Send containers a signal");
VERB(rm, PLAN_RM, rm_rows, countof(rm_rows), "Remove stopped containers");
VERB(pause, PLAN_PAUSE, NULL, 0, "Suspend containers");
VERB(unpause, PLAN_UNPAUSE, NULL, 0, "Resume suspended containers");
