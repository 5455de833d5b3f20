/*
 * A growable string with a stated maximum. `buf` is never NULL and always ends in NUL; len does
 * not count it. An append that would pass `max` is cut there and sets `overflow`, which stays set
 * until str_clear(): check it once at the end.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
    char *buf;
    size_t len;
    size_t cap;
    size_t max;
    bool overflow;
};

extern char str_empty_[1];
#define STR_MAX_DEFAULT ((size_t)64 << 20)
#define STR_INIT ((struct str){ .buf = str_empty_, .max = STR_MAX_DEFAULT })
#define STR_INIT_MAX(m) ((struct str){ .buf = str_empty_, .max = (m) })

/* Releases the memory; the string is empty and usable, with the same maximum. */
void str_clear(struct str *s);
#define auto_str __attribute__((unused, cleanup(str_clear)))

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *text, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Drops the first n bytes / keeps only the first len bytes. */
void str_consume(struct str *s, size_t n);
void str_truncate(struct str *s, size_t len);

/* The bytes, owned by the caller (free()); the string is empty afterwards. Never NULL. */
char *str_detach(struct str *s);

/* Small helpers on plain C strings. */
bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
/* "1", "t", "true", "y", "yes", in any case: what turns a switch of the environment on. */
bool str_is_true(const char *text); /* NULL is not */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* Levenshtein distance, at most `limit` + 1; for "did you mean". */
size_t str_distance(const char *a, const char *b, size_t limit);

#endif
