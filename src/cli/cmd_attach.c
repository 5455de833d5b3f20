/* `stack attach`: this terminal becomes that of a running container's main process. */
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/pick.h"
#include "engine/requests.h"
#include "live/interact.h"

struct attach_options {
    int index;
    bool no_stdin, sig_proxy;
    const char *detach_keys;
};
#define OPTIONS attach_options

static const struct option rows[] = {
    ROW_INT(0, "index", index, "N", "Number of the container, of a service that has several"),
    ROW_FLAG(0, "no-stdin", no_stdin, "Do not pass standard input on"),
    ROW_FLAG(0, "sig-proxy", sig_proxy, "Pass signals on to the process (default true)"),
    ROW_STRING(0, "detach-keys", detach_keys, "KEYS", COMPLETE_NONE,
               "Keys that end it and leave the container running (default ctrl-p,ctrl-q)"),
};

static void defaults(void *values)
{
    ((struct attach_options *)values)->sig_proxy = true;
}

struct session {
    struct engine *engine;
    const char *id;
};

static void ignore(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    (void)ctx, (void)answer, (void)err;
}

static void on_resized(void *ctx, int height, int width)
{
    struct session *s = ctx;
    struct engine_request rq;
    rq_container_resize(&rq, s->id, height, width);
    engine_start(s->engine, &rq, &(struct engine_handlers){ .done = ignore });
}

static void on_signal(void *ctx, int signum)
{
    struct session *s = ctx;
    char number[16];
    struct engine_request rq;
    snprintf(number, sizeof(number), "%d", signum);
    rq_container_kill(&rq, s->id, number);
    engine_start(s->engine, &rq, &(struct engine_handlers){ .done = ignore });
}

/* The code of a container that ended while we were attached; 0 while it runs. */
static int exit_code(struct engine *e, const char *id, struct error *err)
{
    auto_json json_t *seen = NULL;
    struct engine_request rq;
    rq_container_inspect(&rq, id);
    if (engine_do(&seen, e, &rq, err) < 0)
        return -1;
    if (json_bool(seen, "State.Running", false))
        return EXIT_DONE;
    return (int)json_int(seen, "State.ExitCode", 0);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct attach_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *c;
    auto_json json_t *seen = NULL;
    struct engine_request rq;
    if (pick_container(&now, &c, cli, args->items[0], o->index, err) < 0)
        return -1;
    if (c->state != CONTAINER_RUNNING)
        return error_set(err, ERR_NOTFOUND, 0, "container %s is not running: %s", c->name,
                         c->status);
    rq_container_inspect(&rq, c->id);
    if (engine_do(&seen, cli->engine, &rq, err) < 0)
        return -1;
    bool tty = json_bool(seen, "Config.Tty", false);
    bool input = !o->no_stdin && json_bool(seen, "Config.OpenStdin", false);
    struct session session = { .engine = cli->engine, .id = c->id };
    auto_free char *path = xasprintf("/containers/%s/attach?stream=1&stdout=1&stderr=1%s", c->id,
                                     input ? "&stdin=1" : "");
    struct interact_result result;
    struct interact_options in = {
        .path = path,
        .tty = tty,
        .input = input,
        .end_input = !tty && json_bool(seen, "Config.StdinOnce", false),
        .detach_keys = o->detach_keys,
        .resized = tty ? on_resized : NULL,
        .signaled = o->sig_proxy ? on_signal : NULL,
        .ctx = &session,
    };
    if (interact_run(&result, cli->engine, &in, err) < 0)
        return -1;
    return result.detached ? EXIT_DONE : exit_code(cli->engine, c->id, err);
}

extern const struct command cmd_attach;
const struct command cmd_attach = {
    .name = "attach",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE",
    .summary = "Join the terminal of a running container's main process",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct attach_options),
    .defaults = defaults,
    .min_args = 1,
    .max_args = 1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
