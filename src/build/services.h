/*
 * What the engine may ask us for during one build, by a session of BuildKit: the secrets and SSH
 * agents that the stack file gives to it, logins at registries, and the folder itself where that is
 * large: then only the files that the engine has not go over.
 */
#ifndef BUILD_SERVICES_H
#define BUILD_SERVICES_H

#include "build/build.h"
#include "build/filesync.h"
#include "build/recipe.h"

enum services_need {
    SERVICES_NOT,    /* the build asks for nothing */
    SERVICES_WISHED, /* it may: without them it is tried all the same */
    SERVICES_NEEDED,
};

enum services_need services_need(const struct recipe *r, const struct build_options *opt);

struct services;

struct services_handlers {
    void (*open)(void *ctx);
    /* Once at most: the session could not be opened, or broke off. Still to be closed. */
    void (*failed)(void *ctx, const struct error *err);
    void *ctx;
};

/* `files` (or NULL) is what the engine may ask for of the folder. ERR_INPUT: a secret or an agent
 * that is not there; ERR_NOTFOUND: no libnghttp2. */
int services_start(struct services **out, struct engine *e, const struct recipe *r,
                   const struct build_options *opt, const struct filesync_input *files,
                   const struct services_handlers *hd, struct error *err);
const char *services_session(const struct services *s);
/* Why files were not sent, or NULL. */
const struct error *services_error(const struct services *s);
/* `gone` (may be NULL) runs, perhaps later, when `files` is no longer used. */
void services_close(struct services *s, void (*gone)(void *ctx), void *ctx);

#endif
