/*
 * One build, from the folder to the image: the recipe is read and the context scanned on the worker
 * pool; bases that the engine lacks are pulled; additional folders become images; a session is
 * opened where the build may ask for something; then the request goes out and the tar streams while
 * its files are read. What the label says is what was scanned, and the pack refuses a file that
 * changed since.
 */
#include "build/build.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/bases.h"
#include "build/folders.h"
#include "build/pack.h"
#include "build/progress.h"
#include "build/request.h"
#include "build/sender.h"
#include "build/services.h"
#include "registry/auth.h"

/* What the worker pool makes, and what the sender reads from. */
struct prepared {
    int users; /* the build, and what reads from it in the background */
    const struct stack *stack;
    const struct image *image;
    const struct node *args;
    struct build *build; /* NULL: cancelled */
    atomic_bool stop;    /* for the worker */
    char *cache_dir;

    struct recipe *recipe;
    struct context *context;  /* NULL: the engine fetches it */
    struct context **folders; /* by recipe->folders */
    char *dockerfile;         /* rewritten */
    size_t dockerfile_len;
    char core[DIGEST_HEX_LEN + 1];
    struct error err;
};

struct build {
    struct engine *engine;
    struct survey_detail *detail;
    size_t index; /* in stack->images */
    struct build_options opt;
    struct build_handlers hd;
    bool buildkit;
    struct prepared *prepared; /* owned once it came back */
    bool preparing;
    struct bases *bases;
    struct folders *folders; /* while they are made, or removed */
    bool folders_made;       /* or some of them: to be removed */
    struct registry_lookup *lookup;
    struct services *services; /* NULL: the build asks for nothing */
    bool served;               /* the session opened */
    bool syncs;                /* the engine fetches the folder through it */
    struct error session_err;  /* why it broke off */
    struct sender *sender;
    struct engine_call *call;
    struct progress *progress;
    const char *id; /* how it ended, while folders are removed; id or error */
    struct error err;
};

static void prepared_unref(void *ctx)
{
    struct prepared *p = ctx;
    if (--p->users > 0)
        return;
    free(p->cache_dir);
    for (size_t i = 0; p->folders && i < p->recipe->nfolders; i++)
        context_free(p->folders[i]);
    free(p->folders);
    recipe_free(p->recipe);
    context_free(p->context);
    free(p->dockerfile);
    error_clear(&p->err);
    free(p);
}

/* It is freed when the worker has come back. */
static void stop_preparing(struct prepared *p)
{
    p->build = NULL;
    atomic_store(&p->stop, true);
}

static void build_free(struct build *b)
{
    /* A piece that is being made still reads from `prepared`. */
    sender_free(b->sender, prepared_unref, b->prepared);
    services_close(b->services, prepared_unref, b->prepared);
    folders_close(b->folders, prepared_unref, b->prepared);
    if (b->preparing)
        stop_preparing(b->prepared);
    else
        prepared_unref(b->prepared);
    error_clear(&b->session_err);
    error_clear(&b->err);
    progress_free(b->progress);
    free(b);
}

/* Additional folders. */

static struct folders_input folders_of(const struct build *b)
{
    return (struct folders_input){ b->prepared->recipe, b->prepared->folders, b->buildkit };
}

static void on_step(void *ctx, const struct build_step *step)
{
    struct build *b = ctx;
    if (b->hd.step)
        b->hd.step(b->hd.ctx, step);
}

static void report(struct build *b, const char *image_id, const struct error *err)
{
    b->hd.done(b->hd.ctx, image_id, err);
    build_free(b);
}

static void on_folders_removed(void *ctx, const struct error *err)
{
    struct build *b = ctx;
    (void)err;
    report(b, b->id, b->err.kind ? &b->err : NULL);
}

/* b is gone, or soon. The image's id is of b->progress. */
static void end(struct build *b, const char *image_id, const struct error *err)
{
    if (!b->folders_made) {
        report(b, image_id, err);
        return;
    }
    const struct folders_input in = folders_of(b);
    const struct folders_handlers hd = { on_step, on_folders_removed, b };
    b->id = image_id;
    if (err)
        error_copy(&b->err, err);
    folders_close(b->folders, prepared_unref, b->prepared);
    b->prepared->users++;
    b->folders = folders_remove(b->engine, &in, &hd);
}

/* Sending. */

static void on_value(void *ctx, json_t *value)
{
    struct build *b = ctx;
    progress_value(b->progress, value);
}

static void hint_secret(struct error *err)
{
    if (err->kind == ERR_BUILD && strstr(err->msg, "secret ") && strstr(err->msg, ": not found"))
        error_hint(err, "give it to the build with build.secrets in the stack file");
}

/* What stands in the first line of a Dockerfile is easily overlooked when a registry fails. */
static void hint_syntax(const struct build *b, struct error *err)
{
    const char *syntax = b->prepared->recipe->dockerfile.syntax;
    if (err->kind == ERR_BUILD && syntax && strstr(err->msg, syntax))
        error_hint(err,
                   "the line '# syntax=%s' makes the engine fetch that frontend from a registry; "
                   "without the line it uses its own",
                   syntax);
}

/* BuildKit before 0.9 (engines before 23). */
static void hint_folder(struct error *err)
{
    if (err->kind == ERR_BUILD && strstr(err->msg, "subdir not supported yet"))
        error_hint(err,
                   "this engine's BuildKit builds no folder of a repository; its classic builder "
                   "does: DOCKER_BUILDKIT=0");
}

static void hint_next(const struct build *b, struct error *err)
{
    if (b->session_err.kind) {
        error_hint(err, "%s", b->session_err.msg);
        return;
    }
    hint_syntax(b, err);
    hint_secret(err);
    hint_folder(err);
}

static void on_answer(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct build *b = ctx;
    (void)answer;
    b->call = NULL;
    auto_error struct error problem = ERROR_INIT;
    const char *id = NULL;
    const struct error *upload = b->sender     ? sender_error(b->sender)
                                 : b->services ? services_error(b->services)
                                               : NULL;
    if (upload) {
        error_copy(&problem, upload);
    } else if (err) {
        /* An engine that refuses the Dockerfile at once says so by the status. A stream that broke
         * off after the builder's own error ended for that reason. */
        error_copy(&problem, err);
        if (err->kind == ERR_ENGINE)
            problem.kind = ERR_BUILD;
        auto_error struct error said = ERROR_INIT;
        if (progress_end(&id, b->progress, &said) < 0 && said.kind == ERR_BUILD)
            error_move(&problem, &said);
    } else {
        progress_end(&id, b->progress, &problem);
    }
    if (problem.kind)
        hint_next(b, &problem);
    end(b, problem.kind ? NULL : id, problem.kind ? &problem : NULL);
}

static void on_more(void *ctx)
{
    struct build *b = ctx;
    engine_resume(b->call);
}

static int open_sender(struct build *b, struct error *err)
{
    const struct prepared *p = b->prepared;
    const struct pack_input in = {
        .root = p->recipe->place.root,
        .context = p->context,
        .dockerfile_name = p->recipe->place.dockerfile_name,
        .dockerfile = p->dockerfile,
        .dockerfile_len = p->dockerfile_len,
    };
    struct pack *pack;
    if (pack_open(&pack, &in, err) < 0)
        return -1;
    b->sender = sender_new(engine_loop(b->engine), pack, on_more, b);
    b->prepared->users++;
    return 0;
}

static void send(struct build *b, const char *registry_config)
{
    struct survey_image *si = &b->detail->images[b->index];
    const struct prepared *p = b->prepared;
    survey_fingerprint(si, b->detail, p->recipe, p->core);
    const struct build_request in = {
        .recipe = p->recipe,
        .options = &b->opt,
        .fingerprint = si->fingerprint,
        .source = si->source,
        .buildkit = b->buildkit,
        .session = b->services ? services_session(b->services) : NULL,
        .dockerfile = b->syncs ? path_base(p->recipe->place.dockerfile_name) : NULL,
    };
    auto_error struct error err = ERROR_INIT;
    struct engine_request rq = { 0 };
    if (build_request(&rq, &in, &err) < 0 ||
        (p->context && !b->syncs && open_sender(b, &err) < 0)) {
        engine_request_clear(&rq);
        end(b, NULL, &err);
        return;
    }
    if (b->sender)
        rq.upload = sender_upload(b->sender);
    rq.registry_config = xstrdup(registry_config);
    b->progress = progress_new(b->hd.step, b->hd.ctx);
    const struct engine_handlers hd = { .on_json = on_value, .done = on_answer, .ctx = b };
    b->call = engine_start(b->engine, &rq, &hd);
}

static void on_registry_config(void *ctx, const char *value, const struct error *err)
{
    struct build *b = ctx;
    b->lookup = NULL;
    if (err)
        end(b, NULL, err);
    else
        send(b, value);
}

/* The classic builder pulls by itself what stages beside the target are FROM. */
static void find_credentials(struct build *b)
{
    const struct recipe *r = b->prepared->recipe;
    const char **refs = xcalloc(r->dockerfile.nuses + 1, sizeof(*refs));
    size_t n = 0;
    for (size_t i = 0; i < r->dockerfile.nuses; i++)
        if (r->sources[i].base)
            refs[n++] = r->sources[i].base;
    b->lookup = registry_config_start(engine_loop(b->engine), refs, n, on_registry_config, b);
    free(refs);
}

/* Serving. */

static void on_session_open(void *ctx)
{
    struct build *b = ctx;
    b->served = true;
    send(b, NULL);
}

static bool need_services(const struct build *b)
{
    return services_need(b->prepared->recipe, &b->opt) == SERVICES_NEEDED;
}

/* An engine without sessions builds what needs none. One that breaks off ends the build by itself,
 * in words that say less. */
static void on_session_failed(void *ctx, const struct error *err)
{
    struct build *b = ctx;
    if (b->served) {
        error_copy(&b->session_err, err);
        return;
    }
    auto_error struct error problem = ERROR_INIT;
    error_copy(&problem, err);
    services_close(take(b->services), prepared_unref, b->prepared);
    b->syncs = false;
    if (!need_services(b)) {
        log_debug("build: %s", problem.msg);
        send(b, NULL);
        return;
    }
    if (problem.kind == ERR_ENGINE) {
        problem.kind = ERR_INPUT;
        error_hint(&problem, "secrets and SSH agents in builds need an engine with BuildKit");
    }
    end(b, NULL, &problem);
}

static void start_services(struct build *b)
{
    const struct services_handlers hd = { on_session_open, on_session_failed, b };
    auto_error struct error err = ERROR_INIT;
    const struct prepared *p = b->prepared;
    const struct filesync_input files = {
        .root = p->recipe->place.root,
        .context = p->context,
        .dockerfile_name = path_base(p->recipe->place.dockerfile_name),
        .dockerfile = p->dockerfile,
        .dockerfile_len = p->dockerfile_len,
    };
    b->syncs = p->context && filesync_pays(p->context);
    if (!b->syncs && services_need(p->recipe, &b->opt) == SERVICES_NOT) {
        send(b, NULL);
        return;
    }
    if (services_start(&b->services, b->engine, p->recipe, &b->opt, b->syncs ? &files : NULL, &hd,
                       &err) == 0) {
        b->prepared->users++;
        return;
    }
    b->syncs = false;
    if (need_services(b))
        end(b, NULL, &err);
    else
        send(b, NULL);
}

static void on_folders(void *ctx, const struct error *err)
{
    struct build *b = ctx;
    if (err)
        end(b, NULL, err);
    else if (b->buildkit)
        start_services(b);
    else
        find_credentials(b);
}

static void make_folders(struct build *b)
{
    if (b->prepared->recipe->nfolders == 0) {
        on_folders(b, NULL);
        return;
    }
    const struct folders_input in = folders_of(b);
    const struct folders_handlers hd = { on_step, on_folders, b };
    b->folders_made = true;
    b->prepared->users++;
    b->folders = folders_start(b->engine, &in, &hd);
}

static void on_bases(void *ctx, const struct error *err)
{
    struct build *b = ctx;
    b->bases = NULL;
    if (err)
        end(b, NULL, err);
    else
        make_folders(b);
}

/* Preparing. */

static int scan_folders(struct prepared *p)
{
    const struct recipe *r = p->recipe;
    const char **digests = xcalloc(r->nfolders + 1, sizeof(*digests));
    int result = 0;
    p->folders = xcalloc(r->nfolders + 1, sizeof(struct context *));
    for (size_t i = 0; i < r->nfolders && result == 0; i++) {
        result =
            context_scan(&p->folders[i], &r->folders[i].place, p->cache_dir, &p->stop, &p->err);
        if (result == 0)
            digests[i] = p->folders[i]->digest;
    }
    if (result == 0)
        recipe_digest(p->core, r, p->context ? p->context->digest : NULL, digests);
    free(digests);
    return result;
}

static void prepare(void *ctx)
{
    struct prepared *p = ctx;
    if (recipe_read(&p->recipe, p->stack, p->image, p->args, &p->err) < 0)
        return;
    const struct context_place *place = &p->recipe->place;
    if (place->root && context_scan(&p->context, place, p->cache_dir, &p->stop, &p->err) < 0)
        return;
    if (scan_folders(p) == 0)
        p->dockerfile = recipe_dockerfile(&p->dockerfile_len, p->recipe);
}

static void on_prepared(void *ctx)
{
    struct prepared *p = ctx;
    struct build *b = p->build;
    if (!b) {
        prepared_unref(p);
        return;
    }
    b->preparing = false;
    const struct build_request in = { .recipe = p->recipe,
                                      .options = &b->opt,
                                      .buildkit = b->buildkit };
    if (p->err.kind || build_request_check(&in, &p->err) < 0) {
        end(b, NULL, &p->err);
        return;
    }
    const struct bases_handlers hd = { on_step, on_bases, b };
    bool pull = b->opt.pull || node_bool_at(p->image->config, "pull", false);
    b->bases = bases_start(b->engine, b->detail, p->recipe, pull, &hd);
}

struct build *build_start(struct engine *e, const struct stack *st, const struct build_survey *s,
                          const struct image *image, const struct build_options *opt,
                          const struct build_handlers *hd)
{
    struct build *b = xnew(struct build);
    b->engine = e;
    b->detail = s->detail;
    b->index = (size_t)(image - st->images);
    b->opt = *opt;
    b->hd = *hd;
    b->buildkit = !opt->classic;
    b->prepared = xnew(struct prepared);
    *b->prepared = (struct prepared){ .users = 1,
                                      .stack = st,
                                      .image = image,
                                      .args = opt->args,
                                      .build = b,
                                      .cache_dir = survey_cache_dir() };
    b->preparing = true;
    loop_work(engine_loop(e), prepare, on_prepared, b->prepared);
    return b;
}

const char *build_output(const struct build *b)
{
    return b->progress ? progress_output(b->progress) : NULL;
}

void build_cancel(struct build *b)
{
    if (!b)
        return;
    bases_cancel(b->bases);
    if (b->lookup)
        registry_cancel(b->lookup);
    if (b->call)
        engine_cancel(b->call);
    build_free(b);
}
