/* `stack wait`: until the containers of the services have ended; the exit code is the last one's.
 */
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/change.h"
#include "engine/requests.h"

struct wait_options {
    bool down_project;
};
#define OPTIONS wait_options

static const struct option rows[] = {
    ROW_FLAG(0, "down-project", down_project, "Take the stack down when the first one has ended"),
};

struct waiting {
    struct cli *cli;
    size_t left;
    int code;
    bool any, done;
    struct error err;
};

struct one {
    struct waiting *w;
    const struct seen_container *c;
    struct engine_call *call;
};

static void on_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct one *o = ctx;
    struct waiting *w = o->w;
    auto_error struct error e = ERROR_INIT;
    int code = -1;
    o->call = NULL;
    if (err)
        error_copy(&e, err);
    else
        code = engine_exit_code(answer->json, "StatusCode", &e);
    if (code < 0) {
        error_move(&w->err, &e);
        error_wrap(&w->err, "wait for container %s", o->c->name);
        w->done = true;
        return;
    }
    w->code = code;
    printf("container \"%s\" exited with status code %d\n", o->c->name, w->code);
    fflush(stdout);
    w->left--;
    w->done = w->any || w->left == 0;
}

static int take_down(struct cli *cli, struct error *err)
{
    struct change c = { 0 };
    struct plan_options opt = { .timeout_s = -1,
                                .remove_orphans = true,
                                .same_file = change_same_file };
    int code = -1;
    if (change_begin(&c, cli, "down", err) == 0 &&
        change_observe(&c, plan_down_observe(cli->stack, &opt), err) == 0 &&
        plan_down(&c.plan, cli->stack, cli->stack_name, c.now, &opt, err) == 0)
        code = change_run(&c, err);
    change_end(&c);
    return code;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct wait_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    struct {
        VEC(struct one *);
    } all = { 0 };
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    struct waiting w = { .cli = cli, .any = o->down_project };
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (c->oneoff || !strv_has(args, c->service))
            continue;
        struct one *one = *vec_push(&all) = xnew(struct one);
        struct engine_request rq;
        *one = (struct one){ .w = &w, .c = c };
        rq_container_wait(&rq, c->id, "not-running");
        one->call =
            engine_start(cli->engine, &rq, &(struct engine_handlers){ .done = on_end, .ctx = one });
        w.left++;
    }
    if (w.left == 0)
        error_set(err, ERR_NOTFOUND, 0, "no container of '%s'", args->items[0]);
    else
        loop_wait(cli->loop, &w.done);
    vec_each (it, &all) {
        if ((*it)->call)
            engine_cancel((*it)->call);
        free(*it);
    }
    bool none = all.len == 0;
    vec_free(&all);
    if (none || w.err.kind)
        return none ? -1 : error_move(err, &w.err);
    if (o->down_project && take_down(cli, err) < 0)
        return -1;
    return w.code;
}

extern const struct command cmd_wait;
const struct command cmd_wait = {
    .name = "wait",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE...",
    .summary = "Wait until the containers of the services have ended",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct wait_options),
    .min_args = 1,
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
