/* `stack volumes`: the volumes of the stack. */
#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "model/labels.h"

struct volumes_options {
    bool quiet;
    const char *format;
};
#define OPTIONS volumes_options

static const struct option rows[] = {
    ROW_STRING(0, "format", format, "FORMAT", COMPLETE_NONE,
               "table (default), json, or a template"),
    ROW_FLAG('q', "quiet", quiet, "Only names"),
};

/* The fields that `docker volume ls` has, those too which an engine that lists volumes leaves out,
 * and the volume's name in the stack file. */
static json_t *volume_row(const struct seen_volume *v)
{
    static const char *const unknown[] = { "Availability", "Group", "Links", "Size", "Status" };
    auto_free char *labels = listing_labels(v->labels, v->nlabels);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "Name", v->name, "Driver", v->driver,
                            "Mountpoint", v->mountpoint, "Scope", v->scope, "Labels", labels, "Key",
                            label_get(v->labels, v->nlabels, LABEL_VOLUME));
    for (size_t i = 0; i < countof(unknown); i++)
        json_object_set_new(row, unknown[i], json_string("N/A"));
    return row;
}

/* Whether a container of one of the services has it mounted. */
static bool is_used(const struct snapshot *now, const struct seen_volume *v,
                    const struct strv *services)
{
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (!strv_has(services, c->service))
            continue;
        for (size_t k = 0; k < c->nmounts; k++)
            if (str_eq(c->mounts[k].name, v->name))
                return true;
    }
    return false;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    static const struct listing_column columns[] = { { "DRIVER", "Driver" },
                                                     { "VOLUME NAME", "Name" },
                                                     { "KEY", "Key" } };
    const struct volumes_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    unsigned what = OBSERVE_VOLUMES | (args->len ? OBSERVE_CONTAINERS : 0);
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, what, NULL, 0, err) < 0 ||
        containers_check_services(cli->stack, now, args, err) < 0)
        return -1;
    auto_(listing_freep) struct listing *l = listing_new(columns, countof(columns));
    for (size_t i = 0; i < now->nvolumes; i++) {
        const struct seen_volume *v = &now->volumes[i];
        if (!str_eq(label_get(v->labels, v->nlabels, LABEL_STACK), cli->stack_name) ||
            (args->len && !is_used(now, v, args)))
            continue;
        if (o->quiet)
            listing_line(stdout, v->name);
        listing_add(l, volume_row(v), NULL);
    }
    return o->quiet ? EXIT_DONE : listing_print(l, o->format, true, false, stdout, err);
}

extern const struct command cmd_volumes;
const struct command cmd_volumes = {
    .name = "volumes",
    .group = "Inspect",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "List the volumes of the stack",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct volumes_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
