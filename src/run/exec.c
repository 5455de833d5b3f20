/*
 * Three requests: create, start (its output is framed), inspect for the exit code. The engine may
 * say "still running" for some milliseconds after the stream has ended, so the last is asked again.
 */
#include "run/exec.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/frames.h"
#include "engine/requests.h"

#define INSPECT_PAUSE_MS 10
#define INSPECT_TRIES 50

struct exec {
    struct engine *engine;
    struct engine_call *call;
    struct loop_timer *limit, *pause;
    char *id;
    struct frames frames;
    struct str output;
    size_t keep; /* bytes of it */
    int inspections;
    void (*done)(void *ctx, int code, const char *output, const struct error *err);
    void *ctx;
};

static void free_exec(struct exec *x)
{
    loop_timer_cancel(&x->limit);
    loop_timer_cancel(&x->pause);
    str_clear(&x->output);
    free(x->id);
    free(x);
}

void exec_cancel(struct exec *x)
{
    if (!x)
        return;
    if (x->call)
        engine_cancel(x->call);
    free_exec(x);
}

void exec_keep(struct exec *x, size_t max)
{
    x->keep = max;
}

static void end(struct exec *x, int code, const struct error *err)
{
    x->done(x->ctx, code, x->output.buf, err);
    free_exec(x);
}

static void inspect(void *ctx);

static void on_inspected(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct exec *x = ctx;
    x->call = NULL;
    if (err) {
        end(x, -1, err);
        return;
    }
    if (json_bool(answer->json, "Running", false) && x->inspections < INSPECT_TRIES) {
        loop_after(&x->pause, engine_loop(x->engine), INSPECT_PAUSE_MS, inspect, x);
        return;
    }
    auto_error struct error none = ERROR_INIT;
    int code = engine_exit_code(answer->json, "ExitCode", &none);
    end(x, code, code < 0 ? &none : NULL);
}

static void inspect(void *ctx)
{
    struct exec *x = ctx;
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_inspected, .ctx = x };
    rq_exec_inspect(&rq, x->id);
    x->inspections++;
    x->call = engine_start(x->engine, &rq, &hd);
}

static void keep_output(void *ctx, int stream, const char *data, size_t len)
{
    struct exec *x = ctx;
    (void)stream;
    str_addn(&x->output, data, len);
    if (x->output.len > x->keep)
        str_consume(&x->output, x->output.len - x->keep);
}

static void on_output(void *ctx, const char *data, size_t len)
{
    struct exec *x = ctx;
    frames_feed(&x->frames, data, len, keep_output, x, NULL);
}

static void on_ended(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct exec *x = ctx;
    (void)answer;
    x->call = NULL;
    if (err)
        end(x, -1, err);
    else
        inspect(x);
}

static void on_made(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct exec *x = ctx;
    x->call = NULL;
    const char *id = err ? NULL : json_str(answer->json, "Id");
    if (!id) {
        auto_error struct error none = ERROR_INIT;
        error_set(&none, ERR_PROTOCOL, 0, "the engine gave no id for the command");
        end(x, -1, err ? err : &none);
        return;
    }
    x->id = xstrdup(id);
    struct engine_request rq;
    struct engine_handlers hd = { .on_data = on_output, .done = on_ended, .ctx = x };
    rq_exec_start(&rq, x->id);
    x->call = engine_start(x->engine, &rq, &hd);
}

static void on_limit(void *ctx)
{
    struct exec *x = ctx;
    if (x->call)
        engine_cancel(x->call);
    x->call = NULL;
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, 0, "the command did not end in time");
    end(x, -1, &err);
}

struct exec *exec_start(struct engine *e, const char *container, json_t *body, int64_t timeout_ms,
                        void (*done)(void *ctx, int code, const char *output,
                                     const struct error *err),
                        void *ctx)
{
    struct exec *x = xnew(struct exec);
    x->engine = e;
    x->done = done;
    x->ctx = ctx;
    x->frames = FRAMES_INIT;
    x->output = STR_INIT;
    x->keep = EXEC_OUTPUT_MAX;
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_made, .ctx = x };
    rq_exec_create(&rq, container, body);
    if (timeout_ms > 0)
        loop_after(&x->limit, engine_loop(e), timeout_ms, on_limit, x);
    x->call = engine_start(e, &rq, &hd);
    return x;
}
