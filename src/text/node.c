/* The document tree: making, finding, changing, comparing. See node.h. */
#include "text/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * Maps of many keys have a hash table of their places, so that no file makes the loader slow. It
 * only speeds up: the place it names is compared, it is filled again when the number of keys is
 * another one, and where a key of the same hash stands elsewhere by now (somebody moved entries by
 * hand) all keys are searched.
 */
enum { INDEX_FROM = 64 };

struct node_slot {
    uint32_t hash;
    uint32_t place; /* 0: free; else index + 1 */
};

struct node_index {
    const struct node *owner; /* a node that was copied as a structure has no table */
    size_t len;               /* keys in the table; 0: fill it before the next use */
    size_t mask;
    struct node_slot *slots;
};

static uint32_t hash_key(const char *key)
{
    uint32_t h = 2166136261u;

    for (const unsigned char *p = (const unsigned char *)key; *p; p++)
        h = (h ^ *p) * 16777619u;
    return h;
}

static void index_add(struct node_index *x, const char *key, size_t i)
{
    uint32_t hash = hash_key(key);
    size_t at = hash & x->mask;

    while (x->slots[at].place)
        at = (at + 1) & x->mask;
    x->slots[at] = (struct node_slot){ hash, (uint32_t)i + 1 };
    x->len++;
}

/* The map's table, up to date; NULL when it has none. */
static struct node_index *index_of(const struct node *map)
{
    struct node_index *x = map->index;

    if (!x || x->owner != map || map->len * 2 > x->mask)
        return NULL;
    if (x->len != map->len) {
        memset(x->slots, 0, (x->mask + 1) * sizeof(*x->slots));
        x->len = 0;
        node_each (i, map)
            index_add(x, map->keys[i], i);
    }
    return x;
}

/* -1: not there; -2: the table cannot tell. */
static long index_find(const struct node_index *x, const struct node *map, const char *key)
{
    uint32_t hash = hash_key(key);
    bool moved = false;

    for (size_t at = hash & x->mask; x->slots[at].place; at = (at + 1) & x->mask) {
        size_t i = x->slots[at].place - 1;
        if (x->slots[at].hash != hash)
            continue;
        if (strcmp(map->keys[i], key) == 0)
            return (long)i;
        moved = true;
    }
    return moved ? -2 : -1;
}

static void index_forget(struct node *map)
{
    if (map->index)
        map->index->len = 0;
}

void node_index_keys(struct arena *a, struct node *map)
{
    size_t size = INDEX_FROM;

    map->index = NULL;
    if (map->kind != NODE_MAP || map->len < INDEX_FROM || map->len > UINT32_MAX / 4)
        return;
    while (size < map->len * 4)
        size *= 2;
    map->index = arena_new_(a, struct node_index);
    map->index->owner = map;
    map->index->mask = size - 1;
    map->index->slots = arena_alloc(a, size * sizeof(*map->index->slots));
}

struct node *node_new(struct arena *a, enum node_kind kind, struct span span)
{
    struct node *n = arena_new_(a, struct node);

    n->kind = kind;
    n->span = span;
    if (node_is_scalar(n)) {
        n->text = kind == NODE_BOOL ? "false" : kind == NODE_INT || kind == NODE_FLOAT ? "0" : "";
        n->value = n->text;
    }
    return n;
}

struct node *node_string(struct arena *a, const char *text, struct span span)
{
    struct node *n = node_new(a, NODE_STRING, span);

    n->text = n->value = arena_strdup(a, text);
    return n;
}

struct node *node_int(struct arena *a, int64_t value, struct span span)
{
    struct node *n = node_new(a, NODE_INT, span);

    n->integer = value;
    n->text = n->value = arena_printf(a, "%lld", (long long)value);
    return n;
}

struct node *node_bool(struct arena *a, bool value, struct span span)
{
    struct node *n = node_new(a, NODE_BOOL, span);

    n->boolean = value;
    n->text = n->value = value ? "true" : "false";
    return n;
}

/* Room for `want` children. The old arrays stay in the arena until it goes. */
static void reserve(struct arena *a, struct node *n, size_t want)
{
    size_t cap = n->cap ? n->cap : 4;

    if (n->cap >= want)
        return;
    while (cap < want)
        cap *= 2;

    struct node **items = arena_alloc(a, cap * sizeof(*items));
    if (n->len)
        memcpy(items, n->items, n->len * sizeof(*items));
    n->items = items;
    if (n->kind == NODE_MAP) {
        const char **keys = arena_alloc(a, cap * sizeof(*keys));
        struct span *spans = arena_alloc(a, cap * sizeof(*spans));
        if (n->len) {
            memcpy(keys, n->keys, n->len * sizeof(*keys));
            memcpy(spans, n->key_spans, n->len * sizeof(*spans));
        }
        n->keys = keys;
        n->key_spans = spans;
    }
    n->cap = cap;
}

struct node *node_copy(struct arena *a, const struct node *n)
{
    struct node *copy = arena_new_(a, struct node);

    *copy = *n;
    copy->len = copy->cap = 0;
    copy->items = NULL;
    copy->keys = NULL;
    copy->key_spans = NULL;
    copy->index = NULL;
    if (n->text) {
        copy->text = arena_strdup(a, n->text);
        copy->value = n->value == n->text ? copy->text : arena_strdup(a, n->value);
    }
    if (n->len)
        reserve(a, copy, n->len);
    node_each (i, n) {
        copy->items[i] = node_copy(a, n->items[i]);
        if (n->kind == NODE_MAP) {
            copy->keys[i] = arena_strdup(a, n->keys[i]);
            copy->key_spans[i] = n->key_spans[i];
        }
    }
    copy->len = n->len;
    node_index_keys(a, copy);
    return copy;
}

long node_index(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return -1;
    const struct node_index *x = index_of(map);
    long found = x ? index_find(x, map, key) : -2;
    if (found > -2)
        return found;
    node_each (i, map)
        if (strcmp(map->keys[i], key) == 0)
            return (long)i;
    return -1;
}

struct node *node_get(const struct node *map, const char *key)
{
    long i = node_index(map, key);

    return i < 0 ? NULL : map->items[i];
}

struct node *node_at(const struct node *n, const char *dotted_path)
{
    for (const char *part = dotted_path;;) {
        size_t len = strcspn(part, ".");
        struct node *found = NULL;

        if (!n || n->kind != NODE_MAP)
            return NULL;
        for (size_t i = 0; i < n->len && !found; i++)
            if (strncmp(n->keys[i], part, len) == 0 && !n->keys[i][len])
                found = n->items[i];
        if (!part[len])
            return found;
        n = found;
        part += len + 1;
    }
}

struct span node_key_span(const struct node *map, const char *key)
{
    long i = node_index(map, key);

    return i < 0 ? (struct span){ 0 } : map->key_spans[i];
}

void node_set(struct arena *a, struct node *map, const char *key, struct node *value)
{
    long i = node_index(map, key);

    if (i >= 0) {
        map->items[i] = value;
        return;
    }
    reserve(a, map, map->len + 1);
    map->keys[map->len] = arena_strdup(a, key);
    map->key_spans[map->len] = value->span;
    map->items[map->len++] = value;
    if (!map->index || map->index->owner != map || map->len * 2 > map->index->mask)
        node_index_keys(a, map);
    else if (map->index->len == map->len - 1)
        index_add(map->index, map->keys[map->len - 1], map->len - 1);
}

void node_set_string(struct arena *a, struct node *map, const char *key, const char *text)
{
    node_set(a, map, key, node_string(a, text, map->span));
}

void node_append(struct arena *a, struct node *list, struct node *value)
{
    reserve(a, list, list->len + 1);
    list->items[list->len++] = value;
}

void node_remove_at(struct node *list_or_map, size_t i)
{
    struct node *n = list_or_map;
    size_t after = n->len - i - 1;

    memmove(&n->items[i], &n->items[i + 1], after * sizeof(*n->items));
    if (n->kind == NODE_MAP) {
        memmove(&n->keys[i], &n->keys[i + 1], after * sizeof(*n->keys));
        memmove(&n->key_spans[i], &n->key_spans[i + 1], after * sizeof(*n->key_spans));
    }
    n->len--;
    index_forget(n);
}

void node_remove(struct node *map, const char *key)
{
    long i = node_index(map, key);

    if (i >= 0)
        node_remove_at(map, (size_t)i);
}

void node_rename(struct arena *a, struct node *map, const char *from, const char *to)
{
    if (node_index(map, from) < 0 || strcmp(from, to) == 0)
        return;
    node_remove(map, to);
    map->keys[node_index(map, from)] = arena_strdup(a, to);
    index_forget(map);
}

struct entry {
    const char *key;
    struct span span;
    struct node *item;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

void node_sort_keys(struct node *map)
{
    if (!map || map->kind != NODE_MAP || map->len < 2)
        return;

    struct entry *entries = xcalloc(map->len, sizeof(*entries));
    node_each (i, map)
        entries[i] = (struct entry){ map->keys[i], map->key_spans[i], map->items[i] };
    qsort(entries, map->len, sizeof(*entries), by_key);
    node_each (i, map) {
        map->keys[i] = entries[i].key;
        map->key_spans[i] = entries[i].span;
        map->items[i] = entries[i].item;
    }
    free(entries);
    index_forget(map);
}

bool node_is_scalar(const struct node *n)
{
    return n && n->kind != NODE_LIST && n->kind != NODE_MAP;
}

const char *node_text(const struct node *n)
{
    return node_is_scalar(n) && n->kind != NODE_NULL ? n->value : NULL;
}

const char *node_text_at(const struct node *n, const char *dotted_path)
{
    return node_text(node_at(n, dotted_path));
}

bool node_bool_at(const struct node *n, const char *dotted_path, bool fallback)
{
    const struct node *found = node_at(n, dotted_path);

    return found && found->kind == NODE_BOOL ? found->boolean : fallback;
}

int64_t node_int_at(const struct node *n, const char *dotted_path, int64_t fallback)
{
    const struct node *found = node_at(n, dotted_path);

    return found && found->kind == NODE_INT ? found->integer : fallback;
}

bool node_equal(const struct node *a, const struct node *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->len != b->len)
        return false;

    switch (a->kind) {
    case NODE_NULL:
        return true;
    case NODE_BOOL:
        return a->boolean == b->boolean;
    case NODE_INT:
        return a->integer == b->integer;
    case NODE_FLOAT:
    case NODE_STRING:
        return strcmp(a->value, b->value) == 0;
    case NODE_LIST:
        node_each (i, a)
            if (!node_equal(a->items[i], b->items[i]))
                return false;
        return true;
    case NODE_MAP:
        node_each (i, a) {
            /* Maps mostly agree in order, too. */
            bool same_place = strcmp(a->keys[i], b->keys[i]) == 0;
            const struct node *other = same_place ? b->items[i] : node_get(b, a->keys[i]);
            if (!other || !node_equal(a->items[i], other))
                return false;
        }
        return true;
    }
    return false;
}
