/*
 * `stack exec`: a command in a running container. Four calls: list, create, start, inspect. The
 * exit code is the command's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/pick.h"
#include "cli/terminal.h"
#include "engine/requests.h"

#define STILL_RUNNING_TRIES 100 /* the engine may say so for some milliseconds after the end */
#define STILL_RUNNING_MS 10

struct exec_options {
    bool detach, no_tty, privileged, interactive, tty;
    struct strv env;
    int index;
    const char *user, *workdir, *detach_keys;
};
#define OPTIONS exec_options

static const struct option rows[] = {
    ROW_FLAG('d', "detach", detach, "Run it in the background"),
    ROW_STRINGS('e', "env", env, "NAME=VALUE", COMPLETE_NONE,
                "Set a variable; repeatable, NAME alone takes it from here"),
    ROW_INT(0, "index", index, "N", "Number of the container, of a service that has several"),
    ROW_FLAG('T', "no-tty", no_tty,
             "No terminal in the container (default: one if there is one here)"),
    ROW_HIDDEN(0, "no-TTY", no_tty),
    ROW_FLAG(0, "privileged", privileged, "Give it all capabilities"),
    ROW_STRING('u', "user", user, "USER[:GROUP]", COMPLETE_NONE, "Run as"),
    ROW_STRING('w', "workdir", workdir, "DIR", COMPLETE_NONE, "Run in"),
    ROW_STRING(0, "detach-keys", detach_keys, "KEYS", COMPLETE_NONE,
               "Keys that end the session and leave the command running (default ctrl-p,ctrl-q)"),
    ROW_HIDDEN('i', "interactive", interactive),
    ROW_HIDDEN('t', "tty", tty),
};

static void defaults(void *values)
{
    ((struct exec_options *)values)->interactive = true;
}

/* NAME=VALUE as it is; NAME alone with its value here, or nothing. */
static json_t *environment(const struct strv *list)
{
    json_t *out = json_array();
    strv_each (e, list) {
        const char *value = strchr(*e, '=') ? "" : getenv(*e);
        auto_free char *pair = !value            ? NULL
                               : strchr(*e, '=') ? xstrdup(*e)
                                                 : xasprintf("%s=%s", *e, value);
        if (pair)
            json_array_append_new(out, json_string(pair));
    }
    return out;
}

static json_t *exec_body(const struct exec_options *opt, const struct strv *args,
                         const struct terminal *t)
{
    json_t *command = json_array();
    for (size_t i = 1; i < args->len; i++)
        json_array_append_new(command, json_string(args->items[i]));
    json_t *body =
        json_pack("{s:b, s:b, s:b, s:b, s:o, s:o}", "AttachStdin", opt->interactive && !opt->detach,
                  "AttachStdout", !opt->detach, "AttachStderr", !opt->detach, "Tty", t->tty, "Cmd",
                  command, "Env", environment(&opt->env));
    if (opt->user)
        json_object_set_new(body, "User", json_string(opt->user));
    if (opt->workdir)
        json_object_set_new(body, "WorkingDir", json_string(opt->workdir));
    if (opt->privileged)
        json_object_set_new(body, "Privileged", json_true());
    if (t->keys)
        json_object_set_new(body, "DetachKeys", json_string(t->keys));
    terminal_size_at_start(t, body);
    return body;
}

static void on_pause(void *ctx)
{
    *(bool *)ctx = true;
}

static int exit_code(struct cli *cli, const char *id, struct error *err)
{
    for (int i = 0;; i++) {
        auto_json json_t *seen = NULL;
        struct engine_request rq;
        rq_exec_inspect(&rq, id);
        if (engine_do(&seen, cli->engine, &rq, err) < 0)
            return -1;
        if (!json_bool(seen, "Running", false))
            return engine_exit_code(seen, "ExitCode", err);
        if (i == STILL_RUNNING_TRIES) {
            error_set(err, ERR_NETWORK, 0,
                      "the connection to the command ended, and it still runs");
            return error_hint(err, "'stack top' shows it; the container's end is its end, too");
        }
        bool over = false;
        struct loop_timer *timer = NULL;
        loop_after(&timer, cli->loop, STILL_RUNNING_MS, on_pause, &over);
        loop_wait(cli->loop, &over);
    }
}

static int start_detached(struct cli *cli, const char *id, bool tty, struct error *err)
{
    struct engine_request rq;
    rq_exec_start_detached(&rq, id, tty);
    if (engine_do(NULL, cli->engine, &rq, err) < 0) {
        error_wrap(err, "exec");
        return error_hint(err, "a command is looked for in the container, not here");
    }
    return EXIT_DONE;
}

static int start(struct terminal *t, const char *id, struct error *err)
{
    auto_free char *path = xasprintf("/exec/%s/start", id);
    auto_json json_t *body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", t->tty);
    t->exec = id;
    t->path = path;
    t->body = body;
    terminal_size_at_start(t, body);
    if (terminal_run(t, err) < 0)
        return -1;
    int left = terminal_left(t, "the command");
    return left >= 0 ? left : exit_code(t->cli, id, err);
}

static int exec_in(const struct seen_container *c, struct terminal *t,
                   const struct exec_options *opt, const struct strv *args, struct error *err)
{
    auto_json json_t *made = NULL;
    struct engine_request rq;
    rq_exec_create(&rq, c->id, exec_body(opt, args, t));
    if (engine_do(&made, t->cli->engine, &rq, err) < 0)
        return error_wrap(err, "service %s: exec", args->items[0]);
    const char *id = json_str(made, "Id");
    if (!id)
        return error_set(err, ERR_PROTOCOL, 0, "the engine gave no id for the command");
    return opt->detach ? start_detached(t->cli, id, t->tty, err) : start(t, id, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct exec_options *opt = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *c;
    struct terminal t = { .cli = cli, .input = opt->interactive && !opt->detach };
    t.tty = !opt->no_tty && !opt->detach && terminal_there();
    t.end_input = !t.tty;
    int code = terminal_keys(&t, opt->detach_keys, err);
    if (code == 0)
        code = pick_container(&now, &c, cli, args->items[0], opt->index, err);
    if (code == 0 && c->state != CONTAINER_RUNNING) {
        code =
            error_set(err, ERR_NOTFOUND, 0, "container %s is not running: %s", c->name, c->status);
        error_hint(err, "'stack run %s ...' runs a command in a container of its own",
                   args->items[0]);
    }
    if (code == 0)
        code = exec_in(c, &t, opt, args, err);
    terminal_clear(&t);
    return code;
}

static const char *const examples[] = {
    "stack exec web sh",
    "A shell in the container of web",
    "stack exec -T db cat < in.sql",
    "With input from a file",
    NULL,
};

extern const struct command cmd_exec;
const struct command cmd_exec = {
    .name = "exec",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE COMMAND [ARGS...]",
    .summary = "Run a command in a running container",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct exec_options),
    .defaults = defaults,
    .min_args = 2,
    .max_args = -1,
    .stop_at_arg = true,
    .args = COMPLETE_SERVICE,
    .run = run,
};
