/* Text with a name: where every position of a stack file comes from. */
#ifndef TEXT_SOURCE_H
#define TEXT_SOURCE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* One file. Lives in the arena of the loaded stack. */
struct source {
    const char *path;  /* absolute; "-" for standard input */
    const char *shown; /* as messages name it */
    const char *text;  /* NUL-terminated, valid UTF-8 */
    size_t len;
};

/* A position; line and column count from 1, columns in characters. source NULL: "nowhere". */
struct span {
    const struct source *source;
    int line;
    int column;
};

#define SOURCE_MAX_BYTES ((size_t)16 << 20)

/* Reads a file, or "-" (at most SOURCE_MAX_BYTES). A BOM is dropped, UTF-16 with a BOM becomes
 * UTF-8, CRLF stays (YAML reads it). Other bytes that are not UTF-8 are ERR_INPUT with position. */
int source_read(const struct source **out, struct arena *a, const char *path, struct error *err);
/* Text that is already in memory (copied into the arena). */
const struct source *source_from_text(struct arena *a, const char *path, const char *text,
                                      size_t len);

/* The position of the byte at `offset`. */
struct span source_span(const struct source *src, size_t offset);

#endif
