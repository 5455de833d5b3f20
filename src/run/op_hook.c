/* post_start and pre_stop: a command in the container, its end awaited. */
#include "engine/create.h"
#include "run/exec.h"
#include "run/private.h"

#include "base/mem.h"

static void cancel_hook(struct task *t)
{
    exec_cancel(t->data);
    t->data = NULL;
}

static void on_ended(void *ctx, int code, const char *output, const struct error *err)
{
    struct task *t = ctx;
    struct error e = ERROR_INIT;
    t->data = NULL;
    t->cancel = NULL;
    if (err) {
        error_copy(&e, err);
    } else if (code != 0) {
        t->output = xstrdup(output);
        error_set(&e, ERR_UNREADY, code, "the command of the hook ended with exit code %d", code);
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
}
