/*
 * The engine's events of one stack, while a plan runs: waits listen here instead of polling. The
 * stream is opened before the first change. When it breaks, it is opened again from the time of the
 * last event, so that none is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/requests.h"
#include "run/private.h"

#define REOPEN_MS 300

struct watch {
    struct run *run;
    struct engine_call *call;
    struct loop_timer *timer;
    void (*ready)(void *ctx, const struct error *err);
    void *ctx;
    int64_t last_ns; /* of the newest event; where a reopened stream begins */
    struct {
        VEC(const struct watch_listener *);
    } listeners;
};

static void open_stream(void *ctx);

static void tell_ready(struct watch *w, const struct error *err)
{
    void (*ready)(void *ctx, const struct error *err) = take(w->ready);
    if (ready)
        ready(w->ctx, err);
}

static void on_open(void *ctx)
{
    tell_ready(ctx, NULL);
}

static void on_event(void *ctx, json_t *value)
{
    struct watch *w = ctx;
    const char *action = json_str_or(value, "Action", json_str_or(value, "status", ""));
    const char *id = json_str_or(value, "Actor.ID", json_str_or(value, "id", ""));
    int64_t time = json_int(value, "timeNano", 0);
    if (time > w->last_ns)
        w->last_ns = time;
    /* A listener may remove itself or add others: walk over a copy. */
    size_t n = w->listeners.len;
    auto_free const struct watch_listener **copy = xcalloc(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = w->listeners.items[i];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < w->listeners.len; k++)
            if (w->listeners.items[k] == copy[i]) {
                copy[i]->event(copy[i]->ctx, action, id, json_at(value, "Actor.Attributes"));
                break;
            }
}

static void on_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct watch *w = ctx;
    (void)answer;
    w->call = NULL;
    tell_ready(w, err);
    loop_after(&w->timer, w->run->loop, REOPEN_MS, open_stream, w);
}

static void open_stream(void *ctx)
{
    struct watch *w = ctx;
    static const char *const actions[] = { "start",
                                           "die",
                                           "destroy",
                                           "oom",
                                           "health_status",
                                           "health_status: healthy",
                                           "health_status: unhealthy" };
    char since[40];
    snprintf(since, sizeof(since), "%lld.%09lld", (long long)(w->last_ns / 1000000000),
             (long long)(w->last_ns % 1000000000));
    struct engine_request rq;
    rq_events(&rq, w->run->opt->stack_name, since, NULL, actions, countof(actions));
    struct engine_handlers hd = {
        .on_json = on_event, .on_open = on_open, .done = on_end, .ctx = w
    };
    w->call = engine_start(w->run->engine, &rq, &hd);
}

struct watch *watch_start(struct run *r, void (*ready)(void *ctx, const struct error *err),
                          void *ctx)
{
    struct watch *w = xnew(struct watch);
    w->run = r;
    w->ready = ready;
    w->ctx = ctx;
    w->last_ns = clock_unix_ns();
    open_stream(w);
    return w;
}

void watch_add(struct watch *w, const struct watch_listener *l)
{
    *vec_push(&w->listeners) = l;
}

void watch_remove(struct watch *w, const struct watch_listener *l)
{
    for (size_t i = 0; i < w->listeners.len; i++)
        if (w->listeners.items[i] == l) {
            memmove(&w->listeners.items[i], &w->listeners.items[i + 1],
                    (w->listeners.len - i - 1) * sizeof(*w->listeners.items));
            w->listeners.len--;
            return;
        }
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    loop_timer_cancel(&w->timer);
    if (w->call)
        engine_cancel(w->call);
    vec_free(&w->listeners);
    free(w);
}
