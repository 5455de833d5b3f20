/* `stack top`: the processes of the containers. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "engine/requests.h"
#include "loop/tty.h"

/* One table: the container first, then the columns of ps as the engine gives them. */
static int add_container(struct table **table, size_t *columns, struct cli *cli,
                         const struct seen_container *c, struct error *err)
{
    auto_json json_t *answer = NULL;
    struct engine_request rq;
    rq_container_top(&rq, c->id, NULL);
    if (engine_do(&answer, cli->engine, &rq, err) < 0)
        return error_wrap(err, "container %s", c->name);
    const json_t *titles = json_object_get(answer, "Titles");
    size_t i, k;
    json_t *row;
    if (!*table) {
        *columns = json_array_size(titles) + 2;
        auto_free const char **cells = xcalloc(*columns, sizeof(*cells));
        cells[0] = "SERVICE";
        cells[1] = "#";
        for (i = 2; i < *columns; i++)
            cells[i] = json_string_value(json_array_get(titles, i - 2));
        *table = table_new(cells, *columns);
    }
    char number[16];
    snprintf(number, sizeof(number), "%d", c->number);
    json_array_foreach (json_object_get(answer, "Processes"), i, row) {
        auto_free const char **cells = xcalloc(*columns, sizeof(*cells));
        cells[0] = c->service;
        cells[1] = number;
        for (k = 2; k < *columns; k++)
            cells[k] = json_string_value(json_array_get(row, k - 2));
        table_add(*table, cells);
    }
    return 0;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    auto_(snapshot_freep) struct snapshot *now = NULL;
    auto_(table_freep) struct table *table = NULL;
    size_t columns = 0;
    (void)values;
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (c->state != CONTAINER_RUNNING || (args->len && !strv_has(args, c->service)))
            continue;
        if (add_container(&table, &columns, cli, c, err) < 0)
            return -1;
    }
    int height, width = 0;
    if (!tty_is(fileno(stdout)) || !tty_size(fileno(stdout), &height, &width))
        width = 0;
    if (table)
        table_print(table, stdout, width);
    return EXIT_DONE;
}

extern const struct command cmd_top;
const struct command cmd_top = {
    .name = "top",
    .group = "Inspect",
    .usage = "[SERVICE...]",
    .summary = "List the processes of the containers",
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
