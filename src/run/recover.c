/*
 * Lost answers. A request that changes something is never repeated blindly: when its answer is
 * lost, the object is looked at, and what is seen decides. Looking is a GET, which the engine room
 * repeats by itself on a broken connection.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "run/private.h"

#define MOST_ATTEMPTS 3
#define PAUSE_MS 200

struct recovery {
    struct error first;
    enum verdict (*verdict)(struct task *t, const json_t *seen);
    void (*again)(struct task *t);
};

bool answer_lost(const struct error *err)
{
    return err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT || err->kind == ERR_PROTOCOL;
}

static void free_recovery(struct task *t)
{
    struct recovery *rec = take(t->data);
    t->recovering = false;
    t->cancel = NULL;
    if (!rec)
        return;
    error_clear(&rec->first);
    free(rec);
}

static void cancel_recovery(struct task *t)
{
    if (t->call)
        engine_cancel(t->call);
    free_recovery(t);
}

static void send_again(void *ctx)
{
    struct task *t = ctx;
    struct recovery *rec = t->data;
    void (*again)(struct task * t) = rec->again;
    free_recovery(t);
    again(t);
}

static void on_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    struct recovery *rec = t->data;
    t->call = NULL;
    enum verdict verdict;
    if (err && !(err->kind == ERR_ENGINE && err->code == 404))
        verdict = VERDICT_FAIL;
    else
        verdict = rec->verdict(t, err ? NULL : answer->json);
    if (verdict == VERDICT_AGAIN && t->attempts < MOST_ATTEMPTS) {
        task_after(t, PAUSE_MS * t->attempts, send_again);
        return;
    }
    struct error first = rec->first;
    rec->first = ERROR_INIT;
    free_recovery(t);
    if (verdict == VERDICT_DONE) {
        error_clear(&first);
        task_done(t, OUTCOME_DONE);
    } else {
        task_fail(t, &first);
    }
}

void recover(struct task *t, const struct error *first, struct engine_request *look,
             enum verdict (*verdict)(struct task *t, const json_t *seen),
             void (*again)(struct task *t))
{
    struct recovery *rec = xnew(struct recovery);
    error_copy(&rec->first, first);
    rec->verdict = verdict;
    rec->again = again;
    t->data = rec;
    t->recovering = true;
    t->cancel = cancel_recovery;
    task_send(t, look, on_seen);
}
