/* `extends`: a service that starts from another one, of this file or of another. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "model/loader.h"

/*
 * Depth first: a base is complete before anything is merged onto it. What a service of another
 * file says about paths is relative to that file's folder, so that its document is made absolute
 * before it is used; that document is read once for all services that extend something in it.
 */

/* The chain that is being followed, innermost first: for cycles. */
struct chain {
    const char *file;
    const char *service;
    const struct chain *outer;
    size_t depth;
};

/* A document in which bases are looked up. */
struct place {
    struct node *services;
    const char *file;
    const struct context *ctx;
};

static void add_path(struct str *out, const struct chain *c, const struct chain *until)
{
    if (c != until && c->outer)
        add_path(out, c->outer, until);
    str_addf(out, "%s%s", out->len ? " -> " : "", c->service);
}

static bool is_cycle(struct loader *ld, const struct chain *c, struct span at)
{
    for (const struct chain *o = c->outer; o; o = o->outer) {
        if (strcmp(o->file, c->file) != 0 || strcmp(o->service, c->service) != 0)
            continue;
        auto_str struct str path = STR_INIT;
        add_path(&path, c, o);
        diag_error(ld->d, at, "services extend each other in a cycle: %s", path.buf);
        return true;
    }
    if (c->depth > LOAD_MAX_INCLUDE_DEPTH) {
        diag_error(ld->d, at, "more than %d services extend each other", LOAD_MAX_INCLUDE_DEPTH);
        return true;
    }
    return false;
}

/* The services of another file, or NULL after adding errors. */
static struct node *services_of(struct loader *ld, const char *path, const struct context *ctx,
                                struct span at)
{
    const char *key = arena_printf(ld->a, "%p %s", (const void *)ctx->env, path);
    struct node *doc = strmap_get(&ld->documents, key);
    if (!doc) {
        const struct source *src = document_source(ld, path, at);
        doc = src ? document_read(ld, src, ctx->env, false, NULL) : NULL;
        if (!doc)
            return NULL;
        auto_free char *dir = path_dir(path);
        paths_resolve(ld->a, doc, paths_base(ld, dir, ctx->dir));
        strmap_set(&ld->documents, key, doc);
    }
    return node_get(doc, "services");
}

static void resolve_service(struct loader *ld, struct place *place, const char *name,
                            const struct chain *outer);

/* What a service of the fig form says of others could not be extended. NULL: nothing. */
static const char *unshared_key(const struct node *base)
{
    const char *net = node_text_at(base, "network_mode");
    if (!node_get(base, "x-form"))
        return NULL;
    if (node_get(base, "links"))
        return "links";
    if (node_get(base, "volumes_from"))
        return "volumes_from";
    return net && (str_starts(net, "container:") || str_starts(net, "service:")) ? "net" : NULL;
}

/* The complete base of `extends`, or NULL. */
static struct node *find_base(struct loader *ld, const struct place *place, const char *name,
                              const struct node *extends, const struct chain *chain)
{
    const char *ref =
        extends->kind == NODE_STRING ? extends->text : node_text_at(extends, "service");
    const char *file = node_text_at(extends, "file");
    struct place other = *place;
    if (!ref || !*ref)
        return NULL; /* reported by the check */
    if (file && *file) {
        auto_free char *home = path_expand_home(file);
        auto_free char *path = path_join(place->ctx->dir, home);
        other.file = arena_strdup(ld->a, path);
        const char *root = place->ctx->root;
        if (root && !(path_below(root, path) && paths_stay_inside(root, path))) {
            diag_error(ld->d, node_get(extends, "file")->span,
                       "this path leaves the folder of the project");
            return NULL;
        }
        other.services = services_of(ld, other.file, place->ctx, node_get(extends, "file")->span);
        if (!other.services)
            return NULL;
    }
    struct node *at = node_get(extends, "service");
    if (!node_get(other.services, ref)) {
        auto_free char *shown = path_show(other.file);
        diag_error(ld->d, at ? at->span : extends->span,
                   "service '%s' extends '%s', which is not a service of %s", name, ref, shown);
        suggest_key(ld, ref, other.services);
        return NULL;
    }
    resolve_service(ld, &other, ref, chain);
    struct node *base = node_get(other.services, ref);
    const char *unshared = unshared_key(base);
    if (unshared) {
        diag_error(ld->d, at ? at->span : extends->span,
                   "service '%s' extends '%s', which says '%s' of its own surroundings", name, ref,
                   unshared);
        return NULL;
    }
    return base->kind == NODE_MAP ? base : NULL;
}

static void resolve_service(struct loader *ld, struct place *place, const char *name,
                            const struct chain *outer)
{
    struct node *service = node_get(place->services, name);
    struct node *extends = node_get(service, "extends");
    if (!extends || extends->mark == MARK_RESET)
        return;
    struct chain chain = { place->file, name, outer, outer ? outer->depth + 1 : 0 };
    if (is_cycle(ld, &chain, extends->span))
        return;
    struct node *base = find_base(ld, place, name, extends, &chain);
    if (!base)
        return;
    struct node *merged = node_copy(ld->a, base);
    if (!fig_give_way(ld, name, merged, service))
        return;
    node_remove(service, "extends");
    merged = schema_merge_services(ld->a, merged, service);
    node_remove(merged, "extends"); /* of a base that extends nothing */
    node_set(ld->a, place->services, name, merged);
}

void extends_resolve(struct loader *ld, struct node *doc, const struct source *src,
                     const struct context *ctx)
{
    struct node *services = node_get(doc, "services");
    if (!services || services->kind != NODE_MAP)
        return;
    struct place place = { services, src->path, ctx };
    node_each (i, services)
        resolve_service(ld, &place, services->keys[i], NULL);
    /* What could not be resolved is reported; it must not be found again. Without an error the base
     * is there and empty, and `extends` stays where it was written. */
    if (ld->d->errors)
        node_each (i, services)
            node_remove(services->items[i], "extends");
}
