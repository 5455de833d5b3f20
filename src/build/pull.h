/* Pulling one image, with the credentials of the docker CLI. */
#ifndef BUILD_PULL_H
#define BUILD_PULL_H

#include <jansson.h>

#include "engine/engine.h"

struct image_pull;

struct image_pull_handlers {
    void (*progress)(void *ctx, int64_t current, int64_t total); /* bytes; or NULL */
    /* Once, last, unless cancelled: the engine's inspection of the image, for the call. ERR_PULL
     * (code 404: the registry has no such image, or not for us), or what the rooms below report. */
    void (*done)(void *ctx, const json_t *image, const struct error *err);
    void *ctx;
};

/* `platform` may be NULL. Both texts are copied. */
struct image_pull *image_pull_start(struct engine *e, const char *ref, const char *platform,
                                    const struct image_pull_handlers *hd);
void image_pull_cancel(struct image_pull *p);

#endif
