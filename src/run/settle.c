/*
 * Containers that die at once. `up -d` says that the stack is up; a container that ended right
 * after its start, with a failure and nobody to restart it, makes that untrue.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "run/last_lines.h"
#include "run/private.h"

struct dead {
    char *id;
    int code;
    struct task *start; /* the task that started it; found at the end */
    struct settle *settle;
    struct last_lines *fetch;
};

struct settle {
    struct run *run;
    struct watch_listener listener;
    struct {
        VEC(struct dead *);
    } dead;
    size_t fetching;
    void (*done)(struct run *r);
};

static struct dead *find(struct settle *s, const char *id)
{
    vec_each (d, &s->dead)
        if (str_eq((*d)->id, id))
            return *d;
    return NULL;
}

static void on_event(void *ctx, const char *action, const char *id, const json_t *attributes)
{
    struct settle *s = ctx;
    const char *text = json_string_value(json_object_get(attributes, "exitCode"));
    int64_t code = 0;
    struct dead *d = find(s, id);
    if (str_eq(action, "start") && d)
        d->code = 0; /* it had been stopped, or replaced what ran */
    if (!str_eq(action, "die") || !text || num_range(&code, text, 0, 255) < 0)
        return;
    if (!d) {
        d = *vec_push(&s->dead) = xnew(struct dead);
        d->id = xstrdup(id);
    }
    d->code = (int)code;
}

struct settle *settle_begin(struct run *r)
{
    struct settle *s = xnew(struct settle);
    s->run = r;
    s->listener = (struct watch_listener){ .event = on_event, .ctx = s };
    watch_add(r->watch, &s->listener);
    return s;
}

static void on_fetched(void *ctx, char *output)
{
    struct dead *d = ctx;
    d->fetch = NULL;
    d->start->output = output;
    if (--d->settle->fetching == 0)
        d->settle->done(d->settle->run);
}

static struct task *start_of(const struct run *r, const char *id)
{
    for (size_t i = 0; i < r->plan->nops; i++) {
        struct task *t = &r->tasks[i];
        if (t->op->kind == OP_START && t->outcome == OUTCOME_DONE && t->op->service &&
            str_eq(task_target_id(t), id))
            return t;
    }
    return NULL;
}

static bool matters(const struct dead *d)
{
    const char *restart = d->start ? d->start->op->service->restart : NULL;
    return d->start && d->code != 0 && (!restart || str_eq(restart, "no"));
}

void settle_end(struct settle *s, void (*done)(struct run *r))
{
    struct run *r = s->run;
    s->done = done;
    s->fetching = 1;
    vec_each (it, &s->dead) {
        struct dead *d = *it;
        d->start = start_of(r, d->id);
        if (!matters(d))
            continue;
        d->settle = s;
        d->start->outcome = OUTCOME_FAILED;
        error_set(&d->start->err, ERR_UNREADY, d->code,
                  "it exited with code %d right after its start", d->code);
        explain(&d->start->err, d->start->op);
        char since[LOGS_SINCE_MAX];
        s->fetching++;
        d->fetch = last_lines_get(r->engine, d->id, d->start->op->service->tty,
                                  logs_since_start(since, d->start), on_fetched, d);
    }
    if (--s->fetching == 0)
        done(r);
}

void settle_free(struct settle *s)
{
    if (!s)
        return;
    watch_remove(s->run->watch, &s->listener);
    vec_each (it, &s->dead) {
        if ((*it)->fetch)
            last_lines_cancel((*it)->fetch);
        free((*it)->id);
        free(*it);
    }
    vec_free(&s->dead);
    free(s);
}
