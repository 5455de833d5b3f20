/*
 * Short forms into long forms, file by file and before merging: a list of NAME=VALUE becomes a map,
 * a string of ports a list of objects, and so on, so that merging knows one form only. Nothing is
 * filled in here: what a file does not say must not hide what an earlier one said. What should be a
 * list, a map or an object and is none (schema_check() said so) goes, so that nobody after meets
 * it.
 */
#include <string.h>

#include "base/cleanup.h"
#include "model/schema_run.h"

static struct node *expand_value(const struct schema_run *run, const struct schema_key *row,
                                 struct node *v);

static void expand_object(const struct schema_run *run, const struct schema_keys *keys,
                          struct node *map)
{
    for (size_t i = 0; i < map->len;) {
        const struct schema_key *row = run_find(run, keys, map->keys[i]);
        struct node *v = map->items[i];
        if (row) {
            size_t mark = run_enter(run, map->keys[i]);
            v = expand_value(run, row, v);
            run_leave(run, mark);
        }
        if (v)
            map->items[i++] = v;
        else
            node_remove_at(map, i);
    }
}

/* Whether an entry, in its long form, is one: an object, or what stays short. */
static bool is_entry(const struct schema_run *run, const struct schema_key *row,
                     const struct node *list, const struct node *item)
{
    bool number =
        (row->flags & KEY_ITEM_INT) && (item->kind == NODE_INT || item->kind == NODE_STRING);
    bool null = item->kind == NODE_NULL && list->kind == NODE_MAP;

    return item->kind == NODE_MAP || item->mark == MARK_RESET || null || run_is_open(run, item) ||
           (number && row->shape == SHAPE_MAP);
}

/* Entries of lists and maps of objects. */
static void expand_entries(const struct schema_run *run, const struct schema_key *row,
                           struct node *v)
{
    bool named = v->kind == NODE_MAP;

    for (size_t i = 0; i < v->len;) {
        struct node *item = v->items[i];
        enum node_mark merge_mark = item->mark;
        size_t mark = named ? run_enter(run, v->keys[i]) : run_enter_item(run, i);
        if (row->expand_item && merge_mark != MARK_RESET)
            item = row->expand_item(run, item);
        if (item && item->kind == NODE_MAP && row->keys && merge_mark != MARK_RESET)
            expand_object(run, row->keys, item);
        run_leave(run, mark);
        if (item && is_entry(run, row, v, item)) {
            item->mark = merge_mark;
            v->items[i++] = item;
        } else {
            node_remove_at(v, i);
        }
    }
}

/* Scalars that are not null become strings. */
static void scalars_to_strings(const struct schema_run *run, struct node *v)
{
    node_each (i, v) {
        struct node *item = v->items[i];
        if (item->kind == NODE_BOOL || item->kind == NODE_INT || item->kind == NODE_FLOAT) {
            v->items[i] = node_string(run->arena, item->value, item->span);
            v->items[i]->mark = item->mark;
        }
    }
}

static void repeated(const struct schema_run *run, const struct node *item)
{
    run_error(run, item->span, "is listed twice");
}

/* NAME=VALUE items as a map; of equal names the last one counts. */
static struct node *pairs_to_map(const struct schema_run *run, const struct schema_key *row,
                                 const struct node *list)
{
    struct node *map = node_new(run->arena, NODE_MAP, list->span);

    node_each (i, list) {
        const struct node *item = list->items[i];
        if (item->kind != NODE_STRING || item->mark == MARK_RESET)
            continue;
        const char *equals = strchr(item->text, '=');
        size_t len = equals ? (size_t)(equals - item->text) : strlen(item->text);
        const char *name = arena_strndup(run->arena, item->text, len);
        if ((row->flags & KEY_DISTINCT) && node_get(map, name))
            repeated(run, item);
        struct node *value = equals ? node_string(run->arena, equals + 1, item->span)
                                    : node_new(run->arena, NODE_NULL, item->span);
        node_set(run->arena, map, name, value);
    }
    return map;
}

static struct node *expand_mapping(const struct schema_run *run, const struct schema_key *row,
                                   struct node *v)
{
    if (v->kind == NODE_LIST)
        v = pairs_to_map(run, row, v);
    if (v->kind != NODE_MAP)
        return v;
    scalars_to_strings(run, v);
    node_each (i, v) {
        struct node *item = v->items[i];
        if (item->kind == NODE_NULL && item->mark != MARK_RESET && !(row->flags & KEY_KEEP_NULL))
            v->items[i] = node_string(run->arena, "", item->span);
    }
    return v;
}

static struct node *expand_words(const struct schema_run *run, struct node *v)
{
    struct node *list = node_new(run->arena, NODE_LIST, v->span);

    if (run_is_open(run, v))
        return v;
    if (words_split(run->arena, list, v->text, v->span) < 0) {
        run_error(run, v->span, "a quote, bracket or backslash is not closed");
        diag_hint(run->d, "write it as a list: [\"sh\", \"-c\", \"...\"]");
    }
    return list;
}

static struct node *wrap_string(const struct schema_run *run, struct node *v)
{
    if (v->kind != NODE_STRING)
        return v;
    struct node *list = node_new(run->arena, NODE_LIST, v->span);
    node_append(run->arena, list, v);
    return list;
}

/* The value with everything below it expanded; NULL: it is not of the row's shape. */
static struct node *expand_shape(const struct schema_run *run, const struct schema_key *row,
                                 struct node *v)
{
    bool list = v->kind == NODE_LIST, map = v->kind == NODE_MAP;

    if (run_is_open(run, v))
        return v;
    switch (row->shape) {
    case SHAPE_OBJECT:
        if (map)
            expand_object(run, row->keys, v);
        return map ? v : NULL;
    case SHAPE_MAP:
    case SHAPE_LIST:
        if (row->shape == SHAPE_MAP ? !map : !list)
            return NULL;
        expand_entries(run, row, v);
        return v;
    case SHAPE_COMMAND:
        v = v->kind == NODE_STRING ? expand_words(run, v) : v;
        return v->kind == NODE_LIST ? v : NULL;
    case SHAPE_STRING_OR_STRINGS:
    case SHAPE_STRINGS:
        v = row->shape == SHAPE_STRINGS ? v : wrap_string(run, v);
        if (row->flags & KEY_NUMBERS)
            scalars_to_strings(run, v);
        return v->kind == NODE_LIST ? v : NULL;
    case SHAPE_HOSTS:
        return list ? v : NULL;
    case SHAPE_MAPPING:
        v = expand_mapping(run, row, v);
        return v->kind == NODE_MAP ? v : NULL;
    case SHAPE_OPTIONS:
        if (map)
            scalars_to_strings(run, v);
        return map ? v : NULL;
    default:
        return v;
    }
}

/* An item has no place to reset in another file's list: it is only not there. */
static void drop_reset_items(struct node *list)
{
    for (size_t i = 0; i < list->len;) {
        if (list->items[i]->mark == MARK_RESET)
            node_remove_at(list, i);
        else
            i++;
    }
}

static struct node *expand_value(const struct schema_run *run, const struct schema_key *row,
                                 struct node *v)
{
    enum node_mark mark = v->mark;

    if (mark == MARK_RESET || v->kind == NODE_NULL)
        return v;
    if (row->expand)
        v = row->expand(run, v);
    v = v ? expand_shape(run, row, v) : NULL;
    if (!v)
        return NULL;
    if (v->kind == NODE_LIST) {
        drop_reset_items(v);
        if (row->merge == MERGE_UNIQUE)
            merge_unique(row, v);
    }
    v->mark = mark;
    return v;
}

void schema_expand(struct arena *a, struct node *doc, enum schema_form form, bool raw,
                   struct diag *d)
{
    auto_str struct str path = STR_INIT_MAX(4096);
    struct schema_run run = { .arena = a, .d = d, .path = &path, .form = form, .raw = raw };

    if (doc && doc->kind == NODE_MAP)
        expand_object(&run, form == FORM_MANIFEST ? &schema_manifest : &schema_top, doc);
}
