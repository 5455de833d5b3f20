/* `stack ps`: one list call. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "registry/config.h"

struct ps_options {
    bool all, quiet, services, no_trunc, orphans;
    struct strv filters, status;
    const char *format;
};
#define OPTIONS ps_options

static const struct option rows[] = {
    ROW_FLAG('a', "all", all, "Show stopped containers, and those of 'run', too"),
    ROW_STRING(0, "format", format, "FORMAT", COMPLETE_NONE,
               "table (default), json, or a template: '{{.Name}} {{.State}}'"),
    ROW_STRINGS(0, "status", status, "STATE", COMPLETE_NONE,
                "Only containers in this state: created, running, paused, restarting, removing, "
                "exited, dead; repeatable"),
    ROW_STRINGS(0, "filter", filters, "status=STATE", COMPLETE_NONE, "The same as --status"),
    ROW_FLAG('q', "quiet", quiet, "Only ids"),
    ROW_FLAG(0, "services", services, "Only names of services"),
    ROW_FLAG(0, "no-trunc", no_trunc, "Do not shorten anything"),
    ROW_FLAG(0, "orphans", orphans,
             "Show containers of services that the file does not have (default; "
             "--orphans=false)"),
};

static void defaults(void *values)
{
    ((struct ps_options *)values)->orphans = true;
}

static int check_state(const char *state, struct error *err)
{
    for (size_t i = 0; i <= CONTAINER_DEAD; i++)
        if (str_eq(container_state_names[i], state))
            return 0;
    error_set(err, ERR_USAGE, 0, "there is no state '%s'", state);
    return error_hint(err, "created, running, paused, restarting, removing, exited, dead");
}

static int read_filters(struct ps_options *o, struct error *err)
{
    for (size_t i = 0; i < o->filters.len; i++) {
        if (!str_starts(o->filters.items[i], "status="))
            return error_set(err, ERR_USAGE, 0, "--filter takes status=STATE, not '%s'",
                             o->filters.items[i]);
        strv_add(&o->status, o->filters.items[i] + strlen("status="));
    }
    for (size_t i = 0; i < o->status.len; i++)
        if (check_state(o->status.items[i], err) < 0)
            return -1;
    return 0;
}

static bool is_listed(const struct ps_options *o, const struct stack *st,
                      const struct seen_container *c, const struct strv *names)
{
    if (names->len && !strv_has(names, c->service))
        return false;
    if (!o->orphans && st && !stack_service(st, c->service))
        return false;
    if (o->status.len)
        return strv_has(&o->status, container_state_names[c->state]);
    bool runs = c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
                c->state == CONTAINER_RESTARTING;
    return o->all || (runs && !c->oneoff);
}

static void add_container(struct listing *l, const struct seen_container *c, struct cli *cli,
                          const struct ps_options *o)
{
    char age[NUM_TEXT_MAX];
    int64_t now = clock_unix_ns() / 1000000000;
    auto_free char *command = container_command_text(c, o->no_trunc);
    auto_free char *created = xasprintf("%s ago", listing_age(age, now - c->created));
    auto_free char *ports = container_ports_text(c);
    const char *const cells[] = {
        c->name, c->image, command, c->service, created, c->status, ports
    };
    listing_add(l, container_json(c, cli->stack_name, now, o->no_trunc), cells);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    static const struct listing_column columns[] = {
        { "NAME", "Name" },       { "IMAGE", "Image" },        { "COMMAND", "Command" },
        { "SERVICE", "Service" }, { "CREATED", "RunningFor" }, { "STATUS", "Status" },
        { "PORTS", "Ports" },
    };
    struct ps_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (read_filters(o, err) < 0 || cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0 ||
        containers_check_services(cli->stack, now, args, err) < 0)
        return -1;
    auto_(listing_freep) struct listing *l = listing_new(columns, countof(columns));
    auto_strv struct strv services = STRV_INIT;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (!is_listed(o, cli->stack, c, args))
            continue;
        add_container(l, c, cli, o);
        bool again = services.len && str_eq(services.items[services.len - 1], c->service);
        if (o->services && !again)
            strv_add(&services, c->service);
        else if (o->quiet && !o->services)
            listing_line(stdout, c->id);
    }
    for (size_t i = 0; i < services.len; i++)
        listing_line(stdout, services.items[i]);
    if (o->quiet || o->services)
        return EXIT_DONE;
    auto_free char *configured = config_setting("psFormat");
    return listing_print(l, o->format ? o->format : configured, true, o->no_trunc, stdout, err);
}

static const char *const examples[] = {
    "stack ps -a",
    "stopped containers, too",
    "stack ps --format json",
    "an object a line",
    "stack ps --format '{{.Name}} {{.Ports}}'",
    "by a template",
    NULL,
};

extern const struct command cmd_ps;
const struct command cmd_ps = {
    .name = "ps",
    .group = "Everyday",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "List the containers of the stack",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct ps_options),
    .defaults = defaults,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
