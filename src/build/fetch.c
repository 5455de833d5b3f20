/*
 * One step after the other: what unknown bases are, the engine's architecture, the pull by content,
 * the commit of the project (on the worker pool), the pull by commit, the tag. A step that brings
 * nothing is no failure: the image is then built here.
 */
#include "build/fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "build/survey.h"
#include "build/transfer.h"
#include "engine/requests.h"
#include "git/identity.h"
#include "registry/auth.h"
#include "text/imageref.h"

/* What the worker finds; it outlives a fetch that is cancelled meanwhile. */
struct commit {
    struct fetch *fetch; /* NULL: cancelled */
    char *dir;
    char *id; /* NULL: no commit, or local changes */
};

struct fetch {
    struct engine *engine;
    struct survey_detail *detail;
    const struct image *image;
    struct fetch_handlers hd;
    struct strv unknown; /* bases */
    size_t at;
    char *architecture;
    char *ref; /* that is being pulled */
    bool exact, by_commit;
    char *image_id;
    struct registry_lookup *lookup;
    struct engine_call *call;
    struct transfer *pull;
    struct commit *commit;
    struct loop_timer *soon;
    struct error err; /* the first that is more than absence */
};

char *fetch_repository(const char *registry, const struct image *image)
{
    size_t len = strlen(registry);
    while (len && registry[len - 1] == '/')
        len--;
    return xasprintf("%.*s/%s", (int)len, registry, image->name);
}

char *fetch_content_tag(const char *fingerprint, const char *architecture)
{
    return xasprintf("content-%s-%s", fingerprint, architecture);
}

char *fetch_commit_tag(const char *commit)
{
    return xasprintf("git-%.12s", commit);
}

static void fetch_free(struct fetch *f)
{
    strv_clear(&f->unknown);
    free(f->architecture);
    free(f->ref);
    free(f->image_id);
    error_clear(&f->err);
    free(f);
}

static void end(struct fetch *f)
{
    f->hd.done(f->hd.ctx, f->image_id, !f->image_id && f->err.kind ? &f->err : NULL);
    fetch_free(f);
}

/* --- the pull --- */

static void find_commit(struct fetch *f);

static void on_tagged(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct fetch *f = ctx;
    (void)answer;
    f->call = NULL;
    if (err) {
        free(take(f->image_id));
        error_clear(&f->err);
        error_copy(&f->err, err);
    }
    end(f);
}

static void tag(struct fetch *f)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct imageref own;
    if (imageref_parse(&own, a, f->image->ref, &f->err) < 0) {
        free(take(f->image_id));
        end(f);
        return;
    }
    struct engine_request rq;
    rq_image_tag(&rq, f->ref, own.name, own.tag ? own.tag : "latest");
    f->call =
        engine_start(f->engine, &rq, &(struct engine_handlers){ .done = on_tagged, .ctx = f });
}

static void on_progress(void *ctx, const struct layers *layers)
{
    struct fetch *f = ctx;
    f->hd.progress(f->hd.ctx, f->ref, layers->current, layers->total);
}

/* Absence says a registry in many words; anything else is worth telling. */
static bool is_absence(const struct error *err)
{
    return err->kind == ERR_PULL && (err->code == 404 || strstr(err->msg, "not found") ||
                                     strstr(err->msg, "manifest unknown"));
}

static void on_pulled(void *ctx, const json_t *image, const struct error *err)
{
    struct fetch *f = ctx;
    f->pull = NULL;
    const char *id = err ? NULL : json_str(image, "Id");
    /* A tag of a commit is there for one architecture alone. */
    bool runs = id && (f->image->platform || f->image->locked ||
                       str_eq(json_str_or(image, "Architecture", ""), f->architecture));
    if (err && !is_absence(err) && !f->err.kind)
        error_copy(&f->err, err);
    log_debug("fetch %s: %s", f->ref, runs ? "there" : err ? err->msg : "of another architecture");
    if (runs) {
        f->image_id = xstrdup(id);
        tag(f);
    } else if (f->by_commit || f->exact || f->image->locked) {
        end(f);
    } else {
        find_commit(f);
    }
}

/* Takes the reference over. */
static void pull_ref(struct fetch *f, char *ref)
{
    const struct transfer_handlers hd = { on_progress, on_pulled, f };
    free(f->ref);
    f->ref = ref;
    f->hd.progress(f->hd.ctx, f->ref, 0, 0);
    f->pull = transfer_pull(f->engine, f->ref, f->image->platform, &hd);
}

/* Takes the tag over. */
static void pull(struct fetch *f, char *tag_text)
{
    auto_free char *repository = fetch_repository(f->detail->stack->registry, f->image);
    pull_ref(f, xasprintf("%s:%s", repository, tag_text));
    free(tag_text);
}

/* --- the commit --- */

static void look_at_commit(void *ctx)
{
    struct commit *c = ctx;
    auto_repo_identity struct repo_identity id = { 0 };
    auto_error struct error err = ERROR_INIT;
    if (repo_identify(&id, c->dir, REPO_DIRTY, &err) < 0)
        log_debug("fetch: %s", err.msg);
    else if (!id.dirty)
        c->id = take(id.commit);
}

static void commit_free(struct commit *c)
{
    free(c->dir);
    free(c->id);
    free(c);
}

static void on_commit(void *ctx)
{
    struct commit *c = ctx;
    struct fetch *f = c->fetch;
    if (f) {
        f->commit = NULL;
        f->by_commit = true;
        if (c->id)
            pull(f, fetch_commit_tag(c->id));
        else
            end(f);
    }
    commit_free(c);
}

static void find_commit(struct fetch *f)
{
    f->commit = xnew(struct commit);
    *f->commit = (struct commit){ .fetch = f, .dir = xstrdup(f->image->context) };
    loop_work(engine_loop(f->engine), look_at_commit, on_commit, f->commit);
}

/* --- the key --- */

static void on_version(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct fetch *f = ctx;
    f->call = NULL;
    const char *architecture = err ? NULL : json_str(answer->json, "Arch");
    if (!architecture) {
        if (err)
            error_copy(&f->err, err);
        end(f);
        return;
    }
    f->architecture = xstrdup(architecture);
    struct survey_image *si = &f->detail->images[f->image - f->detail->stack->images];
    survey_fingerprint(si, f->detail, si->recipe, si->core);
    pull(f, fetch_content_tag(si->fingerprint, f->architecture));
}

static void ask_version(struct fetch *f)
{
    struct engine_request rq;
    rq_version(&rq);
    f->call =
        engine_start(f->engine, &rq, &(struct engine_handlers){ .done = on_version, .ctx = f });
}

static void next_base(struct fetch *f);

static void on_distribution(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct fetch *f = ctx;
    f->call = NULL;
    const char *digest = err ? NULL : json_str(answer->json, "Descriptor.digest");
    if (digest)
        survey_set_identity(f->detail, f->unknown.items[f->at], digest);
    f->at++;
    next_base(f);
}

static void on_credentials(void *ctx, const char *value, const struct error *err)
{
    struct fetch *f = ctx;
    f->lookup = NULL;
    struct engine_request rq;
    rq_distribution(&rq, f->unknown.items[f->at], err ? NULL : value);
    f->call = engine_start(f->engine, &rq,
                           &(struct engine_handlers){ .done = on_distribution, .ctx = f });
}

static void next_base(struct fetch *f)
{
    if (f->at == f->unknown.len)
        ask_version(f);
    else
        f->lookup =
            registry_auth_start(engine_loop(f->engine), f->unknown.items[f->at], on_credentials, f);
}

static void add_unknown(void *ctx, const struct recipe *owner, size_t use)
{
    struct fetch *f = ctx;
    const struct recipe_source *source = &owner->sources[use];
    if (source->image >= 0)
        survey_each_source(f->detail, f->detail->images[source->image].recipe, add_unknown, f);
    else if (recipe_observable(owner, use) && !strmap_has(&f->detail->identities, source->base) &&
             !strv_has(&f->unknown, source->base))
        strv_add(&f->unknown, source->base);
}

static void begin(void *ctx)
{
    struct fetch *f = ctx;
    if (f->image->locked)
        pull_ref(f, xstrdup(f->image->locked));
    else
        next_base(f);
}

struct fetch *fetch_start(struct engine *e, const struct build_survey *s, const struct image *image,
                          bool exact, const struct fetch_handlers *hd)
{
    struct fetch *f = xnew(struct fetch);
    f->engine = e;
    f->detail = s->detail;
    f->image = image;
    f->exact = exact;
    f->hd = *hd;
    const struct recipe *recipe = s->detail->images[image - s->detail->stack->images].recipe;
    if (recipe)
        survey_each_source(s->detail, recipe, add_unknown, f);
    loop_after(&f->soon, engine_loop(e), 0, begin, f);
    return f;
}

void fetch_cancel(struct fetch *f)
{
    if (!f)
        return;
    loop_timer_cancel(&f->soon);
    if (f->lookup)
        registry_cancel(f->lookup);
    if (f->call)
        engine_cancel(f->call);
    transfer_cancel(f->pull);
    if (f->commit)
        f->commit->fetch = NULL;
    fetch_free(f);
}
