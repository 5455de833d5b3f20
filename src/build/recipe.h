/*
 * Everything that one image is made from: its place, its Dockerfile, and which images that names.
 */
#ifndef BUILD_RECIPE_H
#define BUILD_RECIPE_H

#include "base/arena.h"
#include "base/digest.h"
#include "build/context.h"
#include "build/dockerfile.h"
#include "model/model.h"

/* What one use in the Dockerfile stands for. */
struct recipe_source {
    long image; /* index in stack->images, or -1 */
    const char
        *base; /* a reference that the stack does not build, in Docker's short form; or NULL */
    const char *text;    /* what to write instead, or NULL: leave it as it is */
    const char *context; /* the value of an additional context that is not understood, or NULL */
};

/* An additional context that is a folder. Engines take no second folder, so it becomes an image of
 * its own before the build: folders.h. */
struct recipe_folder {
    const char *name; /* of the context */
    struct context_place place;
    const char *ref; /* of the image */
};

struct recipe {
    struct arena *arena;
    const struct stack *stack;
    const struct image *image;
    struct context_place place;
    struct dockerfile dockerfile;
    const bool *needed;                  /* by stage: the target needs it */
    const struct recipe_source *sources; /* by use of the Dockerfile */
    const struct recipe_folder *folders; /* those that the build needs */
    size_t nfolders;
};

/* Reads the Dockerfile and finds out what its names mean. Blocking, touches nothing shared. `args`
 * (or NULL) goes over the file's. ERR_INPUT with the image and its position in the stack file. */
int recipe_read(struct recipe **out, const struct stack *st, const struct image *image,
                const struct node *args, struct error *err);
void recipe_free(struct recipe *r);
DEFINE_FREEP(struct recipe, recipe_free)

/* Whether the build needs use i of the Dockerfile (not: ONBUILD, stages beside the target). */
bool recipe_uses(const struct recipe *r, size_t i);
/* Whether what use i brings can be looked up on the engine: not when the platform is chosen. */
bool recipe_observable(const struct recipe *r, size_t i);

/* The digest of all but the images it is FROM. `context`: digest of the scan, or NULL where the
 * engine fetches it; `folders`: those of r->folders. */
void recipe_digest(char out[DIGEST_HEX_LEN + 1], const struct recipe *r, const char *context,
                   const char *const *folders);

/* The Dockerfile with names of the stack's images replaced by their references; owned by the
 * caller. */
char *recipe_dockerfile(size_t *len, const struct recipe *r);

/* Puts "stack.yaml:3:5: image 'web': " before the message. Returns -1. */
int recipe_error(struct error *err, const struct image *image);

/* The short form in which references are compared ("busybox:latest"); owned by the caller. Text
 * that is no reference stays as it is. */
char *recipe_short_ref(const char *ref);

#endif
