/* What the files of this room share. */
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include "state/state.h"

/* What an image can be found by. */
struct snapshot_ref {
    const char *text; /* normal form, or an id */
    const struct seen_image *image;
};

#endif
