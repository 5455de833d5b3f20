/*
 * Images from and to registries. Credentials are looked for first, those of the one host; then the
 * engine's stream of layers is folded into one line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"
#include "build/layers.h"
#include "engine/requests.h"
#include "registry/auth.h"
#include "run/private.h"
#include "text/imageref.h"

#define MAX_LAYERS 1000

struct layer {
    int64_t current, total;
    bool done;
};

struct transfer {
    struct task *t;
    struct strmap layers;           /* id -> struct layer */
    struct error err;               /* an error inside the stream */
    struct registry_lookup *lookup; /* credentials are being looked for */
    bool login;                     /* there are some */
};

static void free_transfer(struct transfer *x)
{
    x->t->data = NULL;
    x->t->cancel = NULL;
    strmap_clear(&x->layers, free);
    error_clear(&x->err);
    free(x);
}

static void cancel_transfer(struct task *t)
{
    struct transfer *x = t->data;
    if (x->lookup)
        registry_cancel(x->lookup);
    if (t->call)
        engine_cancel(t->call);
    free_transfer(x);
}

static void show_progress(struct transfer *x)
{
    size_t done = 0, n = 0;
    int64_t current = 0, total = 0;
    strmap_each (it, &x->layers) {
        const struct layer *l = it->value;
        n++;
        done += l->done;
        current += l->done ? l->total : l->current;
        total += l->total;
    }
    auto_free char *text = xasprintf("%zu of %zu layers", done, n);
    struct run *r = x->t->run;
    r->sink.event(r->sink.ctx, &(struct event){ .kind = EVENT_PROGRESS,
                                                .plan = r->plan,
                                                .op = x->t->op,
                                                .text = text,
                                                .len = strlen(text),
                                                .current = current,
                                                .total = total });
}

static bool is_end(const char *status)
{
    static const char *const ends[] = { "Pull complete", "Already exists", "Pushed",
                                        "Layer already exists" };
    for (size_t i = 0; i < countof(ends); i++)
        if (str_eq(status, ends[i]))
            return true;
    return str_starts(status, "Mounted from");
}

static void on_json(void *ctx, json_t *value)
{
    struct transfer *x = ctx;
    const char *error = json_str(value, "error");
    const char *id = json_str(value, "id"), *status = json_str_or(value, "status", "");
    if (error) {
        error_set(&x->err, ERR_PULL, 0, "%s", error);
        return;
    }
    if (!id || !json_at(value, "progressDetail"))
        return;
    struct layer *l = strmap_get(&x->layers, id);
    if (!l) {
        if (strmap_len(&x->layers) > MAX_LAYERS)
            return;
        l = xnew(struct layer);
        strmap_set(&x->layers, id, l);
    }
    int64_t total = json_int(value, "progressDetail.total", 0);
    if (str_eq(status, "Downloading") || str_eq(status, "Pushing")) {
        l->current = layers_bounded(json_int(value, "progressDetail.current", 0));
        l->total = total > 0 ? layers_bounded(total) : l->total;
    }
    l->done |= is_end(status);
    show_progress(x);
}

/* Registries refuse in these words, with a login that is wrong as well as without one. */
static bool is_refusal(const char *message)
{
    static const char *const words[] = { "unauthorized",  "authentication required",
                                         "no basic auth", "access denied",
                                         "denied: ",      "401 Unauthorized" };
    for (size_t i = 0; i < countof(words); i++)
        if (strstr(message, words[i]))
            return true;
    return false;
}

static void hint_login(struct error *e, const char *ref, bool login)
{
    auto_(arena_freep) struct arena *arena = arena_new();
    struct imageref parsed;
    if (imageref_parse(&parsed, arena, ref, NULL) < 0)
        return;
    bool hub = str_eq(parsed.domain, "docker.io");
    auto_free char *command =
        xasprintf("docker login%s%s", hub ? "" : " ", hub ? "" : parsed.domain);
    if (login)
        error_hint(e, "%s does not accept the login that is kept for it: log in anew with '%s'",
                   parsed.domain, command);
    else
        error_hint(e, "log in with '%s', unless the image's name is wrong", command);
}

static void fail_transfer(struct task *t, const struct error *err, bool login)
{
    struct error e = ERROR_INIT;
    error_set(&e, ERR_PULL, err->code, "%s '%s': %s", op_words[t->op->kind].verb, t->op->ref,
              err->msg);
    if (err->hint)
        error_hint(&e, "%s", err->hint);
    else if (is_refusal(err->msg))
        hint_login(&e, t->op->ref, login);
    if (err->kind == ERR_NETWORK || err->kind == ERR_CANCELED)
        e.kind = err->kind;
    task_fail(t, &e);
}

/* The stream said nothing bad; whether the image is there, only looking tells. */
static void on_pulled_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    t->call = NULL;
    const char *id = err ? NULL : json_str(answer->json, "Id");
    auto_error struct error no_id = ERROR_INIT;
    if (!id) {
        error_set(&no_id, ERR_PROTOCOL, 0, "the engine does not say which image that is");
        fail_transfer(t, err ? err : &no_id, true);
        return;
    }
    free(t->id);
    t->id = xstrdup(id);
    task_done(t, OUTCOME_DONE);
}

static void on_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct transfer *x = ctx;
    struct task *t = x->t;
    (void)answer;
    t->call = NULL;
    auto_error struct error inside = x->err;
    x->err = ERROR_INIT;
    bool login = x->login;
    free_transfer(x);
    if (err || inside.kind) {
        fail_transfer(t, err ? err : &inside, login);
    } else if (t->op->kind == OP_IMAGE_PUSH) {
        task_done(t, OUTCOME_DONE);
    } else {
        struct engine_request look;
        rq_image_inspect(&look, t->op->ref);
        task_send(t, &look, on_pulled_seen);
    }
}

static void on_auth(void *ctx, const char *auth, const struct error *err)
{
    struct transfer *x = ctx;
    struct task *t = x->t;
    x->lookup = NULL;
    struct error e = ERROR_INIT;
    struct imageref ref;
    struct engine_request rq;
    auto_(arena_freep) struct arena *arena = arena_new();
    if (err)
        error_copy(&e, err);
    if (err || imageref_parse(&ref, arena, t->op->ref, &e) < 0) {
        free_transfer(x);
        task_fail(t, &e);
        return;
    }
    x->login = auth;
    if (t->op->kind == OP_IMAGE_PUSH)
        rq_image_push(&rq, ref.name, ref.tag, auth);
    else
        rq_image_pull(&rq, ref.name, ref.digest ? ref.digest : ref.tag, t->op->platform, auth);
    struct engine_handlers hd = { .on_json = on_json, .done = on_done, .ctx = x };
    t->call = engine_start(t->run->engine, &rq, &hd);
}

void start_transfer(struct task *t)
{
    struct transfer *x = xnew(struct transfer);
    x->t = t;
    t->data = x;
    t->cancel = cancel_transfer;
    x->lookup = registry_auth_start(t->run->loop, t->op->ref, on_auth, x);
}
