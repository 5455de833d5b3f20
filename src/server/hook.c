/*
 * The server: deliveries become jobs of the queue, and jobs become work, a few at a time. Whatever
 * it knows that has to survive is in the queue; the rest is made anew at the start.
 */
#include "server/hook.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "server/deliver.h"
#include "server/http.h"
#include "server/page.h"
#include "server/poll.h"
#include "server/queue.h"
#include "server/status.h"
#include "server/work.h"

enum {
    PRUNE_EVERY = 64, /* jobs that arrive */
};
#define REPORT_AGE_NS ((int64_t)24 * 3600 * 1000000000)

struct running {
    struct running *next;
    struct hook *h;
    int64_t id;
    struct work *work;
};

struct hook {
    struct loop *loop;
    struct hook_config *config;
    char *stack;
    struct hook_handlers hd;
    struct queue *queue;
    struct http_server *server;
    struct status_reporter *reporter;
    struct poller *poller;
    struct running *running;
    size_t nrunning;
    size_t added; /* since the queue was pruned */
    struct loop_timer *start_soon, *stop_now;
    bool stopping, stopped;
};

static void __attribute__((format(printf, 2, 3))) say(struct hook *h, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    auto_free char *line = safe_text(text, SAFE_LINE);
    h->hd.say(h->hd.ctx, line);
}

/* What went wrong on disk goes on in memory: it is said, and made again after a restart. */
static void check(struct hook *h, int rc, struct error *err)
{
    if (rc < 0)
        say(h, "queue: %s", err->msg);
    error_clear(err);
}

static const char *short_ref(const char *ref)
{
    return strchr(ref + strlen("refs/"), '/') + 1;
}

/* --- jobs --- */

static void start_jobs(void *ctx);

static void start_soon(struct hook *h)
{
    if (!h->start_soon && !h->stopping)
        loop_after(&h->start_soon, h->loop, 0, start_jobs, h);
}

static void report(struct hook *h, const struct job *job, enum status_state state, const char *text)
{
    const struct hook_project *p = hook_config_project(h->config, job->project);
    if (!p)
        return;
    auto_free char *url =
        h->config->url ? xasprintf("%s/jobs/%lld/log", h->config->url, (long long)job->id) : NULL;
    status_report(h->reporter, p, job, state, text, url);
}

static void report_end(struct hook *h, const struct job *job)
{
    bool good = job->state == JOB_SUCCESS;
    report(h, job, good ? STATUS_SUCCESS : STATUS_FAILURE,
           good           ? "rebuilt"
           : job->message ? job->message
                          : "failed");
}

static void on_reported(void *ctx, int64_t id, enum status_state state, const struct error *err)
{
    struct hook *h = ctx;
    auto_error struct error why = ERROR_INIT;
    if (err)
        say(h, "job %lld: commit status: %s", (long long)id, err->msg);
    if (state != STATUS_PENDING && queue_job(h->queue, id))
        check(h, queue_reported(h->queue, id, &why), &why);
}

static void end_job(struct hook *h, int64_t id, enum job_state state, const char *message)
{
    auto_error struct error err = ERROR_INIT;
    check(h, queue_end(h->queue, id, state, message, &err), &err);
    const struct job *job = queue_job(h->queue, id);
    say(h, "job %lld: %s %s: %s%s%s", (long long)id, job->project, short_ref(job->ref),
        job_state_name(state), message ? ": " : "", message ? message : "");
    report_end(h, job);
    h->added = 0;
    check(h, queue_prune(h->queue, h->config->keep, &err), &err);
}

static void stop_if_idle(struct hook *h)
{
    if (!h->stopping || h->running || h->stopped)
        return;
    h->stopped = true;
    loop_timer_cancel(&h->stop_now);
    h->hd.stopped(h->hd.ctx);
}

static void on_work(void *ctx, enum work_result result, const char *message)
{
    struct running *r = ctx;
    struct hook *h = r->h;
    auto_error struct error err = ERROR_INIT;
    for (struct running **at = &h->running; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    h->nrunning--;
    if (result == WORK_STOPPED) {
        check(h, queue_again(h->queue, r->id, &err), &err);
        say(h, "job %lld: stopped; it runs again at the next start", (long long)r->id);
    } else {
        end_job(h, r->id, result == WORK_DONE ? JOB_SUCCESS : JOB_FAILED, message);
    }
    free(r);
    start_soon(h);
    stop_if_idle(h);
}

static void start_job(struct hook *h, const struct job *job)
{
    auto_error struct error err = ERROR_INIT;
    const struct hook_project *p = hook_config_project(h->config, job->project);
    if (!p) {
        end_job(h, job->id, JOB_FAILED, "the project is not configured any more");
        return;
    }
    auto_free char *log = queue_log_path(h->queue, job->id);
    auto_free char *lock = queue_project_lock(h->queue, job->project);
    check(h, queue_begin(h->queue, job->id, &err), &err);
    say(h, "job %lld: %s %s at %.12s: running%s", (long long)job->id, job->project,
        short_ref(job->ref), job->commit, job->interrupted ? " again" : "");
    struct running *r = xnew(struct running);
    *r = (struct running){ .next = h->running, .h = h, .id = job->id };
    h->running = r;
    h->nrunning++;
    report(h, job, STATUS_PENDING, "rebuilding");
    r->work = work_start(h->loop,
                         &(struct work_order){
                             .config = h->config,
                             .project = p,
                             .job = job,
                             .stack = h->stack,
                             .log = log,
                             .lock = lock,
                         },
                         on_work, r);
}

static void start_jobs(void *ctx)
{
    struct hook *h = ctx;
    const struct job *job;
    while (!h->stopping && h->nrunning < (size_t)h->config->parallel &&
           (job = queue_next(h->queue)))
        start_job(h, job);
}

static int add_job(int64_t *id, struct hook *h, const struct job *job, struct error *err)
{
    const struct job *old = queue_newest(h->queue, job->project, job->ref);
    bool replaces = old && old->state == JOB_QUEUED;
    int64_t replaced = replaces ? old->id : 0;
    if (queue_add(id, h->queue, job, err) < 0)
        return -1;
    if (replaces)
        say(h, "job %lld: %s %s at %.12s: queued, in place of job %lld", (long long)*id,
            job->project, short_ref(job->ref), job->commit, (long long)replaced);
    else
        say(h, "job %lld: %s %s at %.12s: queued", (long long)*id, job->project,
            short_ref(job->ref), job->commit);
    if (++h->added >= PRUNE_EVERY) {
        auto_error struct error why = ERROR_INIT;
        h->added = 0;
        check(h, queue_prune(h->queue, h->config->keep, &why), &why);
    }
    start_soon(h);
    return 0;
}

/* --- deliveries --- */

static void answer_flag(struct answer *a, int status, const char *key, json_t *value)
{
    auto_json json_t *j = json_pack("{s:o}", key, value);
    auto_free char *text = json_dumps(j, JSON_COMPACT);
    a->status = status;
    str_addf(&a->body, "%s\n", text);
}

static void answer_ignored(struct answer *a, const char *why)
{
    answer_flag(a, 200, "ignored", json_string(why));
}

/* One text for everything that is not proven: it tells nobody how near they were. */
static void answer_unproven(struct answer *a)
{
    answer_error(a, 401, "not signed, or not by us");
}

struct target {
    const struct hook_project *project; /* NULL: whichever has the repository */
    const struct secret *secret;
    const char *forge;
};

/* Whose delivery the path says it is; false when there is nobody. */
static bool find_target(struct target *t, const struct hook *h, const char *path)
{
    const struct hook_config *c = h->config;
    if (str_eq(path, "/hook")) {
        *t = (struct target){ .secret = &c->usual.secret };
    } else if (str_starts(path, "/hook/")) {
        const struct hook_project *p = hook_config_project(c, path + strlen("/hook/"));
        if (!p)
            return false;
        *t = (struct target){ p, &p->secret, p->forge };
    } else {
        return false;
    }
    return t->secret->len > 0;
}

/* The project of the common secret that is configured with an address of the repository. */
static const struct hook_project *find_project(const struct hook_config *c,
                                               const struct delivery *d)
{
    for (size_t i = 0; i < c->projects.len; i++) {
        const struct hook_project *p = &c->projects.items[i];
        if (p->own_secret || (p->forge && !str_eq(p->forge, d->forge)))
            continue;
        strv_each (url, &d->urls)
            if (deliver_same_repository(*url, p->git))
                return p;
    }
    return NULL;
}

static bool begin(void *ctx, const struct request *rq, struct answer *a)
{
    struct hook *h = ctx;
    struct target t;
    const char *encoding = request_header(rq, "content-encoding");
    if (page_answer(a, rq, h->config, h->queue))
        return false;
    if (!find_target(&t, h, rq->path)) {
        answer_error(a, 404, "there is nothing here");
    } else if (!str_eq(rq->method, "POST")) {
        answer_error(a, 405, "only POST");
        strv_add(&a->headers, "Allow: POST");
    } else if (encoding && !str_eq(encoding, "identity")) {
        answer_error(a, 415, "compressed bodies are not read");
    } else if (h->stopping) {
        answer_error(a, 503, "stopping");
    } else if (!deliver_promising(rq, t.forge)) {
        answer_unproven(a);
    } else {
        return true;
    }
    return false;
}

static void take_push(struct hook *h, const struct delivery *d, const struct hook_project *p,
                      struct answer *a)
{
    int64_t id = d->id ? queue_known(h->queue, p->name, d->id) : 0;
    auto_error struct error err = ERROR_INIT;
    if (!hook_config_wants(p, d->ref)) {
        answer_ignored(a, "a ref that is not built");
        return;
    }
    if (id != 0) {
        auto_json json_t *j = json_pack("{s:b}", "duplicate", 1);
        if (id > 0)
            json_object_set_new(j, "job", json_integer(id));
        auto_free char *text = json_dumps(j, JSON_COMPACT);
        a->status = 200;
        str_addf(&a->body, "%s\n", text);
        return;
    }
    struct job job = {
        .project = (char *)(uintptr_t)p->name,
        .ref = d->ref,
        .commit = d->commit,
        .forge = (char *)(uintptr_t)d->forge,
        .delivery = d->id,
        .received_ns = clock_unix_ns(),
    };
    if (add_job(&id, h, &job, &err) < 0) {
        say(h, "a delivery for %s was not taken: %s", p->name, err.msg);
        answer_error(a, 503, "the queue is full or cannot be written");
        strv_add(&a->headers, "Retry-After: 60");
        return;
    }
    answer_flag(a, 202, "job", json_integer(id));
}

static void serve(void *ctx, const struct request *rq, struct answer *a)
{
    struct hook *h = ctx;
    struct target t;
    struct delivery d = { 0 };
    /* The configuration may be another one by now. */
    if (!find_target(&t, h, rq->path)) {
        answer_error(a, 404, "there is nothing here");
        return;
    }
    switch (deliver_read(&d, rq, t.forge, t.secret, clock_unix_ns() / 1000000000)) {
    case DELIVER_REFUSED:
        say(h, "a delivery from %s to %s was refused: wrong signature", rq->source, rq->path);
        answer_unproven(a);
        break;
    case DELIVER_BAD:
        answer_error(a, 400, d.why);
        break;
    case DELIVER_IGNORED:
        answer_ignored(a, d.why);
        break;
    case DELIVER_PUSH: {
        const struct hook_project *p = t.project ? t.project : find_project(h->config, &d);
        if (p)
            take_push(h, &d, p, a);
        else
            answer_ignored(a, "no project has this repository");
        break;
    }
    }
    delivery_clear(&d);
}

/* --- polls --- */

static int on_poll(void *ctx, const struct hook_project *p, const char *ref, const char *commit)
{
    struct hook *h = ctx;
    const struct job *newest = queue_newest(h->queue, p->name, ref);
    auto_error struct error err = ERROR_INIT;
    int64_t id;
    if (newest && str_eq(newest->commit, commit))
        return 0; /* a delivery was faster */
    struct job job = {
        .project = (char *)(uintptr_t)p->name,
        .ref = (char *)(uintptr_t)ref,
        .commit = (char *)(uintptr_t)commit,
        .forge = (char *)(uintptr_t) "poll",
        .received_ns = clock_unix_ns(),
    };
    if (add_job(&id, h, &job, &err) == 0)
        return 0;
    say(h, "a push to %s was not taken: %s", p->name, err.msg);
    return -1;
}

static void on_poll_failed(void *ctx, const struct hook_project *p, const char *why)
{
    say(ctx, "poll of %s: %s", p->name, why);
}

static void start_polls(struct hook *h)
{
    h->poller = poller_new(
        h->loop, h->config, queue_dir(h->queue),
        &(struct poller_handlers){ .push = on_poll, .failed = on_poll_failed, .ctx = h });
}

/* --- its life --- */

/* Ends that the forge does not know of: the server died between the job and the report. */
static void report_missing(struct hook *h)
{
    for (size_t i = 0; i < queue_len(h->queue); i++) {
        const struct job *job = queue_at(h->queue, i);
        if (!job->reported && job->ended_ns > clock_unix_ns() - REPORT_AGE_NS &&
            (job->state == JOB_SUCCESS || job->state == JOB_FAILED))
            report_end(h, job);
    }
}

static int open_queue(struct hook *h, struct error *err)
{
    auto_free char *usual = h->config->queue ? NULL : queue_usual_dir(err);
    const char *dir = h->config->queue ? h->config->queue : usual;
    size_t bad = 0;
    if (!dir || queue_open(&h->queue, dir, &bad, err) < 0)
        return -1;
    if (bad)
        say(h, "queue: %zu files in '%s/jobs' could not be read; they are called *.bad now", bad,
            dir);
    return 0;
}

int hook_open(struct hook **out, struct loop *l, struct hook_config *c, const char *stack,
              const struct hook_handlers *hd, struct error *err)
{
    auto_(hook_closep) struct hook *h = xnew(struct hook);
    h->loop = l;
    h->config = c;
    h->stack = xstrdup(stack);
    h->hd = *hd;
    h->reporter = status_reporter_new(l, on_reported, h);
    if (open_queue(h, err) < 0 ||
        http_server_open(&h->server, l,
                         &(struct http_server_options){
                             .host = c->host,
                             .port = c->port,
                             .connections = c->connections,
                             .connections_per_source = c->connections_per_source,
                             .body_max = (size_t)c->body_max,
                             .request_ms = c->request_ms,
                         },
                         &(struct http_server_handlers){ begin, serve, h }, err) < 0)
        return -1;
    report_missing(h);
    start_polls(h);
    start_soon(h);
    *out = take(h);
    return 0;
}

const char *hook_address(const struct hook *h)
{
    return http_server_address(h->server);
}

void hook_reload(struct hook *h, struct hook_config *c)
{
    poller_free(h->poller);
    hook_config_free(h->config);
    h->config = c;
    start_polls(h);
    start_soon(h);
}

static void stop_work(void *ctx)
{
    struct hook *h = ctx;
    for (struct running *r = h->running; r; r = r->next)
        work_stop(r->work);
}

void hook_stop(struct hook *h)
{
    if (h->stopping) {
        stop_work(h);
        return;
    }
    h->stopping = true;
    http_server_refuse(h->server);
    poller_free(h->poller);
    h->poller = NULL;
    loop_timer_cancel(&h->start_soon);
    loop_after(&h->stop_now, h->loop, h->config->stop_ms, stop_work, h);
    if (h->running)
        say(h, "stopping when %zu running jobs have ended", h->nrunning);
    stop_if_idle(h);
}

void hook_close(struct hook *h)
{
    if (!h)
        return;
    loop_timer_cancel(&h->start_soon);
    loop_timer_cancel(&h->stop_now);
    poller_free(h->poller);
    status_reporter_free(h->reporter);
    http_server_close(h->server);
    queue_close(h->queue);
    hook_config_free(h->config);
    free(h->stack);
    free(h);
}
