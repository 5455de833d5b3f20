/* post_start and pre_stop: a command in the container, its end awaited. */
#include <string.h>

#include "base/mem.h"
#include "engine/create.h"
#include "run/exec.h"
#include "run/private.h"

#define SHOWN_MAX (64 << 10) /* the last bytes of a hook's output */

static void cancel_hook(struct task *t)
{
    exec_cancel(t->data);
    t->data = NULL;
}

/* Their lines stand among those of the containers, as "web-1 ->  | text". */
static void show(struct task *t, const char *output)
{
    struct run *r = t->run;
    const struct op *op = t->op;
    auto_free char *label = xasprintf("%s-%d -> ", op->service_name, op->number);
    for (const char *line = output; *line;) {
        size_t len = strcspn(line, "\n");
        struct event e = { .kind = EVENT_LOG,
                           .plan = r->plan,
                           .text = line,
                           .len = len,
                           .container = task_target_id(t),
                           .name = op->subject,
                           .service = op->service_name,
                           .label = label,
                           .number = op->number,
                           .stream = 1 };
        r->sink.event(r->sink.ctx, &e);
        line += len + (line[len] == '\n');
    }
}

static void on_ended(void *ctx, int code, const char *output, const struct error *err)
{
    struct task *t = ctx;
    struct error e = ERROR_INIT;
    t->data = NULL;
    t->cancel = NULL;
    if (!err && t->run->opt->hook_output)
        show(t, output);
    if (err) {
        error_copy(&e, err);
    } else if (code != 0) {
        t->output = xstrdup(output);
        error_set(&e, ERR_UNREADY, code, "%s hook exited with status %d", t->op->service_name,
                  code);
    } else {
        task_done(t, OUTCOME_DONE);
        return;
    }
    task_fail(t, &e);
}

void start_hook(struct task *t)
{
    t->cancel = cancel_hook;
    t->data = exec_start(t->run->engine, task_target_id(t), create_hook_body(t->op->hook), 0,
                         on_ended, t);
    if (t->run->opt->hook_output)
        exec_keep(t->data, SHOWN_MAX);
}
