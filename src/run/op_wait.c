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

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/requests.h"
#include "run/inspected.h"
#include "run/wait.h"

static void free_wait(struct wait *w)
{
    if (w->t->run->watch)
        watch_remove(w->t->run->watch, &w->listener);
    loop_timer_cancel(&w->limit);
    if (w->fetch)
        last_lines_cancel(w->fetch);
    for (size_t i = 0; i < w->ntargets; i++) {
        struct target *g = &w->targets[i];
        wait_stop_checks(g);
        lines_clear(&g->lines);
        regex_free(g->regex);
        for (char **a = g->health_test; a && *a; a++)
            free(*a);
        free(g->health_test);
        free(g->address);
        free(g->id);
    }
    error_clear(&w->failure);
    free(w->targets);
    free(w);
}

static void cancel_wait(struct task *t)
{
    free_wait(t->data);
    t->data = NULL;
}

/* --- failure: with the last lines of the container --- */

static void on_output(void *ctx, char *output)
{
    struct wait *w = ctx;
    struct task *t = w->t;
    w->fetch = NULL;
    t->output = output;
    struct error failure = w->failure;
    w->failure = ERROR_INIT;
    t->data = NULL;
    t->cancel = NULL;
    free_wait(w);
    task_fail(t, &failure);
}

/* Ends the wait with an error (taken over) after fetching what the container said last. */
void wait_fail(struct target *g, struct error *err)
{
    struct wait *w = g->wait;
    if (w->failure.kind) {
        error_clear(err);
        return;
    }
    for (size_t i = 0; i < w->ntargets; i++)
        wait_stop_checks(&w->targets[i]);
    loop_timer_cancel(&w->limit);
    error_move(&w->failure, err);
    w->fetch =
        last_lines_get(w->t->run->engine, g->id, g->tty, *g->since ? g->since : NULL, on_output, w);
}

void wait_passed(struct target *g)
{
    struct wait *w = g->wait;
    if (g->over || w->failure.kind)
        return;
    g->over = true;
    wait_stop_checks(g);
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
const struct ready *wait_ready_of(const struct op *op)
{
    static const struct ready none;
    return op->service ? &op->service->ready : &none;
}

/* What is said of a container that others wait for begins as docker compose says it. */
static const char *blamed(const struct wait *w)
{
    return w->t->op->nthen ? "dependency failed to start: " : "";
}

int wait_unhealthy(const struct target *g, struct error *err)
{
    return error_set(err, ERR_UNREADY, 0, "%scontainer %s is unhealthy", blamed(g->wait), g->name);
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
            wait_passed(g);
            return;
        }
        error_set(&err, ERR_UNREADY, code, "service \"%s\" didn't complete successfully: exit %d",
                  op->service_name, code);
    } else if (restarts(op->service)) {
        return;
    } else if (code == 0 && op->condition == COND_READY && !wait_ready_of(op)->set) {
        wait_passed(g);
        return;
    } else {
        error_set(&err, ERR_UNREADY, code, "%scontainer %s exited (%d) before it was %s", blamed(w),
                  g->name, code, wanted(w));
    }
    wait_fail(g, &err);
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
        const struct ready *ready = wait_ready_of(op);
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
    const char *status = json_str(seen, "State.Health.Status");
    if (str_eq(status, "healthy"))
        return 0;
    g->listed[CHECK_HEALTH] = true;
    g->unhealthy = str_eq(status, "unhealthy");
    if (!op->service || !op->service->health.engine_only)
        g->health_test = inspected_health(test, json_at(seen, "Config.Shell"));
    g->health_timeout_ms = json_int(seen, "Config.Healthcheck.Timeout", 0) / 1000000;
    return g->unhealthy && !g->health_test ? wait_unhealthy(g, err) : 0;
}

static void on_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct target *g = ctx;
    struct wait *w = g->wait;
    struct error e = ERROR_INIT;
    g->call = NULL;
    if (err) {
        error_copy(&e, err);
        wait_fail(g, &e);
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
        wait_fail(g, &e);
        return;
    }
    if (ended) {
        int code = engine_exit_code(seen, "State.ExitCode", &e);
        if (code < 0)
            wait_fail(g, &e);
        else
            target_died(g, code);
        return;
    }
    if (w->t->op->condition == COND_COMPLETED) {
        task_progress(w->t, "waiting for its end");
        return;
    }
    if (w->t->op->condition == COND_STARTED) {
        wait_passed(g);
        return;
    }
    g->address = inspected_address(w->t->run->engine, seen);
    if (list_checks(g, seen, &e) < 0) {
        wait_fail(g, &e);
        return;
    }
    wait_check_next(g);
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
            wait_fail(g, &err);
        } else if (str_eq(action, "health_status: healthy")) {
            if (g->listed[CHECK_HEALTH] && g->now == CHECK_HEALTH) {
                wait_stop_checks(g);
                wait_check_passed(g);
            }
        } else if (str_eq(action, "health_status: unhealthy") && g->listed[CHECK_HEALTH]) {
            struct error err = ERROR_INIT;
            wait_unhealthy(g, &err);
            wait_fail(g, &err);
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
    const char *what = w->t->op->condition == COND_COMPLETED ? "its end" : wait_check_name(g->now);
    int given_s = w->t->run->opt->wait_timeout_s;
    if (given_s > 0)
        error_set(&err, ERR_UNREADY, 0, "application not healthy after %ds; still waiting for: %s",
                  given_s, what);
    else
        error_set(&err, ERR_UNREADY, 0, "it was not %s in time; still waiting for: %s", wanted(w),
                  what);
    error_hint(&err, "see 'stack logs %s'; a longer limit is ready.timeout or --wait-timeout",
               w->t->op->service_name);
    wait_fail(g, &err);
}

static void set_limit(struct wait *w)
{
    const struct run_options *opt = w->t->run->opt;
    int64_t ms = 0;
    if (w->t->op->condition == COND_READY && wait_ready_of(w->t->op)->set)
        ms = wait_ready_of(w->t->op)->timeout_ms;
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
    t->data = w;
    t->cancel = cancel_wait;
    watch_add(t->run->watch, &w->listener);
    set_limit(w);
    for (struct op *const *o = op->waits; o && *o; o++)
        add_target(w, task_target_id(task_of(t->run, *o)), (*o)->subject, task_of(t->run, *o));
    for (const struct seen_container *const *c = op->wait_seen; c && *c; c++)
        add_target(w, (*c)->id, (*c)->name, NULL);
}
