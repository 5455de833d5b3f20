/*
 * The survey: recipes of the wanted images and of those they are FROM, the order among them, and
 * their fingerprints.
 */
#include "build/survey.h"

#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "base/vec.h"

static void triggers(const struct survey_detail *d, long parent,
                     void (*fn)(void *ctx, const struct recipe *owner, size_t use), void *ctx)
{
    const struct recipe *r = parent >= 0 ? d->images[parent].recipe : NULL;
    for (size_t i = 0; r && i < r->dockerfile.nuses; i++)
        if (r->dockerfile.uses[i].onbuild && r->needed[r->dockerfile.uses[i].stage])
            fn(ctx, r, i);
}

void survey_each_source(const struct survey_detail *d, const struct recipe *recipe,
                        void (*fn)(void *ctx, const struct recipe *owner, size_t use), void *ctx)
{
    for (size_t i = 0; i < recipe->dockerfile.nuses; i++) {
        if (!recipe_uses(recipe, i))
            continue;
        fn(ctx, recipe, i);
        if (recipe->dockerfile.uses[i].from)
            triggers(d, recipe->sources[i].image, fn, ctx);
    }
}

/* Recipes: from the wanted images along what they are FROM. */

static int read_recipe(struct survey_detail *d, size_t index, struct error *err)
{
    struct survey_image *si = &d->images[index];
    if (si->recipe)
        return 0;
    if (recipe_read(&si->recipe, d->stack, &d->stack->images[index], NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < si->recipe->dockerfile.nuses; i++) {
        long image = si->recipe->sources[i].image;
        if (image >= 0 && read_recipe(d, (size_t)image, err) < 0)
            return -1;
    }
    return 0;
}

/* Order. */

struct edges {
    VEC(size_t);
};

static void add_edge(void *ctx, const struct recipe *owner, size_t use)
{
    struct edges *edges = ctx;
    long image = owner->sources[use].image;
    if (image < 0)
        return;
    vec_each (known, edges)
        if (*known == (size_t)image)
            return;
    *vec_push(edges) = (size_t)image;
}

/* The classic builder runs stages that the target does not need, so they count here. */
static void find_edges(const struct survey_detail *d, size_t index, struct edges *edges)
{
    const struct recipe *r = d->images[index].recipe;
    survey_each_source(d, r, add_edge, edges);
    for (size_t i = 0; i < r->dockerfile.nuses; i++)
        if (!r->dockerfile.uses[i].onbuild)
            add_edge(edges, r, i);
}

static void set_edges(struct build_survey *s)
{
    for (size_t i = 0; i < s->nimages; i++) {
        struct edges edges = { 0 };
        if (s->detail->images[i].recipe)
            find_edges(s->detail, i, &edges);
        size_t *copy = arena_alloc(s->arena, edges.len * sizeof(*copy) + 1);
        if (edges.len)
            memcpy(copy, edges.items, edges.len * sizeof(*copy));
        s->images[i].bases = copy;
        s->images[i].nbases = edges.len;
        vec_free(&edges);
    }
}

enum mark { UNSEEN, OPEN, CLOSED };

/* Depth first; `path` holds the open images. */
static int find_cycle(const struct build_survey *s, size_t index, enum mark *marks, size_t *path,
                      size_t depth, struct error *err)
{
    path[depth] = index;
    marks[index] = OPEN;
    for (size_t i = 0; i < s->images[index].nbases; i++) {
        size_t base = s->images[index].bases[i];
        if (marks[base] == OPEN) {
            struct str text = STR_INIT;
            size_t from = depth;
            while (path[from] != base)
                from--;
            for (; from <= depth; from++)
                str_addf(&text, "%s -> ", s->images[path[from]].image->name);
            error_set(err, ERR_INPUT, 0, "images are FROM each other: %s%s", text.buf,
                      s->images[base].image->name);
            str_clear(&text);
            return recipe_error(err, s->images[index].image);
        }
        if (marks[base] == UNSEEN && find_cycle(s, base, marks, path, depth + 1, err) < 0)
            return -1;
    }
    marks[index] = CLOSED;
    return 0;
}

static int check_cycles(const struct build_survey *s, struct error *err)
{
    auto_free enum mark *marks = xcalloc(s->nimages + 1, sizeof(*marks));
    auto_free size_t *path = xcalloc(s->nimages + 1, sizeof(*path));
    for (size_t i = 0; i < s->nimages; i++)
        if (marks[i] == UNSEEN && find_cycle(s, i, marks, path, 0, err) < 0)
            return -1;
    return 0;
}

/* Fingerprints. */

void survey_set_identity(struct survey_detail *d, const char *base, const char *identity)
{
    free(strmap_set(&d->identities, base, xstrdup(identity)));
}

/* Of a reference, without tag and digest. */
static size_t repository_length(const char *ref)
{
    const char *slash = strrchr(ref, '/');
    size_t host = (size_t)(slash ? slash - ref : 0);
    return host + strcspn(ref + host, ":@");
}

char *survey_identity(const char *base, const char *id, const char *const *refs, size_t nrefs)
{
    size_t name_len = repository_length(base);
    const char *first = NULL; /* in the order of text: engines list them in any */
    for (size_t i = 0; i < nrefs; i++)
        if (strncmp(refs[i], base, name_len) == 0 && refs[i][name_len] == '@' &&
            (!first || strcmp(refs[i], first) < 0))
            first = refs[i];
    return xstrdup(first ? first + name_len + 1 : id);
}

struct fingerprinting {
    const struct survey_detail *detail;
    struct digest *digest, *source;
    bool incomplete;
};

static void add_source(void *ctx, const struct recipe *owner, size_t use)
{
    struct fingerprinting *f = ctx;
    const struct recipe_source *source = &owner->sources[use];
    if (source->image >= 0) {
        const struct survey_image *image = &f->detail->images[source->image];
        digest_add_str(f->digest, "image");
        digest_add_str(f->digest, image->fingerprint);
        digest_add_str(f->source, image->source);
        f->incomplete |= image->incomplete;
    } else if (source->base) {
        const char *identity =
            recipe_observable(owner, use) ? strmap_get(&f->detail->identities, source->base) : NULL;
        digest_add_str(f->digest, "base");
        digest_add_str(f->digest, source->base);
        digest_add_str(f->digest, identity);
        digest_add_str(f->source, source->base);
        f->incomplete |= !identity && recipe_observable(owner, use);
    }
}

void survey_fingerprint(struct survey_image *out, const struct survey_detail *d,
                        const struct recipe *recipe, const char *core)
{
    struct fingerprinting f = { d, digest_new(), digest_new(), false };
    digest_add_str(f.digest, core);
    digest_add_str(f.source, core);
    survey_each_source(d, recipe, add_source, &f);
    digest_end(f.digest, out->fingerprint);
    digest_end(f.source, out->source);
    out->incomplete = f.incomplete;
}

/* Of an image after those that it is FROM; there are no cycles. */
static void set_fingerprint(struct build_survey *s, size_t index)
{
    struct survey_image *si = &s->detail->images[index];
    if (!si->recipe || s->images[index].fingerprint)
        return;
    for (size_t i = 0; i < s->images[index].nbases; i++)
        set_fingerprint(s, s->images[index].bases[i]);
    survey_fingerprint(si, s->detail, si->recipe, si->core);
    s->images[index].fingerprint = si->fingerprint;
    s->images[index].source = si->source;
    s->images[index].incomplete = si->incomplete;
}

static void set_fingerprints(struct build_survey *s)
{
    for (size_t i = 0; i < s->nimages; i++)
        s->images[i].fingerprint = NULL;
    for (size_t i = 0; i < s->nimages; i++)
        set_fingerprint(s, i);
}

static void add_base(void *ctx, const struct recipe *owner, size_t use)
{
    struct strv *names = ctx;
    if (recipe_observable(owner, use) && !strv_has(names, owner->sources[use].base))
        strv_add(names, owner->sources[use].base);
}

static void set_bases(struct build_survey *s)
{
    auto_strv struct strv names = STRV_INIT;
    for (size_t i = 0; i < s->nimages; i++)
        if (s->detail->images[i].recipe)
            survey_each_source(s->detail, s->detail->images[i].recipe, add_base, &names);
    strv_sort(&names);
    const char **bases = arena_alloc(s->arena, (2 * names.len + 1) * sizeof(*bases));
    for (size_t i = 0; i < names.len; i++) {
        bases[2 * i] = arena_strdup(s->arena, names.items[i]);
        /* Engines list the digests of an image only where they match too. */
        bases[2 * i + 1] = arena_printf(s->arena, "%.*s@*", (int)repository_length(names.items[i]),
                                        names.items[i]);
    }
    s->bases = bases;
    s->nbases = 2 * names.len;
}

/* The survey. */

static struct build_survey *survey_new(const struct stack *st)
{
    struct build_survey *s = xnew(struct build_survey);
    s->arena = arena_new();
    s->nimages = st->nimages;
    s->images = arena_alloc(s->arena, st->nimages * sizeof(*s->images) + 1);
    s->detail = arena_new_(s->arena, struct survey_detail);
    s->detail->stack = st;
    s->detail->images = arena_alloc(s->arena, st->nimages * sizeof(*s->detail->images) + 1);
    for (size_t i = 0; i < st->nimages; i++)
        s->images[i].image = &st->images[i];
    return s;
}

void build_survey_free(struct build_survey *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->nimages; i++)
        recipe_free(s->detail->images[i].recipe);
    strmap_clear(&s->detail->identities, free);
    strmap_clear(&s->detail->pulled, NULL);
    arena_free(s->arena);
    free(s);
}

int build_survey(struct build_survey **out, struct loop *l, const struct stack *st,
                 const bool *wanted, struct error *err)
{
    auto_(build_survey_freep) struct build_survey *s = survey_new(st);
    for (size_t i = 0; i < st->nimages; i++)
        if ((!wanted || wanted[i]) && read_recipe(s->detail, i, err) < 0)
            return -1;
    set_edges(s);
    if (check_cycles(s, err) < 0 || survey_scan(s->detail, l, err) < 0)
        return -1;
    set_bases(s);
    set_fingerprints(s);
    *out = take(s);
    return 0;
}

void build_survey_observed(struct build_survey *s, const struct snapshot *now)
{
    for (size_t i = 0; i < s->nbases; i++) {
        const struct seen_image *seen = snapshot_image(now, s->bases[i]);
        if (!seen)
            continue;
        auto_free char *identity = survey_identity(s->bases[i], seen->id, seen->refs, seen->nrefs);
        survey_set_identity(s->detail, s->bases[i], identity);
    }
    set_fingerprints(s);
}
