/* Volumes. Creating one that is there answers with it, so a lost answer is simply asked for again.
 */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/create.h"
#include "engine/requests.h"
#include "run/private.h"

static enum verdict volume_verdict(struct task *t, const json_t *seen)
{
    bool there = seen != NULL;
    return (t->op->kind == OP_VOLUME_CREATE) == there ? VERDICT_DONE : VERDICT_AGAIN;
}

static void on_volume(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    auto_error struct error no_name = ERROR_INIT;
    t->call = NULL;
    if (!err && t->op->kind == OP_VOLUME_CREATE && !json_str(answer->json, "Name")) {
        error_set(&no_name, ERR_PROTOCOL, 0, "the engine does not say that it made it");
        err = &no_name;
    }
    if (!err) {
        bool gone = answer->status == 404 && !t->op->volumes;
        task_done(t, gone ? OUTCOME_SKIPPED : OUTCOME_DONE);
        return;
    }
    if (answer_lost(err)) {
        struct engine_request look;
        rq_volume_inspect(&look, t->op->volume ? t->op->volume->name : t->op->subject);
        recover(t, err, &look, volume_verdict,
                t->op->kind == OP_VOLUME_CREATE ? start_volume_create : start_volume_remove);
        return;
    }
    task_fail_copy(t, err);
}

void start_volume_create(struct task *t)
{
    struct engine_request rq;
    rq_volume_create(&rq, create_volume_body(t->run->opt->stack, t->op->volume));
    t->attempts++;
    task_send(t, &rq, on_volume);
}

void start_volume_remove(struct task *t)
{
    struct engine_request rq;
    rq_volume_remove(&rq, t->op->volume ? t->op->volume->name : t->op->subject, t->op->force);
    rq.missing_ok = true;
    t->attempts++;
    task_send(t, &rq, on_volume);
}
