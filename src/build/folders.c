/* Additional contexts that are folders: made to images, and removed again. */
#include "build/folders.h"

#include "base/log.h"
#include "base/mem.h"
#include "build/pack.h"
#include "build/progress.h"
#include "build/sender.h"
#include "engine/requests.h"

#define FOLDER "context" /* in the tar; what stands beside it is not copied */
#define DOCKERFILE "FROM scratch\nCOPY " FOLDER "/ /\n"

struct folders {
    struct engine *engine;
    struct folders_input in;
    struct folders_handlers hd;
    bool remove;
    size_t at;
    struct sender *sender;
    struct progress *progress;
    struct engine_call *call;
    struct loop_timer *soon;
    bool waiting; /* for a job of a sender whose build is done */
    bool closed;
    void (*gone)(void *ctx);
    void *gone_ctx;
};

static void step(struct folders *f);

static const struct recipe_folder *current(const struct folders *f)
{
    return &f->in.recipe->folders[f->at];
}

static void end(struct folders *f, const struct error *err)
{
    f->hd.done(f->hd.ctx, err);
}

static void report(struct folders *f, struct build_step what)
{
    auto_free char *name = xasprintf("context %s", current(f)->name);
    what.id = name;
    what.name = name;
    f->hd.step(f->hd.ctx, &what);
}

/* Building. */

static void on_value(void *ctx, json_t *value)
{
    struct folders *f = ctx;
    progress_value(f->progress, value);
}

static void on_more(void *ctx)
{
    struct folders *f = ctx;
    engine_resume(f->call);
}

static void next(struct folders *f)
{
    f->at++;
    step(f);
}

static void folders_free(struct folders *f)
{
    progress_free(f->progress);
    free(f);
}

/* Nothing reads the folder any more. */
static void on_read(void *ctx)
{
    struct folders *f = ctx;
    f->waiting = false;
    if (!f->closed) {
        next(f);
        return;
    }
    if (f->gone)
        f->gone(f->gone_ctx);
    folders_free(f);
}

static void on_built(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct folders *f = ctx;
    auto_error struct error problem = ERROR_INIT;
    const char *id;
    (void)answer;
    f->call = NULL;
    if (sender_error(f->sender))
        error_copy(&problem, sender_error(f->sender));
    else if (err)
        error_copy(&problem, err);
    else
        progress_end(&id, f->progress, &problem);
    if (problem.kind) {
        error_wrap(&problem, "build.additional_contexts: '%s'", current(f)->name);
        report(f, (struct build_step){
                      .what = STEP_FAILED, .text = problem.msg, .len = strlen(problem.msg) });
        end(f, &problem);
        return;
    }
    report(f, (struct build_step){ .what = STEP_DONE });
    progress_free(take(f->progress));
    f->waiting = true;
    sender_free(take(f->sender), on_read, f);
}

static void make_request(struct engine_request *rq, const struct folders *f)
{
    struct str path = STR_INIT;
    str_add(&path, "/build");
    if (f->in.buildkit)
        engine_query(&path, "version", "2");
    engine_query(&path, "dockerfile", CONTEXT_DOCKERFILE);
    engine_query(&path, "t", current(f)->ref);
    engine_query(&path, "platform", f->in.recipe->image->platform);
    engine_query(&path, "rm", "1");
    engine_query(&path, "forcerm", "1");
    *rq = (struct engine_request){
        .method = "POST", .path = str_detach(&path), .answer = ENGINE_STREAM, .quiet_ok = true
    };
}

static void build(struct folders *f)
{
    auto_error struct error err = ERROR_INIT;
    const struct pack_input in = {
        .root = current(f)->place.root,
        .context = f->in.contexts[f->at],
        .prefix = FOLDER,
        .dockerfile_name = CONTEXT_DOCKERFILE,
        .dockerfile = DOCKERFILE,
        .dockerfile_len = strlen(DOCKERFILE),
    };
    struct pack *pack;
    report(f, (struct build_step){ .what = STEP_STARTED });
    if (pack_open(&pack, &in, &err) < 0) {
        end(f, &err);
        return;
    }
    f->sender = sender_new(engine_loop(f->engine), pack, on_more, f);
    f->progress = progress_new(NULL, NULL);
    const struct engine_handlers hd = { .on_json = on_value, .done = on_built, .ctx = f };
    struct engine_request rq;
    make_request(&rq, f);
    rq.upload = sender_upload(f->sender);
    f->call = engine_start(f->engine, &rq, &hd);
}

/* Removing. */

static void on_removed(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct folders *f = ctx;
    (void)answer;
    f->call = NULL;
    if (err)
        log_debug("remove %s: %s", current(f)->ref, err->msg);
    next(f);
}

static void remove_one(struct folders *f)
{
    const struct engine_handlers hd = { .done = on_removed, .ctx = f };
    struct engine_request rq;
    rq_image_remove(&rq, current(f)->ref, false);
    f->call = engine_start(f->engine, &rq, &hd);
}

static void step(struct folders *f)
{
    if (f->at == f->in.recipe->nfolders)
        end(f, NULL);
    else if (f->remove)
        remove_one(f);
    else
        build(f);
}

static void begin(void *ctx)
{
    step(ctx);
}

static struct folders *start(struct engine *e, const struct folders_input *in,
                             const struct folders_handlers *hd, bool removing)
{
    struct folders *f = xnew(struct folders);
    f->engine = e;
    f->in = *in;
    f->hd = *hd;
    f->remove = removing;
    loop_after(&f->soon, engine_loop(e), 0, begin, f);
    return f;
}

struct folders *folders_start(struct engine *e, const struct folders_input *in,
                              const struct folders_handlers *hd)
{
    return start(e, in, hd, false);
}

struct folders *folders_remove(struct engine *e, const struct folders_input *in,
                               const struct folders_handlers *hd)
{
    return start(e, in, hd, true);
}

void folders_close(struct folders *f, void (*gone)(void *ctx), void *ctx)
{
    if (!f)
        return;
    loop_timer_cancel(&f->soon);
    if (f->call)
        engine_cancel(f->call);
    if (f->waiting) {
        f->closed = true;
        f->gone = gone;
        f->gone_ctx = ctx;
        return;
    }
    if (f->sender)
        sender_free(f->sender, gone, ctx);
    else if (gone)
        gone(ctx);
    folders_free(f);
}
