/*
 * Images that the stack builds: contexts, fingerprints, the FROM graph, and the builders.
 *
 * build_survey() reads Dockerfiles and contexts (no engine): which image is FROM which other image
 * of the stack, and the fingerprint of each. build_survey_observed() adds what the engine has of
 * the bases that come from elsewhere. build_start() sends one image to the engine.
 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "engine/engine.h"
#include "model/model.h"
#include "plan/plan.h"
#include "state/state.h"

struct survey_detail; /* private */

struct build_survey {
    struct arena *arena;
    struct plan_image *images; /* in the order of stack->images */
    size_t nimages;
    /* References of FROM and COPY --from that the stack does not build, each with a pattern for its
     * digests ("busybox@*"), to be observed with the others: what they are is part of the
     * fingerprint. */
    const char *const *bases;
    size_t nbases;
    struct survey_detail *detail; /* private */
};
void build_survey_free(struct build_survey *s);
DEFINE_FREEP(struct build_survey, build_survey_free)

/* Only the images in `wanted` (NULL: all) and those they are FROM; the others have no fingerprint
 * and no bases. Mistakes: ERR_INPUT (no such context, Dockerfile; a cycle, printed as its path).
 * Fingerprints hash the context's files after .dockerignore (through a stat cache), modes,
 * Dockerfile, arguments, target, platform, the fingerprints of bases that the stack builds, the
 * digests (else ids) of those that it does not, and a format version. A context that the engine
 * fetches counts by its URL alone. Runs the loop. */
int build_survey(struct build_survey **out, struct loop *l, const struct stack *st,
                 const bool *wanted, struct error *err);

/* To be called between observing and planning: `now` was observed with the references in
 * s->bases. Makes the fingerprints final. */
void build_survey_observed(struct build_survey *s, const struct snapshot *now);

/* Progress of one build, for the display; texts are raw, to be made safe by who shows them. */
struct build_step {
    const char *id;   /* vertex or step */
    const char *name; /* "[2/5] RUN apt-get ..." */
    enum { STEP_STARTED, STEP_DONE, STEP_CACHED, STEP_FAILED, STEP_LOG, STEP_PROGRESS } what;
    const char *text; /* STEP_LOG: a line of output; STEP_FAILED: the error */
    size_t len;
    int64_t current, total; /* STEP_PROGRESS, bytes */
};

struct build_options {
    bool no_cache;
    bool pull;               /* --pull: newer bases */
    const struct node *args; /* --build-arg, over the file's; or NULL */
    const struct node *ssh;  /* --ssh, over the file's: id -> socket or null; or NULL */
    int64_t memory;          /* --memory, bytes; 0: no limit */
    bool classic;            /* DOCKER_BUILDKIT=0 */
};

struct build;
struct build_handlers {
    void (*step)(void *ctx, const struct build_step *step);
    /* Once, last: the id of the image, or what failed: ERR_BUILD (the failing step; its last output
     * is in build_output()), ERR_PULL (a base), ERR_INPUT (context, Dockerfile, or something that
     * the engine cannot do), or what the engine room reports. */
    void (*done)(void *ctx, const char *image_id, const struct error *err);
    void *ctx;
};

/* BuildKit, or the classic builder where that is asked for (or all that the engine has). Bases that
 * the engine lacks are pulled first, with the credentials of the docker CLI. The context is read
 * again and streams while it is read; FROM lines that name images of the stack are rewritten to
 * their references. The image gets the tags of the file and two kinds of labels: the file's, and
 * LABEL_FINGERPRINT of what was really sent. The images that it is FROM must be there. */
struct build *build_start(struct engine *e, const struct stack *st, const struct build_survey *s,
                          const struct image *image, const struct build_options *opt,
                          const struct build_handlers *hd);
/* The last output of the failing step, raw, or NULL. For `done` with ERR_BUILD, during the call. */
const char *build_output(const struct build *b);
/* Closes the connection, so that the engine stops; done does not run. A worker may still look at
 * the stack: it outlives the loop. */
void build_cancel(struct build *b);

#endif
