/* `stack ls`: every stack of the engine, from one list of containers. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "model/instance.h"
#include "model/labels.h"

struct ls_options {
    bool all, quiet;
    struct strv filters;
    const char *format;
};
#define OPTIONS ls_options

static const char *const formats[] = { "table", "json", NULL };
static const struct option rows[] = {
    ROW_FLAG('a', "all", all, "Show stacks of which nothing runs, too"),
    ROW_STRINGS(0, "filter", filters, "name=TEXT", COMPLETE_NONE,
                "Only stacks whose name contains the text; repeatable"),
    ROW_CHOICE(0, "format", format, formats, "Form of the output"),
    ROW_FLAG('q', "quiet", quiet, "Only names"),
};

struct row {
    const char *name;
    const char *files;
    const char *instance, *ports; /* "" : none */
    size_t states[CONTAINER_DEAD + 1];
};

static int row_order(const void *a, const void *b)
{
    return strcmp((*(const struct row *const *)a)->name, (*(const struct row *const *)b)->name);
}

static bool is_up(enum container_state state)
{
    return state == CONTAINER_RUNNING || state == CONTAINER_PAUSED || state == CONTAINER_RESTARTING;
}

/* "exited(1), running(2)"; without --all only those that are up. */
static char *status_text(const struct row *row, bool all)
{
    static const enum container_state order[] = {
        /* by name, as docker compose */
        CONTAINER_CREATED,  CONTAINER_DEAD,       CONTAINER_EXITED, CONTAINER_PAUSED,
        CONTAINER_REMOVING, CONTAINER_RESTARTING, CONTAINER_RUNNING
    };
    struct str text = STR_INIT;
    for (size_t i = 0; i < countof(order); i++)
        if (row->states[order[i]] && (all || is_up(order[i])))
            str_addf(&text, "%s%s(%zu)", text.len ? ", " : "", container_state_names[order[i]],
                     row->states[order[i]]);
    return str_detach(&text);
}

/* "20100-20199": what is leased for an instance; "" otherwise. Owned by the caller. */
static char *ports_text(const struct row *row)
{
    int64_t block;
    if (num_range(&block, row->ports, 1, 65535) < 0)
        return xstrdup("");
    return xasprintf("%d-%d", (int)block, (int)block + PORT_BLOCK - 1);
}

static bool is_listed(const struct ls_options *o, const struct row *row)
{
    bool runs = row->states[CONTAINER_RUNNING] || row->states[CONTAINER_PAUSED] ||
                row->states[CONTAINER_RESTARTING];
    for (size_t i = 0; i < o->filters.len; i++)
        if (!strstr(row->name, o->filters.items[i] + strlen("name=")))
            return false;
    return runs || o->all;
}

static void collect(struct strmap *stacks, const struct snapshot *now)
{
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        const char *name = label_get(c->labels, c->nlabels, LABEL_STACK);
        struct row *row = strmap_get(stacks, name);
        if (!row) {
            row = xnew(struct row);
            row->name = name;
            row->instance = row->ports = "";
            strmap_set(stacks, name, row);
        }
        row->states[c->state]++;
        const char *files = label_get(c->labels, c->nlabels, LABEL_CONFIG_FILES);
        if (!row->files || !*row->files)
            row->files = files;
        if (!*row->instance)
            row->instance = label_get(c->labels, c->nlabels, LABEL_INSTANCE);
        if (!*row->ports)
            row->ports = label_get(c->labels, c->nlabels, LABEL_PORT_BLOCK);
    }
}

static int print(struct strmap *stacks, const struct ls_options *o, struct error *err)
{
    static const struct listing_column columns[] = { { "NAME", "Name" },
                                                     { "STATUS", "Status" },
                                                     { "CONFIG FILES", "ConfigFiles" },
                                                     { "INSTANCE", "Instance" },
                                                     { "PORTS", "Ports" } };
    size_t n = 0, instances = 0;
    auto_free const struct row **sorted = xcalloc(strmap_len(stacks) + 1, sizeof(*sorted));
    strmap_each (it, stacks)
        sorted[n++] = it->value;
    for (size_t i = 0; i < n; i++)
        instances += is_listed(o, sorted[i]) && *sorted[i]->instance;
    qsort(sorted, n, sizeof(*sorted), row_order);
    auto_(listing_freep) struct listing *l = listing_new(columns, instances ? countof(columns) : 3);
    for (size_t i = 0; i < n; i++) {
        if (!is_listed(o, sorted[i]))
            continue;
        if (o->quiet) {
            listing_line(stdout, sorted[i]->name);
            continue;
        }
        auto_free char *status = status_text(sorted[i], o->all);
        auto_free char *ports = ports_text(sorted[i]);
        listing_add(l,
                    json_pack("{s:s, s:s, s:s, s:s, s:s}", "Name", sorted[i]->name, "Status",
                              status, "ConfigFiles", sorted[i]->files, "Instance",
                              sorted[i]->instance, "Ports", ports),
                    NULL);
    }
    return o->quiet ? EXIT_DONE : listing_print(l, o->format, false, false, stdout, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct ls_options *o = values;
    (void)args;
    for (size_t i = 0; i < o->filters.len; i++)
        if (!str_starts(o->filters.items[i], "name="))
            return error_set(err, ERR_USAGE, 0, "--filter takes name=TEXT, not '%s'",
                             o->filters.items[i]);
    auto_(snapshot_freep) struct snapshot *now = NULL;
    struct observe_options every = { .what = OBSERVE_CONTAINERS };
    if (cli_engine(cli, err) < 0 || state_observe(&now, cli->engine, &every, err) < 0)
        return -1;
    struct strmap stacks = STRMAP_INIT;
    collect(&stacks, now);
    int code = print(&stacks, o, err);
    strmap_clear(&stacks, free);
    return code;
}

extern const struct command cmd_ls;
const struct command cmd_ls = {
    .name = "ls",
    .group = "Everyday",
    .usage = "[OPTIONS]",
    .summary = "List the stacks of the engine",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct ls_options),
    .run = run,
};
