/*
 * Bases: for each one look, pull if need be (credentials first), look again. One step() function
 * says what comes next.
 */
#include "build/bases.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "build/layers.h"
#include "engine/requests.h"
#include "registry/auth.h"
#include "text/imageref.h"

struct bases {
    struct engine *engine;
    struct survey_detail *detail;
    bool pull;
    struct bases_handlers hd;
    struct strv names;
    size_t at;
    bool looked; /* for the current one */
    bool pulled;
    struct registry_lookup *lookup;
    struct engine_call *call;
    struct loop_timer *soon;
    struct layers layers;
    struct error err; /* of the pull's stream */
};

static void step(struct bases *b);

static void bases_free(struct bases *b)
{
    strv_clear(&b->names);
    layers_clear(&b->layers);
    error_clear(&b->err);
    free(b);
}

static void end(struct bases *b, const struct error *err)
{
    b->hd.done(b->hd.ctx, err);
    bases_free(b);
}

static const char *current(const struct bases *b)
{
    return b->names.items[b->at];
}

static void report(struct bases *b, struct build_step what)
{
    auto_free char *name = xasprintf("pull %s", current(b));
    what.id = name;
    what.name = name;
    b->hd.step(b->hd.ctx, &what);
}

static void next(struct bases *b)
{
    b->at++;
    b->looked = b->pulled = false;
    layers_clear(&b->layers);
    step(b);
}

/* Looking. */

static void note(struct bases *b, const json_t *image)
{
    const json_t *digests = json_object_get(image, "RepoDigests");
    size_t n = json_array_size(digests);
    const char **refs = xcalloc(n + 1, sizeof(*refs));
    size_t nrefs = 0;
    for (size_t i = 0; i < n; i++) {
        const char *ref = json_string_value(json_array_get(digests, i));
        if (ref)
            refs[nrefs++] = ref;
    }
    auto_free char *identity =
        survey_identity(current(b), json_str_or(image, "Id", ""), refs, nrefs);
    survey_set_identity(b->detail, current(b), identity);
    free(refs);
}

static void on_look(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct bases *b = ctx;
    b->call = NULL;
    b->looked = true;
    if (!err)
        note(b, answer->json);
    bool absent = err && err->kind == ERR_ENGINE && err->code == 404 && !b->pulled;
    if (err && !absent)
        end(b, err);
    else if (err)
        step(b);
    else
        next(b);
}

static void look(struct bases *b)
{
    const struct engine_handlers hd = { .done = on_look, .ctx = b };
    struct engine_request rq;
    rq_image_inspect(&rq, current(b));
    b->call = engine_start(b->engine, &rq, &hd);
}

/* Pulling. */

static void on_pull_value(void *ctx, json_t *value)
{
    struct bases *b = ctx;
    const char *error = json_str(value, "errorDetail.message");
    if (!error)
        error = json_str(value, "error");
    if (error)
        error_set(&b->err, ERR_PULL, 0, "%s", error);
    if (layers_pull(&b->layers, value))
        report(b, (struct build_step){ .what = STEP_PROGRESS,
                                       .current = b->layers.current,
                                       .total = b->layers.total });
}

static void on_pulled(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct bases *b = ctx;
    (void)answer;
    b->call = NULL;
    if (err && !b->err.kind) {
        error_copy(&b->err, err);
        if (err->kind == ERR_ENGINE)
            b->err.kind = ERR_PULL;
    }
    if (b->err.kind) {
        error_wrap(&b->err, "pull the base '%s'", current(b));
        report(b, (struct build_step){
                      .what = STEP_FAILED, .text = b->err.msg, .len = strlen(b->err.msg) });
        end(b, &b->err);
        return;
    }
    report(b, (struct build_step){ .what = STEP_DONE });
    strmap_set(&b->detail->pulled, current(b), b->detail);
    b->pulled = true;
    b->looked = false;
    step(b);
}

static void on_credentials(void *ctx, const char *value, const struct error *err)
{
    struct bases *b = ctx;
    b->lookup = NULL;
    auto_(arena_freep) struct arena *a = arena_new();
    struct imageref ref;
    auto_error struct error problem = ERROR_INIT;
    if (err)
        error_copy(&problem, err);
    if (err || imageref_parse(&ref, a, current(b), &problem) < 0) {
        error_wrap(&problem, "pull the base '%s'", current(b));
        end(b, &problem);
        return;
    }
    const struct engine_handlers hd = { .on_json = on_pull_value, .done = on_pulled, .ctx = b };
    struct engine_request rq;
    rq_image_pull(&rq, ref.name, ref.digest ? ref.digest : ref.tag, NULL, value);
    b->call = engine_start(b->engine, &rq, &hd);
}

static void pull(struct bases *b)
{
    report(b, (struct build_step){ .what = STEP_STARTED });
    b->lookup = registry_auth_start(engine_loop(b->engine), current(b), on_credentials, b);
}

static void step(struct bases *b)
{
    if (b->at == b->names.len)
        end(b, NULL);
    else if (!b->looked && (b->pulled || !b->pull))
        look(b);
    else
        pull(b);
}

/* Starting. */

static void add(void *ctx, const struct recipe *owner, size_t use)
{
    struct bases *b = ctx;
    const char *base = owner->sources[use].base;
    if (!recipe_observable(owner, use) || strv_has(&b->names, base))
        return;
    if (b->pull ? !strmap_has(&b->detail->pulled, base) : !strmap_has(&b->detail->identities, base))
        strv_add(&b->names, base);
}

static void begin(void *ctx)
{
    step(ctx);
}

struct bases *bases_start(struct engine *e, struct survey_detail *d, const struct recipe *recipe,
                          bool pull_all, const struct bases_handlers *hd)
{
    struct bases *b = xnew(struct bases);
    b->engine = e;
    b->detail = d;
    b->pull = pull_all;
    b->hd = *hd;
    survey_each_source(d, recipe, add, b);
    loop_after(&b->soon, engine_loop(e), 0, begin, b);
    return b;
}

void bases_cancel(struct bases *b)
{
    if (!b)
        return;
    loop_timer_cancel(&b->soon);
    if (b->lookup)
        registry_cancel(b->lookup);
    if (b->call)
        engine_cancel(b->call);
    bases_free(b);
}
