/* Credentials, then the pull, then a look at what came: only that tells which image it is. */
#include "build/pull.h"

#include "base/json.h"
#include "base/mem.h"
#include "build/layers.h"
#include "engine/requests.h"
#include "registry/auth.h"
#include "text/imageref.h"

struct image_pull {
    struct engine *engine;
    char *ref, *platform;
    struct image_pull_handlers hd;
    struct registry_lookup *lookup;
    struct engine_call *call;
    struct layers layers;
    struct error err; /* inside the stream */
};

static void pull_free(struct image_pull *p)
{
    free(p->ref);
    free(p->platform);
    layers_clear(&p->layers);
    error_clear(&p->err);
    free(p);
}

static void end(struct image_pull *p, const json_t *image, const struct error *err)
{
    p->hd.done(p->hd.ctx, image, err);
    pull_free(p);
}

static void on_seen(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct image_pull *p = ctx;
    p->call = NULL;
    end(p, err ? NULL : answer->json, err);
}

static void on_value(void *ctx, json_t *value)
{
    struct image_pull *p = ctx;
    const char *error = json_str(value, "errorDetail.message");
    if (!error)
        error = json_str(value, "error");
    if (error)
        error_set(&p->err, ERR_PULL, 0, "%s", error);
    if (layers_pull(&p->layers, value) && p->hd.progress)
        p->hd.progress(p->hd.ctx, p->layers.current, p->layers.total);
}

static void on_pulled(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct image_pull *p = ctx;
    (void)answer;
    p->call = NULL;
    if (err && !p->err.kind) {
        error_copy(&p->err, err);
        if (err->kind == ERR_ENGINE)
            p->err.kind = ERR_PULL;
    }
    if (p->err.kind) {
        end(p, NULL, &p->err);
        return;
    }
    struct engine_request rq;
    rq_image_inspect(&rq, p->ref);
    p->call = engine_start(p->engine, &rq, &(struct engine_handlers){ .done = on_seen, .ctx = p });
}

static void on_credentials(void *ctx, const char *value, const struct error *err)
{
    struct image_pull *p = ctx;
    p->lookup = NULL;
    auto_(arena_freep) struct arena *a = arena_new();
    auto_error struct error problem = ERROR_INIT;
    struct imageref ref;
    if (err)
        error_copy(&problem, err);
    if (err || imageref_parse(&ref, a, p->ref, &problem) < 0) {
        end(p, NULL, &problem);
        return;
    }
    const struct engine_handlers hd = { .on_json = on_value, .done = on_pulled, .ctx = p };
    struct engine_request rq;
    rq_image_pull(&rq, ref.name, ref.digest ? ref.digest : ref.tag, p->platform, value);
    p->call = engine_start(p->engine, &rq, &hd);
}

struct image_pull *image_pull_start(struct engine *e, const char *ref, const char *platform,
                                    const struct image_pull_handlers *hd)
{
    struct image_pull *p = xnew(struct image_pull);
    p->engine = e;
    p->ref = xstrdup(ref);
    p->platform = xstrdup(platform);
    p->hd = *hd;
    p->lookup = registry_auth_start(engine_loop(e), p->ref, on_credentials, p);
    return p;
}

void image_pull_cancel(struct image_pull *p)
{
    if (!p)
        return;
    if (p->lookup)
        registry_cancel(p->lookup);
    if (p->call)
        engine_cancel(p->call);
    pull_free(p);
}
