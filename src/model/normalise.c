/* What is implied is said: networks, names, dependencies, variables taken by name. */
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "model/loader.h"

/* Networks and names. */

static bool says(const struct node *map, const char *key)
{
    const char *text = node_text_at(map, key);
    return text && *text;
}

/* Where the fig form said nothing, or `bridge`, services were on the engine's own bridge, and
 * `config` says so; but names and links outlive a restart only on a network of the stack:
 * `x-network: default` tells extract.c to use that. */
static void place_fig_service(struct loader *ld, struct node *s)
{
    const char *form = node_text_at(s, "x-form");
    if (!form || strcmp(form, "fig") != 0)
        return;
    node_remove(s, "x-form");
    const char *mode = node_text_at(s, "network_mode");
    if ((mode && *mode && strcmp(mode, "bridge") != 0) || node_get(s, "networks"))
        return;
    node_set_string(ld->a, s, "network_mode", "bridge");
    node_set_string(ld->a, s, "x-network", "default");
}

static void normalise_networks(struct loader *ld, struct node *doc)
{
    bool uses_default = false;
    struct node *services = node_get(doc, "services");
    node_each (i, services) {
        struct node *s = services->items[i];
        if (s->kind != NODE_MAP)
            continue;
        place_fig_service(ld, s);
        if (node_get(s, "provider") || says(s, "network_mode"))
            continue;
        struct node *networks = node_get(s, "networks");
        if (!networks || networks->kind != NODE_MAP || !networks->len) {
            networks = node_new(ld->a, NODE_MAP, s->span);
            node_set(ld->a, networks, "default", node_new(ld->a, NODE_NULL, s->span));
            node_set(ld->a, s, "networks", networks);
        }
        uses_default |= node_get(networks, "default") != NULL;
    }
    struct node *networks = node_get(doc, "networks");
    if (uses_default && !node_get(networks, "default") && (networks = map_at(ld, doc, "networks")))
        node_set(ld->a, networks, "default", node_new(ld->a, NODE_NULL, doc->span));
    node_sort_keys(networks);
}

static void set_names(struct loader *ld, struct node *doc)
{
    static const char *const sections[] = { "networks", "volumes", "configs", "secrets" };
    for (size_t k = 0; k < countof(sections); k++) {
        struct node *section = node_get(doc, sections[k]);
        node_each (i, section) {
            struct node *entry = section->items[i];
            const char *key = section->keys[i];
            if (entry->kind != NODE_MAP) {
                if (entry->kind != NODE_NULL)
                    continue;
                entry = node_new(ld->a, NODE_MAP, section->key_spans[i]);
                section->items[i] = entry;
            }
            if (node_get(entry, "name") && node_get(entry, "name")->kind != NODE_NULL)
                continue;
            node_set_string(ld->a, entry, "name",
                            node_bool_at(entry, "external", false)
                                ? key
                                : arena_printf(ld->a, "%s_%s", ld->st->name, key));
        }
    }
}

/* Dependencies. */

static void depend(struct loader *ld, struct node *deps, const char *on, bool restart,
                   struct span at)
{
    if (node_get(deps, on))
        return;
    struct node *entry = node_new(ld->a, NODE_MAP, at);
    node_set_string(ld->a, entry, "condition", "service_started");
    if (restart)
        node_set(ld->a, entry, "restart", node_bool(ld->a, true, at));
    node_set(ld->a, entry, "required", node_bool(ld->a, true, at));
    node_set(ld->a, deps, on, entry);
}

static const char *before_colon(struct loader *ld, const char *text)
{
    return arena_strndup(ld->a, text, strcspn(text, ":"));
}

static void imply_dependencies(struct loader *ld, struct node *s)
{
    static const char *const namespaces[] = { "network_mode", "ipc", "pid", "uts", "cgroup" };
    struct node *deps = node_get(s, "depends_on");
    if (!deps || deps->kind != NODE_MAP)
        deps = node_new(ld->a, NODE_MAP, s->span);
    const struct node *links = node_get(s, "links");
    node_each (i, links) {
        const char *text = node_text(links->items[i]);
        if (text)
            depend(ld, deps, before_colon(ld, text), true, links->items[i]->span);
    }
    for (size_t i = 0; i < countof(namespaces); i++) {
        const struct node *n = node_get(s, namespaces[i]);
        const char *text = node_text(n);
        if (text && str_starts(text, "service:"))
            depend(ld, deps, text + strlen("service:"), true, n->span);
    }
    const struct node *from = node_get(s, "volumes_from");
    node_each (i, from) {
        const char *text = node_text(from->items[i]);
        if (text && !str_starts(text, "container:"))
            depend(ld, deps, before_colon(ld, text), false, from->items[i]->span);
    }
    if (deps->len)
        node_set(ld->a, s, "depends_on", deps);
}

/* Variables. */

/* NAME without a value: from `env`; else it stays, or goes when `drop`. */
static void fill(struct loader *ld, struct node *map, const struct env *env, bool drop)
{
    if (!map || map->kind != NODE_MAP)
        return;
    for (size_t i = map->len; i-- > 0;) {
        if (map->items[i]->kind != NODE_NULL)
            continue;
        const char *value = env_get(env, map->keys[i]);
        if (value)
            map->items[i] = node_string(ld->a, value, map->items[i]->span);
        else if (drop)
            node_remove_at(map, i);
    }
}

void resolve_listed(struct loader *ld, struct node *doc, const struct env *env)
{
    struct node *services = node_get(doc, "services");
    node_each (i, services) {
        struct node *list = node_get(services->items[i], "environment");
        for (size_t k = 0; list && list->kind == NODE_LIST && k < list->len; k++) {
            const char *name = node_text(list->items[k]);
            const char *value = name && !strchr(name, '=') ? env_get(env, name) : NULL;
            if (value)
                list->items[k] = node_string(ld->a, arena_printf(ld->a, "%s=%s", name, value),
                                             list->items[k]->span);
        }
    }
}

void resolve_files(struct loader *ld, struct node *doc, const struct env *env)
{
    struct node *configs = node_get(doc, "configs");
    node_each (i, configs) {
        const char *name = node_text_at(configs->items[i], "environment");
        const char *value = name ? env_get(env, name) : NULL;
        if (value && !node_get(configs->items[i], "content"))
            node_set_string(ld->a, configs->items[i], "content", value);
    }
    struct node *secrets = node_get(doc, "secrets");
    node_each (i, secrets) {
        const char *name = node_text_at(secrets->items[i], "environment");
        const char *value = name ? env_get(env, name) : NULL;
        if (value && !strmap_has(&ld->secret_values, secrets->keys[i]))
            strmap_set(&ld->secret_values, secrets->keys[i], arena_strdup(ld->a, value));
    }
}

void normalise(struct loader *ld, struct node *doc)
{
    normalise_networks(ld, doc);
    struct node *services = node_get(doc, "services");
    node_each (i, services) {
        struct node *s = services->items[i];
        if (s->kind != NODE_MAP)
            continue;
        const char *policy = node_text_at(s, "pull_policy");
        if (policy && !strcmp(policy, "if_not_present"))
            node_set_string(ld->a, s, "pull_policy", "missing");
        struct node *build = node_get(s, "build");
        if (build && build->kind == NODE_MAP) {
            if (node_text_at(build, "image") && !node_get(s, "image"))
                node_set(ld->a, s, "image", node_get(build, "image"));
            node_remove(build, "image");
            if (!node_get(build, "dockerfile") && !node_get(build, "dockerfile_inline"))
                node_set_string(ld->a, build, "dockerfile", "Dockerfile");
            struct node *args = node_get(build, "args");
            fill(ld, args, &ld->env, true);
            if (args && !args->len)
                node_remove(build, "args");
        }
        if (!ld->opt->no_interpolate)
            fill(ld, node_get(s, "environment"), &ld->env, false);
        imply_dependencies(ld, s);
        struct node *volumes = node_get(s, "volumes");
        node_each (k, volumes) {
            const char *target = node_text_at(volumes->items[k], "target");
            if (!target)
                continue;
            auto_free char *clean = path_clean(target);
            if (strcmp(clean, target) != 0)
                node_set_string(ld->a, volumes->items[k], "target", clean);
        }
    }
    if (ld->st->instance)
        instance_rename(ld, doc);
    set_names(ld, doc);
}

/* Files of variables. */

struct service_view {
    struct loader *ld;
    const struct node *environment;
};

/* The stack's variables, then the service's own; what the files gave before comes after these. */
static const char *service_view_get(void *ctx, const char *name)
{
    const struct service_view *view = ctx;
    const char *value = env_get(&view->ld->env, name);
    return value ? value : node_text(node_get(view->environment, name));
}

/* Files of labels see only each other. */
static const char *no_variables(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return NULL;
}

static void read_mapping(struct loader *ld, struct dotenv *entries, const char *path,
                         enum dotenv_format format, const struct variables *vars, struct span at)
{
    const struct source *src = document_source(ld, path, at);
    if (src)
        dotenv_parse(entries, ld->a, src, format, vars, ld->d);
}

/* What the service itself says wins over what its files say, later entries over earlier ones. */
static void merge_under(struct loader *ld, struct node *s, const char *key, struct dotenv *files,
                        const struct variables *vars)
{
    struct node *own = node_get(s, key);
    struct node *out = node_new(ld->a, NODE_MAP, own ? own->span : s->span);
    vec_each (it, files) {
        const char *value = it->value ? it->value : vars->get(vars->ctx, it->name);
        if (value)
            node_set_string(ld->a, out, it->name, value);
    }
    if (!out->len)
        return;
    node_each (i, own) {
        node_set(ld->a, out, own->keys[i], own->items[i]);
        out->key_spans[node_index(out, own->keys[i])] = own->key_spans[i];
    }
    node_sort_keys(out);
    node_set(ld->a, s, key, out);
}

static void read_env_files(struct loader *ld, const char *name, struct node *s)
{
    struct node *list = node_get(s, "env_file");
    struct dotenv files = { 0 };
    struct service_view view = { ld, node_get(s, "environment") };
    struct variables vars = { .get = service_view_get, .ctx = &view };
    node_each (i, list) {
        const struct node *item = list->items[i];
        const char *path = node_text_at(item, "path");
        const char *format = node_text_at(item, "format");
        if (!path || !*path)
            continue;
        if (!file_exists(path)) {
            if (node_bool_at(item, "required", true)) {
                auto_free char *shown = path_show(path);
                const struct fault f = {
                    .service = name,
                    .text = arena_printf(ld->a, "service '%s': env file %s not found", name, shown),
                    .hint = "'required: false' lets it be absent",
                    .span = item->span,
                };
                loader_fault(ld, &f);
            }
            continue;
        }
        read_mapping(ld, &files, path,
                     format && !strcmp(format, "raw") ? DOTENV_RAW : DOTENV_COMPOSE, &vars,
                     item->span);
    }
    merge_under(ld, s, "environment", &files, &vars);
    vec_free(&files);
    node_remove(s, "env_file");
}

static void read_label_files(struct loader *ld, struct node *s)
{
    struct node *list = node_get(s, "label_file");
    struct dotenv files = { 0 };
    struct variables vars = { .get = no_variables };
    node_each (i, list) {
        const char *path = node_text(list->items[i]);
        if (path && !file_exists(path)) {
            auto_free char *shown = path_show(path);
            diag_error(ld->d, list->items[i]->span, "label_file '%s' is not there", shown);
        } else if (path) {
            read_mapping(ld, &files, path, DOTENV_COMPOSE, &vars, list->items[i]->span);
        }
    }
    merge_under(ld, s, "labels", &files, &vars);
    vec_free(&files);
    node_remove(s, "label_file");
}

void resolve_environment(struct loader *ld, struct node *doc)
{
    struct node *services = node_get(doc, "services");
    node_each (i, services) {
        struct node *s = services->items[i];
        if (s->kind != NODE_MAP)
            continue;
        fill(ld, node_get(s, "environment"), &ld->env, false);
        if (node_get(s, "env_file") && !ld->opt->no_env_resolution)
            read_env_files(ld, services->keys[i], s);
        if (node_get(s, "label_file"))
            read_label_files(ld, s);
    }
}
