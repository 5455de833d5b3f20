/* String -> pointer over uthash, which keeps insertion order by itself. */
#include "base/mem.h"

/* uthash asks for memory through these; its own answer to a failure is exit(). */
#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(msg) abort()

#include "base/strmap.h"

#include <stdlib.h>

static struct strmap_entry *find(const struct strmap *m, const char *key)
{
    struct strmap_entry *found;
    HASH_FIND_STR(m->head, key, found);
    return found;
}

void *strmap_get(const struct strmap *m, const char *key)
{
    struct strmap_entry *e = find(m, key);
    return e ? e->value : NULL;
}

bool strmap_has(const struct strmap *m, const char *key)
{
    return find(m, key) != NULL;
}

void *strmap_set(struct strmap *m, const char *key, void *value)
{
    struct strmap_entry *e = find(m, key);
    if (e) {
        void *old = e->value;
        e->value = value;
        return old;
    }
    e = xnew(struct strmap_entry);
    e->key = xstrdup(key);
    e->value = value;
    HASH_ADD_KEYPTR(hh, m->head, e->key, strlen(e->key), e);
    return NULL;
}

static void drop(struct strmap *m, struct strmap_entry *e)
{
    HASH_DEL(m->head, e);
    free(e->key);
    free(e);
}

void *strmap_remove(struct strmap *m, const char *key)
{
    struct strmap_entry *e = find(m, key);
    if (!e)
        return NULL;
    void *old = e->value;
    drop(m, e);
    return old;
}

size_t strmap_len(const struct strmap *m)
{
    return HASH_COUNT(m->head);
}

void strmap_clear(struct strmap *m, void (*free_value)(void *))
{
    while (m->head) {
        void *value = m->head->value;
        drop(m, m->head);
        if (free_value)
            free_value(value);
    }
}
