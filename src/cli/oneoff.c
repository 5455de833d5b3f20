/*
 * Attached, it is three requests: attach, then wait, then start, so that neither output nor the end
 * can be missed. Whoever waits from before the start also learns the code of a container that the
 * engine removes at its end.
 */
#include "cli/oneoff.h"

#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/requests.h"

#define LAST_WORD_MS 5000 /* what is left to say of a container that is gone */

int oneoff_remove(const struct oneoff *o, struct error *err)
{
    struct engine_request rq;
    rq_container_remove(&rq, o->name, true, true);
    rq.missing_ok = true;
    return engine_do(NULL, o->cli->engine, &rq, err);
}

/* --- the start --- */

static void start_failed(struct oneoff *o, const struct error *err)
{
    error_copy(&o->err, err);
    error_wrap(&o->err, "service %s: start container %s", o->service, o->name);
    o->answered = true;
    terminal_end(&o->terminal);
}

static void started(struct oneoff *o)
{
    o->answered = true;
    terminal_started(&o->terminal);
}

/* Whether it has started, when the answer was lost: that is seen, or it is gone already. */
static bool has_started(const struct oneoff *o, const json_t *seen, const struct error *err)
{
    const char *status = err ? "" : json_str_or(seen, "State.Status", "");
    bool gone = err && err->kind == ERR_ENGINE && err->code == 404;
    return gone ? o->rm : *status && !str_eq(status, "created");
}

static void on_looked(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct oneoff *o = ctx;
    auto_error struct error lost = ERROR_INIT;
    o->call = NULL;
    error_move(&lost, &o->err);
    if (has_started(o, err ? NULL : answer->json, err))
        started(o);
    else
        start_failed(o, &lost);
}

static void on_started(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct oneoff *o = ctx;
    struct engine_request rq;
    o->call = NULL;
    if (err && err->kind == ERR_ENGINE) {
        start_failed(o, err);
        return;
    }
    if (err)
        error_copy(&o->err, err);
    else if (answer->status != 204)
        error_set(&o->err, ERR_PROTOCOL, 0,
                  "the engine says that it is done (%d), and it is not so", answer->status);
    if (!o->err.kind) {
        started(o);
        return;
    }
    rq_container_inspect(&rq, o->name);
    o->call =
        engine_start(o->cli->engine, &rq, &(struct engine_handlers){ .done = on_looked, .ctx = o });
}

static void send_start(void *ctx)
{
    struct oneoff *o = ctx;
    struct engine_request rq;
    rq_container_start(&rq, o->name);
    o->starting = true;
    o->call = engine_start(o->cli->engine, &rq,
                           &(struct engine_handlers){ .done = on_started, .ctx = o });
}

static void on_ended(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct oneoff *o = ctx;
    o->wait = NULL;
    o->ended = true;
    o->code = err ? -1 : engine_exit_code(answer->json, "StatusCode", &o->wait_err);
    if (!err)
        return;
    error_copy(&o->wait_err, err);
    if (!o->starting)
        start_failed(o, err);
}

static void on_opened(struct terminal *t)
{
    struct oneoff *o = t->ctx;
    struct engine_request rq;
    rq_container_wait(&rq, o->name, o->rm ? "removed" : "next-exit");
    o->answered = false;
    o->wait = engine_start(
        o->cli->engine, &rq,
        &(struct engine_handlers){ .on_open = send_start, .done = on_ended, .ctx = o });
}

/* --- the end --- */

static int exit_code_of_ended(struct oneoff *o, struct error *err)
{
    auto_json json_t *answer = NULL;
    struct engine_request rq;
    rq_container_wait(&rq, o->name, "not-running");
    if (engine_do(&answer, o->cli->engine, &rq, err) < 0)
        return -1;
    return engine_exit_code(answer, "StatusCode", err);
}

static void on_late(void *ctx)
{
    *(bool *)ctx = true;
}

/* What the one that waits since before the start says, within `ms`; 0: whenever. Should its
 * connection be lost, the engine is asked again. */
static int exit_code(struct oneoff *o, int64_t ms, struct error *err)
{
    struct loop_timer *limit = NULL;
    if (ms && !o->ended)
        loop_after(&limit, cli_loop(o->cli), ms, on_late, &o->ended);
    loop_wait(cli_loop(o->cli), &o->ended);
    loop_timer_cancel(&limit);
    if (o->code < 0 && (o->code = exit_code_of_ended(o, err)) < 0)
        return error_wrap(err, "service %s: the end of container %s", o->service, o->name);
    return o->code;
}

/* It did not start: 127, no such command, and 126, one that cannot run, are as in a shell. */
static int report_start(struct oneoff *o, struct error *err)
{
    bool refused = o->starting && o->err.kind == ERR_ENGINE;
    int code = -1;
    if (refused && (code = exit_code_of_ended(o, NULL)) < 0 && o->rm)
        code = exit_code(o, LAST_WORD_MS, NULL);
    oneoff_remove(o, NULL);
    if (code != 126 && code != 127)
        return error_move(err, &o->err);
    cli_report(o->cli, &o->err);
    return code;
}

/* The connection was lost; the container does not depend on it. */
static int report_lost(struct oneoff *o, struct error *err)
{
    error_wrap(err, "service %s: container %s", o->service, o->name);
    if (!o->starting)
        oneoff_remove(o, NULL);
    else if (o->rm)
        error_hint(err, "if it still runs, the engine removes it when it ends: 'stack ps -a'");
    else
        error_hint(err, "it may still run: 'stack ps -a' shows it, 'docker logs' what it says");
    return -1;
}

static int end(struct oneoff *o, int code, struct error *err)
{
    const struct terminal *t = &o->terminal;
    if (o->err.kind) {
        error_clear(err);
        return report_start(o, err);
    }
    if (code < 0)
        return report_lost(o, err);
    code = terminal_left(t, o->name);
    if (code < 0)
        return exit_code(o, 0, err);
    if (o->rm && !t->end.detached && oneoff_remove(o, err) < 0)
        return -1;
    return code;
}

int oneoff_attached(struct oneoff *o, struct error *err)
{
    struct terminal *t = &o->terminal;
    auto_str struct str path = STR_INIT;
    str_addf(&path, "/containers/%s/attach?stream=1&stdout=1&stderr=1%s", o->name,
             t->input ? "&stdin=1" : "");
    terminal_query(t, &path);
    t->container = o->name;
    t->path = path.buf;
    t->end_input = !t->tty;
    t->sig_proxy = true;
    t->opened = on_opened;
    t->ctx = o;
    o->answered = true;
    o->code = -1;
    int code = terminal_run(t, err);
    if (o->wait && !o->starting) { /* it is not going to be started any more */
        engine_cancel(take(o->wait));
        o->answered = true;
    }
    loop_wait(cli_loop(o->cli), &o->answered);
    code = end(o, code, err);
    if (o->wait)
        engine_cancel(take(o->wait));
    error_clear(&o->err);
    error_clear(&o->wait_err);
    return code;
}

int oneoff_detached(struct oneoff *o, struct error *err)
{
    o->answered = false;
    send_start(o);
    loop_wait(cli_loop(o->cli), &o->answered);
    if (o->err.kind) {
        oneoff_remove(o, NULL);
        return error_move(err, &o->err);
    }
    puts(o->name);
    return EXIT_DONE;
}
