/*
 * Networks. Names are not unique on every engine (20.10 makes eight of eight that are created at
 * once), so everything goes by id, and a create that met another one looks again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/create.h"
#include "engine/requests.h"
#include "model/labels.h"
#include "run/private.h"

#define BUSY_PAUSE_MS 150
#define BUSY_TRIES 12 /* a network that containers are just leaving: about 10 s, growing */

/* The list of networks of that name: one of this stack is the one. */
static enum verdict network_verdict(struct task *t, const json_t *seen)
{
    size_t i;
    json_t *entry;
    json_array_foreach (seen, i, entry) {
        const json_t *labels = json_object_get(entry, "Labels");
        const char *stack = json_string_value(json_object_get(labels, LABEL_STACK));
        if (!str_eq(json_str(entry, "Name"), t->op->network->name))
            continue;
        /* Not ours by label, but of that name: used as it is, as docker compose does. */
        if (str_eq(stack, t->run->opt->stack_name) || t->attempts > 1) {
            free(t->id);
            t->id = xstrdup(json_str(entry, "Id"));
            return t->id ? VERDICT_DONE : VERDICT_FAIL;
        }
    }
    return VERDICT_AGAIN;
}

static void on_network(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    auto_error struct error why = ERROR_INIT;
    if (task_made(&why, t, answer, err) == 0)
        return;
    bool exists = why.kind == ERR_ENGINE &&
                  (why.code == 409 || (why.msg && strstr(why.msg, "already exists")));
    if (answer_lost(&why) || exists) {
        struct engine_request look;
        const char *name = t->op->network->name;
        rq_networks_named(&look, &name, 1);
        recover(t, &why, &look, network_verdict, start_network_create);
        return;
    }
    task_fail(t, &why);
}

void start_network_create(struct task *t)
{
    struct engine_request rq;
    rq_network_create(&rq, create_network_body(t->run->opt->stack, t->op->network));
    t->attempts++;
    task_send(t, &rq, on_network);
}

static void send_remove(void *ctx);

static enum verdict removed_verdict(struct task *t, const json_t *seen)
{
    (void)t;
    return seen ? VERDICT_AGAIN : VERDICT_DONE;
}

static void on_removed(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    t->call = NULL;
    if (!err) {
        task_done(t, answer->status == 404 ? OUTCOME_SKIPPED : OUTCOME_DONE);
        return;
    }
    if (answer_lost(err)) {
        struct engine_request look;
        rq_network_inspect(&look, task_target_id(t));
        recover(t, err, &look, removed_verdict, start_network_remove);
        return;
    }
    if (untangle(t, err, false, start_network_remove))
        return;
    /* "has active endpoints": a container of ours that is just leaving, or one of somebody else. */
    bool busy = err->kind == ERR_ENGINE && err->msg && strstr(err->msg, "active endpoints");
    if (busy && t->attempts < BUSY_TRIES) {
        task_progress(t, "still in use");
        task_after(t, BUSY_PAUSE_MS * t->attempts, send_remove);
        return;
    }
    task_fail_copy(t, err);
}

static void send_remove(void *ctx)
{
    struct task *t = ctx;
    struct engine_request rq;
    rq_network_remove(&rq, task_target_id(t));
    rq.missing_ok = true;
    t->attempts++;
    task_send(t, &rq, on_removed);
}

void start_network_remove(struct task *t)
{
    send_remove(t);
}

/* --- connect --- */

static const char *id_of_network(const struct task *t, const struct network *n)
{
    for (size_t i = 0; i < t->run->plan->nops; i++) {
        const struct task *other = &t->run->tasks[i];
        if (other->op->kind == OP_NETWORK_CREATE && other->op->network == n && other->id)
            return other->id;
    }
    const struct seen_network *seen = snapshot_network(t->run->opt->now, n->name);
    return seen ? seen->id : n->name;
}

static enum verdict connected_verdict(struct task *t, const json_t *seen)
{
    const json_t *networks = json_at(seen, "NetworkSettings.Networks");
    const char *id = id_of_network(t, t->op->endpoint->network), *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)networks, key, value)
        if (str_eq(key, t->op->endpoint->network->name) || str_eq(json_str(value, "NetworkID"), id))
            return VERDICT_DONE;
    return seen ? VERDICT_AGAIN : VERDICT_FAIL;
}

static void on_connected(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    (void)answer;
    t->call = NULL;
    if (!err) {
        task_done(t, OUTCOME_DONE);
        return;
    }
    bool already = err->kind == ERR_ENGINE && err->msg && strstr(err->msg, "already exists");
    if (answer_lost(err) || already) {
        struct engine_request look;
        rq_container_inspect(&look, task_target_id(t));
        recover(t, err, &look, connected_verdict, start_connect);
        return;
    }
    task_fail_copy(t, err);
}

void start_connect(struct task *t)
{
    const struct op *op = t->op;
    struct create_input in = {
        .stack = t->run->opt->stack,
        .service = op->service,
        .name = op->subject,
        .number = op->number,
        .api = engine_api(t->run->engine),
    };
    json_t *body = json_pack("{s:s, s:o}", "Container", task_target_id(t), "EndpointConfig",
                             create_endpoint_config(&in, op->endpoint));
    if (t->run->opt->adjust)
        t->run->opt->adjust(t->run->opt->adjust_ctx, op, body);
    struct engine_request rq;
    rq_network_connect(&rq, id_of_network(t, op->endpoint->network), body);
    t->attempts++;
    task_send(t, &rq, on_connected);
}
