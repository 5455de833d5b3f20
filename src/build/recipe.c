/*
 * What one image is made from. A name in a Dockerfile means, in this order: an earlier stage (the
 * parser knows), an additional context, an image of the stack by its reference, an image of the
 * stack by its name, an image from elsewhere.
 */
#include "build/recipe.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"
#include "text/imageref.h"
#include "text/yaml.h"

#define FORM "recipe 2" /* first thing in the digest: the version of its form */

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

/* Folders. */

struct folders {
    VEC(struct recipe_folder);
};

/* A name that is free for us, and the same at each build of the image. */
static const char *folder_ref(const struct recipe *r, const char *name)
{
    char hex[DIGEST_HEX_LEN + 1];
    struct digest *d = digest_new();
    digest_add_str(d, r->image->ref);
    digest_add_str(d, name);
    digest_end(d, hex);
    return arena_printf(r->arena, "stack-context:%.24s", hex);
}

/* The image that the folder becomes. */
static int add_folder(const char **ref, struct folders *folders, const struct recipe *r,
                      const char *name, const char *path, struct error *err)
{
    vec_each (known, folders) {
        if (strcmp(known->name, name) != 0)
            continue;
        *ref = known->ref;
        return 0;
    }
    const struct image image = { .context = path, .dockerfile_inline = "" };
    struct recipe_folder folder = { .name = name, .ref = folder_ref(r, name) };
    if (context_find(&folder.place, r->arena, &image, err) < 0)
        return error_wrap(err, "build.additional_contexts: '%s'", name);
    *vec_push(folders) = folder;
    *ref = folder.ref;
    return 0;
}

/* What names mean. */

static int resolve(struct recipe_source *out, struct folders *folders, const struct recipe *r,
                   const char *written, bool needed, struct error *err)
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
    } else if (context && path_is_abs(context)) {
        *out = source;
        return needed ? add_folder(&out->text, folders, r, written, context, err) : 0;
    } else if (context) {
        out->image = -1;
        out->context = needed ? context : NULL;
        return 0;
    }
    source.image = stack_image(r, ref);
    if (source.image >= 0) {
        source.text = r->stack->images[source.image].ref;
    } else {
        auto_free char *short_ref = recipe_short_ref(ref);
        source.base = arena_strdup(r->arena, short_ref);
        source.text = ref != written ? arena_strdup(r->arena, ref) : NULL;
    }
    *out = source;
    return 0;
}

static void set_needed(struct recipe *r)
{
    const struct dockerfile *df = &r->dockerfile;
    bool *needed = dockerfile_needed(df, dockerfile_target(df, r->image->target));
    bool *copy = arena_alloc(r->arena, df->nstages + 1);
    memcpy(copy, needed, df->nstages);
    free(needed);
    r->needed = copy;
}

static int resolve_all(struct recipe *r, struct error *err)
{
    const struct dockerfile *df = &r->dockerfile;
    struct recipe_source *sources = arena_alloc(r->arena, df->nuses * sizeof(*sources) + 1);
    struct folders folders = { 0 };
    int result = 0;
    for (size_t i = 0; i < df->nuses && result == 0; i++) {
        sources[i] = (struct recipe_source){ .image = -1 };
        if (df->uses[i].ref)
            result = resolve(&sources[i], &folders, r, df->uses[i].ref, recipe_uses(r, i), err);
    }
    r->sources = sources;
    struct recipe_folder *copy = arena_alloc(r->arena, folders.len * sizeof(*copy) + 1);
    if (folders.len)
        memcpy(copy, folders.items, folders.len * sizeof(*copy));
    r->folders = copy;
    r->nfolders = folders.len;
    vec_free(&folders);
    return result;
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
    set_needed(r);
    if (resolve_all(r, err) < 0)
        return recipe_error(err, image);
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

/* Folders by what is in them: where they are does not matter. */
static void digest_contexts(struct digest *d, const struct recipe *r, const char *const *folders)
{
    const struct node *contexts = node_get(r->image->config, "additional_contexts");
    node_each (i, contexts) {
        const char *value = node_text(contexts->items[i]);
        digest_add_str(d, contexts->keys[i]);
        digest_add_str(d, value && !path_is_abs(value) ? value : NULL);
    }
    for (size_t i = 0; i < r->nfolders; i++) {
        digest_add_str(d, r->folders[i].name);
        digest_add_str(d, folders[i]);
    }
}

void recipe_digest(char out[DIGEST_HEX_LEN + 1], const struct recipe *r, const char *context,
                   const char *const *folders)
{
    static const char *const keys[] = { "extra_hosts", "isolation", "network", "shm_size",
                                        "ulimits" };
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
    digest_contexts(d, r, folders);
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
