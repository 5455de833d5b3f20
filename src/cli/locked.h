/* The lock file and the sources as they are. */
#ifndef CLI_LOCKED_H
#define CLI_LOCKED_H

#include "model/lockfile.h"
#include "model/model.h"

/* The commits of the stack's projects, sorted by name, as entries of a lock file; texts in the
 * arena. With `strict`, ERR_CONFLICT for the first that has local changes; otherwise those get
 * their commit all the same. Projects in no repository are left out. */
int locked_projects(struct lockfile *out, struct arena *a, const struct stack *st, bool strict,
                    struct error *err);

/* Whether projects that are folders of this machine, and those from git, are at the commits of
 * st->lock, without local changes: ERR_CONFLICT names the first that is not. */
int locked_check(const struct stack *st, struct error *err);

#endif
