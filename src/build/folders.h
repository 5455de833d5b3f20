/*
 * Additional contexts that are folders. No engine's build request takes a second folder, so each
 * becomes an image with its files before the build, whose Dockerfile names that image instead:
 * `COPY --from=NAME`, `RUN --mount=from=NAME` and `FROM NAME` work with every builder. The layers
 * stay in the builder's cache; the images themselves go after the build.
 */
#ifndef BUILD_FOLDERS_H
#define BUILD_FOLDERS_H

#include "build/build.h"
#include "build/context.h"
#include "build/recipe.h"

struct folders_input {
    const struct recipe *recipe;
    struct context *const *contexts; /* by recipe->folders */
    bool buildkit;
};

struct folders_handlers {
    void (*step)(void *ctx, const struct build_step *step);
    /* Once, unless closed before. Still to be closed. */
    void (*done)(void *ctx, const struct error *err);
    void *ctx;
};

struct folders;
/* One after the other. What `in` points to outlives it. */
struct folders *folders_start(struct engine *e, const struct folders_input *in,
                              const struct folders_handlers *hd);
/* Removes the images, which need not be there: `done` gets no error. */
struct folders *folders_remove(struct engine *e, const struct folders_input *in,
                               const struct folders_handlers *hd);
/* `gone` (may be NULL) runs, perhaps later, when what the input points to is no longer used. */
void folders_close(struct folders *f, void (*gone)(void *ctx), void *ctx);

#endif
