/* `stack down`. */
#include "base/mem.h"
#include "cli/change.h"
#include "cli/confirm.h"

struct down_options {
    bool volumes, remove_orphans, yes;
    const char *rmi;
    int timeout;
};
#define OPTIONS down_options

static const char *const rmi_values[] = { "local", "all", NULL };
static const struct option rows[] = {
    ROW_FLAG('v', "volumes", volumes,
             "Remove named and anonymous volumes, too: their data is lost"),
    ROW_FLAG('y', "yes", yes, "Do not ask, on a terminal, before volumes are removed"),
    ROW_CHOICE(0, "rmi", rmi, rmi_values,
               "Remove images, too: those that the stack built, or all that it uses"),
    ROW_FLAG(0, "remove-orphans", remove_orphans,
             "Remove containers of services that the file no longer has"),
    ROW_INT('t', "timeout", timeout, "SECONDS",
            "How long a container may take to stop (default: its stop_grace_period)"),
};

static void defaults(void *values)
{
    ((struct down_options *)values)->timeout = -1;
}

static int run_change(struct change *c, const struct down_options *o, const struct strv *args,
                      struct error *err)
{
    struct cli *cli = c->cli;
    struct plan_options opt = {
        .services = args->len ? (const char *const *)args->items : NULL,
        .remove_volumes = o->volumes,
        .remove_images = o->rmi,
        .remove_orphans = o->remove_orphans || cli_switch(cli, "REMOVE_ORPHANS"),
        .ignore_orphans = cli_switch(cli, "IGNORE_ORPHANS"),
        .all_resources = cli->global.all_resources,
        .timeout_s = o->timeout,
        .same_file = change_same_file,
    };
    if (change_begin(c, cli, "down", err) < 0 ||
        change_observe(c, plan_down_observe(cli->stack, &opt), err) < 0 ||
        plan_down(&c->plan, cli->stack, cli->stack_name, c->now, &opt, err) < 0)
        return -1;
    int code = o->yes ? 0 : confirm_volumes(c, err);
    return code ? code : change_run(c, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    struct change c = { .cli = cli };
    if (cli_load_name(cli, err) < 0)
        return -1;
    int code = run_change(&c, values, args, err);
    change_end(&c);
    return code;
}

static const char *const examples[] = {
    "stack down",
    "remove containers and networks",
    "stack down -v",
    "the data in volumes, too, after a question",
    "stack down -p demo",
    "without the stack file, by the stack's name",
    NULL,
};

extern const struct command cmd_down;
const struct command cmd_down = {
    .name = "down",
    .group = "Everyday",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Stop and remove the stack's containers and networks",
    .text = "Works from the labels on what is there: with -p NAME the stack file is not needed. "
            "Volumes and images stay unless -v or --rmi is said.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct down_options),
    .defaults = defaults,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
