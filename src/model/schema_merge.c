/*
 * Merging: a later file over an earlier one, a service over the one it extends. By the table where
 * it knows the key, else maps key by key, lists one after the other, scalars replaced. Both sides
 * are expanded, so each key has one form; where a file is wrong and the kinds differ all the same,
 * the later value stays.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/strmap.h"
#include "model/schema_run.h"

static struct node *merge_value(struct arena *a, const struct schema_key *row, struct node *base,
                                struct node *over);

/* Removes what is marked !reset and forgets all marks, all the way down. */
static void drop_marks(struct node *n)
{
    n->mark = MARK_NONE;
    for (size_t i = 0; i < n->len;) {
        if (n->items[i]->mark == MARK_RESET) {
            node_remove_at(n, i);
        } else {
            drop_marks(n->items[i]);
            i++;
        }
    }
}

void identity_text(struct str *out, const struct node *item)
{
    const char *text = node_text(item);
    str_add(out, text ? text : "");
}

static void identity_name(struct str *out, const struct node *item)
{
    const char *text = node_text(item);
    if (text)
        str_addn(out, text, strcspn(text, "="));
}

static void add_key_text(struct str *out, const struct node *item, const char *key,
                         const char *fallback)
{
    const char *text = node_text(node_get(item, key));
    str_add(out, text ? text : fallback);
}

void identity_path(struct str *out, const struct node *item)
{
    add_key_text(out, item, "path", "");
}

void identity_target(struct str *out, const struct node *item)
{
    add_key_text(out, item, "target", "");
}

/* As in docker compose, a number and a string are never the same port of the host: of "80:80" and
 * {target: 80, published: 80} both stay. */
void identity_port(struct str *out, const struct node *item)
{
    const struct node *published = node_get(item, "published");
    if (published && published->kind == NODE_INT)
        str_addc(out, '#');
    add_key_text(out, item, "host_ip", "0.0.0.0");
    str_addc(out, ' ');
    add_key_text(out, item, "published", "");
    str_addc(out, ' ');
    add_key_text(out, item, "target", "");
    str_addc(out, '/');
    add_key_text(out, item, "protocol", "tcp");
}

static void identity_use(struct str *out, const struct node *item, const char *directory)
{
    if (node_get(item, "target")) {
        add_key_text(out, item, "target", "");
        return;
    }
    str_add(out, directory);
    add_key_text(out, item, "source", "");
}

void identity_config_use(struct str *out, const struct node *item)
{
    identity_use(out, item, "/");
}

void identity_secret_use(struct str *out, const struct node *item)
{
    identity_use(out, item, "/run/secrets/");
}

void merge_unique(const struct schema_key *row, struct node *list)
{
    schema_identity *identity = row->identity ? row->identity : identity_name;
    auto_str struct str key = STR_INIT;
    struct strmap places = STRMAP_INIT;
    size_t kept = 0;

    if (list->len < 2)
        return;
    node_each (i, list) {
        str_truncate(&key, 0);
        identity(&key, list->items[i]);
        struct node **place = strmap_get(&places, key.buf);
        if (place) {
            *place = list->items[i];
            continue;
        }
        list->items[kept] = list->items[i];
        strmap_set(&places, key.buf, &list->items[kept++]);
    }
    list->len = kept;
    strmap_clear(&places, NULL);
}

static void append(struct arena *a, struct node *base, const struct node *over)
{
    node_each (i, over)
        node_append(a, base, over->items[i]);
}

static void put(struct arena *a, struct node *map, const struct node *from, size_t i,
                struct node *value)
{
    bool is_new = node_index(map, from->keys[i]) < 0;

    node_set(a, map, from->keys[i], value);
    if (is_new)
        map->key_spans[map->len - 1] = from->key_spans[i];
}

/* The row of a key in a map that `row` describes: NULL for entries of maps, and unknown keys. */
static const struct schema_key *child_row(const struct schema_key *row, const char *key)
{
    return row && row->shape != SHAPE_MAP && row->keys ? schema_find(row->keys, key) : NULL;
}

static struct node *merge_maps(struct arena *a, const struct schema_key *row, struct node *base,
                               struct node *over)
{
    /* Entries of a map are objects of the same keys. */
    struct schema_key entry = { .shape = SHAPE_OBJECT, .merge = MERGE_DEEP };
    bool entries = row && row->shape == SHAPE_MAP;
    bool replace = row && row->merge == MERGE_ENTRIES;

    if (entries)
        entry.keys = row->keys;
    node_each (i, over) {
        struct node *theirs = over->items[i], *ours = node_get(base, over->keys[i]);
        const struct schema_key *below = entries ? &entry : child_row(row, over->keys[i]);
        bool whole = !ours || replace;
        put(a, base, over, i, whole ? theirs : merge_value(a, below, ours, theirs));
    }
    return base;
}

static bool same_driver(const struct node *base, const struct node *over)
{
    const char *a = node_text_at(base, "driver"), *b = node_text_at(over, "driver");

    return !a || !b || strcmp(a, b) == 0;
}

static struct node **find_pool(struct node *pools, const struct node *like)
{
    const char *subnet = node_text_at(like, "subnet");

    node_each (i, pools)
        if (str_eq(node_text_at(pools->items[i], "subnet"), subnet))
            return &pools->items[i];
    return NULL;
}

/* As the reference does it, pool by pool: the later file's pools, those of a subnet that both have
 * merged; of the earlier file's others none stays once the later file has a new one. */
static struct node *merge_pools(struct arena *a, struct node *base, const struct node *over)
{
    struct node *pools = node_new(a, NODE_LIST, over->span);

    node_each (i, base)
        node_each (k, over) {
            struct node *ours = base->items[i], *theirs = over->items[k];
            bool same = str_eq(node_text_at(ours, "subnet"), node_text_at(theirs, "subnet"));
            if (ours->kind != NODE_MAP || theirs->kind != NODE_MAP)
                continue;
            if (!same && !find_pool(pools, theirs)) {
                node_append(a, pools, node_copy(a, theirs));
                continue;
            }
            struct node *merged = merge_maps(a, NULL, ours, theirs);
            struct node **place = find_pool(pools, merged);
            if (place)
                *place = merged;
            else
                node_append(a, pools, merged);
        }
    return pools;
}

/* Both have a value, and `over` has no mark. */
static struct node *merge_kinds(struct arena *a, const struct schema_key *row, struct node *base,
                                struct node *over)
{
    enum merge_rule rule = row ? row->merge : MERGE_DEEP;
    bool maps = base->kind == NODE_MAP && over->kind == NODE_MAP;
    bool lists = base->kind == NODE_LIST && over->kind == NODE_LIST;

    if (rule == MERGE_REPLACE || (!maps && !lists))
        return over;
    if (maps)
        return rule == MERGE_SAME_DRIVER && !same_driver(base, over)
                   ? over
                   : merge_maps(a, row, base, over);
    if (rule == MERGE_POOLS)
        return merge_pools(a, base, over);
    append(a, base, over);
    if (rule == MERGE_UNIQUE)
        merge_unique(row, base);
    return base;
}

static struct node *merge_value(struct arena *a, const struct schema_key *row, struct node *base,
                                struct node *over)
{
    /* Where `base` is to be reset the mark itself stays, for the files before. */
    if (over->mark != MARK_NONE || base->kind == NODE_NULL)
        return over;
    if (over->kind == NODE_NULL)
        return row && row->shape == SHAPE_COMMAND ? over : base;
    return merge_kinds(a, row, base, over);
}

static struct node *merge(struct arena *a, const struct schema_keys *keys, struct node *base,
                          struct node *over)
{
    struct schema_key whole = { .shape = SHAPE_OBJECT, .merge = MERGE_DEEP, .keys = keys };

    if (base)
        drop_marks(base);
    if (!base || !over)
        return base ? base : over;
    return merge_value(a, &whole, base, over);
}

struct node *schema_merge_documents(struct arena *a, struct node *base, struct node *over)
{
    struct node *merged = merge(a, &schema_top, base, over);

    if (merged)
        drop_marks(merged);
    return merged;
}

struct node *schema_merge_services(struct arena *a, struct node *base, struct node *over)
{
    return merge(a, &schema_service, base, over);
}
