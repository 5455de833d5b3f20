/* One image from its registry, or to it, with the credentials of the docker CLI. */
#ifndef BUILD_TRANSFER_H
#define BUILD_TRANSFER_H

#include <jansson.h>

#include "build/layers.h"
#include "engine/engine.h"

struct transfer;

struct transfer_handlers {
    void (*progress)(void *ctx, const struct layers *layers); /* or NULL */
    /* Once, last, unless cancelled: the engine's inspection of a pulled image, for the call.
     * ERR_PULL (code 404: the registry has no such image, or not for us), or what the rooms below
     * report. */
    void (*done)(void *ctx, const json_t *image, const struct error *err);
    void *ctx;
};

/* `platform` may be NULL. Texts are copied. */
struct transfer *transfer_pull(struct engine *e, const char *ref, const char *platform,
                               const struct transfer_handlers *hd);
struct transfer *transfer_push(struct engine *e, const char *ref,
                               const struct transfer_handlers *hd);
void transfer_cancel(struct transfer *t);

/* For `done`: whether the engine was asked at all, and given a login. */
bool transfer_asked(const struct transfer *t);
bool transfer_has_login(const struct transfer *t);

#endif
