/*
 * Reading a repository without a work tree: what a ref means, the files of a commit, their bytes.
 * For a mirror of the cache, a bare repository, or a folder with a .git. Blocks; one thread at a
 * time per struct.
 */
#ifndef GIT_OBJECTS_H
#define GIT_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"

#define REPO_ID_LEN 40

struct repo;
int repo_open(struct repo **out, const char *dir, struct error *err);
void repo_close(struct repo *r);
DEFINE_FREEP(struct repo, repo_close)

/* The commit that `ref` means: a branch, a tag (the commit that it stands for), "refs/...", a full
 * or abbreviated (at least 4 digits) commit; NULL: HEAD. A branch wins over a tag of the same name
 * as in git checkout, both win over an abbreviated commit. *out_name (may be NULL) is the full name
 * of the ref, "" for a commit; owned. ERR_NOTFOUND with near names in the hint; ERR_INPUT for an
 * ambiguous abbreviation or a name that git does not allow. */
int repo_resolve(char out[REPO_ID_LEN + 1], char **out_name, struct repo *r, const char *ref,
                 struct error *err);

/* Names of the tags that stand for the commit, sorted: "milestone-2". */
int repo_tags_of(struct strv *out, struct repo *r, const char *commit, struct error *err);

/* How many commits `commit` has that `other` has not, and the other way round. */
int repo_ahead_behind(size_t *ahead, size_t *behind, struct repo *r, const char *commit,
                      const char *other, struct error *err);

enum repo_entry_kind { REPO_FILE, REPO_PROGRAM, REPO_LINK, REPO_SUBMODULE };

struct repo_entry {
    const char *path; /* relative to the folder asked for; borrowed for the call */
    enum repo_entry_kind kind;
    char id[REPO_ID_LEN + 1]; /* of the blob; of the commit for a submodule */
};

/* Calls fn for everything below `folder` ("" for all) of a commit, in git's order (bytewise by
 * path, folders as if they ended in '/'). fn returns 0 to go on, -1 after setting *err.
 * ERR_NOTFOUND when there is no such folder, ERR_INPUT for names that no folder can have. */
int repo_each(struct repo *r, const char *commit, const char *folder,
              int (*fn)(void *ctx, const struct repo_entry *entry, struct error *err), void *ctx,
              struct error *err);

/* The bytes of a blob (the target of a link), NUL-terminated beyond *out_len, the caller's. Larger
 * than `max`: ERR_INPUT. */
int repo_blob(char **out, size_t *out_len, struct repo *r, const char *id, size_t max,
              struct error *err);

#endif
