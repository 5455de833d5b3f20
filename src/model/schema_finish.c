/*
 * The end of a document that is expanded and merged: what only the whole shows is checked, what was
 * left out is filled in, scalars get the type and text that Compose prints, and what is empty goes
 * where that is the same as not being there. See schema.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strmap.h"
#include "model/schema_run.h"

static struct node *finish_value(const struct schema_run *run, const struct schema_key *row,
                                 struct node *v);

struct entry {
    size_t rank; /* place in the table; x- keys come last */
    const char *key;
    struct span span;
    struct node *item;
};

static int by_rank(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return strcmp(x->key, y->key);
}

static void sort_by_table(const struct schema_run *run, const struct schema_keys *keys,
                          struct node *map)
{
    struct entry *entries = xcalloc(map->len ? map->len : 1, sizeof(*entries));

    node_each (i, map) {
        const struct schema_key *row = run_find(run, keys, map->keys[i]);
        size_t rank = row ? (size_t)(row - keys->items) : keys->len;
        entries[i] = (struct entry){ rank, map->keys[i], map->key_spans[i], map->items[i] };
    }
    qsort(entries, map->len, sizeof(*entries), by_rank);
    node_each (i, map) {
        map->keys[i] = entries[i].key;
        map->key_spans[i] = entries[i].span;
        map->items[i] = entries[i].item;
    }
    free(entries);
}

/* x- keys have no row: their marks go, nothing else happens to them. */
static struct node *finish_free(struct node *v)
{
    if (v->mark == MARK_RESET)
        return NULL;
    v->mark = MARK_NONE;
    for (size_t i = 0; i < v->len;)
        if (finish_free(v->items[i]))
            i++;
        else
            node_remove_at(v, i);
    return v;
}

static void finish_object(const struct schema_run *run, const struct schema_keys *keys,
                          struct node *map)
{
    if (keys->finish)
        keys->finish(run, map);
    for (size_t i = 0; i < keys->len; i++)
        if ((keys->items[i].flags & (KEY_REQUIRED | KEY_AT_ONCE)) == KEY_REQUIRED &&
            !node_get(map, keys->items[i].name))
            run_error(run, map->span, "'%s' is missing", keys->items[i].name);
    for (size_t i = 0; i < map->len;) {
        const struct schema_key *row = run_find(run, keys, map->keys[i]);
        size_t mark = run_enter(run, map->keys[i]);
        struct node *v = row ? finish_value(run, row, map->items[i]) : finish_free(map->items[i]);
        run_leave(run, mark);
        if (v)
            map->items[i++] = v;
        else
            node_remove_at(map, i);
    }
    sort_by_table(run, keys, map);
}

/* Entries of maps and lists of objects. Scalars among them are short forms that stay (ulimits). */
static struct node *finish_entry(const struct schema_run *run, const struct schema_key *row,
                                 struct node *item)
{
    int64_t number;

    if (item->mark == MARK_RESET)
        return NULL;
    item->mark = MARK_NONE;
    if (item->kind == NODE_MAP) {
        finish_object(run, row->keys, item);
    } else if (item->kind == NODE_NULL && !(row->flags & KEY_ITEM_NULL)) {
        run_error(run, item->span, "must be a mapping");
    } else if (item->kind == NODE_STRING && (row->flags & KEY_ITEM_INT) &&
               value_int(&number, item) == 0) {
        return node_int(run->arena, number, item->span);
    } else if (item->kind == NODE_STRING && (row->flags & KEY_ITEM_INT) &&
               row->shape == SHAPE_MAP && !run_is_open(run, item)) {
        run_error(run, item->span, "must be an integer");
    }
    return item;
}

static void finish_entries(const struct schema_run *run, const struct schema_key *row,
                           struct node *v)
{
    for (size_t i = 0; i < v->len;) {
        size_t mark = v->kind == NODE_MAP ? run_enter(run, v->keys[i]) : run_enter_item(run, i);
        struct node *item = finish_entry(run, row, v->items[i]);
        run_leave(run, mark);
        if (item)
            v->items[i++] = item;
        else
            node_remove_at(v, i);
    }
    node_sort_keys(v);
}

static int by_text(const void *a, const void *b)
{
    const char *x = node_text(*(struct node *const *)a), *y = node_text(*(struct node *const *)b);

    return strcmp(x ? x : "", y ? y : "");
}

/* Lists of strings. */
static void finish_list(const struct schema_run *run, const struct schema_key *row,
                        struct node *list)
{
    struct strmap seen = STRMAP_INIT;

    finish_free(list);
    if (row->shape == SHAPE_HOSTS && list->len)
        qsort(list->items, list->len, sizeof(*list->items), by_text);
    node_each (i, (row->flags & KEY_DISTINCT) ? list : NULL) {
        const char *text = node_text(list->items[i]);
        if (text && strmap_set(&seen, text, list))
            run_error(run, list->items[i]->span, "is in the list twice");
    }
    strmap_clear(&seen, NULL);
}

static void finish_mapping(const struct schema_run *run, const struct schema_key *row,
                           struct node *v)
{
    finish_free(v);
    node_each (i, v->kind == NODE_MAP ? v : NULL) {
        if (v->items[i]->kind != NODE_NULL || (row->flags & KEY_KEEP_NULL))
            continue;
        if (row->shape == SHAPE_OPTIONS && !(row->flags & KEY_ITEM_NULL))
            run_error(run, v->items[i]->span, "'%s' has no value", v->keys[i]);
        v->items[i] = node_string(run->arena, "", v->items[i]->span);
    }
    node_sort_keys(v);
}

/* A scalar in the type of its row; the node itself where it is not one. */
static struct node *cast(const struct schema_run *run, const struct schema_key *row, struct node *v)
{
    struct arena *a = run->arena;
    char text[NUM_TEXT_MAX];
    int64_t i;
    double f;
    bool b;

    switch (row->shape) {
    case SHAPE_STRING:
        return v->kind == NODE_INT ? node_string(a, v->value, v->span) : v;
    case SHAPE_BOOL:
        return value_bool(&b, v) == 0 ? node_bool(a, b, v->span) : v;
    case SHAPE_INT:
        return value_int(&i, v) == 0 ? node_int(a, i, v->span) : v;
    case SHAPE_NUMBER:
        return value_number(&f, v) == 0 ? value_float_node(a, f, v->span) : v;
    case SHAPE_BYTES:
        return value_bytes(&i, v) == 0
                   ? node_string(a, arena_printf(a, "%lld", (long long)i), v->span)
                   : v;
    case SHAPE_DURATION:
        return value_duration(&i, v) == 0 ? node_string(a, num_duration_text(text, i), v->span) : v;
    case SHAPE_MODE:
        return value_mode(&i, v) == 0
                   ? node_string(a, arena_printf(a, "0%llo", (unsigned long long)i), v->span)
                   : v;
    default:
        return v;
    }
}

/* Whether a finished value says no more than its absence. */
static bool is_nothing(const struct schema_key *row, const struct node *v)
{
    if (row->flags & KEY_ZERO)
        return false;
    switch (v->kind) {
    case NODE_BOOL:
        return !v->boolean;
    case NODE_INT:
        return v->integer == 0;
    case NODE_STRING: {
        bool zero = row->shape == SHAPE_BYTES
                        ? strcmp(v->text, "0") == 0
                        : row->shape == SHAPE_DURATION && strcmp(v->text, "0s") == 0;
        return zero || !v->text[0];
    }
    case NODE_LIST:
        return v->len == 0;
    case NODE_MAP:
        return v->len == 0 && row->shape != SHAPE_OBJECT;
    default:
        return false;
    }
}

static struct node *finish_value(const struct schema_run *run, const struct schema_key *row,
                                 struct node *v)
{
    if (v->mark == MARK_RESET)
        return NULL;
    v->mark = MARK_NONE;
    if (v->kind == NODE_NULL) {
        if (!(row->flags & (KEY_NULL | KEY_AT_ONCE)))
            run_error(run, v->span, "must be %s", schema_shape_text(row));
        return NULL;
    }
    if (run_is_open(run, v))
        return v;

    switch (row->shape) {
    case SHAPE_OBJECT:
        if (v->kind == NODE_MAP)
            finish_object(run, row->keys, v);
        break;
    case SHAPE_MAP:
    case SHAPE_LIST:
        finish_entries(run, row, v);
        break;
    case SHAPE_MAPPING:
    case SHAPE_OPTIONS:
        finish_mapping(run, row, v);
        break;
    case SHAPE_STRINGS:
    case SHAPE_STRING_OR_STRINGS:
    case SHAPE_COMMAND:
    case SHAPE_HOSTS:
        finish_list(run, row, v);
        break;
    case SHAPE_ANY:
        finish_free(v);
        node_sort_keys(v);
        break;
    default:
        v = cast(run, row, v);
        break;
    }
    return is_nothing(row, v) ? NULL : v;
}

void schema_finish(struct arena *a, struct node *doc, enum schema_form form, bool raw,
                   struct diag *d)
{
    auto_str struct str path = STR_INIT_MAX(4096);
    struct schema_run run = { .arena = a, .d = d, .path = &path, .form = form, .raw = raw };

    if (!doc || doc->kind != NODE_MAP)
        return;
    node_remove(doc, "version");
    finish_object(&run, form == FORM_MANIFEST ? &schema_manifest : &schema_top, doc);
}
