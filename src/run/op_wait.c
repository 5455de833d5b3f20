/*
 * OP_WAIT: until the containers of a service fulfil a condition.
 *
 * Each container is a `struct target` that goes through the checks of the condition one after the
 * other. Its death is told by the event stream; one inspection at the beginning closes the gap
 * between its start and our listening, and says what the image adds (a health check) and where it
 * can be reached.
 *
 * The engine runs a health check for the first time one whole interval after the start. We do not
 * wait for that: the same command is run through exec at once and then at short, growing intervals,
 * and the first success counts. The engine's own verdict, when it comes first, counts too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "base/str.h"
#include "engine/frames.h"
#include "engine/requests.h"
#include "net/lines.h"
#include "run/inspected.h"
#include "run/private.h"
#include "run/probe.h"
#include "text/pattern.h"

#define FIRST_PAUSE_MS 100
#define MOST_PAUSE_MS 1000
#define PROBE_MS 30000 /* one attempt, where nothing else is said */
#define PROBES_AT_ONCE 4

enum check { CHECK_LOG, CHECK_TCP, CHECK_HTTP, CHECK_EXEC, CHECK_HEALTH, CHECK_COUNT };

struct target {
    struct wait *wait;
    char *id;
    const char *name;
    bool over;
    bool listed[CHECK_COUNT]; /* still to be fulfilled */
    enum check now;
    int attempts;
    int64_t pause_ms;
    char *address; /* to reach it from here, or NULL */
    bool tty;
    const struct task *start;   /* that started it, or NULL: it ran before */
    char since[LOGS_SINCE_MAX]; /* what it said before does not count; or "" */
    char **health_test;         /* argv, NULL-terminated; or NULL */
    int64_t health_timeout_ms;
    struct probe *probe;
    struct loop_timer *timer;
    struct engine_call *call; /* inspection, or the log */
    struct frames frames;
    struct lines lines;
    struct regex *regex;
};

struct wait {
    struct task *t;
    struct watch_listener listener;
    struct target *targets;
    size_t ntargets, left;
    struct loop_timer *limit;
    struct error failure; /* while the last output is fetched */
    struct engine_call *output_call;
    struct str output;
    struct frames frames;
};

static void next_check(struct target *g);
static void try_probe(void *ctx);

static void stop_target(struct target *g)
{
    loop_timer_cancel(&g->timer);
    if (g->probe) {
        probe_cancel(take(g->probe));
        g->wait->t->run->probes--;
    }
    if (g->call)
        engine_cancel(take(g->call));
}

static void free_wait(struct wait *w)
{
    if (w->t->run->watch)
        watch_remove(w->t->run->watch, &w->listener);
    loop_timer_cancel(&w->limit);
    if (w->output_call)
        engine_cancel(w->output_call);
    for (size_t i = 0; i < w->ntargets; i++) {
        struct target *g = &w->targets[i];
        stop_target(g);
        lines_clear(&g->lines);
        regex_free(g->regex);
        for (char **a = g->health_test; a && *a; a++)
            free(*a);
        free(g->health_test);
        free(g->address);
        free(g->id);
    }
    error_clear(&w->failure);
    str_clear(&w->output);
    free(w->targets);
    free(w);
}

static void cancel_wait(struct task *t)
{
    free_wait(t->data);
    t->data = NULL;
}

/* --- failure: with the last lines of the container --- */

static void add_output(void *ctx, int stream, const char *data, size_t len)
{
    struct wait *w = ctx;
    (void)stream;
    str_addn(&w->output, data, len);
}

static void on_output(void *ctx, const char *data, size_t len)
{
    struct wait *w = ctx;
    if (w->targets[0].tty)
        str_addn(&w->output, data, len);
    else
        frames_feed(&w->frames, data, len, add_output, w, NULL);
}

static void on_output_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct wait *w = ctx;
    struct task *t = w->t;
    (void)answer, (void)err;
    w->output_call = NULL;
    t->output = str_detach(&w->output);
    struct error failure = w->failure;
    w->failure = ERROR_INIT;
    t->data = NULL;
    t->cancel = NULL;
    free_wait(w);
    task_fail(t, &failure);
}

/* Ends the wait with an error (taken over) after fetching what the container said last. */
static void fail(struct target *g, struct error *err)
{
    struct wait *w = g->wait;
    if (w->failure.kind) {
        error_clear(err);
        return;
    }
    for (size_t i = 0; i < w->ntargets; i++)
        stop_target(&w->targets[i]);
    loop_timer_cancel(&w->limit);
    error_move(&w->failure, err);
    w->output = STR_INIT_MAX(64 << 10);
    w->frames = FRAMES_INIT;
    struct engine_request rq;
    struct logs_options opt = { .tail = 20, .since = *g->since ? g->since : NULL };
    rq_container_logs(&rq, g->id, &opt);
    struct engine_handlers hd = { .on_data = on_output, .done = on_output_end, .ctx = w };
    w->output_call = engine_start(w->t->run->engine, &rq, &hd);
}

static void target_ready(struct target *g)
{
    struct wait *w = g->wait;
    if (g->over || w->failure.kind)
        return;
    g->over = true;
    stop_target(g);
    if (--w->left)
        return;
    struct task *t = w->t;
    t->data = NULL;
    t->cancel = NULL;
    free_wait(w);
    task_done(t, OUTCOME_DONE);
}

static const char *wanted(const struct wait *w)
{
    switch (w->t->op->condition) {
    case COND_HEALTHY:
        return "healthy";
    case COND_COMPLETED:
        return "completed";
    case COND_READY:
    case COND_STARTED:
        break;
    }
    return "ready";
}

/* Where no stack file is read, the service is not known. */
static const struct ready *ready_of(const struct op *op)
{
    static const struct ready none;
    return op->service ? &op->service->ready : &none;
}

/* What is said of a container that others wait for begins as docker compose says it. */
static const char *blamed(const struct wait *w)
{
    return w->t->op->nthen ? "dependency failed to start: " : "";
}

/* A restart policy brings it back: its death is not the end of the wait. */
static bool restarts(const struct service *s)
{
    return s && s->restart && !str_eq(s->restart, "no");
}

static void target_died(struct target *g, int code)
{
    struct wait *w = g->wait;
    const struct op *op = w->t->op;
    struct error err = ERROR_INIT;
    if (g->over || w->failure.kind)
        return;
    if (op->condition == COND_COMPLETED) {
        if (code == 0) {
            target_ready(g);
            return;
        }
        error_set(&err, ERR_UNREADY, code, "service \"%s\" didn't complete successfully: exit %d",
                  op->service_name, code);
    } else if (restarts(op->service)) {
        return;
    } else if (code == 0 && op->condition == COND_READY && !ready_of(op)->set) {
        target_ready(g);
        return;
    } else {
        error_set(&err, ERR_UNREADY, code, "%scontainer %s exited (%d) before it was %s", blamed(w),
                  g->name, code, wanted(w));
    }
    fail(g, &err);
}

/* --- checks --- */

static void pass(struct target *g)
{
    g->listed[g->now] = false;
    g->attempts = 0;
    next_check(g);
}

static void on_log_line(void *ctx, const char *line, size_t len)
{
    struct target *g = ctx;
    if (g->now == CHECK_LOG && g->listed[CHECK_LOG] &&
        regex_search(g->regex, line, len) == REGEX_MATCH)
        g->listed[CHECK_LOG] = false;
}

static void on_log_frame(void *ctx, int stream, const char *data, size_t len)
{
    struct target *g = ctx;
    (void)stream;
    lines_feed(&g->lines, data, len, on_log_line, g, NULL);
}

static void log_matched(void *ctx)
{
    struct target *g = ctx;
    if (g->call)
        engine_cancel(take(g->call));
    pass(g);
}

static void on_log(void *ctx, const char *data, size_t len)
{
    struct target *g = ctx;
    if (g->tty)
        lines_feed(&g->lines, data, len, on_log_line, g, NULL);
    else
        frames_feed(&g->frames, data, len, on_log_frame, g, NULL);
    /* The line may come without its end, as a prompt does. */
    if (g->listed[CHECK_LOG] && g->lines.rest.len)
        on_log_line(g, g->lines.rest.buf, g->lines.rest.len);
    if (!g->listed[CHECK_LOG] && !g->timer)
        loop_after(&g->timer, g->wait->t->run->loop, 0, log_matched, g);
}

static void follow_log(void *ctx);

static void on_log_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct target *g = ctx;
    (void)answer, (void)err;
    g->call = NULL;
    /* It stopped: its death is told by the events; if it is started again, follow again. */
    if (g->listed[CHECK_LOG] && !g->timer)
        loop_after(&g->timer, g->wait->t->run->loop, MOST_PAUSE_MS, follow_log, g);
}

static void follow_log(void *ctx)
{
    struct target *g = ctx;
    struct engine_request rq;
    struct logs_options opt = { .follow = true, .tail = -1, .since = *g->since ? g->since : NULL };
    lines_clear(&g->lines);
    g->frames = FRAMES_INIT;
    rq_container_logs(&rq, g->id, &opt);
    struct engine_handlers hd = { .on_data = on_log, .done = on_log_end, .ctx = g };
    g->call = engine_start(g->wait->t->run->engine, &rq, &hd);
}

static void start_log_check(struct target *g)
{
    struct error err = ERROR_INIT;
    task_progress(g->wait->t, "waiting for its log");
    if (!g->regex && regex_compile(&g->regex, g->wait->t->op->service->ready.log, &err) < 0) {
        error_wrap(&err, "ready.log");
        fail(g, &err);
        return;
    }
    follow_log(g);
}

static const char *check_name(enum check c)
{
    static const char *const names[] = { "log", "tcp", "http", "exec", "health check" };
    return names[c];
}

static void on_probe(void *ctx, enum probe_verdict verdict, const char *text)
{
    struct target *g = ctx;
    struct run *r = g->wait->t->run;
    g->probe = NULL;
    r->probes--;
    if (verdict == PROBE_READY) {
        pass(g);
        return;
    }
    if (verdict == PROBE_NO_ROUTE) {
        free(take(g->address));
        try_probe(g);
        return;
    }
    auto_free char *clean = safe_text(text, SAFE_LINE);
    task_progress(g->wait->t, "%s, attempt %d: %.120s", check_name(g->now), g->attempts, clean);
    loop_after(&g->timer, r->loop, g->pause_ms, try_probe, g);
    g->pause_ms = g->pause_ms * 2 > MOST_PAUSE_MS ? MOST_PAUSE_MS : g->pause_ms * 2;
}

static void try_probe(void *ctx)
{
    struct target *g = ctx;
    struct run *r = g->wait->t->run;
    const struct ready *ready = ready_of(g->wait->t->op);
    if (r->probes >= (r->opt->limits.probes ? r->opt->limits.probes : PROBES_AT_ONCE)) {
        loop_after(&g->timer, r->loop, 20, try_probe, g);
        return;
    }
    struct probe_spec spec = { .container = g->id, .address = g->address, .timeout_ms = PROBE_MS };
    switch (g->now) {
    case CHECK_TCP:
        spec.kind = PROBE_TCP;
        spec.port = ready->tcp;
        break;
    case CHECK_HTTP:
        spec.kind = PROBE_HTTP;
        spec.port = ready->http_port;
        spec.host = ready->http_host;
        spec.path = ready->http_path ? ready->http_path : "/";
        spec.status = ready->http_status;
        spec.timeout_ms = 5000;
        break;
    case CHECK_EXEC:
        spec.kind = PROBE_EXEC;
        spec.argv = ready->exec;
        break;
    default:
        spec.kind = PROBE_EXEC;
        spec.argv = (const char *const *)g->health_test;
        if (g->health_timeout_ms)
            spec.timeout_ms = g->health_timeout_ms;
        break;
    }
    g->attempts++;
    r->probes++;
    g->probe = probe_start(r->engine, &spec, on_probe, g);
}

static void next_check(struct target *g)
{
    for (int c = 0; c < CHECK_COUNT; c++)
        if (g->listed[c]) {
            g->now = (enum check)c;
            g->pause_ms = FIRST_PAUSE_MS;
            const struct ready *ready = ready_of(g->wait->t->op);
            if (ready->interval_ms > 0 && ready->interval_ms < FIRST_PAUSE_MS)
                g->pause_ms = ready->interval_ms;
            if (c == CHECK_LOG)
                start_log_check(g);
            else if (c != CHECK_HEALTH || g->health_test)
                try_probe(g);
            else
                task_progress(g->wait->t, "waiting for the engine's health check");
            return;
        }
    target_ready(g);
}

/* --- the beginning --- */

/* Which checks the condition asks for; -1 with *err filled when it cannot hold. */
static int list_checks(struct target *g, const json_t *seen, struct error *err)
{
    const struct op *op = g->wait->t->op;
    const json_t *test = json_at(seen, "Config.Healthcheck.Test");
    const char *form = json_string_value(json_array_get(test, 0));
    bool has_health = form && !str_eq(form, "NONE") && json_at(seen, "State.Health");
    bool health = op->condition == COND_HEALTHY;
    if (op->condition == COND_READY) {
        const struct ready *ready = ready_of(op);
        g->listed[CHECK_LOG] = ready->log;
        g->listed[CHECK_TCP] = ready->tcp;
        g->listed[CHECK_HTTP] = ready->http_port;
        g->listed[CHECK_EXEC] = ready->exec;
        health = ready->healthy || (!ready->set && has_health);
    }
    if (!health)
        return 0;
    if (!has_health) {
        error_set(err, ERR_UNREADY, 0,
                  "it has no health check, and something waits for it to be "
                  "healthy");
        return error_hint(err, "add 'healthcheck:' to the service, or wait for its start alone");
    }
    if (str_eq(json_str(seen, "State.Health.Status"), "healthy"))
        return 0;
    g->listed[CHECK_HEALTH] = true;
    if (!op->service || !op->service->health.engine_only)
        g->health_test = inspected_health(test, json_at(seen, "Config.Shell"));
    g->health_timeout_ms = json_int(seen, "Config.Healthcheck.Timeout", 0) / 1000000;
    return 0;
}

static void on_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct target *g = ctx;
    struct wait *w = g->wait;
    struct error e = ERROR_INIT;
    g->call = NULL;
    if (err) {
        error_copy(&e, err);
        fail(g, &e);
        return;
    }
    const json_t *seen = answer->json;
    const char *status = json_str_or(seen, "State.Status", "");
    bool ended = str_eq(status, "exited") || str_eq(status, "stopped") || str_eq(status, "dead");
    g->tty = json_bool(seen, "Config.Tty", false);
    if (ended)
        logs_since_start(g->since, g->start);
    else
        logs_since_end(g->since, seen);
    if (!*status) {
        error_set(&e, ERR_PROTOCOL, 0, "the engine does not say in which state it is");
        fail(g, &e);
        return;
    }
    if (ended) {
        int code = engine_exit_code(seen, "State.ExitCode", &e);
        if (code < 0)
            fail(g, &e);
        else
            target_died(g, code);
        return;
    }
    if (w->t->op->condition == COND_COMPLETED) {
        task_progress(w->t, "waiting for its end");
        return;
    }
    if (w->t->op->condition == COND_STARTED) {
        target_ready(g);
        return;
    }
    g->address = inspected_address(w->t->run->engine, seen);
    if (list_checks(g, seen, &e) < 0) {
        fail(g, &e);
        return;
    }
    next_check(g);
}

static int exit_code(const char *text)
{
    int64_t code;
    return num_range(&code, text, 0, 255) == 0 ? (int)code : 1;
}

static void on_event(void *ctx, const char *action, const char *id, const json_t *attributes)
{
    struct wait *w = ctx;
    for (size_t i = 0; i < w->ntargets; i++) {
        struct target *g = &w->targets[i];
        if (g->over || !str_eq(g->id, id))
            continue;
        if (str_eq(action, "die")) {
            const char *code = json_string_value(json_object_get(attributes, "exitCode"));
            target_died(g, code ? exit_code(code) : 0);
        } else if (str_eq(action, "destroy")) {
            struct error err = ERROR_INIT;
            error_set(&err, ERR_UNREADY, 0, "%scontainer %s was removed before it was %s",
                      blamed(w), g->name, wanted(w));
            fail(g, &err);
        } else if (str_eq(action, "health_status: healthy")) {
            if (g->listed[CHECK_HEALTH] && g->now == CHECK_HEALTH) {
                stop_target(g);
                pass(g);
            }
        } else if (str_eq(action, "health_status: unhealthy") && g->listed[CHECK_HEALTH]) {
            struct error err = ERROR_INIT;
            error_set(&err, ERR_UNREADY, 0, "%scontainer %s is unhealthy", blamed(w), g->name);
            fail(g, &err);
        }
        return; /* the wait may be gone */
    }
}

static void on_limit(void *ctx)
{
    struct wait *w = ctx;
    struct error err = ERROR_INIT;
    size_t at = 0;
    while (at + 1 < w->ntargets && w->targets[at].over)
        at++;
    struct target *g = &w->targets[at];
    const char *what = w->t->op->condition == COND_COMPLETED ? "its end" : check_name(g->now);
    error_set(&err, ERR_UNREADY, 0, "it was not %s in time; still waiting for: %s", wanted(w),
              what);
    error_hint(&err, "see 'stack logs %s'; a longer limit is ready.timeout or --wait-timeout",
               w->t->op->service_name);
    fail(g, &err);
}

static void set_limit(struct wait *w)
{
    const struct run_options *opt = w->t->run->opt;
    int64_t ms = 0;
    if (w->t->op->condition == COND_READY && ready_of(w->t->op)->set)
        ms = ready_of(w->t->op)->timeout_ms;
    if (w->t->op->timeout_s > 0)
        ms = (int64_t)w->t->op->timeout_s * 1000;
    if (opt->wait_timeout_s > 0)
        ms = (int64_t)opt->wait_timeout_s * 1000;
    if (ms > 0)
        loop_after(&w->limit, w->t->run->loop, ms, on_limit, w);
}

static void add_target(struct wait *w, const char *id, const char *name, const struct task *start)
{
    struct target *g = &w->targets[w->ntargets++];
    g->wait = w;
    g->id = xstrdup(id);
    g->name = name;
    g->start = start;
    g->lines = LINES_INIT;
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_seen, .ctx = g };
    rq_container_inspect(&rq, id);
    g->call = engine_start(w->t->run->engine, &rq, &hd);
}

void start_wait(struct task *t)
{
    const struct op *op = t->op;
    size_t n = 0;
    for (struct op *const *o = op->waits; o && *o; o++)
        n++;
    for (const struct seen_container *const *c = op->wait_seen; c && *c; c++)
        n++;
    if (!n) {
        task_done(t, OUTCOME_SKIPPED);
        return;
    }
    struct wait *w = xnew(struct wait);
    w->t = t;
    w->left = n;
    w->targets = xcalloc(n, sizeof(*w->targets));
    w->listener = (struct watch_listener){ .event = on_event, .ctx = w };
    w->output = STR_INIT;
    t->data = w;
    t->cancel = cancel_wait;
    watch_add(t->run->watch, &w->listener);
    set_limit(w);
    for (struct op *const *o = op->waits; o && *o; o++)
        add_target(w, task_target_id(task_of(t->run, *o)), (*o)->subject, task_of(t->run, *o));
    for (const struct seen_container *const *c = op->wait_seen; c && *c; c++)
        add_target(w, (*c)->id, (*c)->name, NULL);
}
