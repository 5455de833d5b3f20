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

/* A file that takes the place of `path` when it is whole. Until then it has no name, where the file
 * system can do that, so that nothing is left of it if we are killed. */
struct file_draft {
    int fd; /* to write to */
    char *path, *temp;
    bool named;
};
int file_draft_open(struct file_draft *out, const char *path, struct error *err);
/* Both end it, whatever comes of it. Keeping it syncs it to the disk. */
int file_draft_keep(struct file_draft *d, mode_t mode, struct error *err);
void file_draft_drop(struct file_draft *d);

/* All at once. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
                      struct error *err);
/* What the umask leaves of read and write for all: the mode of a file that a user asks for. */
mode_t file_usual_mode(void);
bool file_exists(const char *path);
bool file_is_dir(const char *path);
/* mkdir -p. */
int file_mkdirs(const char *path, mode_t mode, struct error *err);

#endif
