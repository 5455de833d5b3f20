/* What a folder is in git's eyes. */
#include "git/identity.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/private.h"
#include "git/url.h"

struct looking {
    const struct libgit2 *g;
    git_repository *git;
    struct repo_identity *id;
    unsigned what;
};

/* A value of the repository's configuration, the caller's; NULL: not set. */
__attribute__((format(printf, 2, 3))) static char *setting(struct looking *k, const char *fmt, ...)
{
    git_config *config = NULL;
    git_buf value = { 0 };
    va_list ap;
    va_start(ap, fmt);
    auto_free char *key = xvasprintf(fmt, ap);
    va_end(ap);
    int rc = k->g->git_repository_config(&config, k->git);
    if (rc == 0)
        rc = k->g->git_config_get_string_buf(&value, config, key);
    char *out = rc == 0 ? xstrdup(value.ptr) : NULL;
    k->g->git_buf_dispose(&value);
    k->g->git_config_free(config);
    return out;
}

/* The URL without what may be secret; one that we would refuse is not shown at all. */
static void set_origin(struct looking *k)
{
    auto_free char *text = setting(k, "remote.origin.url");
    auto_repo_url struct repo_url url = { 0 };
    if (text && repo_url_parse(&url, text, k->id->root, NULL) == 0)
        k->id->origin = take(url.url);
}

/* The full name of what the branch follows, the caller's; NULL: nothing. git_branch_upstream()
 * would look at every setting of the user for it. */
static char *upstream_of(struct looking *k, const char *branch)
{
    auto_free char *remote = setting(k, "branch.%s.remote", branch);
    auto_free char *merge = setting(k, "branch.%s.merge", branch);
    if (!remote || !merge || !str_starts(merge, "refs/heads/"))
        return NULL;
    if (str_eq(remote, "."))
        return take(merge);
    return xasprintf("refs/remotes/%s/%s", remote, merge + strlen("refs/heads/"));
}

static int set_upstream(struct looking *k, const git_oid *id, struct error *err)
{
    const struct libgit2 *g = k->g;
    git_reference *up = NULL;
    git_object *commit = NULL;
    auto_free char *name = upstream_of(k, k->id->branch);
    if (!name || g->git_reference_lookup(&up, k->git, name) < 0) {
        g->git_error_clear();
        return 0;
    }
    int rc = g->git_reference_peel(&commit, up, GIT_OBJECT_COMMIT);
    if (rc == 0)
        k->id->upstream = xstrdup(g->git_reference_shorthand(up));
    if (rc == 0 && k->what & REPO_UPSTREAM)
        rc = g->git_graph_ahead_behind(&k->id->ahead, &k->id->behind, k->git, id,
                                       g->git_object_id(commit));
    g->git_object_free(commit);
    g->git_reference_free(up);
    return rc < 0 ? libgit2_failed(err, rc, "compare with the upstream branch") : 0;
}

/* HEAD, where nothing is committed yet. */
static void set_unborn(struct looking *k)
{
    git_reference *head = NULL;
    if (k->g->git_reference_lookup(&head, k->git, "HEAD") == 0) {
        const char *target = k->g->git_reference_symbolic_target(head);
        if (target && str_starts(target, "refs/heads/"))
            k->id->branch = xstrdup(target + strlen("refs/heads/"));
    }
    k->g->git_reference_free(head);
}

static int set_head(struct looking *k, struct error *err)
{
    const struct libgit2 *g = k->g;
    char text[REPO_ID_LEN + 1];
    git_reference *head = NULL;
    git_object *commit = NULL;
    int rc = g->git_repository_head(&head, k->git);
    if (rc == GIT_EUNBORNBRANCH || rc == GIT_ENOTFOUND) {
        set_unborn(k);
        return 0;
    }
    if (rc == 0)
        rc = g->git_reference_peel(&commit, head, GIT_OBJECT_COMMIT);
    if (rc < 0) {
        g->git_reference_free(head);
        return libgit2_failed(err, rc, "read HEAD");
    }
    g->git_oid_tostr(text, sizeof(text), g->git_object_id(commit));
    k->id->commit = xstrdup(text);
    rc = 0;
    if (!g->git_repository_head_detached(k->git)) {
        k->id->branch = xstrdup(g->git_reference_shorthand(head));
        rc = set_upstream(k, g->git_object_id(commit), err);
    }
    g->git_object_free(commit);
    g->git_reference_free(head);
    return rc;
}

static int set_dirty(struct looking *k, struct error *err)
{
    git_status_list *list = NULL;
    git_status_options opt = { .version = GIT_STATUS_OPTIONS_VERSION };
    char *below[] = { k->id->below };
    opt.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
                GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH;
    if (*k->id->below)
        opt.pathspec = (git_strarray){ below, 1 };
    int rc = k->g->git_status_list_new(&list, k->git, &opt);
    if (rc < 0)
        return libgit2_failed(err, rc, "look for changes in '%s'", k->id->root);
    k->id->changed = k->g->git_status_list_entrycount(list);
    k->id->dirty = k->id->changed > 0;
    k->g->git_status_list_free(list);
    return 0;
}

static int look(struct looking *k, const char *dir, struct error *err)
{
    const char *root = k->g->git_repository_workdir(k->git);
    if (!root)
        return error_set(err, ERR_NOTFOUND, 0, "'%s' is in a bare repository", dir);
    k->id->root = path_real(root, err);
    auto_free char *real = path_real(dir, err);
    if (!k->id->root || !real)
        return -1;
    if (!path_below(k->id->root, real))
        return error_set(err, ERR_NOTFOUND, 0, "'%s' is not in the work tree '%s'", dir,
                         k->id->root);
    const char *below = real + strlen(k->id->root);
    k->id->below = xstrdup(below + strspn(below, "/"));
    set_origin(k);
    if (set_head(k, err) < 0)
        return -1;
    return k->what & REPO_DIRTY ? set_dirty(k, err) : 0;
}

int repo_identify(struct repo_identity *out, const char *dir, unsigned what, struct error *err)
{
    struct repo_identity id = { 0 };
    struct looking k = { .g = libgit2(err), .id = &id, .what = what };
    if (!k.g)
        return -1;
    int rc = k.g->git_repository_open_ext(&k.git, dir, 0, NULL);
    if (rc == GIT_ENOTFOUND) {
        k.g->git_error_clear();
        return error_set(err, ERR_NOTFOUND, 0, "'%s' is in no work tree of git", dir);
    }
    if (rc < 0)
        return libgit2_failed(err, rc, "open the repository of '%s'", dir);
    rc = look(&k, dir, err);
    k.g->git_repository_free(k.git);
    if (rc < 0) {
        repo_identity_clear(&id);
        return -1;
    }
    *out = id;
    return 0;
}

void repo_identity_clear(struct repo_identity *id)
{
    char *const texts[] = { id->root, id->below, id->commit, id->branch, id->upstream, id->origin };
    for (size_t i = 0; i < countof(texts); i++)
        free(texts[i]);
    *id = (struct repo_identity){ 0 };
}
