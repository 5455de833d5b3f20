/* A growable list of strings, each owned by the list. Also usable as a NULL-terminated argv. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
    char **items; /* NULL-terminated once anything was added; NULL before */
    size_t len;
    size_t cap;
};

#define STRV_INIT ((struct strv){ 0 })

void strv_add(struct strv *v, const char *s);
void strv_addn(struct strv *v, const char *s, size_t n);
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Takes ownership of s. */
void strv_take(struct strv *v, char *s);
bool strv_has(const struct strv *v, const char *s);
void strv_sort(struct strv *v);
/* Cuts `s` at each byte of `seps`; empty parts are dropped. */
void strv_split(struct strv *v, const char *s, const char *seps);
/* Joined with sep; owned by the caller. */
char *strv_join(const struct strv *v, const char *sep);
void strv_clear(struct strv *v);

#define auto_strv __attribute__((unused, cleanup(strv_clear)))
#define strv_each(it, v) for (char **it = (v)->items; it && it < (v)->items + (v)->len; it++)

#endif
