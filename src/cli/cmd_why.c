/*
 * `stack why`: fetches what why.c explains, and prints it. Everything is asked of the engine and
 * the stack file at the moment; nothing of earlier runs is kept anywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "cli/change.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "cli/why.h"
#include "engine/frames.h"
#include "engine/requests.h"
#include "run/ports.h"

#define LINES 10
#define START_SLACK_NS INT64_C(1000000000) /* engines note the start after the first output */
#define OUTPUT_MOST ((size_t)64 << 10)
#define EVENTS_BEFORE_S 60 /* a stop may wait so long before the container ends */

struct why_options {
    const char *format;
};
#define OPTIONS why_options

static const char *const formats[] = { "text", "json", NULL };
static const struct option rows[] = {
    ROW_CHOICE(0, "format", format, formats, "Form of the output (default text)"),
};

/* --- fetching --- */

struct fetched {
    json_t *container; /* inspection of the one that says most, or NULL */
    json_t *events;    /* around its end */
    char *output;      /* its last lines */
    struct error trouble;
    const char *trouble_phase;
};

static void fetched_clear(struct fetched *f)
{
    json_decref(f->container);
    json_decref(f->events);
    free(f->output);
    error_clear(&f->trouble);
}

/* A stream that is read to its end. */
struct reading {
    bool done, tty;
    struct frames frames;
    struct str text;
    json_t *values;
};

static void on_text(void *ctx, int stream, const char *data, size_t len)
{
    struct reading *r = ctx;
    (void)stream;
    str_addn(&r->text, data, len);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct reading *r = ctx;
    if (r->tty)
        str_addn(&r->text, data, len);
    else
        frames_feed(&r->frames, data, len, on_text, r, NULL);
}

static void on_json(void *ctx, json_t *value)
{
    json_array_append(((struct reading *)ctx)->values, value);
}

/* What could not be read is left out. */
static void on_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    (void)answer, (void)err;
    ((struct reading *)ctx)->done = true;
}

static void read_stream(struct reading *r, struct cli *cli, struct engine_request *rq)
{
    engine_start(cli->engine, rq,
                 &(struct engine_handlers){
                     .on_json = on_json, .on_data = on_data, .done = on_done, .ctx = r });
    loop_wait(cli_loop(cli), &r->done);
}

static void unix_text(char out[40], int64_t at_ns)
{
    snprintf(out, 40, "%lld.%09lld", (long long)(at_ns / 1000000000),
             (long long)(at_ns % 1000000000));
}

/* The last lines of its last life. */
static void fetch_output(struct fetched *f, struct cli *cli)
{
    struct engine_request rq;
    int64_t at_ns = 0;
    char since[40];
    struct reading r = { .tty = json_bool(f->container, "Config.Tty", false),
                         .frames = FRAMES_INIT,
                         .text = STR_INIT_MAX(OUTPUT_MOST) };
    struct logs_options opt = { .tail = LINES };
    clock_parse_rfc3339(&at_ns, json_str_or(f->container, "State.StartedAt", ""));
    if (!at_ns)
        return; /* it was never started */
    unix_text(since, at_ns - START_SLACK_NS);
    opt.since = since;
    rq_container_logs(&rq, json_str_or(f->container, "Id", ""), &opt);
    read_stream(&r, cli, &rq);
    f->output = str_detach(&r.text);
}

/* What was asked of the engine about it before it ended. */
static void fetch_events(struct fetched *f, struct cli *cli)
{
    static const char *const actions[] = { "kill", "stop", "die" };
    struct engine_request rq;
    int64_t at_ns = 0;
    char since[40], until[40];
    size_t i;
    json_t *event;
    clock_parse_rfc3339(&at_ns, json_str_or(f->container, "State.FinishedAt", ""));
    if (!at_ns)
        return;
    unix_text(since, at_ns - EVENTS_BEFORE_S * INT64_C(1000000000));
    /* The stream lasts until then: not into the future. */
    int64_t now_ns = clock_unix_ns(), after_ns = at_ns + INT64_C(1000000000);
    unix_text(until, after_ns < now_ns ? after_ns : now_ns);
    rq_events(&rq, cli->stack_name, since, until, actions, countof(actions));
    struct reading r = { .values = json_array(), .text = STR_INIT };
    read_stream(&r, cli, &rq);
    f->events = json_array();
    json_array_foreach (r.values, i, event)
        if (str_eq(json_str_or(event, "Actor.ID", json_str_or(event, "id", "")),
                   json_str(f->container, "Id")))
            json_array_append(f->events, event);
    json_decref(r.values);
}

static int fetch_container(struct fetched *f, struct cli *cli, const struct snapshot *now,
                           const char *service, struct error *err)
{
    size_t n;
    const struct seen_container *all = snapshot_service(&n, now, service);
    for (size_t i = 0; i < n; i++) {
        auto_json json_t *seen = NULL;
        struct engine_request rq;
        if (all[i].oneoff)
            continue;
        rq_container_inspect(&rq, all[i].id);
        rq.missing_ok = true; /* it may go meanwhile */
        if (engine_do(&seen, cli->engine, &rq, err) < 0)
            return error_wrap(err, "inspect container '%s'", all[i].name);
        if (json_is_object(seen) && why_worse(seen, f->container)) {
            json_decref(f->container);
            f->container = json_incref(seen);
        }
    }
    if (!f->container)
        return 0;
    fetch_output(f, cli);
    bool ended = !json_bool(f->container, "State.Running", false);
    if (ended && !json_bool(f->container, "State.OOMKilled", false))
        fetch_events(f, cli);
    return 0;
}

/* What `up SERVICE` would do, or what keeps it from beginning. */
static void fetch_plan(struct fetched *f, struct change *c, const char *service)
{
    const char *const services[] = { service, NULL };
    struct plan_options opt = { .services = services,
                                .timeout_s = -1,
                                .same_file = change_same_file,
                                .now = clock_unix_ns() / 1000000000 };
    const struct stack *st = c->cli->stack;
    f->trouble_phase = "build";
    if (change_observe_up(c, services, &f->trouble) < 0)
        return;
    const struct build_survey *s = c->survey;
    f->trouble_phase = "create";
    if (plan_up(&c->plan, st, c->now, s ? s->images : NULL, s ? s->nimages : 0, &opt, &f->trouble) <
        0)
        return;
    f->trouble_phase = "start";
    ports_check(c->cli->engine, st, c->plan, c->now, &f->trouble);
}

/* --- printing --- */

static void add_lines(struct str *out, const char *title, const char *text)
{
    const char *shown = title;
    while (text && *text) {
        size_t len = strcspn(text, "\n"), shorter = len;
        while (shorter && text[shorter - 1] == '\r')
            shorter--;
        str_addf(out, "  %-9s | ", shown);
        safe_add(out, text, shorter, SAFE_LINE);
        str_addc(out, '\n');
        shown = "";
        text += len + (text[len] == '\n');
    }
}

static void add_fact(struct str *out, const char *title, const char *text)
{
    if (!text || !*text)
        return;
    str_addf(out, "  %-9s ", title);
    safe_add(out, text, strlen(text), SAFE_LINE);
    str_addc(out, '\n');
}

static char *when_text(int64_t at_ns)
{
    char time[40], age[NUM_TEXT_MAX];
    int64_t seconds = (clock_unix_ns() - at_ns) / 1000000000;
    clock_rfc3339(time, at_ns);
    time[strcspn(time, ".Z")] = '\0';
    return xasprintf("%sZ (%s ago)", time, listing_age(age, seconds > 0 ? seconds : 0));
}

static void print_text(const struct why *w, const struct fetched *f, const char *service)
{
    auto_str struct str out = STR_INIT;
    auto_free char *when = w->at_ns ? when_text(w->at_ns) : NULL;
    auto_free char *held = w->held.len ? strv_join(&w->held, ", ") : NULL;
    safe_add(&out, service, strlen(service), SAFE_LINE);
    str_addf(&out, ": %s\n", why_state_names[w->state]);
    add_fact(&out, "phase", w->phase);
    add_fact(&out, "reason", w->reason);
    add_fact(&out, w->state == WHY_RUNNING ? "since" : "when", when);
    if (w->health && w->state != WHY_RUNNING) {
        add_fact(&out, "health", w->health);
        add_lines(&out, "", w->health_output);
    }
    if (w->state != WHY_RUNNING)
        add_lines(&out, "output", f->output);
    add_fact(&out, "held back", held);
    strv_each (would, &w->would)
        add_fact(&out, would == w->would.items ? "up would" : "", *would);
    add_fact(&out, "next", w->next);
    fputs(out.buf, stdout);
}

static json_t *lines_json(const char *text)
{
    auto_strv struct strv lines = STRV_INIT;
    strv_split(&lines, text ? text : "", "\r\n");
    return json_safe_list(&lines);
}

static json_t *waits_json(const struct why *w)
{
    static const char *const words[] = { [COND_STARTED] = "started",
                                         [COND_HEALTHY] = "healthy",
                                         [COND_COMPLETED] = "completed",
                                         [COND_READY] = "ready" };
    json_t *out = json_array();
    for (size_t i = 0; i < w->waits.len; i++) {
        const struct why_wait *wait = &w->waits.items[i];
        json_array_append_new(out,
                              json_pack("{s:s, s:s, s:s}", "service", wait->service->name,
                                        "condition", words[wait->condition], "state", wait->state));
    }
    return out;
}

static void print_json(const struct why *w, const struct fetched *f, const char *service)
{
    char time[40];
    auto_json json_t *j = json_object();
    const char *name = json_str_or(f->container, "Name", "");
    json_object_set_new(j, "service", json_safe(service));
    json_object_set_new(j, "state", json_string(why_state_names[w->state]));
    json_object_set_new(j, "phase", json_safe(w->phase));
    json_object_set_new(j, "reason", json_safe(w->reason));
    json_object_set_new(j, "at",
                        w->at_ns ? json_string(clock_rfc3339(time, w->at_ns)) : json_null());
    json_object_set_new(j, "container",
                        f->container ? json_safe(name + (*name == '/')) : json_null());
    json_object_set_new(j, "exit_code",
                        w->exit_code >= 0 ? json_integer(w->exit_code) : json_null());
    json_object_set_new(j, "signal", w->signum ? json_integer(w->signum) : json_null());
    json_object_set_new(j, "oom_killed", json_boolean(w->oom));
    json_object_set_new(j, "restarts", json_integer(w->restarts));
    json_object_set_new(j, "health",
                        w->health ? json_pack("{s:o, s:i, s:o}", "status", json_safe(w->health),
                                              "failing_streak", w->streak, "output",
                                              lines_json(w->health_output))
                                  : json_null());
    json_object_set_new(j, "waits_for", waits_json(w));
    json_object_set_new(j, "held_back", json_safe_list(&w->held));
    json_object_set_new(j, "output", lines_json(f->output));
    json_object_set_new(j, "up_would", json_safe_list(&w->would));
    json_object_set_new(j, "next", json_safe(w->next));
    auto_free char *text = json_dumps(j, JSON_INDENT(2));
    printf("%s\n", text);
}

/* --- the command --- */

/* With a file its service, enabled whatever its profile; without one what labels say. */
static int load(struct cli *cli, const struct strv *args, struct error *err)
{
    auto_error struct error own = ERROR_INIT;
    if (cli_load(cli, args, &own) == 0)
        return 0;
    return own.kind == ERR_NOFILE && cli_load_name(cli, NULL) == 0 ? 0 : error_move(err, &own);
}

static int explain(struct change *c, const struct why_options *o, const struct strv *args,
                   struct error *err)
{
    struct cli *cli = c->cli;
    const char *service = args->items[0];
    __attribute__((unused, cleanup(fetched_clear))) struct fetched f = { 0 };
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0 ||
        containers_check_services(cli->stack, now, args, err) < 0 ||
        fetch_container(&f, cli, now, service, err) < 0)
        return -1;
    if (cli->stack && stack_service(cli->stack, service))
        fetch_plan(&f, c, service);
    struct why w;
    why_explain(&w, &(struct why_input){ .service = service,
                                         .st = cli->stack,
                                         .now = now,
                                         .plan = c->plan,
                                         .trouble = f.trouble.kind ? &f.trouble : NULL,
                                         .trouble_phase = f.trouble_phase,
                                         .container = f.container,
                                         .events = f.events });
    if (str_eq(o->format, "json"))
        print_json(&w, &f, service);
    else
        print_text(&w, &f, service);
    int code = why_exit_code(&w);
    why_clear(&w);
    return code;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    struct change c = { .cli = cli };
    cli->global.dry_run = true; /* only looks: no lock */
    if (load(cli, args, err) < 0 || change_begin(&c, cli, "why", err) < 0)
        return -1;
    int code = explain(&c, values, args, err);
    change_end(&c);
    return code;
}

static const char *const examples[] = {
    "stack why web",
    "what is wrong with it, and what to do",
    "stack why web --format json | jq -r .reason",
    "for scripts",
    NULL,
};

extern const struct command cmd_why;
const struct command cmd_why = {
    .name = "why",
    .group = "Everyday",
    .usage = "[OPTIONS] SERVICE",
    .summary = "Explain why a service is not up, or would be replaced",
    .text =
        "Says in which phase it failed (pull, build, create, start, ready, exited), the reason, "
        "when, the last output of its health check and its last lines, which services were held "
        "back by it, and the next step. Of a service that is well it says since when, and what "
        "'stack up' would do to it and why.\n"
        "Ends with 0 when the service is as declared, with 5 when it is not.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct why_options),
    .min_args = 1,
    .max_args = 1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
