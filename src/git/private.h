/* What the files of this room share; nobody outside src/git includes it. */
#ifndef GIT_PRIVATE_H
#define GIT_PRIVATE_H

#include <stdbool.h>

#include "base/error.h"
#include "git/libgit2.h"
#include "git/objects.h"

/* In a work tree of the cache: it stands there while files are changed. */
#define REPO_UPDATING ".git/stack-updating"

struct repo {
    const struct libgit2 *g;
    git_repository *git;
};

/* Whether the text is a whole commit id: 40 lower-case hexadecimal digits. */
bool repo_is_id(const char *text);

#endif
