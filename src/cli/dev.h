/*
 * Checkouts of the user's that stand in for projects from git: `stack dev`. They are kept in
 * .stack/dev.json beside the stack file, a folder that git ignores by itself.
 */
#ifndef CLI_DEV_H
#define CLI_DEV_H

#include "base/error.h"

/* The checkout that stands in for a project, absolute, the caller's; NULL: none. A file that cannot
 * be read is an error. */
int dev_get(char **out, const char *stack_dir, const char *project, struct error *err);
/* NULL: none from now on. */
int dev_set(const char *stack_dir, const char *project, const char *path, struct error *err);

#endif
