/*
 * Reading YAML. libyaml's events are put together on a stack of open lists and maps; nothing here
 * recurses over what a file nests. Aliases stay single placeholder nodes at first, each counted
 * with all it stands for, so that a file of a few lines that would grow to gigabytes is refused
 * before anything was copied. Only then, in a second pass, aliases become copies and `<<` is
 * merged.
 */
#include "text/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/cleanup.h"
#include "base/strmap.h"
#include "text/scalar.h"
#include "text/yaml_error.h"

/* A placeholder: items[0] is the anchored node. Never leaves this file. */
#define NODE_ALIAS ((enum node_kind)(NODE_MAP + 1))

/* The key `<<` of a map that has something to merge, told from a quoted "<<" by its address. */
static const char merge_key[] = "<<";

struct anchor {
    struct node *node;
    size_t nodes; /* with aliases expanded; 0: still open */
    int height;   /* levels, 1 for a scalar */
};

struct child {
    const char *key;
    struct span key_span;
    struct node *node;
};

/* An open list or map; its children are those on the reader's list from `first` on. */
struct frame {
    struct node *node;
    struct anchor *anchor;
    size_t first;
    size_t nodes;
    int height;
    const char *key; /* of the map's next value; NULL: a key comes next */
    struct span key_span;
};

struct reader {
    struct arena *arena;
    const struct source *src;
    struct diag *diag;
    struct strmap anchors;
    struct frame frames[YAML_MAX_DEPTH];
    int depth;
    struct {
        VEC(struct child);
    } children;
    struct node *root;
    size_t nodes; /* in all, with aliases expanded */
    bool has_aliases;
    bool stopped; /* an error after which nothing more is read */
};

static struct span span_at(const struct reader *r, yaml_mark_t mark)
{
    return (struct span){ .source = r->src,
                          .line = (int)mark.line + 1,
                          .column = (int)mark.column + 1 };
}

static struct frame *top(struct reader *r)
{
    return r->depth ? &r->frames[r->depth - 1] : NULL;
}

static bool key_is_next(struct reader *r)
{
    const struct frame *f = top(r);

    return f && f->node->kind == NODE_MAP && !f->key;
}

/* Whether the file stays in its limits with `nodes` more nodes, `height` levels of them. */
static bool within_limits(struct reader *r, struct span at, size_t nodes, int height)
{
    if (r->depth + height > YAML_MAX_DEPTH) {
        diag_error(r->diag, at, "nested deeper than %d levels", YAML_MAX_DEPTH);
    } else if (nodes > YAML_MAX_NODES || r->nodes + nodes > YAML_MAX_NODES) {
        diag_error(r->diag, at, "more than %d values, aliases expanded", YAML_MAX_NODES);
    } else {
        r->nodes += nodes;
        return true;
    }
    r->stopped = true;
    return false;
}

/* Puts a finished node where it belongs. */
static void place(struct reader *r, struct node *n, size_t nodes, int height)
{
    struct frame *f = top(r);

    if (!f) {
        r->root = n;
        return;
    }
    f->nodes += nodes;
    if (f->height <= height)
        f->height = height + 1;
    *vec_push(&r->children) = (struct child){ f->key, f->key_span, n };
    f->key = NULL;
}

static struct anchor *new_anchor(struct reader *r, const yaml_char_t *name, struct node *n)
{
    struct anchor *anchor;

    if (!name)
        return NULL;
    anchor = arena_new_(r->arena, struct anchor);
    anchor->node = n;
    strmap_set(&r->anchors, (const char *)name, anchor);
    return anchor;
}

/* Tags. */

static const char standard[] = "tag:yaml.org,2002:";

static const struct {
    const char *tag;
    enum node_mark mark;
} marks[] = { { "!reset", MARK_RESET }, { "!override", MARK_OVERRIDE } };

static const struct {
    const char *tag;
    enum node_kind kind;
    const char *shown;
} tags[] = {
    { "null", NODE_NULL, "null" },     { "bool", NODE_BOOL, "true or false" },
    { "int", NODE_INT, "an integer" }, { "float", NODE_FLOAT, "a number" },
    { "str", NODE_STRING, "a text" },  { "seq", NODE_LIST, "a list" },
    { "map", NODE_MAP, "a map" },
};

static void unknown_tag(struct reader *r, const char *tag, struct span at)
{
    bool is_standard = str_starts(tag, standard);

    diag_error(r->diag, at, "unknown tag '%s%s'", is_standard ? "!!" : "",
               is_standard ? tag + strlen(standard) : tag);
    diag_hint(r->diag, "text that starts with '!' must be quoted");
}

/* `!!merge <<: *base` is what some programs write for `<<: *base`. */
static bool is_merge_key(const yaml_event_t *e)
{
    const char *tag = (const char *)e->data.scalar.tag;

    if (strcmp((const char *)e->data.scalar.value, merge_key) != 0)
        return false;
    return tag ? str_starts(tag, standard) && strcmp(tag + strlen(standard), "merge") == 0
               : e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* Sets the mark. Whether another tag was there, and which kind it asks for (-1: none known). */
static bool read_tag(struct reader *r, struct node *n, const yaml_char_t *yaml_tag, int *kind)
{
    const char *tag = (const char *)yaml_tag;

    *kind = -1;
    if (!tag)
        return false;
    for (size_t i = 0; i < countof(marks); i++)
        if (strcmp(tag, marks[i].tag) == 0) {
            n->mark = marks[i].mark;
            return false;
        }
    if (strcmp(tag, "!") == 0) {
        *kind = n->kind;
        return true;
    }
    for (size_t i = 0; i < countof(tags); i++)
        if (str_starts(tag, standard) && strcmp(tag + strlen(standard), tags[i].tag) == 0)
            *kind = (int)tags[i].kind;
    if (*kind < 0)
        unknown_tag(r, tag, n->span);
    return true;
}

static void wrong_kind(struct reader *r, struct span at, int kind)
{
    for (size_t i = 0; i < countof(tags); i++)
        if ((int)tags[i].kind == kind)
            diag_error(r->diag, at, "expected %s after the tag '!!%s'", tags[i].shown, tags[i].tag);
}

/* Events. */

/* A copy in the arena, or NULL when the text holds the character NUL. */
static const char *copy_text(struct reader *r, const yaml_event_t *e, struct span at)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;

    if (memchr(text, 0, len)) {
        diag_error(r->diag, at, "text must not contain the character NUL");
        return "";
    }
    return arena_strndup(r->arena, text, len);
}

static void set_key(struct reader *r, const char *key, struct span at)
{
    struct frame *f = top(r);

    f->key = key;
    f->key_span = at;
}

static struct node *new_scalar(struct reader *r, const yaml_event_t *e)
{
    struct span at = span_at(r, e->start_mark);
    struct node *n = node_new(r->arena, NODE_STRING, at);
    int kind;

    n->text = n->value = copy_text(r, e, at);
    n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!read_tag(r, n, e->data.scalar.tag, &kind)) {
        if (!n->quoted)
            scalar_resolve(r->arena, n);
        return n;
    }
    if (kind < 0 || kind == NODE_STRING) {
        n->quoted = true;
        return n;
    }
    scalar_resolve(r->arena, n);
    if (kind == NODE_FLOAT && n->kind == NODE_INT) {
        n->kind = NODE_FLOAT;
        n->real = (double)n->integer;
    }
    if ((int)n->kind != kind)
        wrong_kind(r, at, kind);
    return n;
}

static void on_scalar(struct reader *r, const yaml_event_t *e)
{
    struct span at = span_at(r, e->start_mark);
    const yaml_char_t *name = e->data.scalar.anchor;

    if (key_is_next(r)) {
        bool merges = is_merge_key(e);
        const char *key = merges ? merge_key : copy_text(r, e, at);
        if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag &&
            scalar_kind(key) != NODE_STRING) {
            diag_error(r->diag, at, "a key must be text");
            diag_hint(r->diag, "put it in quotes: \"%s\"", key);
        }
        set_key(r, key, at);
        r->has_aliases |= merges;
        if (name) {
            struct node *n = node_string(r->arena, top(r)->key, at);
            *new_anchor(r, name, n) = (struct anchor){ n, 1, 1 };
        }
        return;
    }
    if (!within_limits(r, at, 1, 1))
        return;
    struct node *n = new_scalar(r, e);
    if (name)
        *new_anchor(r, name, n) = (struct anchor){ n, 1, 1 };
    place(r, n, 1, 1);
}

static void on_alias(struct reader *r, const yaml_event_t *e)
{
    struct span at = span_at(r, e->start_mark);
    const char *name = (const char *)e->data.alias.anchor;
    const struct anchor *anchor = strmap_get(&r->anchors, name);

    if (!anchor || !anchor->nodes) {
        if (!anchor)
            diag_error(r->diag, at, "unknown alias '*%s', no '&%s' stands before it", name, name);
        else
            diag_error(r->diag, at, "alias '*%s' stands inside of what it repeats", name);
        r->stopped = true;
        return;
    }
    if (key_is_next(r)) {
        if (!node_is_scalar(anchor->node))
            diag_error(r->diag, at, "a key must be plain text, not a list or a map");
        set_key(r, anchor->node->text ? anchor->node->text : "", at);
        return;
    }
    if (!within_limits(r, at, anchor->nodes, anchor->height))
        return;
    struct node *n = node_new(r->arena, NODE_LIST, at);
    node_append(r->arena, n, anchor->node);
    n->kind = NODE_ALIAS;
    r->has_aliases = true;
    place(r, n, anchor->nodes, anchor->height);
}

static void on_open(struct reader *r, const yaml_event_t *e, enum node_kind kind)
{
    struct span at = span_at(r, e->start_mark);
    bool is_map = kind == NODE_MAP;
    struct node *n;
    int asked;

    if (key_is_next(r)) {
        diag_error(r->diag, at, "a key must be plain text, not a list or a map");
        diag_hint(r->diag, "text that starts with '{' or '[' must be quoted");
        r->stopped = true;
        return;
    }
    if (!within_limits(r, at, 1, 1))
        return;
    n = node_new(r->arena, kind, at);
    if (read_tag(r, n, is_map ? e->data.mapping_start.tag : e->data.sequence_start.tag, &asked) &&
        asked >= 0 && asked != (int)kind)
        wrong_kind(r, at, asked);
    r->frames[r->depth++] = (struct frame){
        .node = n,
        .anchor =
            new_anchor(r, is_map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor, n),
        .first = r->children.len,
        .nodes = 1,
        .height = 1,
    };
}

static int by_key(const void *a, const void *b)
{
    const struct child *left = a;
    const struct child *right = b;
    int order = strcmp(left->key, right->key);

    if (order)
        return order;
    if (left->key_span.line != right->key_span.line)
        return left->key_span.line < right->key_span.line ? -1 : 1;
    return left->key_span.column < right->key_span.column ? -1 : 1;
}

static void check_duplicates(struct reader *r, const struct child *children, size_t n)
{
    struct child *sorted = xcalloc(n + 1, sizeof(*sorted));

    if (n)
        memcpy(sorted, children, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_key);
    for (size_t i = 1, first = 0; i < n; i++) {
        if (strcmp(sorted[first].key, sorted[i].key) != 0)
            first = i;
        else
            diag_error(r->diag, sorted[i].key_span, "key '%s' is already at line %d, column %d",
                       sorted[i].key, sorted[first].key_span.line, sorted[first].key_span.column);
    }
    free(sorted);
}

static void on_close(struct reader *r)
{
    struct frame *f = top(r);
    struct node *n = f->node;
    size_t len = r->children.len - f->first;
    const struct child *children = len ? r->children.items + f->first : NULL;

    if (len) {
        n->len = n->cap = len;
        n->items = arena_alloc(r->arena, len * sizeof(*n->items));
        for (size_t i = 0; i < len; i++)
            n->items[i] = children[i].node;
    }
    if (len && n->kind == NODE_MAP) {
        n->keys = arena_alloc(r->arena, len * sizeof(*n->keys));
        n->key_spans = arena_alloc(r->arena, len * sizeof(*n->key_spans));
        for (size_t i = 0; i < len; i++) {
            n->keys[i] = children[i].key;
            n->key_spans[i] = children[i].key_span;
        }
        check_duplicates(r, children, len);
        node_index_keys(r->arena, n);
    }
    r->children.len = f->first;
    if (f->anchor) {
        f->anchor->nodes = f->nodes;
        f->anchor->height = f->height;
    }
    r->depth--;
    place(r, n, f->nodes, f->height);
}

/* The second pass: what an alias repeats stands before it, and so is expanded already. */

static void merge_map(struct reader *r, struct node *out, struct strmap *seen,
                      const struct node *from)
{
    if (from->kind != NODE_MAP) {
        diag_error(r->diag, from->span, "'<<' takes a map or a list of maps");
        return;
    }
    node_each (i, from)
        if (!strmap_has(seen, from->keys[i])) {
            strmap_set(seen, from->keys[i], NULL);
            out->keys[out->len] = from->keys[i];
            out->key_spans[out->len] = from->key_spans[i];
            out->items[out->len++] = from->items[i];
        }
}

/* A map's own keys win over merged ones, earlier maps of a list over later ones. */
static void merge(struct reader *r, struct node *map, size_t at)
{
    const struct node *from = map->items[at];
    struct node own = *map;
    struct strmap seen = STRMAP_INIT;
    size_t room = map->len;

    if (from->kind == NODE_LIST)
        node_each (i, from)
            room += from->items[i]->len;
    else
        room += from->len;

    map->items = arena_alloc(r->arena, room * sizeof(*map->items));
    map->keys = arena_alloc(r->arena, room * sizeof(*map->keys));
    map->key_spans = arena_alloc(r->arena, room * sizeof(*map->key_spans));
    map->cap = room;
    map->len = 0;
    node_remove_at(&own, at);
    merge_map(r, map, &seen, &own);
    if (from->kind == NODE_LIST)
        node_each (i, from)
            merge_map(r, map, &seen, from->items[i]);
    else
        merge_map(r, map, &seen, from);
    strmap_clear(&seen, NULL);
    node_index_keys(r->arena, map);
}

static struct node *expand(struct reader *r, struct node *n)
{
    if (n->kind == NODE_ALIAS)
        return node_copy(r->arena, n->items[0]);
    node_each (i, n)
        n->items[i] = expand(r, n->items[i]);
    if (n->kind == NODE_MAP)
        node_each (i, n)
            if (n->keys[i] == merge_key) {
                merge(r, n, i);
                break;
            }
    return n;
}

/* One document, up to the end of the stream. */
static void read_events(struct reader *r, yaml_parser_t *parser)
{
    int documents = 0;

    while (!r->stopped) {
        yaml_event_t e;

        if (!yaml_parser_parse(parser, &e)) {
            yaml_error_report(r->diag, r->src, parser);
            return;
        }
        switch (e.type) {
        case YAML_DOCUMENT_START_EVENT:
            if (++documents > 1) {
                diag_error(r->diag, span_at(r, e.start_mark),
                           "a second document starts here, expected one in a file");
                r->stopped = true;
            }
            break;
        case YAML_SCALAR_EVENT:
            on_scalar(r, &e);
            break;
        case YAML_ALIAS_EVENT:
            on_alias(r, &e);
            break;
        case YAML_SEQUENCE_START_EVENT:
            on_open(r, &e, NODE_LIST);
            break;
        case YAML_MAPPING_START_EVENT:
            on_open(r, &e, NODE_MAP);
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            on_close(r);
            break;
        case YAML_STREAM_END_EVENT:
            r->stopped = true;
            break;
        default:
            break;
        }
        yaml_event_delete(&e);
    }
}

int yaml_read(struct node **out, struct arena *a, const struct source *src, struct diag *d)
{
    struct reader r = { .arena = a, .src = src, .diag = d };
    size_t errors = d->errors;
    yaml_parser_t parser;

    if (!yaml_parser_initialize(&parser))
        abort(); /* out of memory */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)src->text, src->len);
    read_events(&r, &parser);
    yaml_parser_delete(&parser);
    if (d->errors == errors && r.root && r.has_aliases)
        r.root = expand(&r, r.root);
    strmap_clear(&r.anchors, NULL);
    vec_free(&r.children);
    if (d->errors != errors)
        return -1;

    bool empty = !r.root || (r.root->kind == NODE_NULL && !*r.root->text && !r.root->mark);
    *out = empty ? NULL : r.root;
    return 0;
}
