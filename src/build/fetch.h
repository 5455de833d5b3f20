/*
 * Looking for an image that the stack builds in the stack's `registry:`, before it is built.
 *
 * It may be there under two tags: "content-<fingerprint>-<architecture>", the hash of what goes
 * into it; and "git-<12 hex>", for the exact commit of a project without local changes. Who builds
 * for others pushes both: build_tags().
 */
#ifndef BUILD_FETCH_H
#define BUILD_FETCH_H

#include "build/build.h"

struct fetch;

struct fetch_handlers {
    void (*progress)(void *ctx, const char *ref, int64_t current, int64_t total);
    /* Once, last, unless cancelled. `image_id` is NULL where the registry has not got the image;
     * `err` then says why not if that is more than its absence (it does not answer, it refuses us),
     * or is NULL. With an id: the image has the reference that the stack gives it. */
    void (*done)(void *ctx, const char *image_id, const struct error *err);
    void *ctx;
};

/* `exact`: by content alone. What bases are that the engine has not got is asked of their
 * registries, so that the fingerprint is the same as where they are. `s` and `image` outlive it. */
struct fetch *fetch_start(struct engine *e, const struct build_survey *s, const struct image *image,
                          bool exact, const struct fetch_handlers *hd);
void fetch_cancel(struct fetch *f);

/* "registry.example.org/x/keystone": where images of a project are pushed; owned by the caller. */
char *fetch_repository(const char *registry, const struct image *image);
/* The two tags. The architecture as Go has it: "amd64". Owned by the caller. */
char *fetch_content_tag(const char *fingerprint, const char *architecture);
char *fetch_commit_tag(const char *commit);

#endif
