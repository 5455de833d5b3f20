/* Writing tar: POSIX ustar, with pax records for what that has no room for (pax(1)). */
#ifndef BASE_TAR_H
#define BASE_TAR_H

#include <stdint.h>

#include "base/str.h"

enum tar_type { TAR_FILE = '0', TAR_SYMLINK = '2', TAR_FOLDER = '5' };

struct tar_entry {
    enum tar_type type;
    const char *name; /* slashes in front are left out */
    const char *link; /* TAR_SYMLINK: where to */
    unsigned mode;    /* permissions */
    int64_t uid, gid;
    int64_t size;  /* TAR_FILE: as many bytes must follow, then tar_pad() */
    int64_t mtime; /* Unix seconds; before 1970 it is 1970 */
};

void tar_header(struct str *out, const struct tar_entry *e);
/* After the `size` bytes of a file. */
void tar_pad(struct str *out, int64_t size);
void tar_end(struct str *out);

#endif
