/*
 * The checks of a wait, one after the other: a line in the log, a port, a page, a command, the
 * health check. What does not succeed is tried again at growing intervals.
 */
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "engine/requests.h"
#include "run/wait.h"

#define FIRST_PAUSE_MS 100
#define MOST_PAUSE_MS 1000
#define PROBE_MS 30000 /* one attempt, where nothing else is said */
#define PROBES_AT_ONCE 4

static void try_probe(void *ctx);

void wait_stop_checks(struct target *g)
{
    loop_timer_cancel(&g->timer);
    if (g->probe) {
        probe_cancel(take(g->probe));
        g->wait->t->run->probes--;
    }
    if (g->call)
        engine_cancel(take(g->call));
}

void wait_check_passed(struct target *g)
{
    g->listed[g->now] = false;
    g->attempts = 0;
    wait_check_next(g);
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
    wait_check_passed(g);
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
        wait_fail(g, &err);
        return;
    }
    follow_log(g);
}

const char *wait_check_name(enum check c)
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
        wait_check_passed(g);
        return;
    }
    if (verdict == PROBE_NO_ROUTE) {
        free(take(g->address));
        try_probe(g);
        return;
    }
    if (g->now == CHECK_HEALTH && g->unhealthy) {
        struct error err = ERROR_INIT;
        wait_unhealthy(g, &err);
        wait_fail(g, &err);
        return;
    }
    auto_free char *clean = safe_text(text, SAFE_LINE);
    task_progress(g->wait->t, "%s, attempt %d: %.120s", wait_check_name(g->now), g->attempts,
                  clean);
    loop_after(&g->timer, r->loop, g->pause_ms, try_probe, g);
    g->pause_ms = g->pause_ms * 2 > MOST_PAUSE_MS ? MOST_PAUSE_MS : g->pause_ms * 2;
}

static void try_probe(void *ctx)
{
    struct target *g = ctx;
    struct run *r = g->wait->t->run;
    const struct ready *ready = wait_ready_of(g->wait->t->op);
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

void wait_check_next(struct target *g)
{
    for (int c = 0; c < CHECK_COUNT; c++)
        if (g->listed[c]) {
            g->now = (enum check)c;
            g->pause_ms = FIRST_PAUSE_MS;
            const struct ready *ready = wait_ready_of(g->wait->t->op);
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
    wait_passed(g);
}
