/* What `stack config` prints. See export.h. */
#include "model/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "base/strv.h"
#include "model/schema.h"
#include "text/yaml.h"

/*
 * The tree of the stack is canonical already; what is left is choosing: the services that were
 * asked for with what they depend on, and of networks, volumes, configs, secrets and models those
 * that these services use. Keys that begin with x- and are only ours stay in the YAML form, where
 * they do not hurt, and are no part of the JSON form, as in docker compose.
 */

static int add_with_dependencies(struct strmap *chosen, const struct node *services,
                                 const char *name, bool required, struct error *err)
{
    if (strmap_has(chosen, name))
        return 0;
    struct node *s = node_get(services, name);
    if (!s)
        return required ? error_set(err, ERR_NOTFOUND, 0, "no such service: %s", name) : 0;
    strmap_set(chosen, name, s);
    const struct node *deps = node_get(s, "depends_on");
    node_each (i, deps)
        if (deps->kind == NODE_MAP &&
            add_with_dependencies(chosen, services, deps->keys[i],
                                  node_bool_at(deps->items[i], "required", true), err) < 0)
            return -1;
    return 0;
}

/* The service without dependencies on what was not chosen (and is not required). */
static struct node *without_others(struct arena *a, struct node *service,
                                   const struct strmap *chosen)
{
    const struct node *deps = node_get(service, "depends_on");
    bool all = true;
    node_each (i, deps)
        all = all && strmap_has(chosen, deps->keys[i]);
    if (all)
        return service;
    service = node_copy(a, service);
    struct node *kept = node_get(service, "depends_on");
    for (size_t i = kept->len; i-- > 0;)
        if (!strmap_has(chosen, kept->keys[i]))
            node_remove_at(kept, i);
    if (!kept->len)
        node_remove(service, "depends_on");
    return service;
}

/* A shallow copy of the document with the chosen services alone. */
static int choose_services(struct node **out, struct arena *a, const struct stack *st,
                           const char *const *names, struct error *err)
{
    const struct node *all = node_get(st->tree, "services");
    struct node *services = node_new(a, NODE_MAP, st->tree->span);
    struct strmap chosen = STRMAP_INIT;
    int rc = 0;
    for (; names && *names && rc == 0; names++)
        rc = add_with_dependencies(&chosen, all, *names, true, err);
    node_each (i, all) {
        if (!chosen.head)
            node_set(a, services, all->keys[i], all->items[i]);
        else if (strmap_has(&chosen, all->keys[i]))
            node_set(a, services, all->keys[i], without_others(a, all->items[i], &chosen));
    }
    strmap_clear(&chosen, NULL);
    struct node *doc = node_new(a, NODE_MAP, st->tree->span);
    node_each (i, st->tree)
        node_set(a, doc, st->tree->keys[i],
                 strcmp(st->tree->keys[i], "services") ? st->tree->items[i] : services);
    *out = doc;
    return rc;
}

/* Names that the services use: in maps their keys, in lists the `source` of each entry. */
static void add_used(struct strmap *used, const struct node *services, const char *path)
{
    node_each (i, services) {
        const struct node *uses = node_at(services->items[i], path);
        node_each (k, uses) {
            const struct node *item = uses->items[k];
            const char *name =
                uses->kind == NODE_MAP ? uses->keys[k] : node_text_at(item, "source");
            const char *type = node_text_at(item, "type");
            if (name && (!type || !strcmp(type, "volume")))
                strmap_set(used, name, used);
        }
    }
}

static void drop_unused(struct arena *a, struct node *doc)
{
    static const struct {
        const char *section, *paths[2];
    } sections[] = {
        { "networks", { "networks", NULL } },
        { "volumes", { "volumes", NULL } },
        { "secrets", { "secrets", "build.secrets" } },
        { "configs", { "configs", NULL } },
        { "models", { "models", NULL } },
    };
    const struct node *services = node_get(doc, "services");
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        const struct node *all = node_get(doc, sections[i].section);
        if (!all || all->kind != NODE_MAP)
            continue;
        struct strmap used = STRMAP_INIT;
        for (size_t k = 0; k < 2 && sections[i].paths[k]; k++)
            add_used(&used, services, sections[i].paths[k]);
        struct node *kept = node_new(a, NODE_MAP, all->span);
        node_each (k, all)
            if (strmap_has(&used, all->keys[k]))
                node_set(a, kept, all->keys[k], all->items[k]);
        strmap_clear(&used, NULL);
        if (kept->len)
            node_set(a, doc, sections[i].section, kept);
        else
            node_remove(doc, sections[i].section);
    }
}

static int select_document(struct node **out, struct arena *a, const struct stack *st,
                           const struct export_options *opt, struct error *err)
{
    if (choose_services(out, a, st, opt->services, err) < 0)
        return -1;
    if (!opt->all_resources && !opt->raw)
        drop_unused(a, *out);
    return 0;
}

static void put_images(struct arena *a, struct node *doc, const struct node *images)
{
    const struct node *services = node_get(doc, "services");
    node_each (i, images) {
        long at = node_index(services, images->keys[i]);
        if (at < 0)
            continue;
        struct node *service = node_copy(a, services->items[at]);
        node_set(a, service, "image", images->items[i]);
        services->items[at] = service;
    }
}

static struct node *images_only(struct arena *a, const struct node *doc)
{
    const struct node *services = node_get(doc, "services");
    struct node *out = node_new(a, NODE_MAP, doc->span);
    struct node *kept = node_new(a, NODE_MAP, doc->span);
    node_each (i, services) {
        struct node *only = node_new(a, NODE_MAP, doc->span);
        struct node *image = node_get(services->items[i], "image");
        if (image)
            node_set(a, only, "image", image);
        node_set(a, kept, services->keys[i], only);
    }
    node_set(a, out, "services", kept);
    return out;
}

/* Native keys as a Compose file has them, so that docker compose reads what is printed. */
static void rename_native(struct arena *a, struct node *service)
{
    node_each (i, service) {
        const struct schema_key *row = schema_find(&schema_service, service->keys[i]);
        if (!row || !(row->flags & KEY_NATIVE))
            continue;
        char *name = arena_printf(a, "x-%s", row->name);
        for (char *p = name; *p; p++)
            if (*p == '_')
                *p = '-';
        service->keys[i] = name;
    }
}

static void sort_all(struct node *n)
{
    node_sort_keys(n);
    node_each (i, n)
        sort_all(n->items[i]);
}

/* What was not interpolated is no more than a tree: printed as it is, sorted. */
static struct node *printed_raw(struct arena *a, const struct node *doc)
{
    struct node *out = node_copy(a, doc);
    sort_all(out);
    return out;
}

static struct node *printed(struct arena *a, const struct node *doc, enum export_format format)
{
    struct node *out = format == EXPORT_JSON ? schema_json_view(a, doc) : schema_yaml_view(a, doc);
    struct node *services = node_get(out, "services");
    node_each (i, services)
        rename_native(a, services->items[i]);
    return out;
}

int export_stack(struct str *out, const struct stack *st, const struct export_options *opt,
                 struct error *err)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *doc = NULL;
    if (select_document(&doc, a, st, opt, err) < 0)
        return -1;
    put_images(a, doc, opt->images);
    if (opt->images_only)
        doc = images_only(a, doc);
    auto_str struct str text = STR_INIT;
    const struct node *view = opt->raw ? printed_raw(a, doc) : printed(a, doc, opt->format);
    if (opt->format == EXPORT_JSON)
        node_write_json(&text, view, NODE_JSON_PRETTY);
    else
        yaml_write(&text, view);
    if (text.len && text.buf[text.len - 1] != '\n')
        str_addc(&text, '\n');
    for (const char *p = text.buf; *p;) {
        size_t n = opt->raw ? strlen(p) : strcspn(p, "$");
        str_addn(out, p, n);
        p += n;
        if (*p == '$')
            str_add(out, "$$"), p++;
    }
    return 0;
}

/* Lists. */

static void add_lines(struct str *out, struct strv *lines)
{
    strv_sort(lines);
    strv_each (it, lines)
        str_addf(out, "%s\n", *it);
}

static void add_keys(struct strv *lines, const struct node *map)
{
    node_each (i, map)
        strv_add(lines, map->keys[i]);
}

static void add_profiles(struct strv *lines, const struct node *services)
{
    node_each (i, services) {
        const struct node *profiles = node_get(services->items[i], "profiles");
        node_each (k, profiles) {
            const char *name = node_text(profiles->items[k]);
            if (name && !strv_has(lines, name))
                strv_add(lines, name);
        }
    }
}

int export_names(struct str *out, const struct stack *st, enum export_list what,
                 const struct export_options *opt, struct error *err)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_strv struct strv lines = STRV_INIT;
    struct node *doc = NULL;
    if (select_document(&doc, a, st, opt, err) < 0)
        return -1;
    const struct node *services = node_get(doc, "services"), *models = node_get(doc, "models");
    switch (what) {
    case EXPORT_SERVICES:
        add_keys(&lines, services);
        break;
    case EXPORT_NETWORKS:
        add_keys(&lines, node_get(doc, "networks"));
        break;
    case EXPORT_VOLUMES:
        add_keys(&lines, node_get(doc, "volumes"));
        break;
    case EXPORT_PROFILES:
        add_profiles(&lines, services);
        add_profiles(&lines, st->disabled);
        break;
    case EXPORT_IMAGES:
        node_each (i, services) {
            const struct service *s = stack_service(st, services->keys[i]);
            if (s && s->image)
                strv_add(&lines, s->image);
        }
        break;
    case EXPORT_MODELS:
        node_each (i, models)
            if (node_text_at(models->items[i], "model"))
                strv_add(&lines, node_text_at(models->items[i], "model"));
        break;
    }
    add_lines(out, &lines);
    return 0;
}

void export_environment(struct str *out, const struct stack *st)
{
    node_each (i, st->environment)
        str_addf(out, "%s=%s\n", st->environment->keys[i], node_text(st->environment->items[i]));
}

/* In YAML the names are in lower case, as docker compose has them. */
static struct node *variables_document(struct arena *a, const struct node *variables, bool json)
{
    struct span none = { 0 };
    struct node *doc = node_new(a, NODE_MAP, none);
    node_each (i, variables) {
        const struct node *v = variables->items[i];
        struct node *entry = node_new(a, NODE_MAP, none);
        node_set_string(a, entry, json ? "Name" : "name", variables->keys[i]);
        node_set_string(a, entry, json ? "DefaultValue" : "defaultvalue",
                        node_text_at(v, "default"));
        node_set_string(a, entry, json ? "PresenceValue" : "presencevalue",
                        node_text_at(v, "alternative"));
        node_set(a, entry, json ? "Required" : "required",
                 node_bool(a, node_bool_at(v, "required", false), none));
        node_set(a, doc, variables->keys[i], entry);
    }
    node_sort_keys(doc);
    return doc;
}

enum { COLUMN_MIN = 20, COLUMN_GAP = 3 };

static void widen(int *width, const char *text)
{
    int need = (int)strlen(text) + COLUMN_GAP;
    *width = need > *width ? need : *width;
}

static void variables_table(struct str *out, const struct node *doc)
{
    int name = COLUMN_MIN, fallback = COLUMN_MIN;
    node_each (i, doc) {
        widen(&name, doc->keys[i]);
        widen(&fallback, node_text_at(doc->items[i], "DefaultValue"));
    }
    str_addf(out, "%-*s%-*s%-*s%s\n", name, "NAME", COLUMN_MIN, "REQUIRED", fallback,
             "DEFAULT VALUE", "ALTERNATE VALUE");
    node_each (i, doc) {
        const struct node *v = doc->items[i];
        str_addf(out, "%-*s%-*s%-*s%s\n", name, doc->keys[i], COLUMN_MIN,
                 node_text_at(v, "Required"), fallback, node_text_at(v, "DefaultValue"),
                 node_text_at(v, "PresenceValue"));
    }
}

void export_variables(struct str *out, const struct stack *st, const enum export_format *format)
{
    auto_(arena_freep) struct arena *a = arena_new();
    bool yaml = format && *format == EXPORT_YAML;
    struct node *doc = variables_document(a, st->variables, !yaml);
    if (!format) {
        variables_table(out, doc);
    } else if (yaml) {
        yaml_write(out, doc);
    } else {
        node_write_json(out, doc, NODE_JSON_PRETTY);
        str_addc(out, '\n');
    }
}

int export_hashes(struct str *out, const struct stack *st, const char *names, struct error *err)
{
    auto_strv struct strv wanted = STRV_INIT;
    if (!strcmp(names, "*"))
        for (size_t i = 0; i < st->nservices; i++)
            strv_add(&wanted, st->services[i].name);
    else
        strv_split(&wanted, names, ",");
    strv_sort(&wanted);
    strv_each (it, &wanted) {
        const struct service *s = stack_service(st, *it);
        if (!s)
            return error_set(err, ERR_NOTFOUND, 0, "no such service: %s", *it);
        for (size_t i = 0; i < st->nfaults; i++)
            if (!st->faults[i].other && str_eq(st->faults[i].service, s->name))
                return error_set(err, ERR_INPUT, 0, "%s", st->faults[i].text);
        str_addf(out, "%s %s\n", s->name, s->hash);
    }
    return 0;
}
