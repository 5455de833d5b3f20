/* What the files of this room share. */
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include "state/state.h"

/* What an image can be found by. */
struct snapshot_ref {
    const char *text; /* normal form, or an id */
    const struct seen_image *image;
};

/* The form in which references are compared: without the default registry, with tag or digest.
 * Engines differ in how they list them: Podman writes docker.io/library/ and localhost/ out. Owned
 * by the caller. */
char *ref_normal(const char *ref);

#endif
