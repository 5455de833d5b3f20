/* Bases: for each one look, pull if need be. One step() function says what comes next. */
#include "build/bases.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "build/transfer.h"
#include "engine/requests.h"

struct bases {
    struct engine *engine;
    struct survey_detail *detail;
    bool pull;
    struct bases_handlers hd;
    struct strv names;
    size_t at;
    bool looked; /* for the current one */
    struct transfer *transfer;
    struct engine_call *call;
    struct loop_timer *soon;
};

static void step(struct bases *b);

static void bases_free(struct bases *b)
{
    strv_clear(&b->names);
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
    b->looked = false;
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
    bool absent = err && err->kind == ERR_ENGINE && err->code == 404;
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

static void on_progress(void *ctx, const struct layers *layers)
{
    report(ctx, (struct build_step){
                    .what = STEP_PROGRESS, .current = layers->current, .total = layers->total });
}

static void on_pulled(void *ctx, const json_t *image, const struct error *err)
{
    struct bases *b = ctx;
    b->transfer = NULL;
    if (err) {
        auto_error struct error problem = ERROR_INIT;
        error_copy(&problem, err);
        error_wrap(&problem, "pull the base '%s'", current(b));
        report(b, (struct build_step){
                      .what = STEP_FAILED, .text = problem.msg, .len = strlen(problem.msg) });
        end(b, &problem);
        return;
    }
    report(b, (struct build_step){ .what = STEP_DONE });
    strmap_set(&b->detail->pulled, current(b), b->detail);
    note(b, image);
    next(b);
}

static void pull(struct bases *b)
{
    const struct transfer_handlers hd = { on_progress, on_pulled, b };
    report(b, (struct build_step){ .what = STEP_STARTED });
    b->transfer = transfer_pull(b->engine, current(b), NULL, &hd);
}

static void step(struct bases *b)
{
    if (b->at == b->names.len)
        end(b, NULL);
    else if (!b->looked && !b->pull)
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
    transfer_cancel(b->transfer);
    if (b->call)
        engine_cancel(b->call);
    bases_free(b);
}
