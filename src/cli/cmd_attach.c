/* `stack attach`: this terminal becomes that of a running container's main process. */
#include "base/json.h"
#include "base/mem.h"
#include "cli/pick.h"
#include "cli/terminal.h"
#include "engine/requests.h"

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
    return engine_exit_code(seen, "State.ExitCode", err);
}

static int attach_to(const struct seen_container *c, struct terminal *t, const json_t *seen,
                     struct error *err)
{
    auto_str struct str path = STR_INIT;
    str_addf(&path, "/containers/%s/attach?stream=1&stdout=1&stderr=1%s", c->id,
             t->input ? "&stdin=1" : "");
    terminal_query(t, &path);
    t->container = c->id;
    t->path = path.buf;
    t->end_input = !t->tty && json_bool(seen, "Config.StdinOnce", false);
    t->redraw = true;
    if (terminal_run(t, err) < 0)
        return -1;
    int left = terminal_left(t, c->name);
    return left >= 0 ? left : exit_code(t->cli->engine, c->id, err);
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
    struct terminal t = { .cli = cli, .sig_proxy = o->sig_proxy };
    t.tty = json_bool(seen, "Config.Tty", false);
    t.input = !o->no_stdin && json_bool(seen, "Config.OpenStdin", false);
    int code = terminal_keys(&t, o->detach_keys, err);
    if (code == 0)
        code = attach_to(c, &t, seen, err);
    terminal_clear(&t);
    return code;
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
