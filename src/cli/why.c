/*
 * The explanation: first the container, if there is one, then what the others say about it.
 *
 * An engine does not remember why a container was stopped; but it keeps the latest events, and a
 * request to kill or stop is one of them, while a death by itself or for lack of memory is not.
 */
#include "cli/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/command.h"

const char *const why_state_names[] = {
    [WHY_RUNNING] = "running",   [WHY_ENDED] = "ended",     [WHY_OFF] = "off",
    [WHY_STARTING] = "starting", [WHY_FAILING] = "failing", [WHY_WAITING] = "waiting",
    [WHY_STOPPED] = "stopped",   [WHY_ABSENT] = "absent",
};

void why_clear(struct why *w)
{
    free(w->reason);
    free(w->next);
    free(w->health_output);
    vec_each (it, &w->waits)
        free(it->state);
    vec_free(&w->waits);
    strv_clear(&w->held);
    strv_clear(&w->would);
    *w = (struct why){ 0 };
}

int why_exit_code(const struct why *w)
{
    return w->state <= WHY_OFF ? EXIT_DONE : EXIT_UNREADY;
}

/* --- which container --- */

static int badness(const json_t *c)
{
    const char *status = json_str_or(c, "State.Status", "");
    const char *health = json_str_or(c, "State.Health.Status", "");
    bool ended = str_eq(status, "exited") || str_eq(status, "dead");
    if (!c)
        return -1;
    if (str_eq(status, "restarting") || *json_str_or(c, "State.Error", ""))
        return 6;
    if (ended && json_int(c, "State.ExitCode", 0) != 0)
        return 5;
    if (str_eq(health, "unhealthy"))
        return 4;
    if (str_eq(status, "created"))
        return 3;
    if (ended)
        return 2;
    return str_eq(health, "starting") || str_eq(status, "paused");
}

bool why_worse(const json_t *inspected, const json_t *than)
{
    return badness(inspected) > badness(than);
}

/* --- the other services --- */

static bool is_up(const struct seen_container *c)
{
    return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED;
}

static char *state_text(const struct seen_container *c)
{
    if (!c)
        return xstrdup("absent");
    if (c->state == CONTAINER_EXITED && c->exit_code >= 0)
        return xasprintf("exited with code %d", c->exit_code);
    if (c->state == CONTAINER_RUNNING && c->health == HEALTH_UNHEALTHY)
        return xstrdup("unhealthy");
    if (c->state == CONTAINER_RUNNING && c->health == HEALTH_STARTING)
        return xstrdup("not healthy yet");
    return xstrdup(container_state_names[c->state]);
}

static bool fulfils(const struct seen_container *c, enum condition condition)
{
    switch (condition) {
    case COND_STARTED:
        return is_up(c);
    case COND_HEALTHY:
        return is_up(c) && c->health == HEALTH_HEALTHY;
    case COND_COMPLETED:
        return c->state == CONTAINER_EXITED && c->exit_code == 0;
    case COND_READY:
        return is_up(c) && (c->health == HEALTH_HEALTHY || c->health == HEALTH_NONE);
    }
    return false;
}

/* The container that keeps a condition from being true; *good: it is true. */
static const struct seen_container *look_at(bool *good, const struct snapshot *now,
                                            const struct service *s, enum condition condition)
{
    size_t n, counted = 0;
    const struct seen_container *all = snapshot_service(&n, now, s->name), *bad = NULL;
    for (size_t i = 0; i < n; i++) {
        if (all[i].oneoff)
            continue;
        counted++;
        if (!bad && !fulfils(&all[i], condition))
            bad = &all[i];
    }
    *good = !bad && (counted || s->replicas == 0);
    return bad;
}

static void add_waits(struct why *w, const struct why_input *in, const struct service *s)
{
    for (size_t i = 0; i < s->ndeps; i++) {
        const struct dependency *d = &s->deps[i];
        bool good;
        const struct seen_container *bad = look_at(&good, in->now, d->service, d->condition);
        if (!good && d->required)
            *vec_push(&w->waits) = (struct why_wait){ d->service, d->condition, state_text(bad) };
    }
}

/* Behind a service that waits too stands the one that does not. */
static const struct service *root_of(const struct why_input *in, const struct service *s)
{
    for (size_t steps = 0; steps < in->st->nservices; steps++) {
        const struct service *deeper = NULL;
        for (size_t i = 0; i < s->ndeps && !deeper; i++) {
            bool good;
            look_at(&good, in->now, s->deps[i].service, s->deps[i].condition);
            if (!good && s->deps[i].required)
                deeper = s->deps[i].service;
        }
        if (!deeper)
            break;
        s = deeper;
    }
    return s;
}

static bool runs(const struct snapshot *now, const char *service)
{
    size_t n;
    const struct seen_container *all = snapshot_service(&n, now, service);
    for (size_t i = 0; i < n; i++)
        if (!all[i].oneoff && (is_up(&all[i]) || all[i].exit_code == 0))
            return true;
    return false;
}

/* Services that are not up and depend on this one, directly or through others that are not up. */
static void add_held(struct why *w, const struct why_input *in)
{
    bool more = in->st;
    while (more) {
        more = false;
        for (size_t i = 0; i < in->st->nservices; i++) {
            const struct service *s = &in->st->services[i];
            bool held = false;
            for (size_t k = 0; k < s->ndeps; k++) {
                const char *dep = s->deps[k].service->name;
                held |=
                    s->deps[k].required && (str_eq(dep, in->service) || strv_has(&w->held, dep));
            }
            if (held && !str_eq(s->name, in->service) && !strv_has(&w->held, s->name) &&
                !runs(in->now, s->name)) {
                strv_add(&w->held, s->name);
                more = true;
            }
        }
    }
    strv_sort(&w->held);
}

static const char *condition_word(enum condition c)
{
    static const char *const words[] = { [COND_STARTED] = "to start",
                                         [COND_HEALTHY] = "to be healthy",
                                         [COND_COMPLETED] = "to complete",
                                         [COND_READY] = "to be ready" };
    return words[c];
}

static void explain_waiting(struct why *w, const struct why_input *in, const struct service *s)
{
    auto_str struct str text = STR_INIT;
    vec_each (it, &w->waits)
        str_addf(&text, "%s%s %s (%s)", text.len ? ", " : "it waits for ", it->service->name,
                 condition_word(it->condition), it->state);
    w->state = WHY_WAITING;
    w->phase = "start";
    w->reason = str_detach(&text);
    w->next = xasprintf("'stack why %s' says what is the matter there", root_of(in, s)->name);
}

/* --- a container that has ended --- */

static const char *signal_name(int signum)
{
    static const struct {
        int signum; /* of Linux, as all containers' are */
        const char *name;
    } known[] = {
        { 1, "SIGHUP" },   { 2, "SIGINT" },   { 3, "SIGQUIT" },  { 4, "SIGILL" },
        { 6, "SIGABRT" },  { 7, "SIGBUS" },   { 8, "SIGFPE" },   { 9, "SIGKILL" },
        { 11, "SIGSEGV" }, { 13, "SIGPIPE" }, { 15, "SIGTERM" },
    };
    for (size_t i = 0; i < countof(known); i++)
        if (known[i].signum == signum)
            return known[i].name;
    return "a signal";
}

enum asked { ASKED_UNKNOWN, ASKED_NOT, ASKED };

/* "with exit code 1", "by SIGKILL (exit code 137)". */
static void add_end(struct str *out, const struct why *w)
{
    if (w->signum)
        str_addf(out, "by %s (exit code %d)", signal_name(w->signum), w->exit_code);
    else
        str_addf(out, "with exit code %d", w->exit_code);
}

/* Whether somebody asked the engine to stop or kill it. Engines keep only the latest events. */
static enum asked was_asked(const json_t *events)
{
    size_t i;
    json_t *event;
    enum asked asked = ASKED_UNKNOWN;
    json_array_foreach (events, i, event) {
        const char *action = json_str_or(event, "Action", json_str_or(event, "status", ""));
        if (str_eq(action, "kill") || str_eq(action, "stop"))
            return ASKED;
        if (str_eq(action, "die"))
            asked = ASKED_NOT;
    }
    return asked;
}

static char *advice_for_end(const struct why *w, const char *service, enum asked asked)
{
    if (w->oom)
        return xasprintf("give it more memory (mem_limit, deploy.resources.limits.memory), or make "
                         "it use less");
    if (w->exit_code == 127)
        return xasprintf("code 127 mostly means a command that is not in the image: see 'command' "
                         "and 'entrypoint' of '%s'",
                         service);
    if (w->exit_code == 126)
        return xasprintf("code 126 mostly means a command that may not be executed: see its mode "
                         "in the image");
    if (w->signum == 9 || w->signum == 15)
        return xasprintf("%smostly lack of memory on the engine's machine, whose kernel's log says "
                         "more; 'stack up -d' starts it again",
                         asked == ASKED_UNKNOWN
                             ? "'stack stop' and 'stack kill' end it so; else it "
                               "is "
                             : "something outside killed it, ");
    return xasprintf("'stack logs %s' shows all it said; 'stack up -d' starts it again", service);
}

static void explain_end(struct why *w, const struct why_input *in)
{
    auto_str struct str text = STR_INIT;
    int64_t limit = json_int(in->container, "HostConfig.Memory", 0);
    char size[NUM_TEXT_MAX];
    enum asked asked = was_asked(in->events);
    w->oom = json_bool(in->container, "State.OOMKilled", false);
    w->signum = w->exit_code > 128 && w->exit_code <= 128 + 64 ? w->exit_code - 128 : 0;
    clock_parse_rfc3339(&w->at_ns, json_str_or(in->container, "State.FinishedAt", ""));
    if (!w->oom && asked == ASKED) {
        w->state = WHY_STOPPED;
        str_add(&text, "it was stopped on request, and ended ");
        add_end(&text, w);
        w->next = xasprintf("'stack start %s' starts it again", in->service);
    } else if (w->exit_code == 0 && !w->oom) {
        w->state = WHY_ENDED;
        str_add(&text, "it has ended by itself with exit code 0");
    } else {
        w->state = WHY_FAILING;
        w->phase = "exited";
        str_add(&text, w->oom ? "it was killed for lack of memory" : "it ended ");
        if (!w->oom)
            add_end(&text, w);
        else if (limit > 0)
            str_addf(&text, ": its limit is %s", num_size_text(size, limit));
        w->next = advice_for_end(w, in->service, asked);
    }
    w->reason = str_detach(&text);
}

static void explain_restarting(struct why *w, const struct why_input *in)
{
    auto_str struct str text = STR_INIT;
    explain_end(w, in);
    w->state = WHY_FAILING;
    w->phase = "exited";
    str_addf(&text, "it ends again and again, restarted %d time%s: the last time ", w->restarts,
             w->restarts == 1 ? "" : "s");
    str_add(&text, w->reason);
    free(w->reason);
    w->reason = str_detach(&text);
    free(w->next);
    w->next = advice_for_end(w, in->service, ASKED_NOT);
}

/* --- a container that runs, or never did --- */

static void read_health(struct why *w, const json_t *container)
{
    const json_t *log = json_at(container, "State.Health.Log");
    const json_t *last =
        json_array_size(log) ? json_array_get(log, json_array_size(log) - 1) : NULL;
    w->health = json_str(container, "State.Health.Status");
    if (str_eq(w->health, "none"))
        w->health = NULL;
    w->streak = (int)json_int(container, "State.Health.FailingStreak", 0);
    if (w->health && last)
        w->health_output = xstrdup(json_str_or(last, "Output", ""));
}

static void explain_unhealthy(struct why *w, const struct why_input *in)
{
    const json_t *log = json_at(in->container, "State.Health.Log");
    const json_t *last =
        json_array_size(log) ? json_array_get(log, json_array_size(log) - 1) : NULL;
    int64_t code = json_int(last, "ExitCode", 0);
    bool unhealthy = str_eq(w->health, "unhealthy");
    w->state = unhealthy ? WHY_FAILING : WHY_STARTING;
    w->phase = "ready";
    if (unhealthy || code != 0)
        clock_parse_rfc3339(&w->at_ns, json_str_or(last, "End", ""));
    if (unhealthy || w->streak)
        w->reason = xasprintf("its health check fails: %d time%s in a row, the last one with exit "
                              "code %lld",
                              w->streak, w->streak == 1 ? "" : "s", (long long)code);
    else
        w->reason = xstrdup("its health check has not succeeded yet");
    w->next = xasprintf("'stack exec %s ...' lets you try the check by hand; start_period and "
                        "retries give it more time",
                        in->service);
}

static void explain_running(struct why *w, const struct why_input *in, const struct service *s)
{
    auto_str struct str text = STR_INIT;
    bool paused = json_bool(in->container, "State.Paused", false);
    clock_parse_rfc3339(&w->at_ns, json_str_or(in->container, "State.StartedAt", ""));
    if (paused) {
        w->state = WHY_STOPPED;
        w->reason = xstrdup("it is paused");
        w->next = xasprintf("'stack unpause %s' lets it go on", in->service);
        return;
    }
    if (str_eq(w->health, "unhealthy") || str_eq(w->health, "starting")) {
        explain_unhealthy(w, in);
        return;
    }
    add_held(w, in);
    if (s && s->ready.set && w->held.len) {
        w->state = WHY_FAILING;
        w->phase = "ready";
        w->reason = xstrdup("it runs, but what waits for it was not started: its 'ready' checks "
                            "have not succeeded");
        w->next =
            xasprintf("'stack logs %s' shows what it said; 'stack up -d' tries again", in->service);
        return;
    }
    strv_clear(&w->held);
    w->state = WHY_RUNNING;
    str_addf(&text, "nothing is wrong: it runs%s", w->health ? " and is healthy" : "");
    if (w->restarts)
        str_addf(&text, ", restarted %d time%s", w->restarts, w->restarts == 1 ? "" : "s");
    w->reason = str_detach(&text);
}

static void explain_created(struct why *w, const struct why_input *in, const struct service *s)
{
    clock_parse_rfc3339(&w->at_ns, json_str_or(in->container, "Created", ""));
    w->exit_code = -1;
    if (s)
        add_waits(w, in, s);
    if (w->waits.len) {
        explain_waiting(w, in, s);
        return;
    }
    w->state = WHY_ABSENT;
    w->phase = "start";
    w->reason = xstrdup("its container was created and never started");
    w->next = xasprintf("'stack start %s'", in->service);
}

/* What the engine said when it could not start it. */
static void explain_refused(struct why *w, const struct why_input *in)
{
    w->state = WHY_FAILING;
    w->phase = "start";
    w->exit_code = -1;
    clock_parse_rfc3339(&w->at_ns, json_str_or(in->container, "State.FinishedAt", ""));
    if (!w->at_ns)
        clock_parse_rfc3339(&w->at_ns, json_str_or(in->container, "Created", ""));
    auto_str struct str text = STR_INIT;
    str_addf(&text, "the engine could not start it: %s",
             json_str_or(in->container, "State.Error", ""));
    if (in->trouble)
        str_addf(&text, " (%s)", in->trouble->msg);
    w->reason = str_detach(&text);
    w->next = xstrdup(in->trouble && in->trouble->hint
                          ? in->trouble->hint
                          : "put right what the message names; then 'stack up -d'");
}

static void explain_container(struct why *w, const struct why_input *in, const struct service *s)
{
    const char *status = json_str_or(in->container, "State.Status", "");
    const char *refusal = json_str_or(in->container, "State.Error", "");
    w->exit_code = (int)json_int(in->container, "State.ExitCode", 0);
    w->restarts = (int)json_int(in->container, "RestartCount", 0);
    read_health(w, in->container);
    if (str_eq(status, "running") || str_eq(status, "paused")) {
        w->exit_code = -1;
        explain_running(w, in, s);
    } else if (str_eq(status, "restarting")) {
        explain_restarting(w, in);
    } else if (*refusal) {
        explain_refused(w, in);
    } else if (str_eq(status, "created") || str_eq(status, "configured")) {
        explain_created(w, in, s);
    } else {
        explain_end(w, in);
    }
}

/* --- no container --- */

static const struct op *image_op(const struct why_input *in, const struct service *s)
{
    for (size_t i = 0; in->plan && i < in->plan->nops; i++) {
        const struct op *op = in->plan->ops[i];
        if ((op->kind == OP_IMAGE_PULL || op->kind == OP_IMAGE_BUILD) && str_eq(op->ref, s->image))
            return op;
    }
    return NULL;
}

static void explain_absent(struct why *w, const struct why_input *in, const struct service *s)
{
    const struct op *image = image_op(in, s);
    w->state = WHY_ABSENT;
    w->phase = "create";
    w->exit_code = -1;
    if (s->replicas == 0) {
        w->state = WHY_OFF;
        w->phase = NULL;
        w->reason = xstrdup("the stack file asks for no containers of it");
    } else if (in->trouble) {
        w->state = WHY_FAILING;
        w->phase = in->trouble_phase;
        w->reason = xstrdup(in->trouble->msg);
        w->next = xstrdup(in->trouble->hint);
    } else if (image) {
        bool build = image->kind == OP_IMAGE_BUILD;
        const char *verb = build ? "build" : "pull";
        w->phase = verb;
        w->reason = xasprintf("its image '%s' is not on the engine: %s, or that failed", s->image,
                              build ? "it was not built" : "it was not pulled");
        w->next = xasprintf("'stack %s %s' tries that alone", verb, in->service);
    } else {
        if (in->now->ncontainers)
            add_waits(w, in, s);
        if (w->waits.len) {
            explain_waiting(w, in, s);
            return;
        }
        w->reason = xstrdup(in->now->ncontainers ? "it was not brought up, or was removed"
                                                 : "nothing of the stack is up");
        w->next = in->now->ncontainers ? xasprintf("'stack up -d %s'", in->service)
                                       : xstrdup("'stack up -d'");
    }
}

/* --- what `up` would do --- */

/* Steps that only go with another one say nothing by themselves. */
static bool says_something(const struct plan *plan, const struct op *op)
{
    static const enum op_kind kinds[] = { OP_IMAGE_PULL, OP_IMAGE_BUILD, OP_CREATE, OP_START,
                                          OP_RESTART,    OP_STOP,        OP_REMOVE, OP_UNPAUSE };
    bool said = false;
    for (size_t i = 0; i < countof(kinds); i++)
        said |= op->kind == kinds[i];
    for (size_t i = 0; i < plan->nops; i++) /* the old container is stopped and removed */
        said &= op->kind == OP_CREATE || !plan->ops[i]->old || !op->id ||
                !str_eq(plan->ops[i]->old->id, op->id);
    return said && op->reason;
}

static void add_would(struct why *w, const struct why_input *in, const struct service *s)
{
    for (size_t i = 0; in->plan && i < in->plan->nops; i++) {
        const struct op *op = in->plan->ops[i];
        bool image = op->kind == OP_IMAGE_PULL || op->kind == OP_IMAGE_BUILD;
        bool ours = image ? str_eq(op->ref, s->image) : op->service == s;
        bool replaces = op->kind == OP_CREATE && op->old;
        if (ours && says_something(in->plan, op))
            strv_addf(&w->would, "%s %s: %s", replaces ? "replace" : op_words[op->kind].verb,
                      replaces ? op->old->name : op->subject, op->reason);
    }
}

void why_explain(struct why *out, const struct why_input *in)
{
    const struct service *s = in->st ? stack_service(in->st, in->service) : NULL;
    *out = (struct why){ .exit_code = -1 };
    if (in->container)
        explain_container(out, in, s);
    else if (s)
        explain_absent(out, in, s);
    if (out->state >= WHY_STARTING && !out->held.len)
        add_held(out, in);
    if (s)
        add_would(out, in, s);
    if (in->trouble && !why_exit_code(out))
        strv_addf(&out->would, "fail: %s", in->trouble->msg);
    if (in->container && in->st && !s && !out->next)
        out->next = xstrdup("the stack file no longer has it: 'stack up --remove-orphans' removes "
                            "it");
}
