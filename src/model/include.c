/* `include`: another stack file with its own folder and variables, as if it stood here. */
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "model/loader.h"

/*
 * An included document is complete before it is taken in: its paths start from its own folder, its
 * variables may come from its own .env. Then its services and other named entries are added; an
 * entry that is here already must be the same.
 */

static const char *join(struct loader *ld, const char *dir, const char *path)
{
    auto_free char *home = path_expand_home(path);
    auto_free char *joined = path_join(dir, home);
    return arena_strdup(ld->a, joined);
}

/* A scalar is a list of one. */
static size_t list_len(const struct node *n)
{
    return !n || n->kind == NODE_NULL ? 0 : n->kind == NODE_LIST ? n->len : 1;
}

static const struct node *list_item(const struct node *n, size_t i)
{
    return n->kind == NODE_LIST ? n->items[i] : n;
}

/* env_file of the entry, or the .env of its folder. */
static void add_env(struct loader *ld, struct env *env, const struct node *entry,
                    const struct context *ctx, const char *dir)
{
    const struct node *files = node_get(entry, "env_file");
    const char **paths = arena_alloc(ld->a, (list_len(files) + 1) * sizeof(*paths));
    size_t n = 0;
    for (size_t i = 0; i < list_len(files); i++) {
        const struct node *file = list_item(files, i);
        if (!node_text(file))
            continue;
        paths[n] = join(ld, ctx->dir, node_text(file));
        if (file_exists(paths[n]) && !file_is_dir(paths[n]))
            n++;
        else
            diag_error(ld->d, file->span, "there is no such environment file");
    }
    if (!list_len(files)) {
        paths[n] = join(ld, dir, ".env");
        n += file_exists(paths[n]) && !file_is_dir(paths[n]);
    }
    env_add_files(env, ld->a, paths, n, ld->d);
}

static bool is_cycle(struct loader *ld, const char *path, const struct context *ctx, struct span at)
{
    for (size_t i = 0; i < ctx->nincluded; i++) {
        if (strcmp(ctx->included[i], path) != 0)
            continue;
        auto_str struct str text = STR_INIT;
        for (size_t k = i; k < ctx->nincluded; k++) {
            auto_free char *shown = path_show(ctx->included[k]);
            str_addf(&text, "%s -> ", shown);
        }
        auto_free char *shown = path_show(path);
        str_add(&text, shown);
        diag_error(ld->d, at, "files include each other in a cycle: %s", text.buf);
        return true;
    }
    if (ctx->nincluded > LOAD_MAX_INCLUDE_DEPTH) {
        diag_error(ld->d, at, "more than %d files include each other", LOAD_MAX_INCLUDE_DEPTH);
        return true;
    }
    return false;
}

/* The chain of files with one more. */
static const char *const *with_path(struct loader *ld, const struct context *ctx, const char *path)
{
    const char **out = arena_alloc(ld->a, (ctx->nincluded + 1) * sizeof(*out));
    for (size_t i = 0; i < ctx->nincluded; i++)
        out[i] = ctx->included[i];
    out[ctx->nincluded] = path;
    return out;
}

static struct node *load_entry(struct loader *ld, const struct node *entry,
                               const struct context *ctx)
{
    const struct node *paths = entry->kind == NODE_MAP ? node_get(entry, "path") : entry;
    const char *dir = node_text_at(entry, "project_directory");
    struct node *doc = NULL;
    struct env *env = arena_alloc(ld->a, sizeof(*env));
    env_init(env, ctx->env);
    *vec_push(&ld->envs) = env;
    struct context inner = { .env = env };
    for (size_t i = 0; i < list_len(paths); i++) {
        const struct node *item = list_item(paths, i);
        if (!node_text(item) || !*node_text(item))
            continue;
        const char *path = join(ld, ctx->dir, node_text(item));
        if (i == 0) {
            auto_free char *own = path_dir(path);
            inner.dir = dir && *dir ? join(ld, ctx->dir, dir) : arena_strdup(ld->a, own);
            if (is_cycle(ld, path, ctx, item->span))
                break;
            add_env(ld, env, entry, ctx, inner.dir);
        }
        inner.included = with_path(ld, ctx, path);
        inner.nincluded = ctx->nincluded + 1;
        if (!inner.dir)
            continue;
        const struct source *src = document_source(ld, path, item->span);
        struct node *part = src ? document_load(ld, src, &inner) : NULL;
        if (!part)
            continue;
        fig_give_way_all(ld, doc, part);
        doc = schema_merge_documents(ld->a, doc, part);
    }
    if (doc) {
        schema_finish(ld->a, doc, node_get(doc, "projects") ? FORM_NATIVE : FORM_COMPOSE,
                      ld->opt->no_interpolate, ld->d);
        paths_resolve(ld->a, doc, paths_base(ld, inner.dir, ctx->dir));
        resolve_files(ld, doc, env);
    }
    return doc;
}

static void import(struct loader *ld, struct node *doc, const struct node *from, const char *key)
{
    const struct node *source = node_get(from, key);
    if (!source || source->kind != NODE_MAP)
        return;
    struct node *target = map_at(ld, doc, key);
    node_each (i, source) {
        const char *name = source->keys[i];
        const struct node *here = node_get(target, name);
        if (!here) {
            node_set(ld->a, target, name, source->items[i]);
            target->key_spans[target->len - 1] = source->key_spans[i];
        } else if (!node_equal(here, source->items[i])) {
            struct span at = node_key_span(target, name);
            diag_error(ld->d, source->key_spans[i],
                       "%s.%s is also in the file that includes this one%s", key, name,
                       at.source ? "" : ", and differs");
            if (at.source)
                diag_hint(ld->d, "the other one is at %s:%d:%d", at.source->shown, at.line,
                          at.column);
        }
    }
}

void include_resolve(struct loader *ld, struct node *doc, const struct source *src,
                     const struct context *ctx)
{
    static const char *const sections[] = { "services", "volumes", "networks", "secrets",
                                            "configs",  "models",  "projects" };
    struct node *list = node_get(doc, "include");
    if (!list)
        return;
    struct context here = *ctx;
    if (!here.nincluded || strcmp(here.included[here.nincluded - 1], src->path) != 0) {
        here.included = with_path(ld, ctx, src->path);
        here.nincluded++;
    }
    node_each (i, list) {
        if (list->kind != NODE_LIST)
            break; /* reported by the check */
        const struct node *part = load_entry(ld, list->items[i], &here);
        for (size_t k = 0; part && k < countof(sections); k++)
            import(ld, doc, part, sections[k]);
    }
    node_remove(doc, "include");
}
