/*
 * Samples of several containers. The engine's list says which containers there are: it is asked
 * again when an event tells of a change and when a stream ends, and then compared with what is
 * known. So nothing is missed, whatever the order in which events and lists come.
 */
#include "live/stats.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/requests.h"

#define GATHER_MS 50 /* events of one change are answered by one list */
#define RETRY_MS 300
#define RETRY_MOST 5 /* failures in a row */

struct meter {
    struct live_stats *stats;
    char *id, *name, *service;
    int number;
    bool up, listed;
    bool sampled;
    struct stat_sample sample;
    struct stat_times times;
    struct engine_call *call;
};

struct live_stats {
    struct engine *engine;
    struct loop *loop;
    struct live_stats_options opt;
    struct {
        VEC(struct meter *);
    } meters;
    struct {
        VEC(struct live_stat);
    } shown;
    struct engine_call *events, *list;
    struct loop_timer *reopen, *again, *finish;
    int failures;
    struct error err;
};

static void list_soon(struct live_stats *l, int64_t ms);

/* --- samples --- */

static int64_t memory_in_use(const json_t *answer)
{
    int64_t usage = json_int(answer, "memory_stats.usage", 0);
    int64_t cache = json_int(answer, "memory_stats.stats.total_inactive_file", 0); /* cgroup 1 */
    if (cache > 0 && cache < usage)
        return usage - cache;
    cache = json_int(answer, "memory_stats.stats.inactive_file", 0);
    return cache < usage ? usage - cache : usage;
}

static void read_networks(struct stat_sample *out, const json_t *answer)
{
    const char *name;
    json_t *network;
    json_object_foreach (json_at(answer, "networks"), name, network) {
        out->received += json_int(network, "rx_bytes", 0);
        out->sent += json_int(network, "tx_bytes", 0);
    }
}

static void read_disks(struct stat_sample *out, const json_t *answer)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_at(answer, "blkio_stats.io_service_bytes_recursive"), i, entry) {
        const char *op = json_str_or(entry, "op", "");
        if (*op == 'r' || *op == 'R')
            out->read += json_int(entry, "value", 0);
        else if (*op == 'w' || *op == 'W')
            out->written += json_int(entry, "value", 0);
    }
}

static void read_cpu(struct stat_sample *out, struct stat_times *before, const json_t *answer)
{
    struct stat_times now = { json_int(answer, "cpu_stats.cpu_usage.total_usage", 0),
                              json_int(answer, "cpu_stats.system_cpu_usage", 0) };
    struct stat_times was = { json_int(answer, "precpu_stats.cpu_usage.total_usage", 0),
                              json_int(answer, "precpu_stats.system_cpu_usage", 0) };
    int64_t cpus = json_int(answer, "cpu_stats.online_cpus", 0);
    if (before && !was.machine)
        was = *before;
    if (before)
        *before = now;
    if (!cpus)
        cpus = (int64_t)json_array_size(json_at(answer, "cpu_stats.cpu_usage.percpu_usage"));
    out->has_cpu = was.machine > 0 || !before;
    if (now.machine > was.machine && now.container > was.container)
        out->cpu = (double)(now.container - was.container) / (double)(now.machine - was.machine) *
                   (double)cpus * 100;
}

void stat_sample_read(struct stat_sample *out, struct stat_times *before, const json_t *answer)
{
    *out = (struct stat_sample){ 0 };
    out->runs = json_int(answer, "cpu_stats.cpu_usage.total_usage", 0) > 0 ||
                json_int(answer, "pids_stats.current", 0) > 0;
    read_cpu(out, before, answer);
    out->memory = memory_in_use(answer);
    out->memory_limit = json_int(answer, "memory_stats.limit", 0);
    if (out->memory_limit > 0)
        out->memory_percent = (double)out->memory / (double)out->memory_limit * 100;
    out->pids = json_int(answer, "pids_stats.current", 0);
    read_networks(out, answer);
    read_disks(out, answer);
}

/* --- ending --- */

static void on_finish(void *ctx)
{
    struct live_stats *l = ctx;
    l->opt.ended(l->opt.ctx, l->err.kind ? &l->err : NULL);
}

/* Ends in a later turn, as the caller may be anything. */
static void finish(struct live_stats *l, const struct error *err)
{
    if (l->finish)
        return;
    if (err)
        error_copy(&l->err, err);
    loop_after(&l->finish, l->loop, 0, on_finish, l);
}

/* Whether what failed is to be tried again. */
static bool try_again(struct live_stats *l, const struct error *err)
{
    if (++l->failures <= RETRY_MOST)
        return true;
    finish(l, err);
    return false;
}

static void changed(struct live_stats *l)
{
    if (l->opt.changed)
        l->opt.changed(l->opt.ctx);
}

/* --- the streams --- */

static void take_sample(struct meter *m, const json_t *answer)
{
    struct live_stats *l = m->stats;
    stat_sample_read(&m->sample, l->opt.follow ? &m->times : NULL, answer);
    m->sampled = true;
    l->failures = 0;
    changed(l);
}

static void on_sample(void *ctx, json_t *value)
{
    take_sample(ctx, value);
}

static void check_all_there(struct live_stats *l)
{
    vec_each (m, &l->meters)
        if ((*m)->call)
            return;
    finish(l, NULL);
}

static void close_stream(struct meter *m)
{
    if (m->call)
        engine_cancel(take(m->call));
    m->sampled = false;
    m->times = (struct stat_times){ 0 };
}

static void on_stream_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct meter *m = ctx;
    struct live_stats *l = m->stats;
    m->call = NULL;
    if (l->opt.follow) {
        /* Its container is gone, has stopped, or the connection broke: the list knows. */
        close_stream(m);
        if (!err || err->kind == ERR_ENGINE || try_again(l, err))
            list_soon(l, RETRY_MS);
        changed(l);
        return;
    }
    if (!err)
        take_sample(m, answer->json);
    else if (err->kind != ERR_ENGINE && !l->err.kind)
        error_copy(&l->err, err);
    check_all_there(l);
}

static void open_stream(struct meter *m)
{
    struct live_stats *l = m->stats;
    struct engine_request rq;
    rq_container_stats(&rq, m->id, l->opt.follow);
    m->call = engine_start(
        l->engine, &rq,
        &(struct engine_handlers){ .on_json = on_sample, .done = on_stream_end, .ctx = m });
}

/* --- which containers there are --- */

static bool is_wanted(const struct live_stats *l, const struct seen_container *c)
{
    for (const char *const *s = l->opt.services; s && *s; s++)
        if (str_eq(*s, c->service))
            return true;
    return !l->opt.services;
}

static struct meter *find(struct live_stats *l, const char *id)
{
    vec_each (m, &l->meters)
        if (str_eq((*m)->id, id))
            return *m;
    return NULL;
}

static void free_meter(struct meter *m)
{
    close_stream(m);
    free(m->id);
    free(m->name);
    free(m->service);
    free(m);
}

static struct meter *add(struct live_stats *l, const struct seen_container *c)
{
    struct meter *m = xnew(struct meter);
    m->stats = l;
    m->id = xstrdup(c->id);
    m->service = xstrdup(c->service);
    m->number = c->number;
    *vec_push(&l->meters) = m;
    return m;
}

/* What is known becomes what the list says. */
static void compare(struct live_stats *l, const struct snapshot *now)
{
    vec_each (m, &l->meters)
        (*m)->listed = false;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (!is_wanted(l, c))
            continue;
        struct meter *m = find(l, c->id);
        if (!m)
            m = add(l, c);
        free(m->name);
        m->name = xstrdup(c->name);
        m->listed = true;
        m->up = c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
                c->state == CONTAINER_RESTARTING;
        if (m->up && !m->call)
            open_stream(m);
        else if (!m->up)
            close_stream(m);
    }
    size_t kept = 0;
    for (size_t i = 0; i < l->meters.len; i++) {
        struct meter *m = l->meters.items[i];
        if (m->listed)
            l->meters.items[kept++] = m;
        else
            free_meter(m);
    }
    l->meters.len = kept;
}

static void on_list(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct live_stats *l = ctx;
    auto_(snapshot_freep) struct snapshot *now = snapshot_new();
    auto_error struct error odd = ERROR_INIT;
    l->list = NULL;
    if (!err && snapshot_read_containers(now, answer->json, &odd) == 0) {
        compare(l, now);
        changed(l);
    } else if (try_again(l, err ? err : &odd)) {
        list_soon(l, RETRY_MS);
    }
}

static void on_again(void *ctx)
{
    struct live_stats *l = ctx;
    if (l->list) {
        list_soon(l, GATHER_MS); /* that one may have been made before the change */
        return;
    }
    struct engine_request rq;
    rq_containers(&rq, l->opt.stack_name, true);
    l->list = engine_start(l->engine, &rq, &(struct engine_handlers){ .done = on_list, .ctx = l });
}

static void list_soon(struct live_stats *l, int64_t ms)
{
    if (!l->again)
        loop_after(&l->again, l->loop, ms, on_again, l);
}

static void open_events(void *ctx);

static void on_event(void *ctx, json_t *value)
{
    struct live_stats *l = ctx;
    (void)value;
    l->failures = 0;
    list_soon(l, GATHER_MS);
}

/* From here on events come, so whatever happened before is in the list. */
static void on_events_open(void *ctx)
{
    list_soon(ctx, 0);
}

static void on_events_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct live_stats *l = ctx;
    (void)answer;
    l->events = NULL;
    if (try_again(l, err))
        loop_after(&l->reopen, l->loop, RETRY_MS, open_events, l);
}

static void open_events(void *ctx)
{
    static const char *const actions[] = { "create", "start", "die", "destroy" };
    struct live_stats *l = ctx;
    struct engine_request rq;
    rq_events(&rq, l->opt.stack_name, NULL, NULL, actions, countof(actions));
    l->events = engine_start(
        l->engine, &rq,
        &(struct engine_handlers){
            .on_json = on_event, .on_open = on_events_open, .done = on_events_end, .ctx = l });
}

/* --- outside --- */

struct live_stats *live_stats_start(struct engine *e, const struct snapshot *now,
                                    const struct live_stats_options *opt)
{
    struct live_stats *l = xnew(struct live_stats);
    l->engine = e;
    l->loop = engine_loop(e);
    l->opt = *opt;
    if (opt->follow)
        open_events(l);
    compare(l, now);
    if (!opt->follow)
        check_all_there(l);
    return l;
}

static int order(const void *pa, const void *pb)
{
    const struct live_stat *a = pa, *b = pb;
    int by = strcmp(a->service, b->service);
    if (by == 0)
        by = (a->number > b->number) - (a->number < b->number);
    return by ? by : strcmp(a->name, b->name);
}

const struct live_stat *live_stats_list(size_t *n, struct live_stats *l)
{
    l->shown.len = 0;
    vec_each (it, &l->meters) {
        const struct meter *m = *it;
        *vec_push(&l->shown) = (struct live_stat){ .id = m->id,
                                                   .name = m->name,
                                                   .service = m->service,
                                                   .number = m->number,
                                                   .up = m->up,
                                                   .sampled = m->sampled,
                                                   .sample = m->sample };
    }
    if (l->shown.len)
        qsort(l->shown.items, l->shown.len, sizeof(*l->shown.items), order);
    *n = l->shown.len;
    return l->shown.items;
}

void live_stats_cancel(struct live_stats *l)
{
    if (!l)
        return;
    loop_timer_cancel(&l->reopen);
    loop_timer_cancel(&l->again);
    loop_timer_cancel(&l->finish);
    if (l->events)
        engine_cancel(l->events);
    if (l->list)
        engine_cancel(l->list);
    vec_each (m, &l->meters)
        free_meter(*m);
    vec_free(&l->meters);
    vec_free(&l->shown);
    error_clear(&l->err);
    free(l);
}
