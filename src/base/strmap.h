/* String -> pointer, iterated in insertion order. Keys are copied; values are the caller's. */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>

#include <uthash.h>

struct strmap_entry {
    char *key;
    void *value;
    UT_hash_handle hh; /* private */
};

struct strmap {
    struct strmap_entry *head; /* private */
};

#define STRMAP_INIT ((struct strmap){ 0 })

/* The value, or NULL. */
void *strmap_get(const struct strmap *m, const char *key);
bool strmap_has(const struct strmap *m, const char *key);
/* Adds or replaces; returns the value that was there, or NULL. */
void *strmap_set(struct strmap *m, const char *key, void *value);
/* Removes; returns the value that was there, or NULL. */
void *strmap_remove(struct strmap *m, const char *key);
size_t strmap_len(const struct strmap *m);
/* Releases keys; calls free_value (may be NULL) on each value. */
void strmap_clear(struct strmap *m, void (*free_value)(void *));

#define strmap_each(it, m) \
    for (struct strmap_entry *it = (m)->head; it; it = (struct strmap_entry *)it->hh.next)

#endif
