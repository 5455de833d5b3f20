/* `stack watch`: what changes on this machine goes into the containers, or rebuilds them. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/watching.h"

struct watch_options {
    bool no_up, prune, quiet;
};
#define OPTIONS watch_options

static const struct option rows[] = {
    ROW_FLAG(0, "no-up", no_up, "Bring nothing up first; watch for the containers there are"),
    ROW_FLAG(0, "prune", prune, "Remove the images that a rebuild has replaced"),
    ROW_FLAG(0, "quiet", quiet, "No output of builds"),
};

struct watch_run {
    struct change change;
    bool woken, over;
};

static void on_interrupt(void *ctx)
{
    struct watch_run *r = ctx;
    r->woken = r->over = true;
}

static int bring_up(struct change *c, const char *const *services, struct error *err)
{
    struct plan_options opt = { .services = services,
                                .timeout_s = -1,
                                .same_file = change_same_file,
                                .now = clock_unix_ns() / 1000000000 };
    c->run.settle = true;
    return change_up(c, &opt, err);
}

static int watch(struct watch_run *r, struct watching *w)
{
    struct cli *cli = r->change.cli;
    struct change *c = &r->change;
    cli_unlock(cli);
    c->interrupted = on_interrupt;
    c->ctx = r;
    change_catch(c);
    r->over = c->interrupts > 0;
    if (!r->over) {
        watching_begin(w);
        watching_wake(w, &r->woken);
        change_note(c, "Ctrl-C ends watching; the stack goes on");
    }
    while (!r->over) {
        loop_wait(cli_loop(cli), &r->woken);
        r->woken = false;
        if (!r->over)
            watching_act(w);
    }
    return change_signal_code(c);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct watch_options *o = values;
    const char *const *services = args->len ? (const char *const *)args->items : NULL;
    struct watch_run r = { .change = { .cli = cli } };
    struct watching_options opt = { services, o->prune, o->quiet, true };
    auto_(watching_stopp) struct watching *w = NULL;
    if (cli_load(cli, args, err) < 0)
        return -1;
    strv_each (name, args)
        if (!stack_service(cli->stack, *name))
            return error_set(err, ERR_NOTFOUND, 0, "no such service: %s", *name);
    /* The output of commands is to be seen when it comes, also by a program behind a pipe. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    int code = watching_start(&w, &r.change, &opt, err);
    if (code == 0)
        code = change_begin(&r.change, cli, "watch", err);
    r.change.quiet_build = o->quiet;
    if (code == 0 && !o->no_up)
        code = bring_up(&r.change, services, err);
    if (code == 0 && cli->global.dry_run)
        watching_print(w);
    else if (code == 0)
        code = watch(&r, w);
    change_end(&r.change);
    return code;
}

static const char *const examples[] = {
    "stack watch",
    "bring everything up, then follow changes of files",
    "stack watch --no-up web",
    "only for web, which runs already",
    "stack up --watch",
    "the same beside the output of the containers",
    NULL,
};

extern const struct command cmd_watch;
const struct command cmd_watch = {
    .name = "watch",
    .group = "Everyday",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Bring changes of files into the containers as they are saved",
    .text = "What services say under develop.watch is done when files change: they are copied "
            "into the containers of the service (sync), which are then restarted (sync+restart) "
            "or run a command (sync+exec); the containers are restarted alone (restart); or the "
            "image is built anew and the containers are replaced (rebuild).\n"
            "Many files saved at once are one action. Left out are .git, what editors leave "
            "about, and what the .dockerignore of the service's build or the rule's ignore says. "
            "A build that fails is told, and the next change tries again.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct watch_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
