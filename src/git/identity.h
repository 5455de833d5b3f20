/* What a folder is in git's eyes: its commit, its branch, whether it has changes. */
#ifndef GIT_IDENTITY_H
#define GIT_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum repo_identity_what {
    REPO_DIRTY = 1 << 0,    /* look at the files (some ms per 10,000) */
    REPO_UPSTREAM = 1 << 1, /* count commits ahead and behind */
};

struct repo_identity {
    char *root;     /* of the work tree, absolute */
    char *below;    /* the folder, relative to root; "" for root itself */
    char *commit;   /* 40 hex; NULL: nothing committed yet */
    char *branch;   /* "main"; NULL: detached */
    char *upstream; /* "origin/main", or NULL */
    char *origin;   /* URL of the remote, without credentials, or NULL */
    bool dirty;     /* something below the folder differs from the commit, or is neither in it nor
                       ignored */
    size_t changed; /* how many files */
    size_t ahead, behind; /* of the upstream */
};

/* `dir`: a project's folder, in a work tree of the user's or of the cache. Reads only; executes
 * nothing that the repository's configuration names. Blocks: a few ms, with REPO_DIRTY longer; may
 * run on a worker thread. ERR_NOTFOUND when the folder is in no work tree. */
int repo_identify(struct repo_identity *out, const char *dir, unsigned what, struct error *err);
void repo_identity_clear(struct repo_identity *id);
#define auto_repo_identity __attribute__((unused, cleanup(repo_identity_clear)))

#endif
