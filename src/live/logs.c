/*
 * The outputs of several containers in one: a stream each (log_stream.c), whose lines wait in a
 * queue until it is their turn (merge.c).
 *
 * Without following, the next line is the oldest one as soon as every stream has one to offer. A
 * stream that runs ahead of the others by QUEUE_MOST bytes is not read until they come up with it.
 * While following, nobody knows when a silent container will speak: lines are held for HOLD_MS, so
 * that what was written together is put in order, and then given.
 *
 * The engine ends a stream when its container stops. An event tells when it starts again; then the
 * stream goes on, too.
 */
#include "live/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "engine/requests.h"
#include "live/private.h"
#include "model/labels.h"

#define HOLD_MS 30
#define HELD_MOST ((size_t)4 << 20)    /* of all, while following */
#define QUEUE_MOST ((size_t)128 << 10) /* of one, otherwise; it is read again at a quarter */
#define LOOK_MS 100
#define LOOK_MOST 20
#define REST_MS 250
#define RETRY_MS 300
#define RETRY_MOST 5 /* connections that break without having said anything, in a row */

struct follower {
    struct merge_queue queue; /* first: a queue gives its follower back */
    struct live_logs *logs;
    struct log_stream stream;
    char *id, *name, *service, *label;
    int number;
    bool over;  /* its stream has ended, until the container starts again */
    bool ahead; /* it waits at the engine, as it had run ahead */
    bool up;    /* the container runs */
    bool again; /* it started while the stream of its last life was open */
    bool died;  /* its end is still to be told */
    int exit_code;
    int failures; /* of the connection, in a row */
    struct loop_timer *retry;
};

struct live_logs {
    struct engine *engine;
    struct loop *loop;
    struct live_logs_options opt;
    struct sink sink;
    void (*ended)(void *ctx, const struct error *err);
    void *ctx;
    struct {
        VEC(struct follower *);
    } followers;
    struct merge merge;
    struct loop_timer *hold, *finish, *reopen, *look_later;
    struct engine_call *events, *look;
    int looks;         /* in a row */
    int rested_ms;     /* since nothing runs any more */
    int64_t events_ns; /* where the stream of events begins when it is opened again */
    int event_failures;
    struct error err;
    bool done;
};

static void open_events(void *ctx);
static void look_again(void *ctx);
static void check_end(struct live_logs *l);

static void give(struct live_logs *l, struct follower *f)
{
    struct log_line *line = merge_take(&l->merge, &f->queue);
    l->sink.event(l->sink.ctx, &(struct event){ .kind = EVENT_LOG,
                                                .container = f->id,
                                                .name = f->name,
                                                .service = f->service,
                                                .label = f->label,
                                                .number = f->number,
                                                .stream = line->stream,
                                                .time = *line->time ? line->time : NULL,
                                                .text = line->text,
                                                .len = line->len });
    free(line);
    if (f->ahead && f->queue.bytes < QUEUE_MOST / 4) {
        f->ahead = false;
        log_stream_hold(&f->stream, false);
    }
}

/* Gives lines in the order of their times; with `all` whatever waits. */
static void drain(struct live_logs *l, bool all)
{
    struct merge_queue *q;
    while ((q = merge_oldest(&l->merge, all)))
        give(l, (struct follower *)q);
}

static void on_hold(void *ctx)
{
    drain(ctx, true);
    check_end(ctx);
}

static void on_line(void *ctx, struct log_line *line)
{
    struct follower *f = ctx;
    struct live_logs *l = f->logs;
    f->failures = 0;
    if (l->opt.filter && !log_filter_wants(l->opt.filter, line->text, line->len)) {
        free(line);
        return;
    }
    merge_put(&l->merge, &f->queue, line);
    if (l->opt.follow) {
        if (l->merge.bytes > HELD_MOST)
            drain(l, true);
        else if (!l->hold)
            loop_after(&l->hold, l->loop, HOLD_MS, on_hold, l);
        return;
    }
    if (f->queue.first == line)
        drain(l, false);
    if (f->queue.bytes > QUEUE_MOST && !f->ahead) {
        f->ahead = true;
        log_stream_hold(&f->stream, true);
    }
}

static void on_retry(void *ctx)
{
    struct follower *f = ctx;
    log_stream_open(&f->stream);
}

/* Says the end of a container, after its last line. */
static void tell_exit(struct follower *f)
{
    struct live_logs *l = f->logs;
    if (!f->died || !f->over)
        return;
    f->died = false;
    if (!l->opt.exited)
        return;
    drain(l, true);
    l->opt.exited(l->ctx, &(struct live_exit){ f->id, f->service, f->label, f->exit_code });
}

static bool is_gone(const struct error *err)
{
    return err->kind == ERR_ENGINE && (err->code == 404 || err->code == 409);
}

static void note_unreadable(struct follower *f, const struct error *err)
{
    auto_free char *text = xasprintf("%s: no output: %s", f->label, err->msg);
    struct sink *sink = &f->logs->sink;
    sink->event(sink->ctx,
                &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
}

static void set_over(struct follower *f, bool over)
{
    f->over = over;
    merge_expect(&f->logs->merge, &f->queue, !over);
}

static void has_started(struct follower *f)
{
    f->up = true;
    f->failures = 0;
    f->again = !f->over;
    f->logs->rested_ms = 0;
    if (f->over) {
        set_over(f, false);
        f->stream.follow = true;
        log_stream_open(&f->stream);
    }
}

static void on_ended(void *ctx, const struct error *err)
{
    struct follower *f = ctx;
    struct live_logs *l = f->logs;
    bool broken = err && err->kind != ERR_ENGINE;
    if (broken && f->failures++ < RETRY_MOST) {
        loop_after(&f->retry, l->loop, RETRY_MS, on_retry, f);
        return;
    }
    if (broken && !l->err.kind)
        error_copy(&l->err, err);
    else if (err && !is_gone(err))
        note_unreadable(f, err);
    /* Engines forget the last line of a stream that is followed when it has no newline. */
    if (f->stream.follow && !err && !f->again) {
        f->stream.follow = false;
        log_stream_open(&f->stream);
        return;
    }
    log_stream_flush(&f->stream);
    set_over(f, true);
    if (l->opt.until)
        f->up = false; /* it may run on, but no more of it is wanted */
    tell_exit(f);
    if (f->again)
        has_started(f);
    if (!l->opt.follow)
        drain(l, false);
    check_end(l);
}

static bool is_wanted(const struct live_logs *l, const char *service, int number, bool oneoff)
{
    if (oneoff || (l->opt.index && number != l->opt.index))
        return false;
    for (const char *const *s = l->opt.services; s && *s; s++)
        if (str_eq(*s, service))
            return true;
    return !l->opt.services;
}

/* "web-1"; a container whose name was chosen is called by it. */
static char *label_of(const char *stack, const char *name, const char *service, int number)
{
    size_t len = strlen(stack);
    if (str_starts(name, stack) && (name[len] == '-' || name[len] == '_'))
        return xstrdup(name + len + 1);
    return *name ? xstrdup(name) : xasprintf("%s-%d", service, number);
}

static struct follower *add_follower(struct live_logs *l, const char *id, const char *name,
                                     const char *service, int number)
{
    struct follower *f = xnew(struct follower);
    f->logs = l;
    f->id = xstrdup(id);
    f->name = xstrdup(*name ? name : id);
    f->service = xstrdup(service);
    f->label = label_of(l->opt.stack_name, name, service, number);
    f->number = number;
    f->queue.order = l->followers.len;
    merge_expect(&l->merge, &f->queue, true);
    log_stream_init(&f->stream);
    f->stream.engine = l->engine;
    f->stream.id = f->id;
    f->stream.follow = l->opt.follow;
    f->stream.tail = l->opt.tail;
    f->stream.since = l->opt.since;
    f->stream.until = l->opt.until;
    f->stream.line = on_line;
    f->stream.ended = on_ended;
    f->stream.ctx = f;
    *vec_push(&l->followers) = f;
    if (l->opt.joined)
        l->opt.joined(l->ctx, f->label);
    return f;
}

static void free_follower(struct follower *f)
{
    loop_timer_cancel(&f->retry);
    log_stream_clear(&f->stream);
    merge_remove(&f->logs->merge, &f->queue);
    free(f->id);
    free(f->name);
    free(f->service);
    free(f->label);
    free(f);
}

static struct follower *find_follower(struct live_logs *l, const char *id)
{
    vec_each (it, &l->followers)
        if (str_eq((*it)->id, id))
            return *it;
    return NULL;
}

static void on_start(struct live_logs *l, const char *id, const json_t *attributes)
{
    struct follower *f = find_follower(l, id);
    if (!f) {
        int64_t number = 0;
        const char *service = json_string_value(json_object_get(attributes, LABEL_SERVICE));
        const char *text = json_string_value(json_object_get(attributes, LABEL_NUMBER));
        const char *oneoff = json_string_value(json_object_get(attributes, LABEL_ONEOFF));
        num_range(&number, text ? text : "", 1, 1 << 30);
        if (!service || !is_wanted(l, service, (int)number, str_eq(oneoff, "True")))
            return;
        f = add_follower(l, id, json_str_or(attributes, "name", ""), service, (int)number);
        f->stream.tail = -1; /* it is new: all of it */
        set_over(f, true);
    }
    has_started(f);
}

static void on_die(struct live_logs *l, const char *id, const json_t *attributes)
{
    struct follower *f = find_follower(l, id);
    int64_t code = 0;
    if (!f || !f->up)
        return; /* of an earlier life */
    num_range(&code, json_str_or(attributes, "exitCode", "0"), 0, 1 << 16);
    f->up = false;
    f->died = true;
    f->exit_code = (int)code;
    tell_exit(f);
    check_end(l);
}

/* Stopped for good, maybe while it waited to be restarted. */
static void on_stop(struct live_logs *l, const char *id)
{
    struct follower *f = find_follower(l, id);
    if (f && f->over) {
        f->up = false;
        check_end(l);
    }
}

static void on_event(void *ctx, json_t *value)
{
    struct live_logs *l = ctx;
    const char *action = json_str_or(value, "Action", json_str_or(value, "status", ""));
    const char *id = json_str_or(value, "Actor.ID", json_str_or(value, "id", ""));
    int64_t time = json_int(value, "timeNano", 0);
    l->event_failures = 0;
    if (time > l->events_ns)
        l->events_ns = time + 1;
    if (str_eq(action, "start"))
        on_start(l, id, json_at(value, "Actor.Attributes"));
    else if (str_eq(action, "die"))
        on_die(l, id, json_at(value, "Actor.Attributes"));
    else if (str_eq(action, "stop"))
        on_stop(l, id);
}

static void finish(void *ctx)
{
    struct live_logs *l = ctx;
    if (l->done)
        return;
    l->done = true;
    drain(l, true);
    l->ended(l->ctx, l->err.kind ? &l->err : NULL);
}

/* Ends in a later turn, as the caller may be anything. */
static void finish_later(struct live_logs *l)
{
    if (!l->finish && !l->done)
        loop_after(&l->finish, l->loop, 0, finish, l);
}

static void events_over(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct live_logs *l = ctx;
    (void)answer;
    l->events = NULL;
    if (++l->event_failures <= RETRY_MOST) {
        loop_after(&l->reopen, l->loop, RETRY_MS, open_events, l);
        return;
    }
    if (err && !l->err.kind)
        error_copy(&l->err, err);
    finish_later(l);
}

static void open_events(void *ctx)
{
    struct live_logs *l = ctx;
    static const char *const actions[] = { "start", "die", "stop" };
    char since[40];
    snprintf(since, sizeof(since), "%lld.%09lld", (long long)(l->events_ns / 1000000000),
             (long long)(l->events_ns % 1000000000));
    struct engine_request rq;
    rq_events(&rq, l->opt.stack_name, since, NULL, actions, countof(actions));
    l->events = engine_start(
        l->engine, &rq,
        &(struct engine_handlers){ .on_json = on_event, .done = events_over, .ctx = l });
}

/* Whether all that came was given, and no container runs as far as is known. */
static bool is_idle(struct live_logs *l)
{
    vec_each (it, &l->followers)
        if (!(*it)->over || (*it)->queue.first || (*it)->up)
            return false;
    return true;
}

/* It died before the events began, while the list still called it running. "Exited (3) 1 s ago". */
static void missed_die(struct follower *f, const char *status)
{
    int64_t code = 0;
    if (!f->up || !f->over)
        return;
    const char *open = strchr(status, '(');
    auto_free char *number = open ? xstrndup(open + 1, strcspn(open + 1, ")")) : xstrdup("0");
    num_range(&code, number, 0, 1 << 16);
    f->up = false;
    f->died = true;
    f->exit_code = (int)code;
    tell_exit(f);
}

/* Nothing runs. It is the end, unless somebody may start it again. */
static void rest(struct live_logs *l)
{
    if (l->opt.busy && l->opt.busy(l->ctx))
        l->rested_ms = 0;
    else if (l->rested_ms >= l->opt.patience_ms) {
        finish_later(l);
        return;
    }
    l->rested_ms += REST_MS;
    loop_after(&l->look_later, l->loop, REST_MS, look_again, l);
}

/* A container that the engine is about to restart does not count as stopped: the list knows. But
 * the list is behind the events for a moment, and may call running what has just died: then it is
 * asked again; if it insists, a start was missed. */
static void on_look(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct live_logs *l = ctx;
    bool behind = false, insists = l->looks++ >= LOOK_MOST;
    l->look = NULL;
    for (size_t i = 0; !err && i < json_array_size(answer->json); i++) {
        const json_t *c = json_array_get(answer->json, i);
        const char *state = json_str_or(c, "State", "");
        struct follower *f = find_follower(l, json_str_or(c, "Id", ""));
        bool dead = str_eq(state, "exited") || str_eq(state, "dead") || str_eq(state, "created");
        if (f && dead)
            missed_die(f, json_str_or(c, "Status", ""));
        if (!f || dead || (f->up && !f->over))
            continue;
        if (str_eq(json_str(c, "State"), "restarting"))
            f->up = true;
        else if (insists)
            has_started(f);
        else
            behind = true;
    }
    if (behind)
        loop_after(&l->look_later, l->loop, LOOK_MS, look_again, l);
    else if (is_idle(l))
        rest(l);
}

static void look_again(void *ctx)
{
    struct live_logs *l = ctx;
    struct engine_request rq;
    rq_containers(&rq, l->opt.stack_name, true);
    l->look = engine_start(l->engine, &rq, &(struct engine_handlers){ .done = on_look, .ctx = l });
}

static void check_end(struct live_logs *l)
{
    bool given = true, doubt = false; /* output ended, and no death was told */
    vec_each (it, &l->followers) {
        given = given && (*it)->over && !(*it)->queue.first;
        doubt = doubt || ((*it)->over && (*it)->up);
    }
    if (!l->opt.follow && given) {
        finish_later(l);
    } else if (l->opt.follow && (given || doubt) && !l->look && !l->look_later) {
        l->looks = 0;
        look_again(l);
    }
}

struct live_logs *live_logs_start(struct engine *e, const struct snapshot *now,
                                  const struct live_logs_options *opt, const struct sink *sink,
                                  void (*ended)(void *ctx, const struct error *err), void *ctx)
{
    struct live_logs *l = xnew(struct live_logs);
    l->engine = e;
    l->loop = engine_loop(e);
    l->opt = *opt;
    l->sink = *sink;
    l->ended = ended;
    l->ctx = ctx;
    l->events_ns = opt->from_ns;
    if (opt->follow)
        open_events(l);
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (!is_wanted(l, c->service, c->number, c->oneoff) || c->state == CONTAINER_CREATED)
            continue;
        struct follower *f = add_follower(l, c->id, c->name, c->service, c->number);
        f->up = c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
                c->state == CONTAINER_RESTARTING;
        f->died = c->state == CONTAINER_EXITED;
        f->exit_code = c->exit_code;
        log_stream_open(&f->stream);
    }
    if (l->followers.len == 0)
        check_end(l);
    return l;
}

void live_logs_cancel(struct live_logs *l)
{
    if (!l)
        return;
    struct loop_timer **const timers[] = { &l->hold, &l->finish, &l->reopen, &l->look_later };
    for (size_t i = 0; i < countof(timers); i++)
        loop_timer_cancel(timers[i]);
    if (l->events)
        engine_cancel(l->events);
    if (l->look)
        engine_cancel(l->look);
    vec_each (it, &l->followers)
        free_follower(*it);
    vec_free(&l->followers);
    merge_clear(&l->merge);
    error_clear(&l->err);
    free(l);
}
