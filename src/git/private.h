/* What the files of this room share; nobody outside src/git includes it. */
#ifndef GIT_PRIVATE_H
#define GIT_PRIVATE_H

#include <stdbool.h>

#include "base/error.h"
#include "git/checkout.h"
#include "git/libgit2.h"
#include "git/objects.h"
#include "git/url.h"

/* In a work tree of the cache: it stands there while files are changed. */
#define REPO_UPDATING ".git/stack-updating"
/* In a mirror: when it was last fetched, in Unix nanoseconds. */
#define REPO_FETCHED "stack-fetched"

#define REPO_RECEIVE_MAX ((int64_t)20 << 30) /* bytes of one fetch */
#define REPO_SUBMODULE_DEPTH 5               /* submodules in submodules */
#define REPO_LINE_MAX ((size_t)64 << 10)     /* bytes of a message between the processes */

struct repo {
    const struct libgit2 *g;
    git_repository *git;
};

/* Whether the text is a whole commit id: 40 lower-case hexadecimal digits. */
bool repo_is_id(const char *text);
/* rm -r; what is not there is removed. Does not follow links. */
int repo_remove_tree(const char *path, struct error *err);

/* Calls fn for every folder of a commit, after names were checked that would harm: repo_each()
 * checks them, too. */
int repo_each_folder(struct repo *r, const char *commit,
                     int (*fn)(void *ctx, const char *path, struct error *err), void *ctx,
                     struct error *err);

/* The process that does the work: worker.c. */
struct worker {
    const struct libgit2 *g;
    struct loop *loop; /* of programs that it starts */
    int fd;            /* to who started it; -1: nobody listens */
    struct repo_want want;
    char *cache;
    int64_t began_ns; /* Unix time */
    int64_t told_ms;
    const char *phase;
    bool fetched;
    git_smart_subtransport_definition ssh;
};

/* Tells how far it is; at most some times a second, unless the phase changes. Ends the process when
 * nobody listens any more. */
void worker_progress(struct worker *w, const struct repo_progress *p);

/* flock(2) on `path`, waiting as long as it takes and telling so. The descriptor, or -1. */
int worker_lock(struct worker *w, const char *path, struct error *err);

/* fetch.c: the mirror of a repository, fetched when the want or the missing of what it asks for
 * says so. *out_commit and *out_name as repo_resolve() has them. */
struct wanted {
    const struct repo_url *url;
    const char *ref;    /* or NULL */
    const char *commit; /* or NULL */
};
int mirror_get(struct repo **out, char out_commit[REPO_ID_LEN + 1], char **out_name,
               struct worker *w, const struct wanted *wanted, struct error *err);

/* tree.c: the work tree `dir` has the commit of the mirror afterwards. *out_before (may stay NULL):
 * the commit that it had. */
int tree_get(char **out_before, struct worker *w, struct repo *mirror, const struct repo_url *url,
             const char *commit, const char *dir, int depth, struct error *err);
/* A clone for people: origin, a branch that follows it, nothing shared with the cache. */
int tree_clone(struct worker *w, struct repo *mirror, const struct repo_url *url,
               const char *commit, const char *ref_name, const char *dir, struct error *err);

/* credentials.c: what a server that asks for a password is given, one after the other: what the URL
 * has, what git's credential helpers have, what ~/.netrc has. */
struct credentials {
    struct worker *worker;
    const struct repo_url *url;
    int next;   /* which of them comes next */
    bool given; /* one was tried */
};
/* For git_remote_callbacks.credentials; the payload is a struct credentials, first in the caller's.
 */
int credentials_get(git_credential **out, const char *url, const char *user, unsigned types,
                    struct credentials *c);
/* user and password for a host, from the text of a netrc file; false: it has none. The caller's. */
bool netrc_find(char **out_user, char **out_password, const char *text, const char *host);

/* ssh.c: makes libgit2 use the program ssh. */
int ssh_register(struct worker *w, struct error *err);
/* What the shell of the other side is given: git-upload-pack 'PATH'. The caller's. */
char *ssh_command(const char *path);

#endif
