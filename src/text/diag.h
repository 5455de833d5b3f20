/*
 * Diagnostics: mistakes in files, collected with their positions, so that one run reports all of
 * them. Loading goes on after a mistake as long as it makes sense, then fails once.
 *
 * Messages never echo scalar values of the file (they may be secrets): name the key and what was
 * expected. Printed by cli as "file:line:column: error: what, expected ...", with the hint after.
 */
#ifndef TEXT_DIAG_H
#define TEXT_DIAG_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"
#include "text/source.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag_entry {
    enum diag_level level;
    struct span span;
    const char *message; /* safe to print */
    const char *hint;    /* or NULL: "did you mean 'environment'?" */
};

#define DIAG_MAX 100 /* of each level; later ones are only counted */

struct diag {
    struct arena *arena;
    VEC(struct diag_entry);
    size_t errors;
    size_t warnings;
    const char *context; /* put before messages when set ("included from stack.yaml:3") */
    bool dropped;        /* private: the newest entry was only counted */
};

/* Entries live in `arena`; the vector is freed by diag_clear(). */
void diag_init(struct diag *d, struct arena *arena);
void diag_clear(struct diag *d);

void diag_error(struct diag *d, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *d, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a hint to the newest entry. */
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Hint "did you mean 'x'?" when one of the n known names is near; otherwise nothing. */
void diag_suggest(struct diag *d, const char *found, const char *const *known, size_t n);

/* Text of all entries, ordered by file (as they came up) and position, an entry a line, those
 * without a position last; then how many were only counted. For cli and tests. */
void diag_print(struct str *out, const struct diag *d, bool warnings);

#endif
