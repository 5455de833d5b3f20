/*
 * Attached: lines flow until every container has ended, one of them ends the others
 * (--abort-on-container-exit), the user leaves, or a signal comes. Then the stack is stopped as
 * `stop` would do it, while lines still flow; a second signal kills instead.
 */
#include "cli/attach.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/menu.h"
#include "live/logs.h"
#include "run/run.h"

#define LAST_LINES_MS 2000 /* for what is still to come when all is stopped */

struct attached {
    struct change *change;
    const struct attach_options *opt;
    struct live_logs *logs;
    struct strv labels; /* of the containers whose output is shown, until the logs have started */
    struct menu *menu;
    bool detached, toggled; /* keys that were pressed */
    bool over;              /* no reason to go on: ended, interrupted, aborted */
    bool ended;             /* the output did */
    bool late;              /* the last lines did not come in time */
    bool stopping;          /* stop is under way: the next signal kills */
    bool killing;
    bool aborted;                             /* a container's end ends the others */
    int exit_code;                            /* of the container that counts; -1: none */
    char since[40];                           /* the output of: Unix seconds with fraction */
    const struct seen_container *const *kept; /* ran before this `up`: their old ends count not */
    size_t nkept;
    struct error err;
};

static bool in_list(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (str_eq(*list, name))
            return true;
    return false;
}

static void on_line(void *ctx, const struct event *e)
{
    struct attached *a = ctx;
    if (e->kind == EVENT_LOG && !in_list(a->opt->shown, e->service))
        return;
    struct sink sink = view_sink(cli_view(a->change->cli, NULL));
    sink.event(sink.ctx, e);
    a->over |= ferror(stdout) != 0;
}

/* A line of its own among those of the containers: scripts read there how each of them ended. */
static void tell(struct attached *a, char *text)
{
    struct sink sink = view_sink(cli_view(a->change->cli, NULL));
    sink.event(sink.ctx, &(struct event){ .kind = EVENT_LOG, .text = text, .len = strlen(text) });
    free(text);
}

static bool ended_before(const struct attached *a, const char *container)
{
    for (size_t i = 0; i < a->nkept; i++)
        if (str_eq(a->kept[i]->id, container))
            return a->kept[i]->state == CONTAINER_EXITED;
    return false;
}

static void on_exit_of(void *ctx, const struct live_exit *exit)
{
    struct attached *a = ctx;
    const struct attach_options *opt = a->opt;
    if (ended_before(a, exit->container))
        return;
    tell(a, xasprintf("%s exited with code %d", exit->label, exit->exit_code));
    bool counts = !opt->exit_code_from || str_eq(opt->exit_code_from, exit->service);
    bool abort = opt->abort_on_exit || (opt->abort_on_failure && exit->exit_code != 0);
    if (counts && a->exit_code < 0 && (abort || opt->exit_code_from))
        a->exit_code = exit->exit_code;
    if (abort && !a->aborted && !a->stopping) {
        a->aborted = a->over = true;
        change_note(a->change, "stopping the others, as %s has ended", exit->label);
    }
}

static void on_joined(void *ctx, const char *service, const char *label)
{
    struct attached *a = ctx;
    if (!in_list(a->opt->shown, service))
        return;
    view_log_label(cli_view(a->change->cli, NULL), label);
    if (!a->logs)
        strv_add(&a->labels, label);
}

static bool on_busy(void *ctx)
{
    const struct attached *a = ctx;
    /* While it stops all, it is us who have the lock. */
    return !a->stopping && (*a->opt->watching || cli_locked(a->change->cli));
}

static void on_ended(void *ctx, const struct error *err)
{
    struct attached *a = ctx;
    a->ended = a->over = true;
    if (err)
        error_copy(&a->err, err);
}

static void on_late(void *ctx)
{
    ((struct attached *)ctx)->over = true;
}

static void on_interrupt(void *ctx)
{
    struct attached *a = ctx;
    a->over = true;
    if (a->stopping && !a->killing) {
        a->killing = true;
        run_interrupt(&a->change->control); /* the second time: what runs is not waited for */
    }
}

/* Runs one verb on what is to be stopped. */
static int run_verb(struct attached *a, enum plan_verb verb, const char *name, struct error *err)
{
    struct change *c = a->change;
    struct plan_options opt = { .services = a->opt->stopped,
                                .timeout_s = a->opt->timeout_s,
                                .same_file = change_same_file };
    c->verb = name;
    c->interrupts = 0;
    if (change_observe(c, OBSERVE_CONTAINERS, err) < 0 ||
        plan_verb(&c->plan, verb, c->cli->stack, c->cli->stack_name, c->now, &opt, err) < 0)
        return -1;
    return change_run(c, err);
}

static int stop_all(struct attached *a, struct error *err)
{
    struct change *c = a->change;
    a->stopping = true;
    c->say = NULL;
    c->run = (struct run_options){ .hook_output = true };
    if (cli_lock(c->cli, "stack stop", err) < 0)
        return -1;
    int code = run_verb(a, PLAN_STOP, "stop", err);
    if (a->killing) {
        error_clear(err);
        code = run_verb(a, PLAN_KILL, "kill", err);
    }
    if (code == EXIT_DONE && !a->ended) {
        struct loop_timer *timer = NULL;
        a->over = false;
        loop_after(&timer, cli_loop(c->cli), LAST_LINES_MS, on_late, a);
        loop_wait(cli_loop(c->cli), &a->over);
        loop_timer_cancel(&timer);
    }
    return code;
}

/* --- keys --- */

static void on_key(void *ctx, char key)
{
    struct attached *a = ctx;
    if (key == '\n')
        change_note(a->change, "%s", ""); /* people part what was from what comes */
    a->detached |= key == 'd';
    a->toggled ^= key == 'w';
    a->over |= a->detached || a->toggled;
}

static void say_keys(struct attached *a)
{
    menu_say(a->menu, *a->opt->watching ? "d detach   w end watching   Ctrl-C stop"
                                        : "d detach   w watch files   Ctrl-C stop");
}

/* --- files that change --- */

static void begin_watching(struct attached *a)
{
    say_keys(a);
    watching_begin(*a->opt->watching);
    watching_wake(*a->opt->watching, &a->over);
}

static void toggle_watching(struct attached *a)
{
    struct watching **w = a->opt->watching;
    auto_error struct error err = ERROR_INIT;
    a->toggled = false;
    if (*w) {
        watching_stop(take(*w));
        change_note(a->change, "files are no longer watched");
        say_keys(a);
    } else if (watching_start(w, a->change, &a->opt->watch, &err) == 0) {
        begin_watching(a);
    } else {
        change_note(a->change, "%s%s%s", err.msg, err.hint ? "; " : "", err.hint ? err.hint : "");
    }
}

/* Whether there is a reason to go on. */
static bool is_over(const struct attached *a)
{
    return a->ended || a->aborted || a->detached || a->change->signum || ferror(stdout);
}

/* Acts on keys and on files that change, while lines flow. */
static void wait_for_end(struct attached *a)
{
    if (*a->opt->watching)
        begin_watching(a);
    while (loop_wait(cli_loop(a->change->cli), &a->over) && !is_over(a)) {
        a->over = false;
        if (a->toggled)
            toggle_watching(a);
        if (*a->opt->watching)
            watching_act(*a->opt->watching);
    }
    if (*a->opt->watching)
        watching_wake(*a->opt->watching, NULL);
}

static int follow(struct attached *a, struct error *err)
{
    struct change *c = a->change;
    struct cli *cli = c->cli;
    snprintf(a->since, sizeof(a->since), "%lld.%09lld", (long long)(a->opt->since_ns / 1000000000),
             (long long)(a->opt->since_ns % 1000000000));
    struct live_logs_options opt = { .stack_name = cli->stack_name,
                                     .services = a->opt->services,
                                     .follow = true,
                                     .tail = -1,
                                     .since = a->since,
                                     .from_ns = clock_unix_ns(),
                                     .joined = on_joined,
                                     .busy = on_busy,
                                     .exited = on_exit_of };
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    struct sink sink = { on_line, a };
    if (a->opt->menu)
        a->menu = menu_start(cli, on_key, a);
    say_keys(a);
    a->logs = live_logs_start(cli->engine, now, &opt, &sink, on_ended, a);
    if (a->labels.len) {
        auto_free char *labels = strv_join(&a->labels, ", ");
        tell(a, xasprintf("Attaching to %s", labels));
    }
    wait_for_end(a);
    menu_stop(a->menu);
    return 0;
}

int attach_run(struct change *c, const struct attach_options *opt, struct error *err)
{
    struct attached a = {
        .change = c, .opt = opt, .exit_code = -1, .kept = c->plan->kept, .nkept = c->plan->nkept
    };
    c->say = "Gracefully stopping... (press Ctrl+C again to force)";
    c->interrupted = on_interrupt;
    c->ctx = &a;
    cli_unlock(c->cli);
    int code = follow(&a, err);
    /* What stopping needs of the snapshot and the plan is observed anew: both may go now. */
    a.nkept = 0;
    if (code == 0 && (c->signum || a.aborted))
        code = stop_all(&a, err);
    live_logs_cancel(a.logs);
    strv_clear(&a.labels);
    c->interrupted = NULL;
    if (a.err.kind && code == 0)
        code = error_move(err, &a.err);
    error_clear(&a.err);
    if (code != 0)
        return code;
    if (a.detached && !c->signum)
        change_note(c, "detached: everything runs on; 'stack logs -f' shows its output, 'stack up' "
                       "comes back to it");
    if (c->signum)
        return change_signal_code(c);
    return a.exit_code > 0 ? a.exit_code : EXIT_DONE;
}
