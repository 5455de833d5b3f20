/* A byte stream cut into lines or JSON values, with a bound on each. */
#ifndef NET_LINES_H
#define NET_LINES_H

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"
#include "base/str.h"

#define LINES_MAX ((size_t)16 << 20)

struct lines {
    struct str rest; /* what came after the last whole line or value: at the end, one cut short */
    size_t scanned;  /* private: of rest, where in a JSON value that is */
    size_t depth;
    bool in_string, in_escape;
};
#define LINES_INIT ((struct lines){ .rest = STR_INIT_MAX(LINES_MAX) })

/* Calls fn for each whole line (without its end, "\n" or "\r\n"). ERR_PROTOCOL when one passes
 * LINES_MAX. */
int lines_feed(struct lines *s, const char *data, size_t len,
               void (*fn)(void *ctx, const char *line, size_t len), void *ctx, struct error *err);
/* The same for JSON objects and arrays, one after the other, split anywhere, newlines optional.
 * ERR_PROTOCOL for anything else. `value` is borrowed. */
int lines_feed_json(struct lines *s, const char *data, size_t len,
                    void (*fn)(void *ctx, json_t *value), void *ctx, struct error *err);
void lines_clear(struct lines *s);

#endif
