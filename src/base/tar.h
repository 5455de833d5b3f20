/* Writing tar: POSIX ustar, with pax records for what that has no room for (pax(1)). */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

enum tar_type {
    TAR_FILE = '0',
    TAR_HARDLINK = '1',
    TAR_SYMLINK = '2',
    TAR_CHARACTERS = '3', /* a device */
    TAR_BLOCKS = '4',     /* the same */
    TAR_FOLDER = '5',
    TAR_FIFO = '6'
};

struct tar_entry {
    enum tar_type type;
    const char *name; /* slashes in front are left out */
    const char *link; /* TAR_SYMLINK: where to; TAR_HARDLINK: the name of the same file before it */
    unsigned mode;    /* permissions */
    int64_t uid, gid;
    int64_t size;  /* TAR_FILE: as many bytes must follow, then tar_pad() */
    int64_t mtime; /* Unix seconds */
    long mtime_ns; /* and a part of one */
    dev_t device;  /* TAR_CHARACTERS, TAR_BLOCKS */
};

/* Of a st_mode; 0: of what has no place in a tar, a socket. */
enum tar_type tar_type_of(mode_t mode);

/* Bytes of names stay as they are. A name up to 100 bytes long, or 255 where a slash divides it
 * well, with a time in whole seconds after 1970, takes a plain header and nothing else. */
void tar_header(struct str *out, const struct tar_entry *e);
/* After the `size` bytes of a file. */
void tar_pad(struct str *out, int64_t size);
void tar_end(struct str *out);

#endif
