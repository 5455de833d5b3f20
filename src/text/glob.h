/* One path pattern as Docker reads it: `*` and `?` within a name, `**` across them, classes. */
#ifndef TEXT_GLOB_H
#define TEXT_GLOB_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

#define GLOB_MAX_BYTES 4096

struct glob;

/* ERR_INPUT says what is wrong; a longer pattern than GLOB_MAX_BYTES is. */
int glob_compile(struct glob **out, const char *pattern, struct error *err);
void glob_free(struct glob *g);
DEFINE_FREEP(struct glob, glob_free)

/* Whether the path, or a directory that it is in, matches. Linear in path and pattern. */
bool glob_match(const struct glob *g, const char *path);
/* Whether something below the directory `path` could match. */
bool glob_reaches_below(const struct glob *g, const char *path);

#endif
