/*
 * The cache of repositories, in $STACK_CACHE/git (else $XDG_CACHE_HOME/stack/git, ~/.cache/...):
 *
 *     mirrors/<name>-<16 hex>.git       one bare mirror per repository, by its key
 *     trees/<stack>-<8 hex>/<project>[@ref]-<8 hex>
 *                                       one work tree per stack, project, repository and ref
 *     *.lock                            flock(2), beside what it guards
 *     *.tmp                             being made; renamed when complete. Who holds the lock
 *                                       removes what a killed process left
 *
 * A work tree has a small .git of its own, whose objects are the mirror's (alternates); HEAD is
 * detached at the commit. All of it may be deleted at any time that no stack command runs.
 */
#ifndef GIT_CACHE_H
#define GIT_CACHE_H

#include <stdbool.h>

#include "base/error.h"
#include "git/url.h"

/* Absolute; made (0700) when missing. Owned by the caller; NULL with *err. */
char *repo_cache_dir(struct error *err);

/* The mirror's folder, whether it is there or not. Owned by the caller. */
char *repo_mirror_path(const char *cache, const struct repo_url *url);

/* The work tree of a project, whether it is there or not: the same for every commit of the ref, so
 * that what mounts it stays as it is. `stack_dir` is absolute; `ref` may be NULL (the repository's
 * default branch). Owned by the caller. */
char *repo_tree_path(const char *cache, const char *stack_name, const char *stack_dir,
                     const char *project, const struct repo_url *url, const char *ref);

/* The commit (40 hex) that a work tree of the cache has. Opens no library. ERR_NOTFOUND when it is
 * not there or was not completed. */
int repo_tree_commit(char **out, const char *tree, struct error *err);

#endif
