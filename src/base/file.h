/* Whole files. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* The bytes of a regular file (or "-": standard input), NUL-terminated beyond *out_len, owned by
 * the caller. A file larger than `max` bytes is refused. */
int file_read(char **out, size_t *out_len, const char *path, size_t max, struct error *err);
/* Writes to a temporary file beside it, fsyncs, renames over `path`. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                      struct error *err);
bool file_exists(const char *path);
bool file_is_dir(const char *path);
/* mkdir -p. */
int file_mkdirs(const char *path, mode_t mode, struct error *err);

#endif
