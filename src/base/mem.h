/* Allocation that does not fail: out of memory ends the program with a message (abort). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory for n objects of the given size; the product is checked. Free with free(). */
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* Grows or shrinks to n objects of `size`; the product is checked. */
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
/* Copies; xstrdup(NULL) is NULL. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0), returns_nonnull));

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))

/* Overwrites n bytes in a way that the compiler keeps: for secrets, before free(). */
void wipe(void *p, size_t n);

#endif
