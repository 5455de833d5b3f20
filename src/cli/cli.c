/* The steps that commands share: load, open the engine, observe, lock, show. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/options.h"

void cli_init(struct cli *cli, const char *argv_text)
{
    memset(cli, 0, sizeof(*cli));
    cli->argv_text = argv_text;
    cli->arena = arena_new();
    diag_init(&cli->diag, cli->arena);
}

void cli_clear(struct cli *cli)
{
    lock_release(cli->lock);
    view_free(cli->view);
    engine_close(cli->engine);
    loop_free(cli->loop);
    stack_free(cli->stack);
    free(cli->stack_name);
    sources_clear(&cli->sources);
    options_clear(global_options, global_options_len, &cli->global);
    diag_clear(&cli->diag);
    arena_free(cli->arena);
}

/* Diagnostics that were collected and not yet shown, warnings included. */
static void show_diag(struct cli *cli)
{
    if (cli->diag_shown == cli->diag.len)
        return;
    cli->diag_shown = cli->diag.len;
    view_diag(cli_view(cli, NULL), &cli->diag);
}

void cli_report(struct cli *cli, const struct error *err)
{
    show_diag(cli);
    view_error(cli_view(cli, NULL), err);
}

struct loop *cli_loop(struct cli *cli)
{
    if (!cli->loop)
        cli->loop = loop_new();
    return cli->loop;
}

void cli_load_options(struct load_options *out, const struct cli *cli, const struct strv *services)
{
    const struct global_options *g = &cli->global;
    *out = (struct load_options){
        .files = (const char *const *)g->files.items,
        .stack_name = g->stack,
        .project_name = g->project_name,
        .instance = g->instance,
        .track = g->track,
        .locked = g->locked,
        .project_directory = g->project_directory,
        .env_files = (const char *const *)g->env_files.items,
        .profiles = (const char *const *)g->profiles.items,
        .services = services ? (const char *const *)services->items : NULL,
        .compatibility = g->compatibility,
        .lenient = true,
    };
}

/* Once; diagnostics of an earlier attempt are forgotten. */
static int load_once(struct cli *cli, const struct load_options *opt, struct error *err)
{
    struct load_options with_git = *opt;
    with_git.git = sources_find;
    with_git.git_ctx = cli;
    sources_clear(&cli->sources);
    diag_clear(&cli->diag);
    diag_init(&cli->diag, cli->arena);
    cli->diag_shown = 0;
    return stack_load(&cli->stack, &with_git, &cli->diag, err);
}

int cli_probe(struct cli *cli, struct error *err)
{
    struct load_options opt;
    auto_error struct error why = ERROR_INIT;
    cli_load_options(&opt, cli, NULL);
    opt.all_profiles = true;
    if (load_once(cli, &opt, &why) == 0) {
        cli->stack_name = xstrdup(cli->stack->name);
        show_diag(cli);
        return 0;
    }
    if (!cli->sources.len)
        return error_move(err, &why);
    cli->stack_name = xstrdup(cli->sources.items[0].stack_name);
    /* That something is missing is why it was asked. */
    if (sources_wanted(&cli->sources, &(struct sources_options){ 0 }))
        cli->diag_shown = cli->diag.len;
    show_diag(cli);
    return 0;
}

int cli_load_with(struct cli *cli, const struct load_options *opt, struct error *err)
{
    if (cli->stack)
        return 0;
    auto_error struct error why = ERROR_INIT;
    int rc = load_once(cli, opt, &why);
    struct sources_options get = { .sync = cli->sync || cli->at.ref, .names = cli->at.projects };
    if (sources_wanted(&cli->sources, &get)) {
        stack_free(take(cli->stack));
        error_clear(&why);
        if (sources_get(cli, &get, err) < 0)
            return -1;
        rc = load_once(cli, opt, &why);
    }
    if (rc < 0)
        return error_move(err, &why);
    free(cli->stack_name);
    cli->stack_name = xstrdup(cli->stack->name);
    show_diag(cli);
    return 0;
}

int cli_load(struct cli *cli, const struct strv *services, struct error *err)
{
    struct load_options opt;
    cli_load_options(&opt, cli, services);
    return cli_load_with(cli, &opt, err);
}

int cli_load_name(struct cli *cli, struct error *err)
{
    if (cli->stack_name)
        return 0;
    struct load_options opt;
    auto_error struct error why = ERROR_INIT;
    cli_load_options(&opt, cli, NULL);
    opt.all_profiles = true;
    opt.git = sources_find;
    opt.git_ctx = cli;
    if (stack_load_name(&cli->stack_name, &cli->stack, &opt, &cli->diag, &why) < 0) {
        if (!sources_wanted(&cli->sources, &(struct sources_options){ 0 }))
            return error_move(err, &why);
        /* What runs is known by its labels. */
        cli->stack_name = xstrdup(cli->sources.items[0].stack_name);
        cli->diag_shown = cli->diag.len;
    }
    show_diag(cli);
    return 0;
}

int cli_engine(struct cli *cli, struct error *err)
{
    if (cli->engine)
        return 0;
    struct engine_options opt = { .context = cli->global.context, .host = cli->global.host };
    return engine_open(&cli->engine, cli_loop(cli), &opt, err);
}

static const char *from_environment(const char *flag, const char *name)
{
    if (flag)
        return flag;
    auto_free char *twin = xasprintf("STACK_%s", name);
    auto_free char *compose = xasprintf("COMPOSE_%s", name);
    const char *value = getenv(twin);
    return value && *value ? value : getenv(compose);
}

const char *cli_setting(const struct cli *cli, const char *name)
{
    auto_free char *twin = xasprintf("STACK_%s", name);
    auto_free char *compose = xasprintf("COMPOSE_%s", name);
    const struct node *env = cli->stack ? cli->stack->environment : NULL;
    const char *value = env ? node_text_at(env, twin) : NULL;
    if (env && !(value && *value))
        value = node_text_at(env, compose);
    return value ? value : from_environment(NULL, name);
}

bool cli_switch(const struct cli *cli, const char *name)
{
    return str_is_true(cli_setting(cli, name));
}

const char *cli_progress(const struct cli *cli)
{
    return from_environment(cli->global.progress, "PROGRESS");
}

struct view *cli_view(struct cli *cli, const char *verb)
{
    if (cli->view && (!verb || cli->view_runs)) {
        if (verb)
            view_set_verb(cli->view, verb);
        return cli->view;
    }
    view_free(take(cli->view));
    static const char *const modes[] = { "auto", "tty", "plain", "json", "quiet" };
    static const char *const colours[] = { "auto", "always", "never" };
    struct view_options opt = { .verb = verb,
                                .log_prefix = !cli->logs.no_prefix,
                                .log_json = cli->logs.json,
                                .log_split = cli->logs.split,
                                .log_builds = cli->logs.builds,
                                .timestamps = cli->logs.timestamps };
    const char *mode = cli_progress(cli);
    const char *ansi = cli->global.no_ansi ? "never" : from_environment(cli->global.ansi, "ANSI");
    for (size_t i = 0; i < countof(modes); i++)
        if (str_eq(mode, modes[i]))
            opt.mode = (enum view_mode)i;
    for (size_t i = 0; i < countof(colours); i++)
        if (str_eq(ansi, colours[i]))
            opt.ansi = (enum view_ansi)i;
    if (cli->logs.no_color)
        opt.ansi = ANSI_NEVER;
    cli->view_runs = verb;
    cli->view = view_new(verb ? cli_loop(cli) : NULL, &opt);
    return cli->view;
}

static void say_waiting(void *ctx, const char *holder)
{
    struct cli *cli = ctx;
    struct sink sink = view_sink(cli_view(cli, NULL));
    auto_free char *text =
        xasprintf("waiting for %s to finish with stack '%s'", holder, cli->stack_name);
    sink.event(sink.ctx, &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
}

int cli_lock(struct cli *cli, const char *command, struct error *err)
{
    if (cli->lock)
        return 0;
    return lock_take(&cli->lock, cli_loop(cli), engine_endpoint(cli->engine)->host, cli->stack_name,
                     command ? command : cli->argv_text, -1, say_waiting, cli, err);
}

void cli_unlock(struct cli *cli)
{
    lock_release(take(cli->lock));
}

bool cli_locked(const struct cli *cli)
{
    return lock_is_held(engine_endpoint(cli->engine)->host, cli->stack_name);
}

int cli_observe(struct snapshot **out, struct cli *cli, unsigned what,
                const char *const *image_refs, size_t nrefs, struct error *err)
{
    struct observe_options opt = {
        .stack = cli->stack_name, .what = what, .image_refs = image_refs, .nimage_refs = nrefs
    };
    /* A network of the name that is not ours must be seen, too: two of one name would be made. */
    opt.any_network = what == OBSERVE_ALL;
    for (size_t i = 0; cli->stack && i < cli->stack->nvolumes; i++)
        opt.any_volume |= cli->stack->volumes[i].external;
    return state_observe(out, cli->engine, &opt, err);
}
