/*
 * What forges send when somebody pushed: a table of formats. The proof is checked over the raw
 * bytes before anything of them is parsed, and of the payload only these are read: the ref, the
 * commit, and where the repository says it lives, which selects a configured project and is never
 * fetched from.
 */
#ifndef SERVER_DELIVER_H
#define SERVER_DELIVER_H

#include "server/http.h"
#include "server/signature.h"

enum deliver_verdict {
    DELIVER_REFUSED, /* no proof, or a wrong one */
    DELIVER_BAD,     /* proven, but not what the format says */
    DELIVER_IGNORED, /* proven, nothing to build: see `why` */
    DELIVER_PUSH,
};

struct delivery {
    const char *forge; /* "github" ... "generic" */
    char *id;          /* the sender's own name for it, the same when sent again; NULL: none */
    char *ref;         /* "refs/heads/main", "refs/tags/v1"; PUSH only */
    char *commit;      /* 40 or 64 hex digits; PUSH only */
    struct strv urls;  /* of the repository */
    const char *why;   /* static; IGNORED and BAD */
};

void delivery_clear(struct delivery *d);

/* "github", "gitlab", "gitea", "forgejo", "generic"; NULL-terminated. */
extern const char *const deliver_names[];

/* Whether the head alone promises a proof; `forge` NULL: of any format. */
bool deliver_promising(const struct request *rq, const char *forge);

/* Checks and reads. *out is written unless the verdict is REFUSED. */
enum deliver_verdict deliver_read(struct delivery *out, const struct request *rq, const char *forge,
                                  const struct secret *key, int64_t now_s);

/* A full name of a branch or tag that git allows and every program takes as one word. */
bool deliver_ref_valid(const char *ref);
bool deliver_commit_valid(const char *commit);

/* Whether two addresses name one repository: scheme, user, default port, ".git" and the letter case
 * of the host aside; "git@host:a/b" is ssh. */
bool deliver_same_repository(const char *a, const char *b);
/* "host[:port]/path" of an address, as compared: a slash is always in it. Owned by the caller. */
char *deliver_repository(const char *url);

#endif
