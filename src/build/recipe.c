/*
 * What one image is made from. A name in a Dockerfile means, in this order: an earlier stage (the
 * parser knows), an additional context, an image of the stack by its reference, an image of the
 * stack by its name, an image from elsewhere.
 */
#include "build/recipe.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "text/imageref.h"
#include "text/yaml.h"

#define FORM "recipe 1" /* first thing in the digest: the version of its form */

int recipe_error(struct error *err, const struct image *image)
{
    error_wrap(err, "image '%s'", image->name);
    if (image->span.source)
        error_wrap(err, "%s:%d:%d", image->span.source->shown, image->span.line,
                   image->span.column);
    return -1;
}

char *recipe_short_ref(const char *ref)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct imageref parsed;
    if (imageref_parse(&parsed, a, ref, NULL) < 0)
        return xstrdup(ref);
    return xstrdup(parsed.familiar);
}

static bool same_ref(const char *short_ref, const char *ref)
{
    auto_free char *other = recipe_short_ref(ref);
    return strcmp(short_ref, other) == 0;
}

/* "name" and "name:latest" are the same. */
static bool same_name(const char *name, const char *ref)
{
    size_t n = strlen(name);
    return strncmp(name, ref, n) == 0 && (!ref[n] || strcmp(ref + n, ":latest") == 0);
}

/* The image of the stack that `ref` means, or -1. An image that is FROM its own name starts from
 * somebody else's. By name, one of the same project comes first. */
static long stack_image(const struct recipe *r, const char *ref)
{
    const struct stack *st = r->stack;
    auto_free char *short_ref = recipe_short_ref(ref);
    for (size_t i = 0; i < st->nimages; i++)
        if (&st->images[i] != r->image && same_ref(short_ref, st->images[i].ref))
            return (long)i;
    long found = -1;
    for (size_t i = 0; i < st->nimages; i++) {
        const struct image *image = &st->images[i];
        if (image == r->image || !same_name(image->name, ref))
            continue;
        bool same_project = str_eq(image->project, r->image->project);
        if (found < 0 || same_project)
            found = (long)i;
        if (same_project)
            break;
    }
    return found;
}

/* The value of the additional context of that name, or NULL. */
static const char *additional_context(const struct recipe *r, const char *name)
{
    const struct node *contexts = node_get(r->image->config, "additional_contexts");
    if (contexts && contexts->kind == NODE_MAP)
        return node_text(node_get(contexts, name));
    node_each (i, contexts) {
        const char *pair = node_text(contexts->items[i]);
        size_t n = strlen(name);
        if (pair && strncmp(pair, name, n) == 0 && pair[n] == '=')
            return pair + n + 1;
    }
    return NULL;
}

static struct recipe_source resolve(const struct recipe *r, const char *written)
{
    static const char image_scheme[] = "docker-image://", service_scheme[] = "service:";
    struct recipe_source source = { .image = -1 };
    const char *ref = written;
    const char *context = additional_context(r, written);
    if (context && str_starts(context, image_scheme)) {
        ref = context + strlen(image_scheme);
    } else if (context && str_starts(context, service_scheme)) {
        const struct service *s = stack_service(r->stack, context + strlen(service_scheme));
        ref = s && s->image ? s->image : written;
    } else if (context) {
        source.context = context;
        return source;
    }
    source.image = stack_image(r, ref);
    if (source.image >= 0) {
        source.text = r->stack->images[source.image].ref;
    } else {
        auto_free char *short_ref = recipe_short_ref(ref);
        source.base = arena_strdup(r->arena, short_ref);
        source.text = ref != written ? arena_strdup(r->arena, ref) : NULL;
    }
    return source;
}

static void resolve_all(struct recipe *r)
{
    const struct dockerfile *df = &r->dockerfile;
    struct recipe_source *sources = arena_alloc(r->arena, df->nuses * sizeof(*sources) + 1);
    for (size_t i = 0; i < df->nuses; i++)
        sources[i] =
            df->uses[i].ref ? resolve(r, df->uses[i].ref) : (struct recipe_source){ .image = -1 };
    r->sources = sources;
    bool *needed = dockerfile_needed(df, dockerfile_target(df, r->image->target));
    bool *copy = arena_alloc(r->arena, df->nstages + 1);
    memcpy(copy, needed, df->nstages);
    free(needed);
    r->needed = copy;
}

int recipe_read(struct recipe **out, const struct stack *st, const struct image *image,
                const struct node *args, struct error *err)
{
    auto_(recipe_freep) struct recipe *r = xnew(struct recipe);
    r->arena = arena_new();
    r->stack = st;
    r->image = image;
    if (context_find(&r->place, r->arena, image, err) < 0)
        return recipe_error(err, image);
    const struct dockerfile_args dargs = { image->args, args, image->platform };
    dockerfile_parse(&r->dockerfile, r->arena, r->place.dockerfile, r->place.dockerfile_len,
                     &dargs);
    resolve_all(r);
    *out = take(r);
    return 0;
}

void recipe_free(struct recipe *r)
{
    if (!r)
        return;
    arena_free(r->arena);
    free(r);
}

bool recipe_uses(const struct recipe *r, size_t i)
{
    const struct dockerfile_use *use = &r->dockerfile.uses[i];
    return r->needed[use->stage] && !use->onbuild;
}

bool recipe_observable(const struct recipe *r, size_t i)
{
    return r->sources[i].base && !r->image->platform && !r->dockerfile.uses[i].platform;
}

static void digest_node(struct digest *d, const struct node *n)
{
    struct str text = STR_INIT;
    if (n)
        node_write_json(&text, n, NODE_JSON_COMPACT);
    digest_add_str(d, n ? text.buf : NULL);
    str_clear(&text);
}

void recipe_digest(char out[DIGEST_HEX_LEN + 1], const struct recipe *r, const char *context)
{
    static const char *const keys[] = {
        "additional_contexts", "extra_hosts", "isolation", "network", "shm_size", "ulimits"
    };
    const struct image *image = r->image;
    struct digest *d = digest_new();
    digest_add_str(d, FORM);
    digest_add_str(d, context);
    digest_add_str(d, r->place.root ? NULL : image->context);
    digest_add_str(d, r->place.root ? NULL : image->dockerfile);
    digest_add_str(d, r->place.dockerfile);
    digest_add_str(d, image->target);
    digest_add_str(d, image->platform);
    digest_node(d, image->args);
    digest_node(d, image->labels);
    for (size_t i = 0; i < countof(keys); i++)
        digest_node(d, node_get(image->config, keys[i]));
    /* Which secrets it gets, never what they are: a build does not depend on that. */
    const struct node *secrets = node_get(image->config, "secrets");
    if (secrets && secrets->len)
        digest_node(d, secrets);
    digest_end(d, out);
}

char *recipe_dockerfile(size_t *len, const struct recipe *r)
{
    const char **texts = xcalloc(r->dockerfile.nuses + 1, sizeof(*texts));
    for (size_t i = 0; i < r->dockerfile.nuses; i++)
        texts[i] = r->sources[i].text;
    char *result = dockerfile_rewrite(len, &r->dockerfile, texts);
    free(texts);
    return result;
}
