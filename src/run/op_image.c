/* Images: pull with its layers folded into one line, build, remove. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "base/strmap.h"
#include "build/build.h"
#include "engine/requests.h"
#include "registry/auth.h"
#include "run/private.h"
#include "text/imageref.h"

/* --- pull --- */

struct layer {
    int64_t current, total;
    bool done;
};

struct pull {
    struct task *t;
    struct strmap layers;           /* id -> struct layer */
    struct error err;               /* an error inside the stream */
    struct registry_lookup *lookup; /* credentials are being looked for */
};

static void free_pull(struct pull *p)
{
    strmap_clear(&p->layers, free);
    error_clear(&p->err);
    free(p);
}

static void cancel_pull(struct task *t)
{
    struct pull *p = t->data;
    if (p->lookup)
        registry_cancel(p->lookup);
    if (t->call)
        engine_cancel(t->call);
    free_pull(p);
    t->data = NULL;
}

static void pull_progress(struct pull *p)
{
    size_t done = 0, n = 0;
    int64_t current = 0, total = 0;
    strmap_each (it, &p->layers) {
        const struct layer *l = it->value;
        n++;
        done += l->done;
        current += l->done ? l->total : l->current;
        total += l->total;
    }
    auto_free char *text = xasprintf("%zu of %zu layers", done, n);
    struct run *r = p->t->run;
    r->sink.event(r->sink.ctx, &(struct event){ .kind = EVENT_PROGRESS,
                                                .plan = r->plan,
                                                .op = p->t->op,
                                                .text = text,
                                                .len = strlen(text),
                                                .current = current,
                                                .total = total });
}

static void on_pull_json(void *ctx, json_t *value)
{
    struct pull *p = ctx;
    const char *error = json_str(value, "error");
    const char *id = json_str(value, "id"), *status = json_str_or(value, "status", "");
    if (error) {
        error_set(&p->err, ERR_PULL, 0, "%s", error);
        return;
    }
    if (!id || !json_at(value, "progressDetail"))
        return;
    struct layer *l = strmap_get(&p->layers, id);
    if (!l) {
        if (strmap_len(&p->layers) > 1000)
            return;
        l = xnew(struct layer);
        strmap_set(&p->layers, id, l);
    }
    int64_t total = json_int(value, "progressDetail.total", 0);
    if (str_eq(status, "Downloading")) {
        l->current = json_int(value, "progressDetail.current", 0);
        l->total = total > 0 ? total : l->total;
    }
    l->done |= str_eq(status, "Pull complete") || str_eq(status, "Already exists");
    pull_progress(p);
}

static void fail_pull(struct task *t, const struct error *err)
{
    struct error e = ERROR_INIT;
    error_set(&e, ERR_PULL, err->code, "pull '%s': %s", t->op->ref, err->msg);
    if (err->hint)
        error_hint(&e, "%s", err->hint);
    if (err->kind == ERR_NETWORK || err->kind == ERR_CANCELED)
        e.kind = err->kind;
    task_fail(t, &e);
}

/* The stream said nothing bad; whether the image is there, only looking tells. */
static void on_pulled_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    t->call = NULL;
    const char *id = err ? NULL : json_str(answer->json, "Id");
    auto_error struct error no_id = ERROR_INIT;
    if (!id) {
        error_set(&no_id, ERR_PROTOCOL, 0, "the engine does not say which image that is");
        fail_pull(t, err ? err : &no_id);
        return;
    }
    free(t->id);
    t->id = xstrdup(id);
    task_done(t, OUTCOME_DONE);
}

static void on_pulled(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct pull *p = ctx;
    struct task *t = p->t;
    (void)answer;
    t->call = NULL;
    t->data = NULL;
    t->cancel = NULL;
    struct error inside = p->err;
    p->err = ERROR_INIT;
    free_pull(p);
    if (err || inside.kind) {
        fail_pull(t, err ? err : &inside);
        error_clear(&inside);
        return;
    }
    struct engine_request look;
    rq_image_inspect(&look, t->op->ref);
    task_send(t, &look, on_pulled_seen);
}

static void on_auth(void *ctx, const char *auth, const struct error *err)
{
    struct task *t = ctx;
    struct pull *p = t->data;
    p->lookup = NULL;
    struct error e = ERROR_INIT;
    struct imageref ref;
    auto_(arena_freep) struct arena *arena = arena_new();
    if (err)
        error_copy(&e, err);
    if (err || imageref_parse(&ref, arena, t->op->ref, &e) < 0) {
        free_pull(p);
        t->data = NULL;
        task_fail(t, &e);
        return;
    }
    struct engine_request rq;
    rq_image_pull(&rq, ref.name, ref.digest ? ref.digest : ref.tag, t->op->platform, auth);
    struct engine_handlers hd = { .on_json = on_pull_json, .done = on_pulled, .ctx = p };
    t->call = engine_start(t->run->engine, &rq, &hd);
}

void start_pull(struct task *t)
{
    struct pull *p = xnew(struct pull);
    p->t = t;
    t->data = p;
    t->cancel = cancel_pull;
    p->lookup = registry_auth_start(t->run->loop, t->op->ref, on_auth, t);
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
        e.kind = EVENT_PROGRESS;
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
