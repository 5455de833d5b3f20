/* `stack up`, and what is part of it: `create` (all but starting), `plan` (only what it would do),
 * `scale` (only other numbers of containers). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/attach.h"
#include "cli/change.h"
#include "cli/locked.h"

struct up_options {
    bool detach, wait, build, no_build, force_recreate, no_recreate, always_recreate_deps;
    bool no_deps, no_start, remove_orphans, renew_anon_volumes, adopt, locked;
    bool quiet_pull, quiet_build, abort_on_exit, abort_on_failure, attach_deps;
    bool no_color, no_prefix, timestamps, watch, sync, ignored;
    struct strv scale, attach, no_attach;
    const char *pull, *exit_code_from, *format, *menu;
    int wait_timeout, timeout;
};
#define OPTIONS up_options

static const char *const pull_values[] = { "always", "missing", "never", "build", "policy", NULL };
static const char *const plan_formats[] = { "text", "json", NULL };

/* Rows that all three commands have. */
#define COMMON_ROWS                                                                              \
    ROW_FLAG(0, "build", build, "Build images even when their sources have not changed"),        \
        ROW_FLAG(0, "no-build", no_build, "Build nothing; a missing image is an error"),         \
        ROW_CHOICE(0, "pull", pull, pull_values, "Pull images whatever their pull_policy says"), \
        ROW_FLAG(0, "force-recreate", force_recreate,                                            \
                 "Replace containers even when nothing changed"),                                \
        ROW_FLAG(0, "no-recreate", no_recreate, "Replace no container that exists"),             \
        ROW_FLAG(0, "remove-orphans", remove_orphans,                                            \
                 "Remove containers of services that the file no longer has"),                   \
        ROW_STRINGS(0, "scale", scale, "SERVICE=NUM", COMPLETE_SERVICE,                          \
                    "Run NUM containers of a service; repeatable"),                              \
        ROW_FLAG(0, "adopt", adopt,                                                              \
                 "Take over containers of this stack that another stack file made"),             \
        ROW_FLAG(0, "locked", locked, "Use exactly the commits and images of stack.lock"),       \
        ROW_HIDDEN('y', "yes", ignored)

/* Rows of `up` and `plan`. */
#define CONVERGE_ROWS                                                                      \
    ROW_FLAG(0, "no-deps", no_deps, "Leave alone what the named services depend on"),      \
        ROW_FLAG(0, "no-start", no_start, "Create containers without starting them"),      \
        ROW_FLAG(0, "always-recreate-deps", always_recreate_deps,                          \
                 "Replace also what the named services depend on, with --force-recreate"), \
        ROW_FLAG('V', "renew-anon-volumes", renew_anon_volumes,                            \
                 "Give replaced containers new anonymous volumes"),                        \
        ROW_INT('t', "timeout", timeout, "SECONDS",                                        \
                "How long a container may take to stop (default: its stop_grace_period)")

static const struct option up_rows[] = {
    ROW_FLAG('d', "detach", detach, "Return when everything is up, and show no output"),
    ROW_FLAG(0, "wait", wait, "Return when every service is running and healthy; implies -d"),
    ROW_FLAG(0, "sync", sync, "Fetch the projects that come from git first"),
    ROW_INT(0, "wait-timeout", wait_timeout, "SECONDS", "Longest wait for readiness"),
    COMMON_ROWS,
    CONVERGE_ROWS,
    ROW_FLAG(0, "abort-on-container-exit", abort_on_exit, "Stop all when one container ends"),
    ROW_FLAG(0, "abort-on-container-failure", abort_on_failure,
             "Stop all when one container ends with a failure"),
    ROW_STRING(0, "exit-code-from", exit_code_from, "SERVICE", COMPLETE_SERVICE,
               "End with the exit code of a service; implies --abort-on-container-exit"),
    ROW_STRINGS(0, "attach", attach, "SERVICE", COMPLETE_SERVICE,
                "Show only the output of this service; repeatable"),
    ROW_STRINGS(0, "no-attach", no_attach, "SERVICE", COMPLETE_SERVICE,
                "Show no output of this service; repeatable"),
    ROW_FLAG(0, "attach-dependencies", attach_deps,
             "Show also the output of what the named services depend on"),
    ROW_FLAG('w', "watch", watch,
             "Bring changes of files into the containers, as 'stack watch' does"),
    ROW_FLAG(0, "timestamps", timestamps, "Show the time of each line of output"),
    ROW_FLAG(0, "no-log-prefix", no_prefix, "Show output without the names of containers"),
    ROW_FLAG(0, "no-color", no_color, "No colours"),
    ROW_FLAG(0, "quiet-pull", quiet_pull, "No progress of pulls"),
    ROW_FLAG(0, "quiet-build", quiet_build, "No output of builds"),
    { .name = "menu",
      .kind = OPT_STRING,
      .offset = OPT_AT(menu),
      .arg = "true|false",
      .help = "Keys that detach and watch, on a terminal (default: STACK_MENU, else true)",
      .optional_arg = true },
};

static const struct option create_rows[] = {
    COMMON_ROWS,
    ROW_FLAG(0, "quiet-pull", quiet_pull, "No progress of pulls"),
};

static const struct option scale_rows[] = {
    ROW_FLAG(0, "no-deps", no_deps, "Leave alone what the named services depend on"),
};

static const struct option plan_rows[] = {
    COMMON_ROWS,
    CONVERGE_ROWS,
    ROW_CHOICE(0, "format", format, plan_formats, "Form of the output"),
};

static void defaults(void *values)
{
    ((struct up_options *)values)->timeout = -1;
}

static int check(const struct cli *cli, const struct up_options *o, struct error *err)
{
    const struct {
        bool both;
        const char *text;
    } clashes[] = {
        { o->build && o->no_build, "--build and --no-build" },
        { o->force_recreate && o->no_recreate, "--force-recreate and --no-recreate" },
        { o->always_recreate_deps && o->no_recreate, "--always-recreate-deps and --no-recreate" },
        { (o->detach || o->wait) && (o->abort_on_exit || o->exit_code_from),
          "-d and --abort-on-container-exit" },
        { (o->detach || o->wait) && o->abort_on_failure, "-d and --abort-on-container-failure" },
        { (o->detach || o->wait) && o->attach.len, "-d and --attach" },
        { o->no_start && o->wait, "--no-start and --wait" },
        { o->sync && cli->global.offline, "--sync and --offline" },
        { o->sync && cli->global.dry_run, "--sync and --dry-run" },
        { (o->detach || o->wait || o->no_start) && o->watch, "--watch and -d" },
        { (o->abort_on_exit || o->abort_on_failure || o->exit_code_from) && o->watch,
          "--watch and --abort-on-container-exit" },
    };
    for (size_t i = 0; i < countof(clashes); i++)
        if (clashes[i].both)
            return error_set(err, ERR_USAGE, 0, "%s exclude each other", clashes[i].text);
    return 0;
}

struct scales {
    VEC(struct plan_scale);
};

static void scales_free(struct scales *s)
{
    vec_free(s);
}

/* "web=3" into the list; the names are cut off in `texts`. */
static int read_scales(struct scales *out, struct strv *texts, struct error *err)
{
    strv_each (text, texts) {
        char *equals = strchr(*text, '=');
        int64_t replicas;
        if (!equals || equals == *text || num_range(&replicas, equals + 1, 0, 10000) < 0)
            return error_set(err, ERR_USAGE, 0,
                             "'%s' is not SERVICE=NUM with a number from 0 to 10000", *text);
        *equals = '\0';
        *vec_push(out) = (struct plan_scale){ *text, (int)replicas };
    }
    return 0;
}

static void fill_plan_options(struct plan_options *p, const struct up_options *o,
                              const struct strv *args, const struct scales *scales,
                              const struct cli *cli)
{
    *p = (struct plan_options){
        .services = args->len ? (const char *const *)args->items : NULL,
        .recreate = o->force_recreate ? RECREATE_FORCE
                    : o->no_recreate  ? RECREATE_NEVER
                                      : RECREATE_CHANGED,
        .always_recreate_deps = o->always_recreate_deps,
        .no_deps = o->no_deps,
        .no_start = o->no_start,
        .build = o->build,
        .no_build = o->no_build,
        .pull = str_eq(o->pull, "policy") ? NULL : o->pull,
        .remove_orphans = o->remove_orphans || cli_switch(cli, "REMOVE_ORPHANS"),
        .ignore_orphans = cli_switch(cli, "IGNORE_ORPHANS"),
        .all_resources = cli->global.all_resources,
        .renew_anon_volumes = o->renew_anon_volumes,
        .wait = o->wait,
        .timeout_s = o->timeout,
        .scale = scales->items,
        .nscale = scales->len,
        .adopt = o->adopt,
        .same_file = change_same_file,
        .now = clock_unix_ns() / 1000000000,
    };
}

/* Names of the services for which `use` is set. */
static void add_names(struct strv *out, const struct stack *st, const bool *use)
{
    for (size_t i = 0; i < st->nservices; i++)
        if (use[i])
            strv_add(out, st->services[i].name);
}

/* --menu, else STACK_MENU or COMPOSE_MENU, else yes. */
static bool wants_menu(const struct up_options *o, const struct cli *cli)
{
    const char *said = o->menu && *o->menu ? o->menu : cli_setting(cli, "MENU");
    return !said || !*said || str_is_true(said);
}

/* Whose output is shown. */
static void choose_shown(bool *shown, const struct stack *st, const struct up_options *o)
{
    for (size_t i = 0; i < st->nservices; i++) {
        const char *name = st->services[i].name;
        if (o->attach.len)
            shown[i] = strv_has(&o->attach, name);
        else
            shown[i] &= st->services[i].attach;
        shown[i] &= !strv_has(&o->no_attach, name);
    }
}

static int check_services(const struct stack *st, const struct strv *names, struct error *err)
{
    for (size_t i = 0; i < names->len; i++)
        if (!stack_service(st, names->items[i]))
            return error_set(err, ERR_NOTFOUND, 0, "no such service: %s", names->items[i]);
    return 0;
}

static int attach(struct change *c, const struct up_options *o, const char *const *services,
                  int64_t since_ns, struct watching **w, struct error *err)
{
    const struct stack *st = c->cli->stack;
    auto_free bool *selected = change_selected(st, services, o->no_deps);
    auto_free bool *shown = change_selected(st, services, o->no_deps || !o->attach_deps);
    choose_shown(shown, st, o);
    auto_strv struct strv all = STRV_INIT, lines = STRV_INIT;
    bool abort = o->abort_on_exit || o->abort_on_failure || o->exit_code_from;
    add_names(&all, st, selected);
    add_names(&lines, st, shown);
    const struct strv *followed = abort ? &all : &lines;
    if (followed->len == 0 && !*w)
        return EXIT_DONE;
    struct attach_options opt = {
        .services = (const char *const *)followed->items,
        .shown = (const char *const *)lines.items,
        /* A signal leaves running what was only needed; the end of one container ends all. */
        .stopped = services && !abort ? services : (const char *const *)all.items,
        .abort_on_exit = o->abort_on_exit || o->exit_code_from,
        .abort_on_failure = o->abort_on_failure,
        .exit_code_from = o->exit_code_from,
        .timeout_s = o->timeout,
        .since_ns = since_ns,
        .watching = w,
        .watch = { .services = services, .quiet = o->quiet_build },
        .menu = wants_menu(o, c->cli),
    };
    return attach_run(c, &opt, err);
}

static int run_change(struct change *c, struct up_options *o, const struct strv *args,
                      const char *verb, struct error *err)
{
    struct cli *cli = c->cli;
    struct plan_options plan;
    auto_(scales_free) struct scales scales = { 0 };
    auto_strv struct strv from = STRV_INIT;
    if (o->exit_code_from)
        strv_add(&from, o->exit_code_from);
    cli->global.locked = o->locked;
    if (read_scales(&scales, &o->scale, err) < 0 || cli_load(cli, args, err) < 0 ||
        (o->locked && locked_check(cli->stack, err) < 0) ||
        check_services(cli->stack, args, err) < 0 || check_services(cli->stack, &from, err) < 0 ||
        check_services(cli->stack, &o->attach, err) < 0 ||
        check_services(cli->stack, &o->no_attach, err) < 0)
        return -1;
    fill_plan_options(&plan, o, args, &scales, cli);
    if (plan.remove_orphans && plan.ignore_orphans)
        return error_set(err, ERR_USAGE, 0,
                         "--remove-orphans and COMPOSE_IGNORE_ORPHANS exclude each other");
    int64_t since_ns = clock_unix_ns();
    struct watching_options watching = { .services = plan.services, .quiet = o->quiet_build };
    auto_(watching_stopp) struct watching *w = NULL;
    if (o->watch && watching_start(&w, c, &watching, err) < 0)
        return -1;
    if (change_begin(c, cli, verb, err) < 0)
        return -1;
    bool attached = !o->detach && !o->wait && !o->no_start && str_eq(verb, "up");
    /* A line is to be seen when it comes, also by a program behind a pipe. */
    if (attached)
        setvbuf(stdout, NULL, _IOLBF, 0);
    c->quiet_pull = o->quiet_pull;
    c->quiet_build = o->quiet_build;
    c->format = o->format;
    c->run.wait_timeout_s = o->wait_timeout;
    c->run.settle = !attached && !o->no_start;
    c->run.hook_output = attached;
    int code = change_up(c, &plan, err);
    if (code != EXIT_DONE || !attached || cli->global.dry_run)
        return code;
    return attach(c, o, plan.services, since_ns, &w, err);
}

static int run_up(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    struct up_options *o = values;
    struct change c = { .cli = cli };
    if (check(cli, o, err) < 0)
        return -1;
    cli->sync = o->sync;
    cli->logs.no_color = o->no_color;
    cli->logs.no_prefix = o->no_prefix;
    cli->logs.timestamps = o->timestamps;
    cli->logs.split = true;
    cli->logs.builds = !o->format;
    int code = run_change(&c, o, args, "up", err);
    change_end(&c);
    return code;
}

static int run_create(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    struct up_options *o = values;
    struct change c = { .cli = cli };
    o->no_start = true;
    if (check(cli, o, err) < 0)
        return -1;
    int code = run_change(&c, o, args, "create", err);
    change_end(&c);
    return code;
}

/* The services named with a number, and what they need, are brought up with that number. */
static int run_scale(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    struct up_options *o = values;
    struct change c = { .cli = cli };
    auto_strv struct strv names = STRV_INIT;
    for (size_t i = 0; i < args->len; i++) {
        strv_add(&o->scale, args->items[i]);
        strv_addn(&names, args->items[i], strcspn(args->items[i], "="));
    }
    int code = run_change(&c, o, &names, "scale", err);
    change_end(&c);
    strv_clear(&o->scale);
    return code;
}

static int run_plan_command(struct cli *cli, void *values, const struct strv *args,
                            struct error *err)
{
    struct up_options *o = values;
    struct change c = { .cli = cli };
    cli->global.dry_run = true;
    if (check(cli, o, err) < 0)
        return -1;
    int code = run_change(&c, o, args, "plan", err);
    change_end(&c);
    return code;
}

static const char *const up_examples[] = {
    "stack up",
    "bring everything up and show its output",
    "stack up -d --wait",
    "return when all is ready",
    "stack up -d --scale web=3 web",
    "three containers of web, and what it needs",
    "stack up --exit-code-from tests",
    "run until tests ends, with its exit code",
    NULL,
};

static const char *const scale_examples[] = {
    "stack scale web=3 worker=0",
    "three containers of web, none of worker",
    NULL,
};

extern const struct command cmd_up, cmd_create, cmd_plan, cmd_scale;
const struct command cmd_up = {
    .name = "up",
    .group = "Everyday",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Bring the stack, or some services and what they need, to the declared state",
    .text = "Compares what the stack file declares with what the engine has, and does what is "
            "missing: builds and pulls images, creates, replaces and starts containers, each as "
            "soon as what it depends on is ready. What has not changed is left alone; 'stack plan' "
            "shows what would be done, and why.\n"
            "Without -d the output of the containers is shown until they end. Ctrl-C stops them, "
            "a second one kills them. On a terminal the last line names keys: d leaves everything "
            "running, w watches files as 'stack watch' does, and ends that again.",
    .examples = up_examples,
    .options = up_rows,
    .noptions = countof(up_rows),
    .options_size = sizeof(struct up_options),
    .defaults = defaults,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_up,
};

const struct command cmd_create = {
    .name = "create",
    .group = "Containers",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Create containers without starting them",
    .options = create_rows,
    .noptions = countof(create_rows),
    .options_size = sizeof(struct up_options),
    .defaults = defaults,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_create,
};

const struct command cmd_plan = {
    .name = "plan",
    .group = "Everyday",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Show what 'up' would do, and why; change nothing",
    .options = plan_rows,
    .noptions = countof(plan_rows),
    .options_size = sizeof(struct up_options),
    .defaults = defaults,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_plan_command,
};

const struct command cmd_scale = {
    .name = "scale",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE=NUM...",
    .summary = "Run another number of containers of some services",
    .text = "The same as 'stack up -d --scale SERVICE=NUM SERVICE': what the services depend on is "
            "brought up too, and of containers that are too many those with the highest numbers "
            "go. The number holds until the next 'stack up', which goes by the file again.",
    .examples = scale_examples,
    .options = scale_rows,
    .noptions = countof(scale_rows),
    .options_size = sizeof(struct up_options),
    .defaults = defaults,
    .min_args = 1,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_scale,
};
