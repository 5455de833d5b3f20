/* A growable list of strings. */
#include "base/strv.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void strv_take(struct strv *v, char *s)
{
    if (v->len + 1 >= v->cap) {
        v->cap = v->cap ? v->cap * 2 : 8;
        v->items = xreallocarray(v->items, v->cap, sizeof(*v->items));
    }
    v->items[v->len++] = s;
    v->items[v->len] = NULL;
}

void strv_add(struct strv *v, const char *s)
{
    strv_take(v, xstrdup(s));
}

void strv_addn(struct strv *v, const char *s, size_t n)
{
    strv_take(v, xstrndup(s, n));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strv_take(v, xvasprintf(fmt, ap));
    va_end(ap);
}

bool strv_has(const struct strv *v, const char *s)
{
    strv_each (it, v)
        if (strcmp(*it, s) == 0)
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *v)
{
    if (v->len > 1)
        qsort(v->items, v->len, sizeof(*v->items), compare);
}

void strv_split(struct strv *v, const char *s, const char *seps)
{
    for (;;) {
        s += strspn(s, seps);
        size_t n = strcspn(s, seps);
        if (n == 0)
            return;
        strv_addn(v, s, n);
        s += n;
    }
}

char *strv_join(const struct strv *v, const char *sep)
{
    struct str out = STR_INIT_MAX(SIZE_MAX);
    strv_each (it, v) {
        if (it != v->items)
            str_add(&out, sep);
        str_add(&out, *it);
    }
    return str_detach(&out);
}

void strv_clear(struct strv *v)
{
    strv_each (it, v)
        free(*it);
    free(v->items);
    *v = STRV_INIT;
}
