/* One file: text, tree, variables replaced, Compose form, checked, expanded. */
#include <string.h>

#include "model/loader.h"
#include "text/yaml.h"

/*
 * After document_read() nobody asks which dialect a file was written in: the fig form has been
 * rewritten before the check, and what the native form adds are keys of the schema like others.
 * What a dialect means by default (whether links wait for readiness) is written into the tree
 * here, while it is known what the file left out.
 */

struct node *map_at(struct loader *ld, struct node *map, const char *key)
{
    struct node *n = node_get(map, key);
    if (!n || n->kind == NODE_NULL) {
        n = node_new(ld->a, NODE_MAP, n ? n->span : map->span);
        node_set(ld->a, map, key, n);
    }
    return n->kind == NODE_MAP ? n : NULL;
}

void suggest_key(struct loader *ld, const char *found, const struct node *map)
{
    if (map && map->kind == NODE_MAP && map->len)
        diag_suggest(ld->d, found, map->keys, map->len);
}

const struct source *document_source(struct loader *ld, const char *path, struct span from)
{
    const struct source *src = strmap_get(&ld->sources, path);
    if (src)
        return src;
    if (++ld->files_read > LOAD_MAX_FILES) {
        diag_error(ld->d, from, "more than %d files make this stack", LOAD_MAX_FILES);
        return NULL;
    }
    if (!strcmp(path, "-") && ld->opt->stdin_text) {
        src = source_from_text(ld->a, "-", ld->opt->stdin_text, ld->opt->stdin_len);
    } else {
        auto_error struct error err = ERROR_INIT;
        if (source_read(&src, ld->a, path, &err) < 0) {
            diag_error(ld->d, from, "%s", err.msg);
            return NULL;
        }
    }
    strmap_set(&ld->sources, path, (void *)(uintptr_t)src);
    return src;
}

/* Variables. */

/* Replaces variables in every text of the tree; `keep`: only looks at them. */
static void interpolate_tree(struct loader *ld, struct node *n, const struct variables *vars,
                             struct diag *d, bool keep)
{
    node_each (i, n)
        interpolate_tree(ld, n->items[i], vars, d, keep);
    if (n->kind != NODE_STRING || !strchr(n->value, '$'))
        return;
    auto_str struct str out = STR_INIT_MAX(INTERPOLATE_MAX_BYTES);
    if (interpolate(&out, n->value, n->span, vars, d) == 0 && !keep)
        n->text = n->value = arena_strndup(ld->a, out.buf, out.len);
}

struct variable_view {
    struct loader *ld;
    const struct env *env;
};

static const char *view_get(void *ctx, const char *name)
{
    return env_get(((const struct variable_view *)ctx)->env, name);
}

/* What `config --variables` lists; the first mention of a name counts. */
static void view_seen(void *ctx, const char *name, const char *fallback, bool required,
                      const char *alternative)
{
    struct loader *ld = ((const struct variable_view *)ctx)->ld;
    if (node_get(ld->variables, name))
        return;
    struct span none = { 0 };
    struct node *v = node_new(ld->a, NODE_MAP, none);
    node_set_string(ld->a, v, "default", fallback ? fallback : "");
    node_set(ld->a, v, "required", node_bool(ld->a, required, none));
    node_set_string(ld->a, v, "alternative", alternative ? alternative : "");
    node_set(ld->a, ld->variables, name, v);
}

static void replace_variables(struct loader *ld, struct node *doc, const struct env *env,
                              bool strict)
{
    struct variable_view view = { ld, env };
    struct variables vars = {
        .get = view_get, .seen = view_seen, .ctx = &view, .unset_is_error = strict
    };
    interpolate_tree(ld, doc, &vars, ld->d, false);
}

/* Every variable has some value: nothing that is required is missing. */
static const char *listed_get(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return "value";
}

/* Only tells view_seen() what the document mentions; whether it is set does not matter. */
static void list_variables(struct loader *ld, struct node *doc, const struct env *env)
{
    struct diag quiet;
    diag_init(&quiet, ld->a);
    struct variable_view view = { ld, env };
    struct variables vars = { .get = listed_get, .seen = view_seen, .ctx = &view };
    interpolate_tree(ld, doc, &vars, &quiet, true);
    diag_clear(&quiet);
}

/* Dialects. */

enum dialect document_dialect(const struct node *doc)
{
    static const char *const compose_keys[] = { "services", "include", "networks", "volumes",
                                                "configs",  "secrets", "models",   "name" };
    if (node_get(doc, "projects") || node_get(doc, "infrastructure"))
        return DIALECT_NATIVE;
    if (node_get(doc, "services"))
        return DIALECT_COMPOSE;
    for (size_t i = 0; i < countof(compose_keys); i++) {
        const struct node *n = node_get(doc, compose_keys[i]);
        if (n && (!n->len || !fig_is_service(n)))
            return DIALECT_COMPOSE;
    }
    const struct node *version = node_get(doc, "version");
    if (version && version->kind != NODE_MAP)
        return DIALECT_COMPOSE;
    node_each (i, doc)
        if (strncmp(doc->keys[i], "x-", 2) != 0 && fig_is_service(doc->items[i]))
            return DIALECT_FIG;
    return DIALECT_COMPOSE;
}

/* The tree as it stands in the file, always a map; NULL after adding errors. */
static struct node *read_tree(struct loader *ld, const struct source *src)
{
    struct node *doc = NULL;
    if (yaml_read(&doc, ld->a, src, ld->d) < 0)
        return NULL;
    if (!doc || (doc->kind == NODE_NULL && !*doc->text))
        return node_new(ld->a, NODE_MAP, (struct span){ src, 1, 1 });
    if (doc->kind == NODE_MAP)
        return doc;
    diag_error(ld->d, doc->span, "a stack file is a mapping at its top level");
    return NULL;
}

const char *document_name(struct loader *ld, const struct source *src)
{
    struct node *doc = read_tree(ld, src);
    strmap_set(&ld->trees, src->path, doc);
    const struct node *name = node_get(doc, "name");
    if (!name || name->kind != NODE_STRING)
        return NULL;
    if (ld->opt->no_interpolate)
        return name->text;
    /* Mistakes are reported when the document is read. */
    struct diag quiet;
    diag_init(&quiet, ld->a);
    struct variable_view view = { ld, &ld->env };
    struct variables vars = { .get = view_get, .ctx = &view };
    auto_str struct str out = STR_INIT_MAX(INTERPOLATE_MAX_BYTES);
    int rc = interpolate(&out, name->text, name->span, &vars, &quiet);
    diag_clear(&quiet);
    return rc == 0 ? arena_strndup(ld->a, out.buf, out.len) : NULL;
}

struct node *document_read(struct loader *ld, const struct source *src, const struct env *env,
                           bool manifest, enum dialect *out_dialect)
{
    struct node *doc = strmap_has(&ld->trees, src->path) ? strmap_remove(&ld->trees, src->path)
                                                         : read_tree(ld, src);
    if (!doc)
        return NULL;
    enum dialect dialect = manifest ? DIALECT_MANIFEST : document_dialect(doc);
    bool native = dialect == DIALECT_NATIVE || dialect == DIALECT_MANIFEST;
    if (dialect == DIALECT_NATIVE)
        ld->native = true;
    if (!ld->opt->no_interpolate)
        replace_variables(ld, doc, env, native);
    else if (ld->opt->list_variables)
        list_variables(ld, doc, env);
    if (dialect == DIALECT_FIG)
        doc = fig_convert(ld, doc);
    enum schema_form form = dialect == DIALECT_NATIVE     ? FORM_NATIVE
                            : dialect == DIALECT_MANIFEST ? FORM_MANIFEST
                                                          : FORM_COMPOSE;
    schema_check(doc, form, ld->opt->no_interpolate, ld->d);
    if (native || dialect == DIALECT_FIG) {
        wait_for_ready(ld, node_get(doc, "services"));
        wait_for_ready(ld, node_get(doc, "infrastructure"));
        const struct node *projects = node_get(doc, "projects");
        node_each (i, projects)
            wait_for_ready(ld, node_get(projects->items[i], "services"));
    }
    if (!ld->opt->no_interpolate && env->parent)
        resolve_listed(ld, doc, env);
    schema_expand(ld->a, doc, form, ld->opt->no_interpolate, ld->d);
    if (out_dialect)
        *out_dialect = dialect;
    return doc;
}

struct node *document_load(struct loader *ld, const struct source *src, const struct context *ctx)
{
    enum dialect dialect;
    struct node *doc = document_read(ld, src, ctx->env, false, &dialect);
    if (!doc)
        return NULL;
    if (dialect == DIALECT_NATIVE)
        native_take_infrastructure(ld, doc);
    extends_resolve(ld, doc, src, ctx);
    include_resolve(ld, doc, src, ctx);
    return doc;
}
