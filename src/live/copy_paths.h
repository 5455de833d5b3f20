/* Where a copy goes, for copy*.c alone. */
#ifndef LIVE_COPY_PATHS_H
#define LIVE_COPY_PATHS_H

#include "live/copy.h"

/* What stands at a destination. */
struct copy_place {
    bool exists, folder;
    char *path; /* with links resolved, where it is one; owned */
};

/* The folder that a tar is unpacked in, and what its first entry is called there. */
struct copy_target {
    char *folder; /* owned */
    char *name;   /* owned; NULL: the first entry is the folder itself */
};
void copy_target_clear(struct copy_target *t);
char *copy_target_path(const struct copy_target *t); /* the caller's */

/* `from`, which is a folder or not, to `to`, where `at` stands. ERR_NOTFOUND, ERR_SYSTEM say why
 * not. */
int copy_aim(struct copy_target *out, const struct copy_path *from, bool folder,
             const struct copy_path *to, const struct copy_place *at, struct error *err);

/* What stands at a path of this machine. */
int copy_place_here(struct copy_place *out, const struct copy_path *to, struct error *err);

#endif
