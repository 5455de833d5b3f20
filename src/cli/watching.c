/*
 * One batch of changes at a time, in the order of docker compose: builds, copies, restarts,
 * commands. What changes meanwhile is the next batch. A failure is a line; the next change tries
 * again.
 */
#include "cli/watching.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/create.h"
#include "engine/requests.h"
#include "live/watch.h"
#include "live/watch_sync.h"
#include "run/exec.h"

#define LOCK_WAIT_MS 100
#define LOCK_WAITS_SAID 10
#define OUTPUT_MAX ((size_t)64 << 10) /* of a command, the end is shown */

struct watching {
    struct change *change;
    struct watching_options opt;
    struct watch_rules *rules;
    struct live_watch *live;
    struct loop_signal *signals[3];
    bool due;
    bool *woken; /* of watching_wake(), or NULL */
    bool interrupted;
    bool *waited; /* what wait_for() waits for */
};

static void on_signal(void *ctx, int signum)
{
    struct watching *w = ctx;
    (void)signum;
    w->interrupted = true;
    if (w->waited)
        *w->waited = true;
}

/* Runs the loop until *over, or until the user interrupts: then false. */
static bool wait_for(struct watching *w, bool *over)
{
    w->waited = over;
    if (!w->interrupted)
        loop_wait(cli_loop(w->change->cli), over);
    w->waited = NULL;
    return !w->interrupted;
}

/* --- what is told --- */

/* A line about a service, with the time since from_ms. */
static void say(struct watching *w, const struct service *s, int64_t from_ms, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct watching *w, const struct service *s, int64_t from_ms, const char *fmt, ...)
{
    char elapsed[NUM_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    int64_t ms = clock_ms() - from_ms;
    if (ms < 1000)
        snprintf(elapsed, sizeof(elapsed), "%d ms", (int)ms);
    else
        num_elapsed_text(elapsed, ms);
    change_note(w->change, "%s: %s  %s", s->name, text, elapsed);
}

static void say_failure(struct watching *w, const struct service *s, const char *what,
                        struct error *err)
{
    if (!w->interrupted)
        change_note(w->change, "%s: %s failed: %s%s%s", s->name, what, err->msg,
                    err->hint ? "; " : "", err->hint ? err->hint : "");
    error_clear(err);
}

/* "src -> /app  sync, ..." */
static char *rule_text(const struct watch_rule *rule)
{
    auto_free char *path = path_show(rule->path);
    return xasprintf("%s: %s%s%s  %s", rule->service->name, path, rule->target ? " -> " : "",
                     rule->target ? rule->target : "", rule->action);
}

void watching_print(const struct watching *w)
{
    vec_each (rule, w->rules) {
        auto_free char *text = rule_text(rule);
        printf("watch %s\n", text);
    }
}

static void say_begin(struct watching *w)
{
    strv_each (note, &w->rules->notes)
        change_note(w->change, "%s", *note);
    vec_each (rule, w->rules) {
        auto_free char *text = rule_text(rule);
        change_note(w->change, "watching %s", text);
    }
    change_note(w->change, "Watch enabled");
}

/* What happens to services as a whole is told in docker compose's words: `service(s) ["web"] ...`.
 */
static void say_of_all(struct watching *w, const char *before, const struct strv *services,
                       const char *after)
{
    auto_str struct str names = STR_INIT;
    strv_each (name, services)
        str_addf(&names, "%s\"%s\"", names.len ? " " : "", *name);
    change_note(w->change, "%s[%s] %s", before, names.buf, after);
}

/* --- copies --- */

struct replicas {
    VEC(const struct seen_container *);
};

/* The containers of a service that are there, whoever made them since. */
static void find_replicas(struct replicas *out, const struct snapshot *now, const struct service *s,
                          bool running)
{
    size_t n;
    const struct seen_container *c = snapshot_service(&n, now, s->name);
    for (size_t i = 0; i < n; i++)
        if (!c[i].oneoff && c[i].state != CONTAINER_DEAD && c[i].state != CONTAINER_REMOVING &&
            (!running || c[i].state == CONTAINER_RUNNING))
            *vec_push(out) = &c[i];
}

struct syncing {
    struct watching *watching;
    const struct service *service;
    size_t nreplicas;
    int64_t from_ms;
    struct watch_sync *sync; /* NULL: ended */
    bool over, failed;
};

static void on_synced(void *ctx, const struct watch_sync_result *r, const struct error *err)
{
    struct syncing *s = ctx;
    auto_str struct str what = STR_INIT;
    s->sync = NULL;
    s->over = true;
    s->failed = err;
    if (err) {
        struct error copy = ERROR_INIT;
        error_copy(&copy, err);
        say_failure(s->watching, s->service, "sync", &copy);
        return;
    }
    if (r->files == 1)
        str_addf(&what, "synced %s", r->first);
    else if (r->files)
        str_addf(&what, "synced %zu files", r->files);
    else if (r->folders)
        str_addf(&what, "synced %zu folder%s", r->folders, r->folders > 1 ? "s" : "");
    if (r->removed)
        str_addf(&what, "%sremoved %zu", what.len ? ", " : "", r->removed);
    if (what.len == 0)
        return;
    if (s->nreplicas > 1)
        str_addf(&what, " in %zu containers", s->nreplicas);
    say(s->watching, s->service, s->from_ms, "%s", what.buf);
}

static int sync_files(struct watching *w, const struct snapshot *now, const struct watch_work *work,
                      bool differing)
{
    struct replicas replicas = { 0 };
    struct syncing s = { .watching = w, .service = work->service, .from_ms = clock_ms() };
    find_replicas(&replicas, now, work->service, false);
    s.nreplicas = replicas.len;
    struct watch_sync_options opt = {
        .work = work, .containers = replicas.items, .n = replicas.len, .differing = differing
    };
    if (replicas.len) {
        s.sync = watch_sync_start(w->change->cli->engine, &opt, on_synced, &s);
        wait_for(w, &s.over);
        watch_sync_cancel(s.sync);
    } else {
        change_note(w->change, "%s: not synced, as it has no container", work->service->name);
    }
    vec_free(&replicas);
    return s.failed ? -1 : 0;
}

/* --- commands --- */

struct command_run {
    struct watching *watching;
    const struct service *service;
    const struct seen_container *container;
    struct exec *exec; /* NULL: ended */
    size_t *left;
    bool *over;
    int64_t from_ms;
};

static void show_output(const struct command_run *r, const char *output)
{
    struct sink sink = view_sink(cli_view(r->watching->change->cli, NULL));
    auto_free char *label = xasprintf("%s-%d", r->service->name, r->container->number);
    for (const char *line = output; *line;) {
        size_t len = strcspn(line, "\n");
        sink.event(sink.ctx, &(struct event){ .kind = EVENT_LOG,
                                              .container = r->container->id,
                                              .service = r->service->name,
                                              .label = label,
                                              .number = r->container->number,
                                              .stream = 1,
                                              .text = line,
                                              .len = len });
        line += len + (line[len] == '\n');
    }
}

static void on_command_ended(void *ctx, int code, const char *output, const struct error *err)
{
    struct command_run *r = ctx;
    struct error e = ERROR_INIT;
    r->exec = NULL;
    *r->over |= --*r->left == 0;
    show_output(r, output);
    if (err)
        error_copy(&e, err);
    else if (code != 0)
        error_set(&e, ERR_UNREADY, code, "exit code %d", code);
    if (e.kind)
        say_failure(r->watching, r->service, "the command", &e);
    else
        say(r->watching, r->service, r->from_ms, "ran the command in %s", r->container->name);
}

/* In all containers of the service at once. */
static void run_command(struct watching *w, const struct snapshot *now, const struct service *s,
                        const struct node *hook)
{
    struct replicas replicas = { 0 };
    find_replicas(&replicas, now, s, true);
    struct command_run *runs = xcalloc(replicas.len + 1, sizeof(*runs));
    size_t left = replicas.len;
    bool over = left == 0;
    for (size_t i = 0; i < replicas.len; i++) {
        struct command_run *r = &runs[i];
        *r = (struct command_run){ w, s, replicas.items[i], NULL, &left, &over, clock_ms() };
        r->exec = exec_start(w->change->cli->engine, r->container->id, create_hook_body(hook), 0,
                             on_command_ended, r);
        exec_keep(r->exec, OUTPUT_MAX);
    }
    wait_for(w, &over);
    for (size_t i = 0; i < replicas.len; i++)
        exec_cancel(runs[i].exec);
    free(runs);
    vec_free(&replicas);
}

/* --- builds and restarts: the ordinary plans --- */

/* Those of the batch that ask for something. */
static void choose(struct strv *out, const struct watch_batch *b, unsigned does)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->items[i].does & does)
            strv_add(out, b->items[i].service->name);
}

static const char *image_id(const struct snapshot *now, const struct service *s)
{
    const struct seen_image *image = now ? snapshot_image(now, s->build->ref) : NULL;
    return image ? image->id : NULL;
}

/* Removes an image that no name is left of. One that is in use stays: the engine refuses. */
static void prune(struct watching *w, const char *id)
{
    struct engine *e = w->change->cli->engine;
    struct engine_request rq;
    json_t *image = NULL;
    rq_image_inspect(&rq, id);
    if (engine_do(&image, e, &rq, NULL) < 0)
        return;
    if (json_array_size(json_object_get(image, "RepoTags")) == 0) {
        rq_image_remove(&rq, id, false);
        engine_do(NULL, e, &rq, NULL);
    }
    json_decref(image);
}

static void prune_replaced(struct watching *w, const struct strv *services, const struct strv *ids)
{
    for (size_t i = 0; i < services->len; i++)
        if (*ids->items[i])
            prune(w, ids->items[i]);
}

/* What change_run() reported itself gives a code; the rest is a line here. */
static void tell_change(struct watching *w, const struct strv *services, const char *what, int code,
                        struct error *err)
{
    const struct stack *st = w->change->cli->stack;
    if (code < 0)
        say_failure(w, stack_service(st, services->items[0]), what, err);
}

static void on_pause(void *ctx)
{
    *(bool *)ctx = true;
}

/* Until no other command has the stack's lock: here, unlike in change_begin(), the user can
 * interrupt. */
static bool wait_for_lock(struct watching *w)
{
    for (int waits = 0; !w->interrupted && cli_locked(w->change->cli); waits++) {
        struct loop_timer *timer = NULL;
        bool over = false;
        if (waits == LOCK_WAITS_SAID)
            change_note(w->change, "waiting for another command to finish with stack '%s'",
                        w->change->cli->stack_name);
        loop_after(&timer, cli_loop(w->change->cli), LOCK_WAIT_MS, on_pause, &over);
        wait_for(w, &over);
        loop_timer_cancel(&timer);
    }
    return !w->interrupted;
}

static void rebuild(struct watching *w, const struct strv *services)
{
    struct change c;
    struct error err = ERROR_INIT;
    auto_strv struct strv before = STRV_INIT;
    struct plan_options opt = {
        .services = (const char *const *)services->items,
        .no_deps = true,
        .build = true,
        .timeout_s = -1,
        .same_file = change_same_file,
        .now = clock_unix_ns() / 1000000000,
    };
    if (!wait_for_lock(w))
        return;
    say_of_all(w, "Rebuilding service(s) ", services, "after changes were detected...");
    int code = change_begin(&c, w->change->cli, "up", &err);
    c.quiet_build = w->opt.quiet;
    c.run.settle = w->opt.settle;
    if (code == 0 && w->opt.prune && (code = change_observe_up(&c, opt.services, &err)) == 0)
        strv_each (name, services) {
            const char *id = image_id(c.now, stack_service(c.cli->stack, *name));
            strv_add(&before, id ? id : "");
        }
    if (code == 0)
        code = change_up(&c, &opt, &err);
    if (code == EXIT_DONE)
        say_of_all(w, "service(s) ", services, "successfully built");
    if (code == EXIT_DONE && w->opt.prune)
        prune_replaced(w, services, &before);
    tell_change(w, services, "rebuild", code, &err);
    change_end(&c);
    cli_unlock(c.cli);
}

static void restart(struct watching *w, const struct strv *services)
{
    struct change c;
    struct error err = ERROR_INIT;
    struct plan_options opt = { .services = (const char *const *)services->items,
                                .timeout_s = -1,
                                .same_file = change_same_file };
    if (!wait_for_lock(w))
        return;
    int code = change_begin(&c, w->change->cli, "restart", &err);
    c.run.settle = w->opt.settle;
    if (code == 0 && (code = change_observe(&c, OBSERVE_CONTAINERS, &err)) == 0 &&
        (code = plan_verb(&c.plan, PLAN_RESTART, c.cli->stack, c.cli->stack_name, c.now, &opt,
                          &err)) == 0)
        code = change_run(&c, &err);
    if (code == EXIT_DONE)
        say_of_all(w, "service(s) ", services, "restarted");
    tell_change(w, services, "restart", code, &err);
    change_end(&c);
    cli_unlock(c.cli);
}

/* --- a batch --- */

static struct snapshot *observe(struct watching *w, const struct service *s)
{
    struct snapshot *now = NULL;
    struct error err = ERROR_INIT;
    if (cli_observe(&now, w->change->cli, OBSERVE_CONTAINERS, NULL, 0, &err) < 0)
        say_failure(w, s, "sync", &err);
    return now;
}

static bool any(const struct watch_batch *b, unsigned does)
{
    for (size_t i = 0; i < b->len; i++)
        if (b->items[i].does & does)
            return true;
    return false;
}

static void sync_all(struct watching *w, struct watch_batch *b)
{
    auto_(snapshot_freep) struct snapshot *now = observe(w, b->items[0].service);
    vec_each (work, b)
        if (now && (work->does & WATCH_SYNC) && !w->interrupted &&
            sync_files(w, now, work, false) < 0)
            work->does = 0; /* what was to follow would go by old files */
}

static void run_commands(struct watching *w, struct watch_batch *b)
{
    auto_(snapshot_freep) struct snapshot *now = observe(w, b->items[0].service);
    vec_each (work, b)
        for (size_t i = 0; now && work->does && i < work->hooks.len && !w->interrupted; i++)
            run_command(w, now, work->service, work->hooks.items[i]);
}

void watching_act(struct watching *w)
{
    struct watch_batch b;
    auto_strv struct strv builds = STRV_INIT, restarts = STRV_INIT;
    if (!w->due)
        return;
    w->due = false;
    int64_t from_ms = clock_ms();
    live_watch_take(&b, w->live);
    choose(&builds, &b, WATCH_REBUILD);
    if (builds.len && !w->interrupted)
        rebuild(w, &builds);
    if (any(&b, WATCH_SYNC) && !w->interrupted)
        sync_all(w, &b);
    choose(&restarts, &b, WATCH_RESTART);
    if (restarts.len && !w->interrupted)
        restart(w, &restarts);
    if (any(&b, WATCH_EXEC) && !w->interrupted)
        run_commands(w, &b);
    log_debug("batch complete: duration[%d ms] count[%zu]", (int)(clock_ms() - from_ms), b.len);
    watch_batch_clear(&b);
}

/* --- begin and end --- */

static void on_due(void *ctx)
{
    struct watching *w = ctx;
    w->due = true;
    if (w->woken)
        *w->woken = true;
}

void watching_wake(struct watching *w, bool *flag)
{
    w->woken = flag;
    if (flag && w->due)
        *flag = true;
}

static void on_trouble(void *ctx, const struct error *err)
{
    struct watching *w = ctx;
    change_note(w->change, "%s%s%s", err->msg, err->hint ? "; " : "", err->hint ? err->hint : "");
}

int watching_start(struct watching **out, struct change *c, const struct watching_options *opt,
                   struct error *err)
{
    static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
    auto_(watching_stopp) struct watching *w = xnew(struct watching);
    struct live_watch_handlers hd = { .due = on_due, .trouble = on_trouble, .ctx = w };
    auto_free bool *selected = change_selected(c->cli->stack, opt->services, true);
    w->change = c;
    w->opt = *opt;
    if (watch_rules_make(&w->rules, c->cli->stack, selected, err) < 0)
        return -1;
    if (live_watch_start(&w->live, cli_loop(c->cli), w->rules, &hd, err) < 0)
        return -1;
    for (size_t i = 0; i < countof(caught); i++)
        w->signals[i] = loop_signal(cli_loop(c->cli), caught[i], on_signal, w);
    *out = take(w);
    return 0;
}

void watching_begin(struct watching *w)
{
    const struct stack *st = w->change->cli->stack;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    for (size_t i = 0; i < st->nservices && !w->interrupted; i++) {
        struct watch_work work;
        watch_rules_initial(&work, w->rules, &st->services[i]);
        if (work.files.len && !now)
            now = observe(w, &st->services[i]);
        if (work.files.len && now)
            sync_files(w, now, &work, true);
        watch_work_clear(&work);
    }
    say_begin(w);
}

void watching_stop(struct watching *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < countof(w->signals); i++)
        if (w->signals[i])
            loop_signal_cancel(&w->signals[i]);
    live_watch_cancel(&w->live);
    watch_rules_free(w->rules);
    free(w);
}
