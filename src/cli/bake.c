/* `build --print`: each image as a target of a bake file. */
#include "cli/bake.h"

#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static void set_text(json_t *target, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(target, key, json_string(text));
}

/* Takes the value; what is empty is left out. */
static void set_filled(json_t *target, const char *key, json_t *value)
{
    if (json_is_array(value) ? json_array_size(value) : json_object_size(value))
        json_object_set(target, key, value);
    json_decref(value);
}

static json_t *mapping(const struct node *map)
{
    json_t *out = json_object();
    node_each (i, map) {
        const char *value = node_text(map->items[i]);
        if (value)
            json_object_set_new(out, map->keys[i], json_string(value));
    }
    return out;
}

static const char service[] = "service:"; /* before the name, in an additional context */

/* What a service builds is a target here. */
static json_t *contexts(const struct node *map)
{
    json_t *out = mapping(map);
    const char *name;
    json_t *value;
    json_object_foreach (out, name, value) {
        const char *text = json_string_value(value);
        if (!str_starts(text, service))
            continue;
        auto_free char *target = xasprintf("target:%s", text + strlen(service));
        json_object_set_new(out, name, json_string(target));
    }
    return out;
}

static json_t *list(const struct node *texts)
{
    json_t *out = json_array();
    node_each (i, texts) {
        const char *text = node_text(texts->items[i]);
        if (text)
            json_array_append_new(out, json_string(text));
    }
    return out;
}

static json_t *tags(const struct image *image)
{
    json_t *out = list(node_get(image->config, "tags"));
    json_array_insert_new(out, 0, json_string(image->ref));
    return out;
}

static json_t *secrets(const struct stack *st, const struct node *uses)
{
    json_t *out = json_array();
    node_each (i, uses) {
        const char *key = node_text_at(uses->items[i], "source");
        const char *target = node_text_at(uses->items[i], "target");
        for (size_t k = 0; key && k < st->nsecrets; k++) {
            const struct file_object *s = &st->secrets[k];
            if (strcmp(s->key, key) != 0 || (!s->file && !s->environment))
                continue;
            auto_free char *text = xasprintf(
                "id=%s,type=%s,%s=%s", target && *target ? target : key, s->file ? "file" : "env",
                s->file ? "src" : "env", s->file ? s->file : s->environment);
            json_array_append_new(out, json_string(text));
        }
    }
    return out;
}

static json_t *agents(const struct node *map)
{
    json_t *out = json_array();
    node_each (i, map) {
        const char *path = node_text(map->items[i]);
        auto_free char *text =
            xasprintf("%s%s%s", map->keys[i], path && *path ? "=" : "", path ? path : "");
        json_array_append_new(out, json_string(text));
    }
    return out;
}

/* "host=address" */
static json_t *hosts(const struct node *lines)
{
    json_t *out = json_object();
    node_each (i, lines) {
        auto_free char *text = xstrdup(node_text(lines->items[i]));
        char *equals = text ? strchr(text, '=') : NULL;
        if (!equals)
            continue;
        *equals = '\0';
        json_object_set_new(out, text, json_string(equals + 1));
    }
    return out;
}

static json_t *platforms(const struct image *image)
{
    json_t *out = list(node_get(image->config, "platforms"));
    if (json_array_size(out) == 0 && image->platform)
        json_array_append_new(out, json_string(image->platform));
    return out;
}

static json_t *make_target(const struct stack *st, const struct image *image)
{
    const struct node *c = image->config;
    json_t *t = json_object();
    set_text(t, "context", image->context);
    set_filled(t, "contexts", contexts(node_get(c, "additional_contexts")));
    if (!image->dockerfile_inline)
        set_text(t, "dockerfile", image->dockerfile);
    set_text(t, "dockerfile-inline", image->dockerfile_inline);
    set_filled(t, "args", mapping(image->args));
    set_filled(t, "labels", mapping(image->labels));
    set_filled(t, "tags", tags(image));
    set_filled(t, "cache-from", list(node_get(c, "cache_from")));
    set_filled(t, "cache-to", list(node_get(c, "cache_to")));
    set_text(t, "target", image->target);
    set_filled(t, "secret", secrets(st, node_get(c, "secrets")));
    set_filled(t, "ssh", agents(node_get(c, "ssh")));
    set_filled(t, "platforms", platforms(image));
    if (node_bool_at(c, "pull", false))
        json_object_set_new(t, "pull", json_true());
    if (node_bool_at(c, "no_cache", false))
        json_object_set_new(t, "no-cache", json_true());
    set_text(t, "network", node_text_at(c, "network"));
    set_text(t, "shm-size", node_text_at(c, "shm_size"));
    set_filled(t, "entitlements", list(node_get(c, "entitlements")));
    set_filled(t, "extra-hosts", hosts(node_get(c, "extra_hosts")));
    set_filled(t, "output", json_pack("[s]", "type=docker"));
    return t;
}

static bool is_wanted(const struct image *image, const struct strv *names)
{
    return names->len == 0 || strv_has(names, image->name) ||
           (image->project && strv_has(names, image->project));
}

static const struct image *image_named(const struct stack *st, const char *name)
{
    for (size_t i = 0; i < st->nimages; i++)
        if (strcmp(st->images[i].name, name) == 0)
            return &st->images[i];
    return NULL;
}

/* With the targets that it names. */
static void add_target(json_t *targets, const struct stack *st, const struct image *image)
{
    if (!image || json_object_get(targets, image->name))
        return;
    json_object_set_new(targets, image->name, make_target(st, image));
    const struct node *used = node_get(image->config, "additional_contexts");
    node_each (i, used) {
        const char *value = node_text(used->items[i]);
        if (value && str_starts(value, service))
            add_target(targets, st, image_named(st, value + strlen(service)));
    }
}

char *bake_text(const struct stack *st, const struct strv *names)
{
    auto_json json_t *targets = json_object();
    json_t *all = json_array();
    for (size_t i = 0; i < st->nimages; i++) {
        if (!is_wanted(&st->images[i], names))
            continue;
        add_target(targets, st, &st->images[i]);
        json_array_append_new(all, json_string(st->images[i].name));
    }
    auto_json json_t *file =
        json_pack("{s:{s:{s:o}},s:O}", "group", "default", "targets", all, "target", targets);
    auto_free char *text = json_dumps(file, JSON_INDENT(2) | JSON_ENCODE_ANY);
    return xasprintf("%s\n", text);
}
