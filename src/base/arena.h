/* Allocate many, free once: the memory of one loaded stack. Never fails (base/mem.h). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);
DEFINE_FREEP(struct arena, arena_free)

/* Zeroed, aligned for any type, valid until arena_free(). */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes handed out so far, to hold a caller to its limit. */
size_t arena_used(const struct arena *a);

#define arena_new_(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
