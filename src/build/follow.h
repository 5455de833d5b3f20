/*
 * Which part of a context the engine wants: paths as it names them, through links, with `*` and `?`
 * in their parts.
 */
#ifndef BUILD_FOLLOW_H
#define BUILD_FOLLOW_H

#include "base/strv.h"
#include "build/context.h"

#define FOLLOW_MAX_LINKS 40      /* one after the other, as in the kernel */
#define FOLLOW_MAX_STEPS 1000000 /* entries looked at for wildcards: then all is wanted */

/* For each entry whether it is wanted: what a path leads to with all below it, the links on the
 * way, and the folders that hold them. Paths that lead to nothing are passed over. Owned by the
 * caller, c->len long. */
bool *follow_paths(const struct context *c, const struct strv *paths);

#endif
