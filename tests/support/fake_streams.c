/* What lasts: events, waits, logs, commands, and the scripts behind them. */
#include "fake_private.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/num.h"

/* --- scripts --- */

char *fake_script_of(const json_t *words, bool lasts)
{
    size_t n = json_array_size(words);
    const char *last = n ? json_string_value(json_array_get(words, n - 1)) : NULL;
    if (json_is_string(words))
        last = json_string_value(words);
    if (!last)
        return xstrdup("");
    if (str_eq(last, "true"))
        return xstrdup("exit 0");
    if (str_eq(last, "false"))
        return xstrdup("exit 1");
    return lasts ? xstrdup(last) : xasprintf("%s; exit 0", last);
}

int fake_script_run(const char *script, void (*say)(void *ctx, const char *text), void *ctx,
                    int64_t *sleep_ms, char **rest)
{
    *sleep_ms = -1;
    *rest = NULL;
    for (const char *at = script; *at;) {
        while (*at == ' ' || *at == ';')
            at++;
        size_t len = strcspn(at, ";");
        auto_free char *word = xstrndup(at, len);
        double seconds;
        int64_t code;
        at += len;
        if (str_starts(word, "exit ") && num_int(&code, word + 5) == 0)
            return (int)code;
        if (str_starts(word, "echo ") && say) {
            say(ctx, word + 5);
        } else if (str_starts(word, "sleep ") && num_double(&seconds, word + 6) == 0) {
            *sleep_ms = (int64_t)(seconds * 1000);
            *rest = xstrdup(at);
            return -1;
        }
    }
    return -1;
}

/* --- timers --- */

void fake_timer_add(struct fake *f, int what, const char *id, const char *script, int64_t ms)
{
    struct timer *t = xnew(struct timer);
    t->at_ms = clock_ms() + ms;
    t->what = what;
    t->id = xstrdup(id);
    t->script = xstrdup(script);
    DL_APPEND(f->timers, t);
}

static void timer_free(struct fake *f, struct timer *t)
{
    DL_DELETE(f->timers, t);
    free(t->id);
    free(t->script);
    free(t);
}

void fake_timers_drop(struct fake *f, const char *id)
{
    struct timer *t, *next;
    DL_FOREACH_SAFE(f->timers, t, next)
    if (!id || str_eq(t->id, id))
        timer_free(f, t);
}

static void health_due(struct fake *f, json_t *container)
{
    json_t *health = json_object_get(json_object_get(container, "State"), "Health");
    auto_free char *script = fake_script_of(json_at(container, "Config.Healthcheck.Test"), false);
    auto_free char *rest = NULL;
    int64_t ms;
    bool well = fake_script_run(script, NULL, NULL, &ms, &rest) == 0;
    int64_t streak = well ? 0 : json_int(health, "FailingStreak", 0) + 1;
    int64_t retries = json_int(container, "Config.Healthcheck.Retries", 3);
    const char *was = json_str_or(health, "Status", "");
    const char *now = well ? "healthy" : streak >= retries ? "unhealthy" : was;
    json_object_set_new(health, "FailingStreak", json_integer(streak));
    if (!str_eq(was, now)) {
        auto_free char *action = xasprintf("health_status: %s", now);
        fake_set_text(health, "Status", now);
        fake_emit(f, action, container, NULL);
    }
    int64_t interval = json_int(container, "Config.Healthcheck.Interval", 0) / 1000000;
    fake_timer_add(f, TIMER_HEALTH, json_str(container, "Id"), "", interval ? interval : 30000);
}

static void exec_go_on(struct fake *f, const char *id, const char *script);

void fake_timers_run(struct fake *f)
{
    struct timer *t, *next;
    int64_t now = clock_ms();
    DL_FOREACH_SAFE(f->timers, t, next)
    {
        if (t->at_ms > now)
            continue;
        struct timer due = *t;
        due.id = xstrdup(t->id);
        due.script = xstrdup(t->script);
        timer_free(f, t);
        json_t *container = json_object_get(fake_part(f, "containers"), due.id);
        if (due.what == TIMER_EXEC)
            exec_go_on(f, due.id, due.script);
        else if (container && due.what == TIMER_MAIN)
            fake_main_run(f, container, due.script);
        else if (container)
            health_due(f, container);
        free(due.id);
        free(due.script);
        next = f->timers; /* what ran may have dropped others */
    }
}

/* --- logs --- */

static void frame(struct connection *c, const char *text)
{
    auto_free char *line = xasprintf("%s\n", text);
    size_t len = strlen(line);
    auto_str struct str out = STR_INIT;
    if (c->multiplexed) {
        char head[8] = { 1,        0, 0, 0, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8),
                         (char)len };
        str_addn(&out, head, sizeof(head));
    }
    str_addn(&out, line, len);
    fake_stream_write(c, out.buf, out.len);
}

struct saying {
    struct fake *f;
    json_t *container;
};

static void log_line(void *ctx, const char *text)
{
    const struct saying *s = ctx;
    struct connection *c;
    json_t *logs = json_object_get(json_object_get(s->container, "Fake"), "logs");
    json_array_append_new(logs, json_string(text));
    DL_FOREACH (s->f->connections, c)
        if (c->stream == STREAM_LOGS && str_eq(c->id, json_str(s->container, "Id")))
            frame(c, text);
}

void fake_main_run(struct fake *f, json_t *container, const char *script)
{
    struct saying s = { f, container };
    int64_t ms;
    auto_free char *rest = NULL;
    int code = fake_script_run(script, log_line, &s, &ms, &rest);
    if (code >= 0)
        fake_container_ended(f, container, code);
    else if (ms >= 0)
        fake_timer_add(f, TIMER_MAIN, json_str(container, "Id"), rest, ms);
}

void fake_container_logs(struct exchange *x)
{
    json_t *container = fake_find_container(x->f, x->name), *line;
    size_t i;
    if (!container) {
        fake_answer_error(x, 404, "No such container: %s", x->name);
        return;
    }
    x->type = "application/vnd.docker.raw-stream";
    x->c->multiplexed = !json_bool(container, "Config.Tty", false);
    fake_stream_begin(x, STREAM_LOGS, json_str(container, "Id"));
    const json_t *logs = json_at(container, "Fake.logs");
    const char *tail = fake_query_text(x, "tail");
    int64_t most = INT64_MAX;
    if (tail)
        num_int(&most, tail);
    json_array_foreach (logs, i, line) {
        if ((int64_t)(json_array_size(logs) - i) <= most)
            frame(x->c, json_string_value(line));
    }
    if (!fake_query_flag(x, "follow") || !json_bool(container, "State.Running", false))
        fake_stream_end(x->c);
}

/* One sample, whatever is asked for. */
void fake_container_stats(struct exchange *x)
{
    const json_t *container = fake_find_container(x->f, x->name);
    if (!container)
        fake_answer_error(x, 404, "No such container: %s", x->name);
    else
        x->json = json_pack("{s:{s:{s:i}, s:i, s:i}, s:{s:{s:i}, s:i}, s:{s:i, s:i}, s:{s:i}}",
                            "cpu_stats", "cpu_usage", "total_usage", 200, "system_cpu_usage", 2000,
                            "online_cpus", 2, "precpu_stats", "cpu_usage", "total_usage", 100,
                            "system_cpu_usage", 1000, "memory_stats", "usage", 1536, "limit", 6144,
                            "pids_stats", "current", 3);
}

void fake_container_wait(struct exchange *x)
{
    const json_t *container = fake_find_container(x->f, x->name);
    const char *condition = fake_query_text(x, "condition");
    if (!container) {
        fake_answer_error(x, 404, "No such container: %s", x->name);
        return;
    }
    bool waits = json_bool(container, "State.Running", false) ||
                 (condition && !str_eq(condition, "not-running"));
    if (waits)
        fake_stream_begin(x, STREAM_WAIT, json_str(container, "Id"));
    else
        x->json =
            json_pack("{s:I}", "StatusCode", (json_int_t)json_int(container, "State.ExitCode", 0));
}

/* --- events --- */

/* The filter on actions: "health_status" means each of its kinds. */
static bool fits_action(const json_t *filters, const char *action)
{
    json_t *wanted = json_object_get(filters, "event"), *value;
    size_t i;
    if (!json_array_size(wanted))
        return true;
    json_array_foreach (wanted, i, value) {
        if (str_starts(action, json_string_value(value)))
            return true;
    }
    return false;
}

static void show_event(struct connection *c, const json_t *event)
{
    if (!fits_action(c->filters, json_str(event, "Action")) ||
        !fake_fits_filters(c->filters, json_at(event, "Actor.Attributes"), ""))
        return;
    auto_free char *text = json_dumps(event, JSON_COMPACT);
    auto_free char *line = xasprintf("%s\n", text);
    fake_stream_write(c, line, strlen(line));
}

void fake_emit(struct fake *f, const char *action, const json_t *container, const char *exit_code)
{
    enum { KEPT = 256 };
    struct connection *c;
    const json_t *labels = json_at(container, "Config.Labels");
    auto_json json_t *attributes = labels ? json_copy((json_t *)(uintptr_t)labels) : json_object();
    int64_t now = clock_unix_ns();
    fake_set_text(attributes, "name", json_str_or(container, "Name", "/") + 1);
    if (exit_code)
        fake_set_text(attributes, "exitCode", exit_code);
    auto_json json_t *event = json_pack(
        "{s:s, s:s, s:{s:s, s:O}, s:s, s:I, s:I}", "Type", "container", "Action", action, "Actor",
        "ID", json_str_or(container, "Id", ""), "Attributes", attributes, "scope", "local", "time",
        (json_int_t)(now / 1000000000), "timeNano", (json_int_t)now);
    json_t *kept = fake_part(f, "events");
    json_array_append(kept, event);
    if (json_array_size(kept) > KEPT)
        json_array_remove(kept, 0);
    DL_FOREACH (f->connections, c)
        if (c->stream == STREAM_EVENTS)
            show_event(c, event);
}

void fake_events(struct exchange *x)
{
    const char *since = fake_query_text(x, "since"), *until = fake_query_text(x, "until");
    double from = 0;
    size_t i;
    json_t *event;
    fake_stream_begin(x, STREAM_EVENTS, "");
    json_decref(x->c->filters);
    x->c->filters = fake_query_filters(x);
    if (since && num_double(&from, since) == 0)
        json_array_foreach (fake_part(x->f, "events"), i, event) {
            if ((double)json_int(event, "timeNano", 0) / 1e9 >= from)
                show_event(x->c, event);
        }
    if (until)
        fake_stream_end(x->c);
}

/* --- exec --- */

void fake_exec_create(struct exchange *x)
{
    const json_t *container = fake_find_container(x->f, x->name);
    if (!container) {
        fake_answer_error(x, 404, "No such container: %s", x->name);
        return;
    }
    if (!json_bool(container, "State.Running", false)) {
        fake_answer_error(x, 409, "Container %s is not running", json_str(container, "Id"));
        return;
    }
    auto_free char *id = fake_new_id(x->f);
    json_object_set_new(fake_part(x->f, "execs"), id,
                        json_pack("{s:s, s:s, s:b, s:n, s:O}", "ID", id, "ContainerID",
                                  json_str(container, "Id"), "Running", 0, "ExitCode", "Config",
                                  x->rq->body));
    x->status = 201;
    x->json = json_pack("{s:s}", "Id", id);
}

struct exec_saying {
    struct fake *f;
    const char *id;
};

static void exec_line(void *ctx, const char *text)
{
    const struct exec_saying *s = ctx;
    struct connection *c;
    DL_FOREACH (s->f->connections, c)
        if (c->stream == STREAM_EXEC && str_eq(c->id, s->id))
            frame(c, text);
}

static void exec_run(struct fake *f, const char *id, const char *script)
{
    json_t *exec = json_object_get(fake_part(f, "execs"), id);
    struct exec_saying s = { f, id };
    struct connection *c;
    int64_t ms;
    auto_free char *rest = NULL;
    int code = fake_script_run(script, exec_line, &s, &ms, &rest);
    if (code < 0 && ms >= 0) {
        json_object_set_new(exec, "Running", json_true());
        fake_timer_add(f, TIMER_EXEC, id, rest, ms);
        return;
    }
    json_object_set_new(exec, "Running", json_false());
    json_object_set_new(exec, "ExitCode", json_integer(code < 0 ? 0 : code));
    DL_FOREACH (f->connections, c)
        if (c->stream == STREAM_EXEC && str_eq(c->id, id))
            fake_stream_end(c);
}

static void exec_go_on(struct fake *f, const char *id, const char *script)
{
    if (json_object_get(fake_part(f, "execs"), id))
        exec_run(f, id, script);
}

void fake_exec_start(struct exchange *x)
{
    json_t *exec = json_object_get(fake_part(x->f, "execs"), x->name);
    if (!exec) {
        fake_answer_error(x, 404, "No such exec instance: %s", x->name);
        return;
    }
    auto_free char *script = fake_script_of(json_at(exec, "Config.Cmd"), false);
    x->c->multiplexed = !json_bool(exec, "Config.Tty", false);
    if (json_bool(x->rq->body, "Detach", false)) {
        exec_run(x->f, x->name, script);
        return;
    }
    x->type = "application/vnd.docker.raw-stream";
    fake_stream_begin(x, STREAM_EXEC, x->name);
    exec_run(x->f, x->name, script);
}

void fake_exec_inspect(struct exchange *x)
{
    json_t *exec = json_object_get(fake_part(x->f, "execs"), x->name);
    if (exec)
        x->json = json_incref(exec);
    else
        fake_answer_error(x, 404, "No such exec instance: %s", x->name);
}
