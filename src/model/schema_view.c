/*
 * The canonical document as Compose prints it: env_file and ssh in their short forms; and in JSON,
 * which is made from structures rather than from the document, some parts always stand there,
 * extensions and models do not, and the limits of block devices are spelled like the structures'
 * fields.
 */
#include <string.h>

#include "base/cleanup.h"
#include "model/schema_run.h"

struct viewing {
    struct arena *arena;
    bool json;
};

static struct node *view(const struct viewing *w, const struct schema_key *row,
                         const struct node *v);

static void ensure(struct arena *a, struct node *map, const char *key, enum node_kind kind)
{
    if (node_index(map, key) < 0)
        node_set(a, map, key, node_new(a, kind, map->span));
}

/* What is there even when nothing is said about it. */
static void add_fixed_parts(struct arena *a, const struct schema_keys *keys, struct node *map)
{
    if (keys == &schema_service) {
        ensure(a, map, "command", NODE_NULL);
        ensure(a, map, "entrypoint", NODE_NULL);
    } else if (keys == &schema_deploy) {
        ensure(a, map, "resources", NODE_MAP);
        ensure(a, map, "placement", NODE_MAP);
    } else if (keys == &schema_network) {
        ensure(a, map, "ipam", NODE_MAP);
    } else if (keys == &schema_hook) {
        ensure(a, map, "command", NODE_NULL);
    } else if (keys == &schema_watch) {
        ensure(a, map, "exec", NODE_MAP);
        ensure(a, node_get(map, "exec"), "command", NODE_NULL);
    } else if (keys == &schema_throttle) {
        ensure(a, map, "Path", NODE_STRING);
        ensure(a, map, "Rate", NODE_STRING);
        if (!node_text_at(map, "Rate")[0])
            node_set_string(a, map, "Rate", "0");
    } else if (keys == &schema_weight) {
        ensure(a, map, "Path", NODE_STRING);
        ensure(a, map, "Weight", NODE_INT);
    }
}

static const char *view_key(const struct schema_keys *keys, const char *key)
{
    if (keys == &schema_throttle || keys == &schema_weight)
        return strcmp(key, "path") == 0 ? "Path" : strcmp(key, "rate") == 0 ? "Rate" : "Weight";
    return key;
}

/* Values that mean something although Compose's structures leave them out. */
static bool is_left_out(const struct schema_keys *keys, const struct schema_key *row,
                        const struct node *v)
{
    if (keys == &schema_ipam && strcmp(row->name, "options") == 0)
        return true;
    return (v->kind == NODE_STRING && !v->text[0]) ||
           (keys == &schema_ulimit && v->kind == NODE_INT && v->integer == 0);
}

/* Where the key stands in its table; unknown ones and extensions after all others. */
static size_t rank_of(const struct schema_keys *keys, const char *name)
{
    const struct schema_key *row = schema_find(keys, name);
    return row ? (size_t)(row - keys->items) : keys->len;
}

static void swap_entries(struct node *map, size_t i, size_t k)
{
    struct node *item = map->items[i];
    const char *key = map->keys[i];
    struct span span = map->key_spans[i];
    map->items[i] = map->items[k];
    map->keys[i] = map->keys[k];
    map->key_spans[i] = map->key_spans[k];
    map->items[k] = item;
    map->keys[k] = key;
    map->key_spans[k] = span;
}

/* Keys in the order of the table: few, and nearly sorted. */
static void order_keys(struct node *map, const struct schema_keys *keys)
{
    for (size_t i = 1; i < map->len; i++)
        for (size_t k = i; k && rank_of(keys, map->keys[k]) < rank_of(keys, map->keys[k - 1]); k--)
            swap_entries(map, k, k - 1);
}

static bool is_empty_string(const struct schema_key *row, const struct node *v)
{
    return row && v->kind == NODE_STRING && !v->text[0];
}

static struct node *view_object(const struct viewing *w, const struct schema_keys *keys,
                                const struct node *map)
{
    struct arena *a = w->arena;
    struct node *out = node_new(a, NODE_MAP, map->span);

    node_each (i, map) {
        const struct schema_key *row = schema_find(keys, map->keys[i]);
        const struct node *v = map->items[i];
        if (row && w->json && !is_left_out(keys, row, v))
            node_set(a, out, view_key(keys, map->keys[i]), view(w, row, v));
        else if (!w->json && !is_empty_string(row, v))
            node_set(a, out, map->keys[i], row ? view(w, row, v) : node_copy(a, v));
    }
    if (w->json) {
        add_fixed_parts(a, keys, out);
        node_sort_keys(out);
    } else {
        order_keys(out, keys);
    }
    return out;
}

static bool is_plain_env_file(const struct schema_key *row, const struct node *item)
{
    return row->keys == &schema_env_file && node_bool_at(item, "required", false);
}

/* { default: null, id: path } as ["default", "id=path"] */
static struct node *ssh_list(struct arena *a, const struct node *map)
{
    struct node *list = node_new(a, NODE_LIST, map->span);

    node_each (i, map) {
        const char *path = node_text(map->items[i]);
        const char *line =
            path && *path ? arena_printf(a, "%s=%s", map->keys[i], path) : map->keys[i];
        node_append(a, list, node_string(a, line, map->items[i]->span));
    }
    return list;
}

/* Networks and volumes that nothing is said about are structures all the same. */
static bool is_bare(const struct schema_key *row, const struct node *item)
{
    return item->kind == NODE_NULL && (row->keys == &schema_network || row->keys == &schema_volume);
}

static struct node *view_entries(const struct viewing *w, const struct schema_key *row,
                                 const struct node *v)
{
    struct arena *a = w->arena;
    struct node *out = node_new(a, v->kind, v->span);

    node_each (i, v) {
        const struct node *from =
            is_bare(row, v->items[i]) ? node_new(a, NODE_MAP, v->items[i]->span) : v->items[i];
        bool no_limit = w->json && row->keys == &schema_ulimit && is_left_out(row->keys, row, from);
        struct node *item = is_plain_env_file(row, from) ? node_get(from, "path")
                            : no_limit                   ? node_new(a, NODE_MAP, from->span)
                            : from->kind == NODE_MAP     ? view_object(w, row->keys, from)
                                                         : node_copy(a, from);
        if (v->kind == NODE_MAP)
            node_set(a, out, v->keys[i], item);
        else
            node_append(a, out, item);
    }
    return out;
}

static struct node *view(const struct viewing *w, const struct schema_key *row,
                         const struct node *v)
{
    if (row->shape == SHAPE_OBJECT && v->kind == NODE_MAP)
        return view_object(w, row->keys, v);
    if ((row->shape == SHAPE_MAP && v->kind == NODE_MAP) ||
        (row->shape == SHAPE_LIST && v->kind == NODE_LIST))
        return view_entries(w, row, v);
    if (row->check == check_ssh && v->kind == NODE_MAP)
        return ssh_list(w->arena, v);
    return node_copy(w->arena, v);
}

/* What nobody gave a structure: an empty list is null there. */
static struct node *view_extension(struct arena *a, const struct node *v)
{
    struct node *copy =
        v->kind == NODE_LIST && !v->len ? node_new(a, NODE_NULL, v->span) : node_copy(a, v);

    node_each (i, v)
        copy->items[i] = view_extension(a, v->items[i]);
    return copy;
}

struct node *schema_json_view(struct arena *a, const struct node *doc)
{
    struct viewing w = { .arena = a, .json = true };
    struct node *out = node_new(a, NODE_MAP, doc->span);

    node_each (i, doc) {
        const char *key = doc->keys[i];
        const struct schema_key *row = schema_find(&schema_top, key);
        if (row && strcmp(key, "models") != 0)
            node_set(a, out, key, view(&w, row, doc->items[i]));
        else if (is_extension(key))
            node_set(a, out, key, view_extension(a, doc->items[i]));
    }
    node_sort_keys(out);
    return out;
}

struct node *schema_yaml_view(struct arena *a, const struct node *doc)
{
    struct viewing w = { .arena = a };

    return view_object(&w, &schema_top, doc);
}
