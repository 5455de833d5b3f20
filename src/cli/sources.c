/* Getting the projects that come from git. */
#include "cli/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/dev.h"
#include "git/cache.h"
#include "git/checkout.h"
#include "plan/graph.h"

#define AT_ONCE 4 /* repositories: servers like it no better than people */

void sources_clear(struct git_sources *s)
{
    vec_each (it, s) {
        char *const texts[] = { it->project, it->url,    it->ref, it->stack_name, it->stack_dir,
                                it->tree,    it->commit, it->dev, it->before,     it->lock };
        for (size_t i = 0; i < countof(texts); i++)
            free(texts[i]);
    }
    vec_free(s);
}

struct git_source *sources_named(const struct git_sources *s, const char *project)
{
    for (size_t i = 0; i < s->len; i++)
        if (str_eq(s->items[i].project, project))
            return &s->items[i];
    return NULL;
}

/* --- where one is --- */

static int find_dev(char **out_dir, const struct git_source *s, struct error *err)
{
    if (file_is_dir(s->dev)) {
        *out_dir = xstrdup(s->dev);
        return 0;
    }
    error_set(err, ERR_NOTFOUND, 0, "the checkout '%s' that stands in for it is gone", s->dev);
    return error_hint(err, "'stack undev %s' goes back to the repository", s->project);
}

static bool has_its_commit(const struct git_source *s)
{
    return s->commit && (!s->lock || strcmp(s->commit, s->lock) == 0);
}

static int find_tree(struct git_source *s, struct error *err)
{
    auto_repo_url struct repo_url url = { 0 };
    auto_free char *cache = NULL;
    if (repo_url_parse(&url, s->url, NULL, err) < 0)
        return -1;
    cache = repo_cache_dir(err);
    if (!cache)
        return -1;
    s->tree = repo_tree_path(cache, s->stack_name, s->stack_dir, s->project, &url, s->ref);
    if (repo_tree_commit(&s->commit, s->tree, NULL) == 0 && has_its_commit(s))
        return 0;
    if (s->commit)
        return error_set(err, ERR_NOTFOUND, 0, "it is not at the commit of the lock file");
    error_set(err, ERR_NOTFOUND, 0, "it is not cloned yet");
    return error_hint(err, "clone it with 'stack sync'");
}

int sources_find(char **out_dir, void *ctx, const struct load_git_source *source, struct error *err)
{
    struct cli *cli = ctx;
    struct git_source *s = vec_push(&cli->sources);
    const struct strv *only = cli->at.projects;
    bool moved = cli->at.ref && (!only || !only->len || strv_has(only, source->project));
    *s = (struct git_source){
        .project = xstrdup(source->project),
        .url = xstrdup(source->url),
        .ref = xstrdup(moved ? cli->at.ref : source->ref),
        .lock = xstrdup(source->commit),
        .submodules = source->submodules,
        .stack_name = xstrdup(source->stack_name),
        .stack_dir = xstrdup(source->stack_dir),
    };
    if (!moved && dev_get(&s->dev, s->stack_dir, s->project, err) < 0)
        return -1;
    if (s->dev)
        return find_dev(out_dir, s, err);
    if (find_tree(s, err) < 0)
        return -1;
    *out_dir = xstrdup(s->tree);
    return 0;
}

/* --- getting them --- */

static bool is_wanted(const struct git_source *s, const struct sources_options *opt)
{
    if (s->dev || !s->tree)
        return false;
    if (!opt->sync || !has_its_commit(s))
        return !has_its_commit(s);
    return !opt->names || !opt->names->len || strv_has(opt->names, s->project);
}

bool sources_wanted(const struct git_sources *s, const struct sources_options *opt)
{
    for (size_t i = 0; i < s->len; i++)
        if (is_wanted(&s->items[i], opt))
            return true;
    return false;
}

struct getting {
    struct cli *cli;
    const struct sources_options *opt;
    struct sink sink;
    struct plan *plan;
    struct task *tasks;
    size_t next, left;
    bool done;
    struct run_result result;
    struct error first;
};

struct task {
    struct getting *all;
    struct git_source *source;
    const struct op *op;
    int64_t began_ms;
};

static void on_progress(void *ctx, const struct repo_progress *p)
{
    const struct task *t = ctx;
    auto_str struct str text = STR_INIT;
    char size[NUM_TEXT_MAX];
    str_add(&text, p->phase);
    if (p->total > 0)
        str_addf(&text, " %d%%", (int)(p->current * 100 / p->total));
    if (p->bytes > 0)
        str_addf(&text, ", %s", num_size_text(size, p->bytes));
    t->all->sink.event(
        t->all->sink.ctx,
        &(struct event){ .kind = EVENT_PROGRESS, .op = t->op, .text = text.buf, .len = text.len });
}

int sources_failed(struct error *to, struct error *from)
{
    if (from->kind == ERR_NETWORK)
        from->kind = ERR_SYSTEM;
    return error_move(to, from);
}

static void add_failure(struct getting *all, const struct task *t, const struct error *err)
{
    struct run_result *r = &all->result;
    r->failures = xreallocarray(r->failures, r->nfailures + 1, sizeof(*r->failures));
    r->failures[r->nfailures] = (struct run_failure){ .op = t->op };
    error_copy(&r->failures[r->nfailures++].err, err);
    r->failed++;
    if (!all->first.kind) {
        error_copy(&all->first, err);
        error_wrap(&all->first, "project '%s'", t->source->project);
    }
}

static void start_some(struct getting *all);

static void on_done(void *ctx, const struct repo_got *got, const struct error *err)
{
    struct task *t = ctx;
    struct getting *all = t->all;
    struct event e = { .kind = EVENT_ENDED,
                       .op = t->op,
                       .err = err,
                       .outcome = err ? OUTCOME_FAILED : OUTCOME_DONE,
                       .elapsed_ms = clock_ms() - t->began_ms };
    if (err) {
        add_failure(all, t, err);
    } else {
        free(t->source->commit);
        t->source->commit = xstrdup(got->commit);
        t->source->before = xstrdup(got->before);
        t->source->fetched = got->fetched;
        all->result.done++;
    }
    all->sink.event(all->sink.ctx, &e);
    all->left--;
    all->done = all->left == 0;
    start_some(all);
}

static void start(struct getting *all, struct task *t)
{
    const struct git_source *s = t->source;
    struct repo_want want = {
        .name = s->project,
        .url = s->url,
        .ref = s->ref,
        .commit = s->lock,
        .tree = s->tree,
        .submodules = s->submodules,
        .force = all->opt->force,
        .fetch = all->cli->global.offline ? REPO_FETCH_NEVER
                 : all->opt->sync         ? REPO_FETCH_ALWAYS
                                          : REPO_FETCH_MISSING,
    };
    t->began_ms = clock_ms();
    all->sink.event(all->sink.ctx, &(struct event){ .kind = EVENT_STARTED, .op = t->op });
    repo_checkout_start(
        cli_loop(all->cli), &want,
        &(struct repo_handlers){ .progress = on_progress, .done = on_done, .ctx = t });
}

static void start_some(struct getting *all)
{
    size_t limit = all->cli->global.parallel > 0 ? (size_t)all->cli->global.parallel : AT_ONCE;
    while (all->next < all->plan->nops && all->left - (all->plan->nops - all->next) < limit) {
        struct task *t = &all->tasks[all->next++];
        start(all, t);
    }
}

/* One operation for each, so that the view shows them like everything else. */
static void make_plan(struct getting *all)
{
    struct git_sources *sources = &all->cli->sources;
    struct graph g = { .arena = arena_new() };
    all->tasks = xcalloc(sources->len, sizeof(*all->tasks));
    vec_each (it, sources) {
        if (!is_wanted(it, all->opt))
            continue;
        const char *reason = it->commit ? "asked for" : "not cloned";
        struct task *t = &all->tasks[g.len];
        *t = (struct task){ .all = all, .source = it };
        t->op = graph_add(&g, OP_PROJECT_SYNC, it->project, reason);
    }
    all->plan = xnew(struct plan);
    all->plan->arena = g.arena;
    all->plan->nops = g.len;
    all->plan->ops = arena_alloc(g.arena, (g.len + 1) * sizeof(*all->plan->ops));
    for (size_t i = 0; i < g.len; i++)
        all->plan->ops[i] = g.items[i];
    vec_free(&g);
}

static void tell_plan(const struct plan *plan)
{
    auto_str struct str text = STR_INIT;
    plan_print(&text, plan);
    fputs(text.buf, stdout);
}

int sources_get(struct cli *cli, const struct sources_options *opt, struct error *err)
{
    struct getting all = { .cli = cli, .opt = opt };
    struct view *view = cli_view(cli, "sync");
    int64_t began_ms = clock_ms();
    all.sink = view_sink(view);
    make_plan(&all);
    if (opt->sync && cli->global.dry_run) {
        tell_plan(all.plan);
        plan_free(all.plan);
        free(all.tasks);
        return 0;
    }
    all.left = all.plan->nops;
    all.sink.event(all.sink.ctx, &(struct event){ .kind = EVENT_BEGIN, .plan = all.plan });
    start_some(&all);
    if (all.left)
        loop_wait(cli_loop(cli), &all.done);
    all.result.elapsed_ms = clock_ms() - began_ms;
    all.sink.event(all.sink.ctx, &(struct event){ .kind = EVENT_END, .result = &all.result });
    if (opt->report)
        view_report(view, &all.result);
    run_result_clear(&all.result);
    plan_free(all.plan);
    free(all.tasks);
    return all.first.kind ? sources_failed(err, &all.first) : 0;
}
