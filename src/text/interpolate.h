/*
 * Variable substitution: $VAR, ${VAR}, ${VAR:-x}, ${VAR-x}, ${VAR:?e}, ${VAR?e}, ${VAR:+x},
 * ${VAR+x}, nested at will, $$ for a dollar sign; as the Compose Specification has it.
 */
#ifndef TEXT_INTERPOLATE_H
#define TEXT_INTERPOLATE_H

#include <stdbool.h>

#include "base/str.h"
#include "text/diag.h"
#include "text/source.h"

#define INTERPOLATE_MAX_DEPTH 32
#define INTERPOLATE_MAX_BYTES ((size_t)4 << 20)

struct variables {
    /* The value, or NULL when unset. */
    const char *(*get)(void *ctx, const char *name);
    /* May be NULL; told of each variable met: its name, default text (or NULL), whether it is
     * required (:? / ?), alternative text of :+ / + (or NULL). For `config --variables`. */
    void (*seen)(void *ctx, const char *name, const char *fallback, bool required,
                 const char *alternative);
    void *ctx;
    bool unset_is_error; /* the native form; else a warning, once per name and an empty string */
};

/* Appends the result. 0, or -1 when an error was added to d. `at` is the scalar's position; where
 * the mistake inside the text is known the column moves there. */
int interpolate(struct str *out, const char *text, struct span at, const struct variables *vars,
                struct diag *d);

#endif
