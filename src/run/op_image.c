/* Images: build, remove. What goes to and comes from registries: op_transfer.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "build/build.h"
#include "build/fetch.h"
#include "engine/requests.h"
#include "run/private.h"

/* --- fetch --- */

static void cancel_fetch(struct task *t)
{
    fetch_cancel(t->data);
    t->data = NULL;
}

static void on_fetch_progress(void *ctx, const char *ref, int64_t current, int64_t total)
{
    struct task *t = ctx;
    struct run *r = t->run;
    r->sink.event(r->sink.ctx, &(struct event){ .kind = EVENT_PROGRESS,
                                                .plan = r->plan,
                                                .op = t->op,
                                                .text = ref,
                                                .len = strlen(ref),
                                                .current = current,
                                                .total = total });
}

/* A registry that does not answer is told, but keeps nobody from building. */
static void on_fetched(void *ctx, const char *image_id, const struct error *err)
{
    struct task *t = ctx;
    struct run *r = t->run;
    t->data = NULL;
    t->cancel = NULL;
    if (image_id) {
        t->id = xstrdup(image_id);
        task_done(t, OUTCOME_DONE);
        return;
    }
    if (t->op->must) {
        struct error missing = ERROR_INIT;
        error_set(&missing, ERR_PULL, 404, "image '%s' is not in '%s'%s%s", t->op->image->name,
                  r->opt->stack->registry, err ? ": " : "", err ? err->msg : "");
        error_hint(&missing, "leave --no-build out, or have it built and pushed: 'stack rebuild'");
        task_fail(t, &missing);
        return;
    }
    if (err) {
        auto_free char *text =
            xasprintf("image '%s' is built here: %s", t->op->image->name, err->msg);
        r->sink.event(r->sink.ctx,
                      &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
    }
    task_done(t, OUTCOME_SKIPPED);
}

void start_fetch(struct task *t)
{
    const struct fetch_handlers hd = { on_fetch_progress, on_fetched, t };
    t->cancel = cancel_fetch;
    t->data = fetch_start(t->run->engine, t->run->opt->survey, t->op->image, t->op->exact, &hd);
}

/* --- build --- */

static void cancel_build(struct task *t)
{
    build_cancel(t->data);
    t->data = NULL;
}

static void on_step(void *ctx, const struct build_step *step)
{
    struct task *t = ctx;
    struct run *r = t->run;
    struct event e = { .plan = r->plan, .op = t->op };
    if (step->what == STEP_LOG) {
        e.kind = EVENT_OUTPUT;
        e.text = step->text;
        e.len = step->len;
    } else if (step->what == STEP_STARTED || step->what == STEP_PROGRESS) {
        e.kind = step->what == STEP_STARTED ? EVENT_STEP : EVENT_PROGRESS;
        e.text = step->name;
        e.len = step->name ? strlen(step->name) : 0;
        e.current = step->current;
        e.total = step->total;
    } else {
        return;
    }
    r->sink.event(r->sink.ctx, &e);
}

static void on_built(void *ctx, const char *image_id, const struct error *err)
{
    struct task *t = ctx;
    if (err && t->data)
        t->output = xstrdup(build_output(t->data));
    t->data = NULL;
    t->cancel = NULL;
    if (err) {
        task_fail_copy(t, err);
        return;
    }
    t->id = xstrdup(image_id);
    task_done(t, OUTCOME_DONE);
}

void start_build(struct task *t)
{
    struct build_options opt = { 0 };
    if (t->run->opt->build)
        opt = *t->run->opt->build;
    struct build_handlers hd = { .step = on_step, .done = on_built, .ctx = t };
    t->cancel = cancel_build;
    t->data = build_start(t->run->engine, t->run->opt->stack, t->run->opt->survey, t->op->image,
                          &opt, &hd);
}

/* --- remove --- */

static void on_image_removed(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    t->call = NULL;
    if (!err) {
        task_done(t, answer->status == 404 ? OUTCOME_SKIPPED : OUTCOME_DONE);
        return;
    }
    task_fail_copy(t, err);
}

void start_image_remove(struct task *t)
{
    struct engine_request rq;
    rq_image_remove(&rq, t->op->ref, t->op->force);
    rq.missing_ok = true;
    task_send(t, &rq, on_image_removed);
}
