/* The private half of a survey: what build_start() needs of it. */
#ifndef BUILD_SURVEY_H
#define BUILD_SURVEY_H

#include "base/strmap.h"
#include "build/build.h"
#include "build/recipe.h"

struct survey_image {
    struct recipe *recipe;         /* NULL: not surveyed */
    char core[DIGEST_HEX_LEN + 1]; /* recipe_digest() */
    char fingerprint[DIGEST_HEX_LEN + 1];
    char source[DIGEST_HEX_LEN + 1];
    bool incomplete; /* what some base from elsewhere is, is not known */
};

struct survey_detail {
    const struct stack *stack;
    struct survey_image *images;
    struct strmap identities; /* base -> what it is on the engine (owned); absent: unknown */
    struct strmap pulled;     /* bases that --pull has brought in this run */
};

/* Notes what a base is. */
void survey_set_identity(struct survey_detail *d, const char *base, const char *identity);
/* The digest of "name@sha256:..." among refs for the name of `base`, else the id; owned by the
 * caller. */
char *survey_identity(const char *base, const char *id, const char *const *refs, size_t nrefs);
/* Sets fingerprint and source from the digest of a recipe and from what that is FROM. */
void survey_fingerprint(struct survey_image *out, const struct survey_detail *d,
                        const struct recipe *recipe, const char *core);
/* Reads the contexts of all recipes and sets their `core`. Runs the loop. */
int survey_scan(struct survey_detail *d, struct loop *l, struct error *err);
/* Where stat caches are kept, made when missing; owned by the caller; NULL: nowhere. */
char *survey_cache_dir(void);

/* Calls fn for each source that building `recipe` brings in: its needed uses, and the ONBUILD
 * triggers of the stack's images that it is FROM. */
void survey_each_source(const struct survey_detail *d, const struct recipe *recipe,
                        void (*fn)(void *ctx, const struct recipe *owner, size_t use), void *ctx);

#endif
