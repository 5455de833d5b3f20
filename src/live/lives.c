/*
 * Which of the containers whose output is followed run: told by events, and by the list of
 * containers where events leave a doubt. When none does, and none is about to, it is the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/requests.h"
#include "live/follow.h"
#include "model/labels.h"

#define LOOK_MS 100
#define LOOK_MOST 20
#define REST_MS 250

static void look_again(void *ctx);

static void on_start(struct live_logs *l, const char *id, const json_t *attributes)
{
    struct follower *f = follower_find(l, id);
    if (!f) {
        int64_t number = 0;
        const char *service = json_string_value(json_object_get(attributes, LABEL_SERVICE));
        const char *text = json_string_value(json_object_get(attributes, LABEL_NUMBER));
        const char *oneoff = json_string_value(json_object_get(attributes, LABEL_ONEOFF));
        num_range(&number, text ? text : "", 1, 1 << 30);
        if (!service || !logs_want(l, service, (int)number, str_eq(oneoff, "True")))
            return;
        f = follower_add(l, id, json_str_or(attributes, "name", ""), service, (int)number);
        f->stream.tail = -1; /* it is new: all of it */
        follower_set_over(f, true);
    }
    follower_started(f);
}

static void on_die(struct live_logs *l, const char *id, const json_t *attributes)
{
    struct follower *f = follower_find(l, id);
    int64_t code = 0;
    if (!f || !f->up)
        return; /* of an earlier life */
    num_range(&code, json_str_or(attributes, "exitCode", "0"), 0, 1 << 16);
    f->up = false;
    f->died = true;
    f->exit_code = (int)code;
    follower_tell_exit(f);
    lives_check(l);
}

/* Stopped for good, maybe while it waited to be restarted. */
static void on_stop(struct live_logs *l, const char *id)
{
    struct follower *f = follower_find(l, id);
    if (f && f->over) {
        f->up = false;
        lives_check(l);
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
    logs_drain(l, true);
    l->ended(l->ctx, l->err.kind ? &l->err : NULL);
}

/* Ends in a later turn, as the caller may be anything. */
static void finish_later(struct live_logs *l)
{
    if (!l->finish && !l->done)
        loop_after(&l->finish, l->loop, 0, finish, l);
}

static void on_reopen(void *ctx)
{
    lives_follow(ctx);
}

static void events_over(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct live_logs *l = ctx;
    (void)answer;
    l->events = NULL;
    if (++l->event_failures <= RETRY_MOST) {
        loop_after(&l->reopen, l->loop, RETRY_MS, on_reopen, l);
        return;
    }
    if (err && !l->err.kind)
        error_copy(&l->err, err);
    finish_later(l);
}

void lives_follow(struct live_logs *l)
{
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
    follower_tell_exit(f);
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
        struct follower *f = follower_find(l, json_str_or(c, "Id", ""));
        bool dead = str_eq(state, "exited") || str_eq(state, "dead") || str_eq(state, "created");
        if (f && dead)
            missed_die(f, json_str_or(c, "Status", ""));
        if (!f || dead || (f->up && !f->over))
            continue;
        if (str_eq(json_str(c, "State"), "restarting"))
            f->up = true;
        else if (insists)
            follower_started(f);
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

void lives_check(struct live_logs *l)
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

void lives_cancel(struct live_logs *l)
{
    loop_timer_cancel(&l->finish);
    loop_timer_cancel(&l->reopen);
    loop_timer_cancel(&l->look_later);
    if (l->events)
        engine_cancel(take(l->events));
    if (l->look)
        engine_cancel(take(l->look));
}
