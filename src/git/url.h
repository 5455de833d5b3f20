/*
 * Where a repository is, in the forms that git takes: https:// and http://, ssh://,
 * [USER@]HOST:PATH, file://, and paths of this machine (bare or with a work tree).
 *
 * What stands in a URL before the '@' may be a secret. It is kept apart here: `url`, `key` and
 * every message are without it.
 */
#ifndef GIT_URL_H
#define GIT_URL_H

#include "base/cleanup.h"
#include "base/error.h"

#define REPO_URL_MAX 2048 /* bytes */

enum repo_url_kind { REPO_HTTP, REPO_SSH, REPO_LOCAL };

struct repo_url {
    enum repo_url_kind kind;
    char *url; /* "https://host/org/x.git", "ssh://git@host:22/org/x", "/abs/x.git"; no password */
    /* Equal for spellings of the same repository: "host/org/x"; "/abs/x" for local ones. */
    char *key;
    char *name;            /* last part without ".git": what a project may be called; may be "" */
    char *host;            /* "" for local ones; without port */
    char *port;            /* or "" */
    char *path;            /* decoded; as the server is asked for it */
    char *user, *password; /* or NULL */
};

/* `text` as the stack file has it; relative paths start from `base` (absolute; NULL: refused).
 * Refused, with what is wrong: other schemes (ext::, git://, ftp://), hosts, users and paths that
 * begin with '-', control characters, hosts with odd characters. ERR_INPUT. */
int repo_url_parse(struct repo_url *out, const char *text, const char *base, struct error *err);
void repo_url_clear(struct repo_url *u);
#define auto_repo_url __attribute__((unused, cleanup(repo_url_clear)))

/* Whether `text` has the form of a URL or of HOST:PATH, that is, is not a plain path. */
bool repo_url_is_remote(const char *text);

#endif
