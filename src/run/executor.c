/*
 * The executor: counters, a ready list, pools.
 *
 * Each task counts its needs that are not over. When the count is zero it is started as soon as its
 * pool has room, in the order of the plan. A failed need holds a task back, and so on down the
 * graph; soft needs only order. pump() is the one place that starts tasks; it never runs inside
 * itself, however a handler ends.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/private.h"

/* After the last start: containers that die at once have died by then, and we were told. An engine
 * that takes long for a start takes long for a death, too: a quarter of it. */
#define SETTLE_MS 120
#define SETTLE_MOST_MS 1000

static void pump(struct run *r);

struct task *task_of(const struct run *r, const struct op *op)
{
    return &r->tasks[op->index];
}

const char *task_target_id(const struct task *t)
{
    if (t->op->target)
        return task_of(t->run, t->op->target)->id;
    return t->op->id;
}

static void emit(struct run *r, struct event *e)
{
    e->plan = r->plan;
    r->sink.event(r->sink.ctx, e);
}

void task_progress(struct task *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    emit(t->run,
         &(struct event){ .kind = EVENT_PROGRESS, .op = t->op, .text = text, .len = strlen(text) });
}

static void task_over(struct task *t, enum outcome outcome)
{
    struct run *r = t->run;
    bool ran = t->state == TASK_RUNNING;
    loop_timer_cancel(&t->timer);
    t->call = NULL;
    t->cancel = NULL;
    t->state = TASK_OVER;
    t->outcome = outcome;
    t->ended_ms = clock_ms();
    r->over++;
    if (ran)
        r->active[run_handlers[t->op->kind].pool]--;
    emit(r, &(struct event){ .kind = EVENT_ENDED,
                             .op = t->op,
                             .outcome = outcome,
                             .err = t->err.kind ? &t->err : NULL,
                             .cause = t->cause ? t->cause->op : NULL,
                             .elapsed_ms = ran ? t->ended_ms - t->started_ms : 0 });
    for (size_t i = 0; i < t->op->nthen; i++)
        task_of(r, t->op->then[i])->missing--;
    pump(r);
}

void task_done(struct task *t, enum outcome outcome)
{
    task_over(t, outcome);
}

void task_fail(struct task *t, struct error *err)
{
    error_move(&t->err, err);
    explain(&t->err, t->op);
    task_over(t, t->err.kind == ERR_CANCELED ? OUTCOME_CANCELED : OUTCOME_FAILED);
}

void task_fail_copy(struct task *t, const struct error *err)
{
    struct error copy = ERROR_INIT;
    error_copy(&copy, err);
    task_fail(t, &copy);
}

int task_made(struct error *why, struct task *t, const struct engine_answer *answer,
              const struct error *err)
{
    t->call = NULL;
    if (err) {
        error_copy(why, err);
        return -1;
    }
    const char *id = json_str(answer->json, "Id");
    if (!id)
        return error_set(why, ERR_PROTOCOL, 0, "the engine gave no id");
    t->id = xstrdup(id);
    task_done(t, OUTCOME_DONE);
    return 0;
}

void task_send(struct task *t, struct engine_request *rq,
               void (*done)(void *ctx, const struct engine_answer *answer, const struct error *err))
{
    struct engine_handlers hd = { .done = done, .ctx = t };
    t->call = engine_start(t->run->engine, rq, &hd);
}

void task_after(struct task *t, int64_t ms, void (*fn)(void *ctx))
{
    loop_timer_cancel(&t->timer);
    loop_after(&t->timer, t->run->loop, ms, fn, t);
}

/* The failed task that holds this one back, or NULL. */
static const struct task *held_by(const struct task *t)
{
    for (size_t i = 0; i < t->op->nneeds; i++) {
        if (t->op->needs[i].soft)
            continue;
        const struct task *need = task_of(t->run, t->op->needs[i].op);
        if (need->state != TASK_OVER)
            continue;
        if (need->outcome == OUTCOME_FAILED || need->outcome == OUTCOME_CANCELED)
            return need;
        if (need->outcome == OUTCOME_HELD)
            return need->cause;
    }
    return NULL;
}

/* Whether an interrupt keeps this task from starting: only what completes a step that has begun
 * (putting a replaced container's name right) still runs. */
static bool interrupted(const struct task *t)
{
    return t->run->interrupts > 0 && t->op->kind != OP_RENAME;
}

/* A build of what the registry had. */
static bool is_needless(const struct task *t)
{
    return t->op->fetch && task_of(t->run, t->op->fetch)->id;
}

static void start_task(struct task *t)
{
    struct run *r = t->run;
    t->state = TASK_RUNNING;
    t->started_ms = clock_ms();
    t->began_unix_ns = clock_unix_ns();
    r->active[run_handlers[t->op->kind].pool]++;
    if (is_needless(t)) {
        t->id = xstrdup(task_of(r, t->op->fetch)->id);
        task_done(t, OUTCOME_SKIPPED);
        return;
    }
    emit(r, &(struct event){ .kind = EVENT_STARTED, .op = t->op });
    run_handlers[t->op->kind].start(t);
}

static void end_when_over(struct run *r);

static void after_settling(struct run *r)
{
    r->settled = true;
    end_when_over(r);
}

static void on_settled(void *ctx)
{
    struct run *r = ctx;
    settle_end(r->settle, after_settling);
}

/* How long to look; 0: nothing was started. */
static int64_t settle_ms(const struct run *r)
{
    int64_t ms = 0;
    for (size_t i = 0; i < r->plan->nops; i++) {
        const struct task *t = &r->tasks[i];
        if (t->op->kind != OP_START || t->outcome != OUTCOME_DONE)
            continue;
        int64_t quarter = (t->ended_ms - t->started_ms) / 4;
        ms = MAX(ms, MAX(quarter, SETTLE_MS));
    }
    return MIN(ms, SETTLE_MOST_MS);
}

static void end_when_over(struct run *r)
{
    if (r->over < r->plan->nops || r->done)
        return;
    if (r->settle && !r->settled && !r->interrupts && settle_ms(r)) {
        if (!r->settle_timer)
            loop_after(&r->settle_timer, r->loop, settle_ms(r), on_settled, r);
        return;
    }
    r->done = true;
}

static void pump(struct run *r)
{
    if (r->pumping) {
        r->again = true;
        return;
    }
    r->pumping = true;
    do {
        r->again = false;
        for (size_t i = 0; i < r->plan->nops; i++) {
            struct task *t = &r->tasks[r->plan->ops[i]->index];
            if (t->state != TASK_PENDING || t->missing)
                continue;
            t->cause = held_by(t);
            enum pool pool = run_handlers[t->op->kind].pool;
            if (t->cause)
                task_over(t, OUTCOME_HELD);
            else if (interrupted(t))
                task_over(t, OUTCOME_CANCELED);
            else if (!r->limit[pool] || r->active[pool] < r->limit[pool])
                start_task(t);
        }
    } while (r->again);
    r->pumping = false;
    end_when_over(r);
}

static void on_watch_ready(void *ctx, const struct error *err)
{
    struct run *r = ctx;
    if (err)
        log_debug("no events: %s", err->msg);
    pump(r);
}

static bool needs_events(const struct run *r)
{
    for (size_t i = 0; i < r->plan->nops; i++) {
        enum op_kind kind = r->plan->ops[i]->kind;
        if (kind == OP_WAIT || (r->opt->settle && kind == OP_START))
            return true;
    }
    return false;
}

static void set_limits(struct run *r)
{
    const struct run_limits *l = &r->opt->limits;
    r->limit[POOL_START] = l->starts ? l->starts : 8;
    r->limit[POOL_CREATE] = l->creates ? l->creates : 8;
    r->limit[POOL_STOP] = l->stops ? l->stops : 16;
    r->limit[POOL_BUILD] = l->builds ? l->builds : 4;
    r->limit[POOL_PULL] = l->pulls ? l->pulls : 4;
}

static void init_tasks(struct run *r)
{
    r->tasks = xcalloc(r->plan->nops + 1, sizeof(*r->tasks));
    for (size_t i = 0; i < r->plan->nops; i++) {
        const struct op *op = r->plan->ops[i];
        struct task *t = &r->tasks[op->index];
        t->run = r;
        t->op = op;
        t->missing = op->nneeds;
    }
}

static void clear_tasks(struct run *r)
{
    for (size_t i = 0; i < r->plan->nops; i++) {
        struct task *t = &r->tasks[i];
        error_clear(&t->err);
        free(t->id);
        free(t->output);
    }
    free(r->tasks);
}

/* Cancels a running task; `all` also those that change something and are nearly over. */
static void cancel_task(struct task *t, bool all)
{
    enum op_kind kind = t->op->kind;
    bool long_one = kind == OP_WAIT || kind == OP_IMAGE_BUILD || kind == OP_IMAGE_PULL ||
                    kind == OP_IMAGE_FETCH || kind == OP_IMAGE_PUSH;
    if (t->state != TASK_RUNNING || (!all && !long_one))
        return;
    if (t->cancel)
        t->cancel(t);
    else if (t->call)
        engine_cancel(t->call);
    error_set(&t->err, ERR_CANCELED, 0, "interrupted");
    task_over(t, OUTCOME_CANCELED);
}

void run_interrupt(struct run_control *control)
{
    struct run *r = control->run;
    if (!r)
        return;
    r->interrupts++;
    r->pumping = true;
    for (size_t i = 0; i < r->plan->nops; i++)
        cancel_task(&r->tasks[i], r->interrupts > 1);
    r->pumping = false;
    pump(r);
}

int run_plan(struct run_result *out, struct engine *e, const struct plan *plan,
             const struct run_options *opt, const struct sink *sink, struct error *err)
{
    struct run r = { .engine = e, .loop = engine_loop(e), .plan = plan, .opt = opt, .sink = *sink };
    memset(out, 0, sizeof(*out));
    r.started_ms = clock_ms();
    emit(&r, &(struct event){ .kind = EVENT_BEGIN });
    int rc = 0;
    if (plan->nops) {
        if (engine_ready(e, err) < 0)
            return -1;
        set_limits(&r);
        init_tasks(&r);
        if (opt->control)
            opt->control->run = &r;
        if (needs_events(&r)) {
            r.watch = watch_start(&r, on_watch_ready, &r);
            r.settle = opt->settle ? settle_begin(&r) : NULL;
        } else {
            pump(&r);
        }
        loop_wait(r.loop, &r.done);
        if (opt->control)
            opt->control->run = NULL;
        loop_timer_cancel(&r.settle_timer);
        settle_free(r.settle);
        watch_free(r.watch);
    }
    out->elapsed_ms = clock_ms() - r.started_ms;
    out->interrupted = r.interrupts > 0;
    if (plan->nops)
        result_fill(out, &r);
    emit(&r, &(struct event){ .kind = EVENT_END, .result = out });
    if (out->interrupted)
        rc = error_set(err, ERR_CANCELED, 0, "interrupted");
    else if (out->nfailures) {
        error_copy(err, &out->failures[0].err);
        rc = -1;
    }
    if (plan->nops)
        clear_tasks(&r);
    return rc;
}
