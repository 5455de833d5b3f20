/* Credentials, then the stream of layers; then, of a pull, a look at what came: only that tells
 * which image it is. */
#include "build/transfer.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/requests.h"
#include "registry/auth.h"
#include "text/imageref.h"

struct transfer {
    struct engine *engine;
    char *ref, *platform;
    bool push, asked, login;
    struct transfer_handlers hd;
    struct registry_lookup *lookup;
    struct engine_call *call;
    struct layers layers;
    struct error err; /* inside the stream */
};

bool transfer_asked(const struct transfer *t)
{
    return t->asked;
}

bool transfer_has_login(const struct transfer *t)
{
    return t->login;
}

static void transfer_free(struct transfer *t)
{
    free(t->ref);
    free(t->platform);
    layers_clear(&t->layers);
    error_clear(&t->err);
    free(t);
}

static void end(struct transfer *t, const json_t *image, const struct error *err)
{
    t->hd.done(t->hd.ctx, image, err);
    transfer_free(t);
}

/* The stream said nothing bad; whether the image is there, only looking tells. */
static void on_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct transfer *t = ctx;
    t->call = NULL;
    if (!err && !json_str(answer->json, "Id"))
        error_set(&t->err, ERR_PROTOCOL, 0, "the engine does not say which image that is");
    const struct error *problem = err ? err : t->err.kind ? &t->err : NULL;
    end(t, problem ? NULL : answer->json, problem);
}

static void on_value(void *ctx, json_t *value)
{
    struct transfer *t = ctx;
    const char *error = json_str(value, "errorDetail.message");
    if (!error)
        error = json_str(value, "error");
    if (error)
        error_set(&t->err, ERR_PULL, 0, "%s", error);
    if (layers_transfer(&t->layers, value) && t->hd.progress)
        t->hd.progress(t->hd.ctx, &t->layers);
}

static void on_ended(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct transfer *t = ctx;
    (void)answer;
    t->call = NULL;
    if (err && !t->err.kind) {
        error_copy(&t->err, err);
        if (err->kind == ERR_ENGINE)
            t->err.kind = ERR_PULL;
    }
    if (t->err.kind || t->push) {
        end(t, NULL, t->err.kind ? &t->err : NULL);
        return;
    }
    struct engine_request rq;
    rq_image_inspect(&rq, t->ref);
    t->call = engine_start(t->engine, &rq, &(struct engine_handlers){ .done = on_seen, .ctx = t });
}

static void on_credentials(void *ctx, const char *value, const struct error *err)
{
    struct transfer *t = ctx;
    t->lookup = NULL;
    auto_(arena_freep) struct arena *a = arena_new();
    auto_error struct error problem = ERROR_INIT;
    struct imageref ref;
    if (err)
        error_copy(&problem, err);
    if (err || imageref_parse(&ref, a, t->ref, &problem) < 0) {
        end(t, NULL, &problem);
        return;
    }
    t->asked = true;
    t->login = value;
    const struct engine_handlers hd = { .on_json = on_value, .done = on_ended, .ctx = t };
    struct engine_request rq;
    if (t->push)
        rq_image_push(&rq, ref.name, ref.tag, value);
    else
        rq_image_pull(&rq, ref.name, ref.digest ? ref.digest : ref.tag, t->platform, value);
    t->call = engine_start(t->engine, &rq, &hd);
}

static struct transfer *start(struct engine *e, const char *ref, const char *platform, bool push,
                              const struct transfer_handlers *hd)
{
    struct transfer *t = xnew(struct transfer);
    t->engine = e;
    t->ref = xstrdup(ref);
    t->platform = xstrdup(platform);
    t->push = push;
    t->hd = *hd;
    t->lookup = registry_auth_start(engine_loop(e), t->ref, on_credentials, t);
    return t;
}

struct transfer *transfer_pull(struct engine *e, const char *ref, const char *platform,
                               const struct transfer_handlers *hd)
{
    return start(e, ref, platform, false, hd);
}

struct transfer *transfer_push(struct engine *e, const char *ref,
                               const struct transfer_handlers *hd)
{
    return start(e, ref, NULL, true, hd);
}

void transfer_cancel(struct transfer *t)
{
    if (!t)
        return;
    if (t->lookup)
        registry_cancel(t->lookup);
    if (t->call)
        engine_cancel(t->call);
    transfer_free(t);
}
