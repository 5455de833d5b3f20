/*
 * Bytes from outside never drive the terminal. Everything not ours (engine, registry, container,
 * git, file) passes here before it is shown.
 */
#ifndef BASE_SAFE_H
#define BASE_SAFE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum safe_flags {
    SAFE_LINE = 0,          /* also newlines are shown as \n: the result is one line */
    SAFE_NEWLINES = 1 << 0, /* '\n' stays */
    SAFE_SGR = 1 << 1,      /* colour sequences (ESC [ ... m) stay */
};

/* Appends the text with C0, C1, DEL and invalid UTF-8 shown as \xNN; TAB stays; ESC sequences are
 * shown, not obeyed. Bidi overrides (U+202A..E, U+2066..9) are shown as \u{...} too. */
void safe_add(struct str *out, const char *text, size_t len, enum safe_flags flags);
/* The same as a new string, owned by the caller. */
char *safe_text(const char *text, enum safe_flags flags);

bool safe_is_utf8(const char *text);

/* Columns that `text` (UTF-8, SGR sequences count nothing) takes on a terminal. */
size_t safe_width(const char *text);
/* Appends at most `columns` columns of text, the last one an ellipsis when it was cut. */
void safe_add_cut(struct str *out, const char *text, size_t columns);

#endif
