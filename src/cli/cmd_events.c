/* `stack events`: what happens to the stack's containers, as it happens. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "engine/requests.h"
#include "model/labels.h"

struct events_options {
    bool json;
    const char *since, *until;
};
#define OPTIONS events_options

static const struct option rows[] = {
    ROW_FLAG(0, "json", json, "An object a line"),
    ROW_STRING(0, "since", since, "TIME", COMPLETE_NONE, "Begin with events of that time"),
    ROW_STRING(0, "until", until, "TIME", COMPLETE_NONE, "End with events of that time"),
};

struct stream {
    const struct events_options *opt;
    const struct strv *services;
    bool done;
    struct error err;
};

/* Ours first in the attributes of a line; the engine's labels are left out, as compose does. */
static json_t *attributes_of(const json_t *actor)
{
    json_t *out = json_object();
    const char *key;
    json_t *value;
    json_object_foreach (json_at(actor, "Attributes"), key, value)
        if (!str_starts(key, "com.docker.compose.") && !str_starts(key, "dev.stack."))
            json_object_set(out, key, value);
    return out;
}

static void on_json(void *ctx, json_t *value)
{
    struct stream *s = ctx;
    char time[40];
    const json_t *actor = json_object_get(value, "Actor");
    const char *service =
        json_string_value(json_object_get(json_at(actor, "Attributes"), LABEL_SERVICE));
    const char *id = json_str_or(actor, "ID", ""), *action = json_str_or(value, "Action", "");
    if (!service || (s->services->len && !strv_has(s->services, service)))
        return;
    clock_rfc3339(time, json_int(value, "timeNano", 0));
    auto_json json_t *attributes = attributes_of(actor);
    if (s->opt->json) {
        auto_json json_t *line =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "time", time, "type", "container",
                      "service", service, "id", id, "action", action, "attributes", attributes);
        auto_free char *text = json_dumps(line, JSON_COMPACT);
        printf("%s\n", text);
    } else {
        auto_str struct str line = STR_INIT;
        const char *key;
        json_t *item;
        str_addf(&line, "%s container %s %.12s %s (", time, action, id, service);
        json_object_foreach (attributes, key, item)
            str_addf(&line, "%s%s=%s", str_ends(line.buf, "(") ? "" : ", ", key,
                     json_string_value(item) ? json_string_value(item) : "");
        str_addc(&line, ')');
        listing_line(stdout, line.buf);
    }
    fflush(stdout);
}

static void on_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct stream *s = ctx;
    (void)answer;
    if (err)
        error_copy(&s->err, err);
    s->done = true;
}

static int unix_seconds(char out[40], const char *text, struct error *err)
{
    int64_t ns;
    if (clock_parse_when(&ns, text) < 0)
        return error_set(err, ERR_USAGE, 0, "'%s' is not a time", text);
    snprintf(out, 40, "%lld.%09lld", (long long)(ns / 1000000000), (long long)(ns % 1000000000));
    return 0;
}

static int check_names(struct cli *cli, const struct strv *names, struct error *err)
{
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    return containers_check_services(cli->stack, now, names, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct events_options *o = values;
    struct stream s = { .opt = o, .services = args };
    char since[40], until[40];
    if ((o->since && unix_seconds(since, o->since, err) < 0) ||
        (o->until && unix_seconds(until, o->until, err) < 0) || cli_load_name(cli, err) < 0 ||
        cli_engine(cli, err) < 0 || (args->len && check_names(cli, args, err) < 0))
        return -1;
    struct engine_request rq;
    rq_events(&rq, cli->stack_name, o->since ? since : NULL, o->until ? until : NULL, NULL, 0);
    struct engine_handlers hd = { .on_json = on_json, .done = on_done, .ctx = &s };
    engine_start(cli->engine, &rq, &hd);
    loop_wait(cli->loop, &s.done);
    return s.err.kind ? error_move(err, &s.err) : EXIT_DONE;
}

extern const struct command cmd_events;
const struct command cmd_events = {
    .name = "events",
    .group = "Inspect",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Print what happens to the containers, as it happens",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct events_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
