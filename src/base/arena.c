/* Allocate many, free once. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/*
 * A list of chunks, the newest first. Chunks are zeroed when they are made and never reused, so
 * handing out memory is an addition. They grow with what was handed out. What is larger than a
 * quarter of the next one gets one of its own, put behind the current chunk, whose rest stays in
 * use.
 */

enum { CHUNK_SIZE = 16 * 1024, CHUNK_MAX = 256 * 1024, GROWTH = 8 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

struct arena {
    struct chunk *current;
    size_t used;
};

struct arena *arena_new(void)
{
    return xnew(struct arena);
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->current, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

static struct chunk *chunk_new(size_t size)
{
    struct chunk *c = xcalloc(1, sizeof(*c) + size);
    c->size = size;
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    /* A size near SIZE_MAX must reach the allocator as it is, to be refused there. */
    if (size > SIZE_MAX / 2)
        return xcalloc(size, 2);
    size_t need = size ? (size + align - 1) / align * align : align;
    a->used += need;

    struct chunk *c = a->current;
    if (c && c->size - c->used >= need) {
        void *p = c->data + c->used;
        c->used += need;
        return p;
    }
    size_t next = a->used / GROWTH;
    next = next < CHUNK_SIZE ? CHUNK_SIZE : next > CHUNK_MAX ? CHUNK_MAX : next;
    if (c && need > next / 4) {
        struct chunk *own = chunk_new(need);
        own->used = need;
        own->next = c->next;
        c->next = own;
        return own->data;
    }
    struct chunk *fresh = chunk_new(need > next ? need : next);
    fresh->used = need;
    fresh->next = c;
    a->current = fresh;
    return fresh->data;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = arena_alloc(a, len + 1);
    memcpy(copy, s, len);
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    return arena_strdup(a, text);
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
