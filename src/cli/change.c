/* The common part of commands that change something. */
#include "cli/change.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "build/fetch.h"
#include "model/schema.h"
#include "run/duplicates.h"
#include "run/lease.h"
#include "run/ports.h"
#include "run/run.h"
#include "text/imageref.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

void change_note(struct change *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    struct sink sink = view_sink(cli_view(c->cli, NULL));
    sink.event(sink.ctx, &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
}

static void on_signal(void *ctx, int signum)
{
    struct change *c = ctx;
    if (!c->signum)
        c->signum = signum;
    if (c->interrupts++ == 0 && c->say)
        change_note(c, "%s", c->say);
    run_interrupt(&c->control);
    if (c->interrupted)
        c->interrupted(c->ctx);
}

void change_catch(struct change *c)
{
    for (size_t i = 0; i < countof(caught); i++)
        if (!c->signals[i])
            c->signals[i] = loop_signal(cli_loop(c->cli), caught[i], on_signal, c);
}

/* DOCKER_BUILDKIT=0, and all the ways in which the docker CLI reads "false". */
static bool wants_classic_builder(void)
{
    static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };
    const char *value = getenv("DOCKER_BUILDKIT");
    for (size_t i = 0; value && i < countof(no); i++)
        if (strcmp(value, no[i]) == 0)
            return true;
    return false;
}

int change_begin(struct change *c, struct cli *cli, const char *verb, struct error *err)
{
    *c = (struct change){ .cli = cli, .verb = verb, .build.classic = wants_classic_builder() };
    if (cli_engine(cli, err) < 0)
        return -1;
    return cli->global.dry_run ? 0 : cli_lock(cli, NULL, err);
}

void change_end(struct change *c)
{
    for (size_t i = 0; i < countof(c->signals); i++)
        if (c->signals[i])
            loop_signal_cancel(&c->signals[i]);
    plan_free(take(c->plan));
    build_survey_free(take(c->survey));
    snapshot_free(take(c->now));
}

int change_observe(struct change *c, unsigned what, struct error *err)
{
    plan_free(take(c->plan));
    snapshot_free(take(c->now));
    return cli_observe(&c->now, c->cli, what, NULL, 0, err);
}

bool change_same_file(const char *a, const char *b)
{
    struct stat sa, sb;
    if (str_eq(a, b))
        return true;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

bool *change_selected(const struct stack *st, const char *const *services, bool no_deps)
{
    bool *selected = xcalloc(st->nservices + 1, sizeof(*selected));
    struct {
        VEC(const struct service *);
    } todo = { 0 };
    for (size_t i = 0; i < st->nservices && !services; i++)
        selected[i] = true;
    for (; services && *services; services++)
        if (stack_service(st, *services))
            *vec_push(&todo) = stack_service(st, *services);
    while (todo.len) {
        const struct service *s = todo.items[--todo.len];
        if (selected[s->index])
            continue;
        selected[s->index] = true;
        for (size_t i = 0; i < s->ndeps && !no_deps; i++)
            *vec_push(&todo) = s->deps[i].service;
    }
    vec_free(&todo);
    return selected;
}

static int survey(struct change *c, const char *const *services, struct error *err)
{
    const struct stack *st = c->cli->stack;
    build_survey_free(take(c->survey));
    if (st->nimages == 0 || (c->no_build && !st->registry))
        return 0;
    auto_free bool *selected = change_selected(st, services, false);
    auto_free bool *wanted = xcalloc(st->nimages, sizeof(*wanted));
    for (size_t i = 0; i < st->nservices; i++)
        if (selected[i] && st->services[i].build)
            wanted[st->services[i].build - st->images] = true;
    return build_survey(&c->survey, cli_loop(c->cli), st, services ? wanted : NULL, err);
}

/* Services that only another tool could provide are refused rather than left out. */
static int check_runnable(struct change *c, const char *const *services, struct error *err)
{
    const struct stack *st = c->cli->stack;
    auto_free bool *selected = change_selected(st, services, false);
    for (size_t i = 0; i < st->nservices; i++)
        if (selected[i])
            schema_refuse(st->services[i].config, st->services[i].name, &c->cli->diag);
    if (!c->cli->diag.errors)
        return 0;
    return error_set(err, ERR_INPUT, 0, "the stack asks for what an engine cannot run");
}

int change_observe_up(struct change *c, const char *const *services, struct error *err)
{
    const struct stack *st = c->cli->stack;
    if (check_runnable(c, services, err) < 0)
        return -1;
    plan_free(take(c->plan));
    snapshot_free(take(c->now));
    if (survey(c, services, err) < 0)
        return -1;
    struct {
        VEC(const char *);
    } refs = { 0 };
    for (size_t i = 0; i < st->nservices; i++)
        if (st->services[i].image)
            *vec_push(&refs) = st->services[i].image;
    for (size_t i = 0; i < st->nimages; i++)
        *vec_push(&refs) = st->images[i].ref;
    for (size_t i = 0; i < st->nimages; i++)
        if (st->registry && st->images[i].project) {
            auto_free char *repository = fetch_repository(st->registry, &st->images[i]);
            *vec_push(&refs) = arena_strdup(c->cli->arena, repository);
            *vec_push(&refs) = arena_printf(c->cli->arena, "%s@*", repository);
        }
    for (size_t i = 0; i < st->nservices && c->digests; i++) {
        struct imageref ref;
        if (st->services[i].image && !st->services[i].build &&
            imageref_parse(&ref, c->cli->arena, st->services[i].image, NULL) == 0)
            *vec_push(&refs) = arena_printf(c->cli->arena, "%s@*", ref.name);
    }
    for (size_t i = 0; c->survey && i < c->survey->nbases; i++)
        *vec_push(&refs) = c->survey->bases[i];
    int rc = cli_observe(&c->now, c->cli, OBSERVE_ALL, refs.items, refs.len, err);
    vec_free(&refs);
    if (rc == 0)
        rc = lease_ports(c->cli->engine, c->cli->stack, c->now, err);
    if (rc == 0 && c->survey)
        build_survey_observed(c->survey, c->now);
    return rc;
}

void change_print(const struct change *c)
{
    auto_str struct str text = STR_INIT;
    if (str_eq(c->format, "json"))
        plan_print_json(&text, c->plan);
    else
        plan_print(&text, c->plan);
    fputs(text.buf, stdout);
}

int change_signal_code(const struct change *c)
{
    return 128 + (c->signum ? c->signum : SIGINT);
}

/* The view's sink, without what --quiet-pull and --quiet-build keep away. */
struct filter {
    const struct change *change;
    struct sink sink;
};

static void filter_event(void *ctx, const struct event *e)
{
    const struct filter *f = ctx;
    if (f->change->seen)
        f->change->seen(f->change->seen_ctx, e);
    bool pull = e->op && (e->op->kind == OP_IMAGE_PULL || e->op->kind == OP_IMAGE_PUSH),
         build = e->op && e->op->kind == OP_IMAGE_BUILD;
    bool chatter = e->kind == EVENT_PROGRESS || e->kind == EVENT_STEP || e->kind == EVENT_OUTPUT;
    if (chatter && ((pull && f->change->quiet_pull) || (build && f->change->quiet_build)))
        return;
    f->sink.event(f->sink.ctx, e);
}

static void set_limits(struct run_limits *limits, int parallel)
{
    if (parallel > 0)
        *limits = (struct run_limits){ parallel, parallel, parallel, parallel, parallel, parallel };
}

/* A failure to make or start something, for which there is no code of its own, is one to reach what
 * is declared. */
static int failure_code(const struct run_result *result, const struct error *err)
{
    int code = exit_code_of(err);
    if (code != EXIT_FAILED || !result->nfailures)
        return code;
    switch (result->failures[0].op->kind) {
    case OP_NETWORK_CREATE:
    case OP_VOLUME_CREATE:
    case OP_CREATE:
    case OP_CONNECT:
    case OP_FILES:
    case OP_START:
    case OP_RESTART:
    case OP_WAIT:
    case OP_HOOK:
        return EXIT_UNREADY;
    default:
        return code;
    }
}

int change_run(struct change *c, struct error *err)
{
    struct cli *cli = c->cli;
    if (cli->global.dry_run) {
        change_print(c);
        return EXIT_DONE;
    }
    if (c->interrupts)
        return change_signal_code(c);
    struct view *view = cli_view(cli, c->verb);
    struct filter filter = { c, view_sink(view) };
    struct sink sink = { filter_event, &filter };
    struct run_result result = { 0 };
    for (size_t i = 0; i < c->plan->nnotes; i++)
        change_note(c, "%s", c->plan->notes[i]);
    c->run.stack = cli->stack;
    c->run.stack_name = cli->stack_name;
    c->run.now = c->now;
    c->run.survey = c->survey;
    c->run.build = &c->build;
    c->run.control = &c->control;
    set_limits(&c->run.limits, cli->global.parallel);
    change_catch(c);
    int rc = run_plan(&result, cli->engine, c->plan, &c->run, &sink, err);
    if (rc == 0 && lock_was_broken(cli->lock))
        rc = duplicates_remove(cli->engine, cli->stack_name, err);
    int code = rc == 0 ? EXIT_DONE : failure_code(&result, err);
    if (result.interrupted)
        code = change_signal_code(c);
    else if (rc < 0 && result.nfailures == 0)
        code = -1;
    if (code >= 0) {
        view_report(view, &result);
        error_clear(err);
    }
    run_result_clear(&result);
    return code;
}

int change_up(struct change *c, struct plan_options *opt, struct error *err)
{
    struct stack *st = c->cli->stack;
    c->no_build = opt->no_build;
    for (;;) {
        if (change_observe_up(c, opt->services, err) < 0)
            return -1;
        const struct build_survey *s = c->survey;
        if (plan_up(&c->plan, st, c->now, s ? s->images : NULL, s ? s->nimages : 0, opt, err) < 0)
            return -1;
        if (!c->cli->global.dry_run && ports_check(c->cli->engine, st, c->plan, c->now, err) < 0)
            return -1;
        int code = change_run(c, err);
        if (code != EXIT_DONE || !c->plan->again || c->cli->global.dry_run)
            return code;
        opt->second = true;
    }
}
