/*
 * `stack exec`: a command in a running container. Four calls: list, create, start, inspect. The
 * exit code is the command's.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/pick.h"
#include "engine/requests.h"
#include "live/interact.h"
#include "loop/tty.h"

#define STILL_RUNNING_TRIES 100 /* the engine may say so for some milliseconds after the end */
#define STILL_RUNNING_MS 10

struct exec_options {
    bool detach, no_tty, privileged, interactive, tty;
    struct strv env;
    int index;
    const char *user, *workdir;
};

static const struct option options[] = {
    { "detach", 'd', OPT_FLAG, offsetof(struct exec_options, detach), NULL,
      "Run it in the background", NULL, COMPLETE_NONE, false, false },
    { "env", 'e', OPT_STRINGS, offsetof(struct exec_options, env), "NAME=VALUE",
      "Set a variable; repeatable, NAME alone takes it from here", NULL, COMPLETE_NONE, false,
      false },
    { "index", 0, OPT_INT, offsetof(struct exec_options, index), "N",
      "Number of the container, of a service that has several", NULL, COMPLETE_NONE, false, false },
    { "no-tty", 'T', OPT_FLAG, offsetof(struct exec_options, no_tty), NULL,
      "No terminal in the container (default: one if there is one here)", NULL, COMPLETE_NONE,
      false, false },
    { "no-TTY", 0, OPT_FLAG, offsetof(struct exec_options, no_tty), NULL, "Same as --no-tty", NULL,
      COMPLETE_NONE, true, false },
    { "privileged", 0, OPT_FLAG, offsetof(struct exec_options, privileged), NULL,
      "Give it all capabilities", NULL, COMPLETE_NONE, false, false },
    { "user", 'u', OPT_STRING, offsetof(struct exec_options, user), "USER[:GROUP]", "Run as", NULL,
      COMPLETE_NONE, false, false },
    { "workdir", 'w', OPT_STRING, offsetof(struct exec_options, workdir), "DIR", "Run in", NULL,
      COMPLETE_NONE, false, false },
    { "interactive", 'i', OPT_FLAG, offsetof(struct exec_options, interactive), NULL,
      "Pass standard input on (as it does anyway)", NULL, COMPLETE_NONE, true, false },
    { "tty", 't', OPT_FLAG, offsetof(struct exec_options, tty), NULL,
      "A terminal (as it does anyway)", NULL, COMPLETE_NONE, true, false },
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

static json_t *exec_body(const struct exec_options *opt, const struct strv *args, bool tty)
{
    json_t *command = json_array();
    for (size_t i = 1; i < args->len; i++)
        json_array_append_new(command, json_string(args->items[i]));
    json_t *body =
        json_pack("{s:b, s:b, s:b, s:b, s:o, s:o}", "AttachStdin", opt->interactive && !opt->detach,
                  "AttachStdout", !opt->detach, "AttachStderr", !opt->detach, "Tty", tty, "Cmd",
                  command, "Env", environment(&opt->env));
    if (opt->user)
        json_object_set_new(body, "User", json_string(opt->user));
    if (opt->workdir)
        json_object_set_new(body, "WorkingDir", json_string(opt->workdir));
    if (opt->privileged)
        json_object_set_new(body, "Privileged", json_true());
    return body;
}

struct session {
    struct engine *engine;
    const char *id;
};

static void ignore(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    (void)ctx, (void)answer, (void)err;
}

static void on_resized(void *ctx, int rows, int cols)
{
    struct session *s = ctx;
    struct engine_request rq;
    rq_exec_resize(&rq, s->id, rows, cols);
    engine_start(s->engine, &rq, &(struct engine_handlers){ .done = ignore });
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
        if (!json_bool(seen, "Running", false) || i == STILL_RUNNING_TRIES)
            return (int)json_int(seen, "ExitCode", 0);
        bool over = false;
        struct loop_timer *timer = NULL;
        loop_after(&timer, cli->loop, STILL_RUNNING_MS, on_pause, &over);
        loop_wait(cli->loop, &over);
    }
}

static int start(struct cli *cli, const struct exec_options *opt, const char *id, bool tty,
                 struct error *err)
{
    if (opt->detach) {
        struct engine_request rq;
        rq_exec_start_detached(&rq, id, tty);
        return engine_do(NULL, cli->engine, &rq, err);
    }
    struct session session = { .engine = cli->engine, .id = id };
    auto_free char *path = xasprintf("/exec/%s/start", id);
    struct interact_result result;
    struct interact_options in = {
        .path = path,
        .body = json_pack("{s:b, s:b}", "Detach", 0, "Tty", tty),
        .tty = tty,
        .input = opt->interactive,
        .end_input = !tty,
        .resized = on_resized,
        .ctx = &session,
    };
    if (interact_run(&result, cli->engine, &in, err) < 0)
        return -1;
    return result.detached ? EXIT_DONE : exit_code(cli, id, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct exec_options *opt = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *c;
    if (pick_container(&now, &c, cli, args->items[0], opt->index, err) < 0)
        return -1;
    if (c->state != CONTAINER_RUNNING) {
        error_set(err, ERR_NOTFOUND, 0, "container %s is not running: %s", c->name, c->status);
        return error_hint(err, "'stack run %s ...' runs a command in a container of its own",
                          args->items[0]);
    }
    bool tty = !opt->no_tty && !opt->detach && tty_is(STDIN_FILENO) && tty_is(STDOUT_FILENO);
    auto_json json_t *made = NULL;
    struct engine_request rq;
    rq_exec_create(&rq, c->id, exec_body(opt, args, tty));
    if (engine_do(&made, cli->engine, &rq, err) < 0)
        return error_wrap(err, "service %s: exec", args->items[0]);
    const char *id = json_str(made, "Id");
    if (!id)
        return error_set(err, ERR_PROTOCOL, 0, "the engine gave no id for the command");
    return start(cli, opt, id, tty, err);
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
    .options = options,
    .noptions = countof(options),
    .options_size = sizeof(struct exec_options),
    .defaults = defaults,
    .min_args = 2,
    .max_args = -1,
    .stop_at_arg = true,
    .args = COMPLETE_SERVICE,
    .run = run,
};
