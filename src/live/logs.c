/*
 * The outputs of several containers in one: a stream each (log_stream.c), whose lines wait in a
 * queue until it is their turn (merge.c).
 *
 * Without following, the next line is the oldest one as soon as every stream has one to offer. A
 * stream that runs far ahead of the others is not read until they come up with it.
 * While following, nobody knows when a silent container will speak: lines are held for HOLD_MS, so
 * that what was written together is put in order, and then given.
 *
 * The engine ends a stream when its container stops. When it starts again (lives.c) the stream goes
 * on, too.
 */
#include "live/logs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "live/follow.h"

#define HOLD_MS 30
#define HELD_MOST ((size_t)4 << 20) /* of all, while following */
/* Otherwise: shared by all, but so much of one at least; it is read again at half of it. Less makes
 * the engine slower: it works at one stream while the others wait. */
#define QUEUES_MOST ((size_t)24 << 20)
#define QUEUE_LEAST ((size_t)128 << 10)

static size_t queue_most(const struct live_logs *l)
{
    size_t most = QUEUES_MOST / l->followers.len;
    return most < QUEUE_LEAST ? QUEUE_LEAST : most;
}

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
    if (f->ahead && f->queue.bytes < queue_most(l) / 2) {
        f->ahead = false;
        log_stream_hold(&f->stream, false);
    }
}

void logs_drain(struct live_logs *l, bool all)
{
    struct merge_queue *q;
    while ((q = merge_oldest(&l->merge, all)))
        give(l, (struct follower *)q);
}

static void on_hold(void *ctx)
{
    logs_drain(ctx, true);
    lives_check(ctx);
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
            logs_drain(l, true);
        else if (!l->hold)
            loop_after(&l->hold, l->loop, HOLD_MS, on_hold, l);
        return;
    }
    if (f->queue.first == line)
        logs_drain(l, false);
    if (f->queue.bytes > queue_most(l) && !f->ahead) {
        f->ahead = true;
        log_stream_hold(&f->stream, true);
    }
}

static void on_retry(void *ctx)
{
    struct follower *f = ctx;
    log_stream_open(&f->stream);
}

void follower_tell_exit(struct follower *f)
{
    struct live_logs *l = f->logs;
    if (!f->died || !f->over)
        return;
    f->died = false;
    if (!l->opt.exited)
        return;
    logs_drain(l, true);
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

void follower_set_over(struct follower *f, bool over)
{
    f->over = over;
    merge_expect(&f->logs->merge, &f->queue, !over);
}

void follower_started(struct follower *f)
{
    f->up = true;
    f->failures = 0;
    f->again = !f->over;
    f->logs->rested_ms = 0;
    if (f->over) {
        follower_set_over(f, false);
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
    follower_set_over(f, true);
    if (l->opt.until)
        f->up = false; /* it may run on, but no more of it is wanted */
    follower_tell_exit(f);
    if (f->again)
        follower_started(f);
    if (!l->opt.follow)
        logs_drain(l, false);
    lives_check(l);
}

bool logs_want(const struct live_logs *l, const char *service, int number, bool oneoff)
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

struct follower *follower_add(struct live_logs *l, const char *id, const char *name,
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
        l->opt.joined(l->ctx, f->service, f->label);
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

struct follower *follower_find(struct live_logs *l, const char *id)
{
    vec_each (it, &l->followers)
        if (str_eq((*it)->id, id))
            return *it;
    return NULL;
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
        lives_follow(l);
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (!logs_want(l, c->service, c->number, c->oneoff) || c->state == CONTAINER_CREATED)
            continue;
        struct follower *f = follower_add(l, c->id, c->name, c->service, c->number);
        f->up = c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
                c->state == CONTAINER_RESTARTING;
        f->died = c->state == CONTAINER_EXITED;
        f->exit_code = c->exit_code;
        log_stream_open(&f->stream);
    }
    if (l->followers.len == 0)
        lives_check(l);
    return l;
}

void live_logs_cancel(struct live_logs *l)
{
    if (!l)
        return;
    loop_timer_cancel(&l->hold);
    lives_cancel(l);
    vec_each (it, &l->followers)
        free_follower(*it);
    vec_free(&l->followers);
    merge_clear(&l->merge);
    error_clear(&l->err);
    free(l);
}
