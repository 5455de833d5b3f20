/* A growable string with a stated maximum, and small helpers on C strings. */
#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"

/*
 * An empty string owns nothing: its buf is the shared str_empty_, told apart by cap == 0, so that
 * STR_INIT is a constant and most strings that stay empty never allocate. str_empty_ is never
 * written. With memory, cap counts the NUL.
 */

char str_empty_[1] = "";

void str_clear(struct str *s)
{
    if (s->cap)
        free(s->buf);
    *s = STR_INIT_MAX(s->max);
}

/* Room for n more bytes and the NUL. Only called with len + n <= max. */
static void reserve(struct str *s, size_t n)
{
    size_t need = s->len + n + 1;
    if (need <= s->cap)
        return;
    size_t cap = s->cap ? s->cap : 32;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    s->buf = xreallocarray(s->cap ? s->buf : NULL, cap, 1);
    s->cap = cap;
}

void str_addn(struct str *s, const char *text, size_t n)
{
    size_t room = s->max - s->len;
    if (n > room) {
        n = room;
        s->overflow = true;
    }
    if (n == 0)
        return;
    reserve(s, n);
    memcpy(s->buf + s->len, text, n);
    s->len += n;
    s->buf[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
    str_addn(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(s, fmt, ap);
    va_end(ap);
}

void str_vaddf(struct str *s, const char *fmt, va_list ap)
{
    auto_free char *text = xvasprintf(fmt, ap);
    str_add(s, text);
}

void str_consume(struct str *s, size_t n)
{
    if (n >= s->len) {
        str_truncate(s, 0);
    } else if (n) {
        s->len -= n;
        memmove(s->buf, s->buf + n, s->len + 1);
    }
}

void str_truncate(struct str *s, size_t len)
{
    if (len < s->len) {
        s->len = len;
        s->buf[len] = '\0';
    }
}

char *str_detach(struct str *s)
{
    char *text = s->cap ? s->buf : xstrdup("");
    *s = STR_INIT_MAX(s->max);
    return text;
}

bool str_eq(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t str_distance(const char *a, const char *b, size_t limit)
{
    enum { LONGEST = 128 }; /* names worth a guess are shorter; also bounds the row */
    size_t n = strlen(a), m = strlen(b);
    if ((n > m ? n - m : m - n) > limit || n > LONGEST || m > LONGEST)
        return limit + 1;

    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            row[j] = min_of(change, min_of(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return min_of(row[m], limit + 1);
}

bool str_is_true(const char *text)
{
    static const char *const words[] = { "1", "t", "true", "y", "yes" };
    for (size_t i = 0; text && i < countof(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}
