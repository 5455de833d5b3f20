/*
 * Reading the files of a scanned context again, to send them. A file that is no longer what the
 * scan saw is ERR_INPUT with its path.
 */
#ifndef BUILD_READER_H
#define BUILD_READER_H

#include "build/context.h"

struct reader {
    const char *root;
    int root_fd;
    int folder_fd; /* the folder of the last file, since its neighbours follow */
    char *folder;
    const struct context_entry *entry; /* whose file is open */
    int fd;                            /* or -1 */
    int64_t left;                      /* bytes of it to come */
};

#define READER_INIT ((struct reader){ .root_fd = -1, .folder_fd = -1, .fd = -1 })

/* `root` is borrowed. */
int reader_open(struct reader *r, const char *root, struct error *err);
/* Opens the regular file `e`, each part of its path without following links. */
int reader_begin(struct reader *r, const struct context_entry *e, struct error *err);
/* The next piece into buf: *n bytes. *end: that was the last one, and the file is still the same;
 * it is closed. */
int reader_next(struct reader *r, char *buf, size_t max, size_t *n, bool *end, struct error *err);
void reader_close(struct reader *r);

#endif
