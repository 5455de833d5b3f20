/* Allocation that does not fail. */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A program of this kind has nothing sensible to do without memory: unwinding would need memory
 * too, and every caller would carry a path that no test walks. The engine is the source of truth,
 * so a run that ends here is picked up by the next one.
 */
static void __attribute__((noreturn)) out_of_memory(void)
{
    static const char text[] = "stack: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    abort();
}

/* malloc(0) may be NULL, which callers must never see. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(at_least_one(n), at_least_one(size));
    if (!p)
        out_of_memory();
    return p;
}

void *xmalloc(size_t size)
{
    void *p = malloc(at_least_one(size));
    if (!p)
        out_of_memory();
    return p;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory();
    void *grown = realloc(p, at_least_one(bytes));
    if (!grown)
        out_of_memory();
    return grown;
}

char *xstrdup(const char *s)
{
    return s ? xstrndup(s, strlen(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = xmalloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    return text;
}

char *xvasprintf(const char *fmt, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) < 0)
        out_of_memory();
    return text;
}

void wipe(void *p, size_t n)
{
    /* Through a volatile pointer the compiler cannot know that this is a dead store. */
    static void *(*const volatile set)(void *, int, size_t) = memset;
    if (n)
        set(p, 0, n);
}
