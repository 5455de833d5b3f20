/*
 * What is left when a plan has run: counts, a block for each failure with what it held back, the
 * critical path; and the next step for engine messages that are known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "run/private.h"

#define CRITICAL_MOST 8
#define CRITICAL_MIN_MS 100

static const char *since_text(char buf[LOGS_SINCE_MAX], int64_t at_ns)
{
    *buf = '\0';
    if (at_ns <= 0)
        return NULL;
    snprintf(buf, LOGS_SINCE_MAX, "%lld.%09lld", (long long)(at_ns / 1000000000),
             (long long)(at_ns % 1000000000));
    return buf;
}

const char *logs_since_end(char buf[LOGS_SINCE_MAX], const json_t *inspected)
{
    int64_t at_ns;
    if (clock_parse_rfc3339(&at_ns, json_str_or(inspected, "State.FinishedAt", "")) < 0)
        at_ns = 0;
    return since_text(buf, at_ns);
}

const char *logs_since_start(char buf[LOGS_SINCE_MAX], const struct task *start)
{
    bool known = start && engine_endpoint(start->run->engine)->local;
    return since_text(buf, known ? start->began_unix_ns : 0);
}

void run_result_clear(struct run_result *r)
{
    for (size_t i = 0; i < r->nfailures; i++) {
        error_clear(&r->failures[i].err);
        free(r->failures[i].output);
        for (char **h = r->failures[i].held; h && *h; h++)
            free(*h);
        free(r->failures[i].held);
    }
    free(r->failures);
    free(r->critical);
    memset(r, 0, sizeof(*r));
}

static void count(struct run_result *out, const struct task *t)
{
    switch (t->outcome) {
    case OUTCOME_DONE:
        out->done++;
        break;
    case OUTCOME_SKIPPED:
        out->skipped++;
        break;
    case OUTCOME_FAILED:
        if (t->op->optional)
            out->skipped++;
        else
            out->failed++;
        break;
    case OUTCOME_HELD:
        out->held++;
        break;
    case OUTCOME_CANCELED:
        out->canceled++;
        break;
    }
}

/* Names of the services that the failed task held back, its own left out. */
static char **held_names(const struct run *r, const struct task *failed)
{
    struct strv names = STRV_INIT;
    for (size_t i = 0; i < r->plan->nops; i++) {
        const struct task *t = &r->tasks[r->plan->ops[i]->index];
        const char *name = t->op->service_name;
        if (t->outcome == OUTCOME_HELD && t->cause == failed && name &&
            !str_eq(name, failed->op->service_name) && !strv_has(&names, name))
            strv_add(&names, name);
    }
    return names.items;
}

static void add_failures(struct run_result *out, struct run *r)
{
    out->failures = xcalloc(out->failed + 1, sizeof(*out->failures));
    for (size_t i = 0; i < r->plan->nops; i++) {
        struct task *t = &r->tasks[r->plan->ops[i]->index];
        if (t->outcome != OUTCOME_FAILED || t->op->optional)
            continue;
        struct run_failure *f = &out->failures[out->nfailures++];
        f->op = t->op;
        error_copy(&f->err, &t->err);
        f->output = take(t->output);
        f->held = held_names(r, t);
    }
}

/* Walks back from the task that ended last, each time to the need that ended last. Operations of
 * one service fold into one step. */
static void add_critical(struct run_result *out, const struct run *r)
{
    const struct task *last = NULL;
    for (size_t i = 0; i < r->plan->nops; i++)
        if (r->tasks[i].outcome == OUTCOME_DONE && (!last || r->tasks[i].ended_ms > last->ended_ms))
            last = &r->tasks[i];
    struct run_step steps[CRITICAL_MOST];
    size_t n = 0;
    while (last && n < CRITICAL_MOST) {
        const struct task *before = NULL;
        for (size_t i = 0; i < last->op->nneeds; i++) {
            const struct task *need = task_of(r, last->op->needs[i].op);
            if (need->outcome == OUTCOME_DONE && (!before || need->ended_ms > before->ended_ms))
                before = need;
        }
        const char *name = last->op->service_name ? last->op->service_name : last->op->subject;
        int64_t from = before ? before->ended_ms : r->started_ms;
        int64_t ms = last->ended_ms > from ? last->ended_ms - from : 0;
        if (n && str_eq(steps[n - 1].name, name))
            steps[n - 1].ms += ms;
        else
            steps[n++] = (struct run_step){ .name = name, .ms = ms };
        last = before;
    }
    out->critical = xcalloc(n + 1, sizeof(*out->critical));
    for (size_t i = n; i-- > 0;)
        if (steps[i].ms >= CRITICAL_MIN_MS)
            out->critical[out->ncritical++] = steps[i];
}

void result_fill(struct run_result *out, struct run *r)
{
    for (size_t i = 0; i < r->plan->nops; i++)
        count(out, &r->tasks[i]);
    add_failures(out, r);
    add_critical(out, r);
}

/* Pieces of engine messages and what to do about them. */
static const struct {
    const char *piece, *hint;
} known_messages[] = {
    { "port is already allocated", "another container publishes that port: 'docker ps' names it; "
                                   "stop it, or publish another port" },
    { "address already in use", "a program on the engine's machine uses that port; stop it, or "
                                "publish another port" },
    { "Mounts denied", "add the folder to the shared ones in the settings of Docker Desktop" },
    { "is not shared from the host", "add the folder to the shared ones in the settings of Docker "
                                     "Desktop" },
    { "bind source path does not exist", "create it, or say bind.create_host_path: true" },
    { "exec format error", "the image is for another platform: set 'platform:'" },
    { "executable file not found", "the command is not in the image: see 'command' and "
                                   "'entrypoint'" },
    { "could not find an available", "the engine has no free address range: remove unused networks "
                                     "('docker network prune')" },
    { "No such image", "pull or build it: 'stack up --pull always' or '--build'" },
    { "no space left on device", "the engine's disk is full: 'docker system df' shows by what" },
    { "no matching manifest", "the image does not exist for this platform: set 'platform:'" },
    { "does not exist locally", "build it first: 'stack build'" },
    { "tag does not exist", "build it first: 'stack build'" },
};

void explain(struct error *err, const struct op *op)
{
    bool says_itself = str_eq(op_words[op->kind].object, "image") && op->kind != OP_IMAGE_REMOVE;
    if (op->service_name && !says_itself && !str_starts(err->msg, "service "))
        error_wrap(err, "service %s: %s %s %s", op->service_name, op_words[op->kind].verb,
                   op_words[op->kind].object, op->subject);
    else if (!op->service_name && err->kind == ERR_ENGINE)
        error_wrap(err, "%s %s %s", op_words[op->kind].verb, op_words[op->kind].object,
                   op->subject);
    for (size_t i = 0; !err->hint && i < countof(known_messages); i++)
        if (strstr(err->msg, known_messages[i].piece))
            error_hint(err, "%s", known_messages[i].hint);
    if (op->kind == OP_IMAGE_PUSH && !err->hint)
        error_hint(err, "the same command again sends only what is missing");
    engine_hint(err);
}
