/*
 * The tree of a document. The loader reads YAML into it, every later step of loading (merging,
 * short forms, defaults) works on it, and the finished model keeps it as the canonical form of
 * each service, from which `config`, hashes and engine requests are made.
 *
 * Nodes live in an arena and are never freed one by one. Aliases are expanded into copies while
 * reading (under the limits of text/yaml.h), so that a node has exactly one parent.
 */
#ifndef TEXT_NODE_H
#define TEXT_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "text/source.h"

/* An integer that fits uint64_t but not int64_t is a NODE_FLOAT whose `value` keeps all digits;
 * larger ones are NODE_FLOAT in exponent form, as Compose has them. Dates are strings. */
enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STRING, NODE_LIST, NODE_MAP };

/* Compose's merge tags. */
enum node_mark { MARK_NONE, MARK_RESET, MARK_OVERRIDE };

struct node_index;

struct node {
    enum node_kind kind;
    enum node_mark mark;
    bool quoted; /* a scalar written in quotes or as a block */
    bool boolean;
    struct span span; /* of the value */
    /* scalars; lists and maps have NULL and 0 here */
    const char *text;  /* as written (strings: the value); never NULL for scalars */
    const char *value; /* as the value prints: 0400 is "256", True "true", 1.10 "1.1", ~ "" */
    int64_t integer;
    double real;
    /* lists and maps, in order */
    size_t len;
    size_t cap;
    struct node **items;      /* values */
    const char **keys;        /* maps: len keys */
    struct span *key_spans;   /* maps */
    struct node_index *index; /* of maps of many keys; private: rename keys by node_rename() */
};

/* Empty: null, false, 0, "", [] or {}. */
struct node *node_new(struct arena *a, enum node_kind kind, struct span span);
struct node *node_string(struct arena *a, const char *text, struct span span); /* copies text */
struct node *node_int(struct arena *a, int64_t value, struct span span);
struct node *node_bool(struct arena *a, bool value, struct span span);
struct node *node_copy(struct arena *a, const struct node *n); /* deep */

/* Maps. Getters accept NULL and nodes of another kind, and then find nothing. */
struct node *node_get(const struct node *map, const char *key);
struct node *node_at(const struct node *n, const char *dotted_path);
long node_index(const struct node *map, const char *key); /* -1: not there */
/* Replaces the value in place or appends; the key is copied. A new key's span is the value's. */
void node_set(struct arena *a, struct node *map, const char *key, struct node *value);
void node_set_string(struct arena *a, struct node *map, const char *key, const char *text);
void node_remove(struct node *map, const char *key);
/* In place; another value under the name `to` goes. Nothing happens where `from` is missing. */
void node_rename(struct arena *a, struct node *map, const char *from, const char *to);
void node_sort_keys(struct node *map); /* bytewise, this level only */
/* For a map whose arrays were filled by hand: from here on its keys are found fast. */
void node_index_keys(struct arena *a, struct node *map);
struct span node_key_span(const struct node *map, const char *key);

/* Lists. */
void node_append(struct arena *a, struct node *list, struct node *value);
void node_remove_at(struct node *list_or_map, size_t i);

/* Scalars. */
bool node_is_scalar(const struct node *n);
/* The value of a scalar as Compose turns it into a string ("5", "true", ""; 0400 gives "256");
 * NULL for null, lists and maps. */
const char *node_text(const struct node *n);
const char *node_text_at(const struct node *n, const char *dotted_path); /* or NULL */
bool node_bool_at(const struct node *n, const char *dotted_path, bool fallback);
int64_t node_int_at(const struct node *n, const char *dotted_path, int64_t fallback);

/* By value: map order, marks and positions are ignored; 1 and 1.0 differ. */
bool node_equal(const struct node *a, const struct node *b);

#define node_each(i, n) for (size_t i = 0; (n) && i < (n)->len; i++)

#endif
