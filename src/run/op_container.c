/*
 * Containers: create, and the verbs on one that exists. Each is one request; what other codes than
 * success mean is said beside each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/create.h"
#include "engine/requests.h"
#include "model/labels.h"
#include "plan/labels.h"
#include "run/private.h"

#define STOP_DEFAULT_S 10
#define REMOVAL_PAUSE_MS 250
#define REMOVAL_TRIES 40 /* "removal already in progress": 10 s in all */

/* --- create --- */

/* Only where the name says not enough, as older engines let several networks have one: by its name
 * a container finds a network again that was made anew. */
static const char *network_id(void *ctx, const char *name)
{
    const struct snapshot *now = ((struct task *)ctx)->run->opt->now;
    const struct seen_network *seen = now ? snapshot_network(now, name) : NULL;
    bool ambiguous = false;
    for (size_t i = 0; seen && i < now->nnetworks; i++)
        ambiguous |= &now->networks[i] != seen && str_eq(now->networks[i].name, name);
    return ambiguous ? seen->id : NULL;
}

/* The container of a service that this one names in its configuration. */
static const char *container_id(void *ctx, const char *service)
{
    const struct task *t = ctx;
    for (size_t i = 0; i < t->op->nparents; i++) {
        const struct op_parent *parent = &t->op->parents[i];
        if (str_eq(parent->service->name, service))
            return parent->create ? task_of(t->run, parent->create)->id : parent->id;
    }
    return NULL;
}

/* Anonymous volumes of the container that is replaced: target, volume name, ... */
static void add_anonymous(struct strv *out, const struct op *op)
{
    if (!op->old || op->renew_anon_volumes)
        return;
    for (size_t i = 0; i < op->old->nmounts; i++) {
        const struct seen_mount *m = &op->old->mounts[i];
        if (str_eq(m->type, "volume") && m->name && strlen(m->name) == 64) {
            strv_add(out, m->target);
            strv_add(out, m->name);
        }
    }
}

/* The id of an image that this run pulled or built. */
static const char *made_image(void *ctx, const char *ref)
{
    const struct task *t = ctx;
    const struct run *r = t->run;
    for (size_t i = 0; i < r->plan->nops; i++) {
        const struct task *other = &r->tasks[i];
        enum op_kind kind = other->op->kind;
        bool brings = kind == OP_IMAGE_PULL || kind == OP_IMAGE_BUILD || kind == OP_IMAGE_FETCH;
        if (brings && other->id && str_eq(other->op->ref, ref))
            return other->id;
    }
    return NULL;
}

static const char *made_container(void *ctx, const struct op *create)
{
    const struct task *t = ctx;
    return task_of(t->run, create)->id;
}

static bool is_ours(const struct task *t, const json_t *seen)
{
    const json_t *labels = json_at(seen, "Config.Labels");
    const char *stack = json_string_value(json_object_get(labels, LABEL_STACK));
    const char *service = json_string_value(json_object_get(labels, LABEL_SERVICE));
    const char *hash = json_string_value(json_object_get(labels, LABEL_HASH));
    return str_eq(stack, t->run->opt->stack_name) && str_eq(service, t->op->service_name) &&
           str_eq(hash, t->op->service->hash);
}

static enum verdict created_verdict(struct task *t, const json_t *seen)
{
    if (!seen)
        return VERDICT_AGAIN;
    if (!is_ours(t, seen))
        return VERDICT_FAIL;
    free(t->id);
    t->id = xstrdup(json_str(seen, "Id"));
    return t->id ? VERDICT_DONE : VERDICT_FAIL;
}

static void on_created(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    auto_error struct error why = ERROR_INIT;
    if (task_made(&why, t, answer, err) == 0)
        return;
    /* 409: the name is in use, perhaps by the container that a lost answer made. Podman says 500.
     */
    bool name_taken = why.kind == ERR_ENGINE && why.msg && strstr(why.msg, "in use");
    if (answer_lost(&why) || (why.kind == ERR_ENGINE && why.code == 409) || name_taken) {
        struct engine_request look;
        rq_container_inspect(&look, t->op->name);
        recover(t, &why, &look, created_verdict, start_create);
        return;
    }
    task_fail(t, &why);
}

static void send_create(struct task *t, char **link_variables)
{
    const struct op *op = t->op;
    auto_strv struct strv labels = STRV_INIT, anonymous = STRV_INIT;
    struct error err = ERROR_INIT;
    json_t *body = NULL;
    struct plan_ids ids = { .image = made_image, .container = made_container, .ctx = t };
    plan_labels(&labels, t->run->opt->stack, t->run->opt->now, op, &ids);
    add_anonymous(&anonymous, op);
    const char *host = engine_endpoint(t->run->engine)->host;
    const char *server = engine_server(t->run->engine);
    struct create_input in = {
        .stack = t->run->opt->stack,
        .service = op->service,
        .name = op->old ? op->subject : op->name,
        .image = op->ref,
        .number = op->number,
        .api = engine_api(t->run->engine),
        .podman = server && str_starts(server, "Libpod/"),
        .api_socket = str_starts(host, "unix://") ? host + strlen("unix://") : NULL,
        .labels = (const char *const *)labels.items,
        .network_id = network_id,
        .container_id = container_id,
        .ctx = t,
        .anonymous = (const char *const *)anonymous.items,
        .extra_environment = (const char *const *)link_variables,
    };
    if (create_container_body(&body, &in, &err) < 0) {
        task_fail(t, &err);
        return;
    }
    if (t->run->opt->adjust)
        t->run->opt->adjust(t->run->opt->adjust_ctx, op, body);
    struct engine_request rq;
    rq_container_create(&rq, op->name, op->platform, body);
    t->attempts++;
    task_send(t, &rq, on_created);
}

static void on_links(struct task *t, char **variables, const struct error *err)
{
    if (err) {
        task_fail_copy(t, err);
        return;
    }
    send_create(t, variables);
}

void start_create(struct task *t)
{
    const struct service *s = t->op->service;
    if (s->link_environment && (s->nlinks || node_get(s->config, "external_links")))
        links_collect(t, on_links);
    else
        send_create(t, NULL);
}

/* --- verbs --- */

/* Whether a container that has ended had been started by us: one that this run made, surely. */
static bool has_run(const struct task *t, const json_t *seen)
{
    int64_t at = 0;
    const char *text = json_str_or(seen, "State.StartedAt", "");
    return t->op->target || (clock_parse_rfc3339(&at, text) == 0 && at >= t->began_unix_ns);
}

/* What the container looks like when the verb has taken effect. */
static enum verdict verb_verdict(struct task *t, const json_t *seen)
{
    enum op_kind kind = t->op->kind;
    if (!seen)
        return kind == OP_REMOVE || kind == OP_STOP || kind == OP_KILL ? VERDICT_DONE
                                                                       : VERDICT_FAIL;
    bool running = json_bool(seen, "State.Running", false);
    bool paused = json_bool(seen, "State.Paused", false);
    const char *name = json_str_or(seen, "Name", "");
    const char *status = json_str_or(seen, "State.Status", "");
    switch (kind) {
    case OP_START:
        /* Exited: it ran in the meantime, which is what was asked for. */
        return running || (str_eq(status, "exited") && has_run(t, seen)) ? VERDICT_DONE
                                                                         : VERDICT_AGAIN;
    case OP_RESTART:
        return VERDICT_AGAIN;
    case OP_STOP:
    case OP_KILL:
        return running ? VERDICT_AGAIN : VERDICT_DONE;
    case OP_RENAME:
        return str_eq(name + (name[0] == '/'), t->op->name) ? VERDICT_DONE : VERDICT_AGAIN;
    case OP_PAUSE:
        return paused ? VERDICT_DONE : VERDICT_AGAIN;
    case OP_UNPAUSE:
        return paused ? VERDICT_AGAIN : VERDICT_DONE;
    default:
        return VERDICT_AGAIN;
    }
}

static void send_verb(void *ctx);

/* An engine says 204 when it has done what was asked for. Should it say something else that is no
 * error, such as that it was so already, it is looked at whether it is so. */
static bool is_doubtful(const struct task *t, int status)
{
    switch (t->op->kind) {
    case OP_RESTART: /* nothing would be seen of these two */
    case OP_KILL:
        return false;
    default:
        return status != 204 && status != 404;
    }
}

static void on_verb(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    const struct op *op = t->op;
    auto_error struct error doubt = ERROR_INIT;
    t->call = NULL;
    if (!err && !is_doubtful(t, answer->status)) {
        task_done(t, answer->status == 404 ? OUTCOME_SKIPPED : OUTCOME_DONE);
        return;
    }
    if (!err) {
        error_set(&doubt, ERR_PROTOCOL, 0, "the engine says that it is done (%d), and it is not so",
                  answer->status);
        err = &doubt;
    }
    /* 409: one that does not run cannot be killed, and is as dead as was asked for. */
    bool dead = op->kind == OP_KILL && err->kind == ERR_ENGINE && err->code == 409;
    if (dead || answer_lost(err)) {
        struct engine_request look;
        rq_container_inspect(&look, task_target_id(t));
        recover(t, err, &look, verb_verdict, start_container_verb);
        return;
    }
    if (untangle(t, err, true, start_container_verb))
        return;
    bool removing = op->kind == OP_REMOVE && err->code == 409 && err->msg &&
                    strstr(err->msg, "already in progress");
    if (removing && t->attempts < REMOVAL_TRIES) {
        task_after(t, REMOVAL_PAUSE_MS, send_verb);
        return;
    }
    task_fail_copy(t, err);
}

/* Seconds that the engine waits before it kills: the limit on silence follows from it. */
static int grace_seconds(const struct op *op)
{
    if (op->timeout_s >= 0)
        return op->timeout_s;
    if (op->service && op->service->stop_grace_ns >= 0)
        return (int)(op->service->stop_grace_ns / 1000000000) + 1;
    return STOP_DEFAULT_S;
}

static void send_verb(void *ctx)
{
    struct task *t = ctx;
    const struct op *op = t->op;
    const char *id = task_target_id(t);
    struct engine_request rq;
    switch (op->kind) {
    case OP_START:
        rq_container_start(&rq, id);
        break;
    case OP_STOP:
        rq_container_stop(&rq, id, op->signal, op->timeout_s);
        rq.missing_ok = true;
        rq.silence_ms = ((int64_t)grace_seconds(op) + 60) * 1000;
        break;
    case OP_KILL:
        rq_container_kill(&rq, id, op->signal);
        rq.missing_ok = true;
        break;
    case OP_REMOVE:
        rq_container_remove(&rq, id, op->force, op->volumes);
        rq.missing_ok = true;
        break;
    case OP_RENAME:
        rq_container_rename(&rq, id, op->name);
        break;
    case OP_RESTART:
        rq_container_restart(&rq, id, op->timeout_s);
        rq.silence_ms = ((int64_t)grace_seconds(op) + 60) * 1000;
        break;
    case OP_PAUSE:
        rq_container_pause(&rq, id);
        break;
    default:
        rq_container_unpause(&rq, id);
        break;
    }
    t->attempts++;
    task_send(t, &rq, on_verb);
}

void start_container_verb(struct task *t)
{
    send_verb(t);
}
