/*
 * Images that the stack builds: contexts, fingerprints, the FROM graph, and the builders.
 *
 * build_survey() reads Dockerfiles and contexts (no engine): which image is FROM which other image
 * of the stack, and the fingerprint of each. build_start() sends one to the engine.
 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "engine/engine.h"
#include "model/model.h"
#include "plan/plan.h"

struct build_survey {
    struct arena *arena;
    struct plan_image *images; /* in the order of stack->images */
    size_t nimages;
    /* References of FROM and COPY --from that the stack does not build, to be observed with the
     * others: their ids are part of the fingerprint. */
    const char *const *bases;
    size_t nbases;
};
void build_survey_free(struct build_survey *s);
DEFINE_FREEP(struct build_survey, build_survey_free)

/* Only the images in `wanted` (NULL: all) and those they are FROM. Mistakes: ERR_INPUT (no such
 * context, Dockerfile; a cycle, printed as its path). Fingerprints hash the context's files after
 * .dockerignore (through a stat cache), modes, Dockerfile, arguments, target, platform, the
 * fingerprints of bases that the stack builds, and a format version. */
int build_survey(struct build_survey **out, struct loop *l, const struct stack *st,
                 const bool *wanted, struct error *err);

/* Progress of one build, for the display; texts are raw, to be made safe by who shows them. */
struct build_step {
    const char *id;   /* vertex or step */
    const char *name; /* "[2/5] RUN apt-get ..." */
    enum { STEP_STARTED, STEP_DONE, STEP_CACHED, STEP_FAILED, STEP_LOG, STEP_PROGRESS } what;
    const char *text; /* STEP_LOG: a piece of output; STEP_FAILED: the error */
    size_t len;
    int64_t current, total; /* STEP_PROGRESS, bytes */
};

struct build_options {
    bool no_cache;
    bool pull;               /* --pull: newer bases */
    const struct node *args; /* --build-arg, over the file's; or NULL */
    const char *fingerprint; /* label for the image */
    const char *stack_name;
    bool classic; /* DOCKER_BUILDKIT=0 */
    bool quiet;
};

struct build;
struct build_handlers {
    void (*step)(void *ctx, const struct build_step *step);
    /* Once, last: the id of the image, or ERR_BUILD with what failed and its last output. */
    void (*done)(void *ctx, const char *image_id, const struct error *err);
    void *ctx;
};

/* BuildKit where the engine has it, else the classic builder. The context streams while it is
 * read; FROM lines that name images of the stack are rewritten to their references. */
struct build *build_start(struct engine *e, const struct stack *st, const struct build_survey *s,
                          const struct image *image, const struct build_options *opt,
                          const struct build_handlers *hd);
void build_cancel(struct build *b); /* closes the connection: the engine stops; no done */

#endif
