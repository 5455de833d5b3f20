/* Reading a repository: refs, trees, blobs. */
#include "git/objects.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"
#include "git/private.h"

#define NEAR_MAX 5     /* names in a hint */
#define DEPTH_MAX 200  /* folders in folders */
#define ABBREVIATION 4 /* least digits of a commit, as git has it */

int repo_open(struct repo **out, const char *dir, struct error *err)
{
    const struct libgit2 *g = libgit2(err);
    if (!g)
        return -1;
    git_repository *git = NULL;
    int rc = g->git_repository_open_ext(&git, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (rc < 0)
        return libgit2_failed(err, rc, "open the repository '%s'", dir);
    *out = xnew(struct repo);
    **out = (struct repo){ g, git };
    return 0;
}

void repo_close(struct repo *r)
{
    if (!r)
        return;
    r->g->git_repository_free(r->git);
    free(r);
}

/* --- what a ref means --- */

/* What people call a ref, or NULL for those that are none of a person's business. */
static const char *short_name(const char *full)
{
    static const char *const kinds[] = { "refs/heads/", "refs/tags/", "refs/remotes/origin/" };
    for (size_t i = 0; i < countof(kinds); i++)
        if (str_starts(full, kinds[i]))
            return full + strlen(kinds[i]);
    return NULL;
}

static bool is_near(const char *name, const char *wanted)
{
    size_t limit = strlen(wanted) / 3 + 1;
    return str_distance(name, wanted, limit) <= limit || strstr(name, wanted) ||
           strcasecmp(name, wanted) == 0;
}

/* "did you mean 'main'?"; where nothing is near, some of what there is. */
static int hint_names(struct repo *r, const char *wanted, struct error *err)
{
    git_strarray refs = { 0 };
    auto_strv struct strv near = STRV_INIT, all = STRV_INIT;
    if (r->g->git_reference_list(&refs, r->git) < 0)
        return -1;
    for (size_t i = 0; i < refs.count; i++) {
        const char *name = short_name(refs.strings[i]);
        if (!name || strv_has(&all, name))
            continue;
        if (near.len < NEAR_MAX && is_near(name, wanted))
            strv_addf(&near, "'%s'", name);
        if (all.len <= NEAR_MAX)
            strv_add(&all, name);
    }
    r->g->git_strarray_dispose(&refs);
    const char *more = all.len > NEAR_MAX ? ", ..." : "";
    if (more[0])
        free(take(all.items[--all.len]));
    auto_free char *names = strv_join(near.len ? &near : &all, ", ");
    if (near.len)
        error_hint(err, "did you mean %s?", names);
    else if (all.len)
        error_hint(err, "it has %s%s", names, more);
    return -1;
}

/* The commit that a ref of this full name stands for. */
static int find_ref(char out[REPO_ID_LEN + 1], struct repo *r, const char *full)
{
    const struct libgit2 *g = r->g;
    git_reference *ref = NULL;
    git_object *commit = NULL;
    int rc = g->git_reference_lookup(&ref, r->git, full);
    if (rc == 0)
        rc = g->git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT);
    if (rc == 0)
        g->git_oid_tostr(out, REPO_ID_LEN + 1, g->git_object_id(commit));
    g->git_object_free(commit);
    g->git_reference_free(ref);
    return rc;
}

static int find_commit(char out[REPO_ID_LEN + 1], struct repo *r, const char *digits)
{
    const struct libgit2 *g = r->g;
    size_t n = strlen(digits);
    git_oid id;
    git_object *any = NULL, *commit = NULL;
    if (n < ABBREVIATION || n > REPO_ID_LEN || strspn(digits, "0123456789abcdefABCDEF") != n)
        return GIT_ENOTFOUND;
    int rc = g->git_oid_fromstrn(&id, digits, n);
    if (rc == 0)
        rc = g->git_object_lookup_prefix(&any, r->git, &id, n, GIT_OBJECT_ANY);
    if (rc == 0)
        rc = g->git_object_peel(&commit, any, GIT_OBJECT_COMMIT);
    if (rc == 0)
        g->git_oid_tostr(out, REPO_ID_LEN + 1, g->git_object_id(commit));
    g->git_object_free(commit);
    g->git_object_free(any);
    return rc == 0 || rc == GIT_EAMBIGUOUS ? rc : GIT_ENOTFOUND;
}

static bool valid_name(const struct libgit2 *g, const char *ref)
{
    int valid = 0;
    auto_free char *full =
        str_starts(ref, "refs/") ? xstrdup(ref) : xasprintf("refs/heads/%s", ref);
    return *ref != '-' && g->git_reference_name_is_valid(&valid, full) == 0 && valid;
}

/* The name of the branch that HEAD is, "" for a commit. */
static char *head_name(struct repo *r)
{
    git_reference *head = NULL;
    const char *target = NULL;
    if (r->g->git_reference_lookup(&head, r->git, "HEAD") == 0)
        target = r->g->git_reference_symbolic_target(head);
    char *out = xstrdup(target ? target : "");
    r->g->git_reference_free(head);
    return out;
}

/* As a branch, a tag, a branch of the origin, a commit, in this order. */
static int find_any(char out[REPO_ID_LEN + 1], char **name, struct repo *r, const char *ref)
{
    static const char *const kinds[] = { "refs/heads/", "refs/tags/", "refs/remotes/origin/" };
    if (str_starts(ref, "refs/") || str_eq(ref, "HEAD")) {
        *name = str_eq(ref, "HEAD") ? head_name(r) : xstrdup(ref);
        return find_ref(out, r, ref);
    }
    for (size_t i = 0; i < countof(kinds); i++) {
        auto_free char *full = xasprintf("%s%s", kinds[i], ref);
        int rc = find_ref(out, r, full);
        if (rc == 0)
            *name = take(full);
        if (rc != GIT_ENOTFOUND)
            return rc;
    }
    *name = xstrdup("");
    return find_commit(out, r, ref);
}

int repo_resolve(char out[REPO_ID_LEN + 1], char **out_name, struct repo *r, const char *ref,
                 struct error *err)
{
    char id[REPO_ID_LEN + 1];
    auto_free char *name = NULL;
    bool head = !ref || str_eq(ref, "HEAD");
    if (!head && !valid_name(r->g, ref))
        return error_set(err, ERR_INPUT, 0, "'%s' cannot be a branch, tag or commit", ref);
    int rc = find_any(id, &name, r, head ? "HEAD" : ref);
    if (rc == GIT_ENOTFOUND && head)
        return error_set(err, ERR_NOTFOUND, 0, "the repository is empty, or has no default branch");
    if (rc == GIT_ENOTFOUND) {
        error_set(err, ERR_NOTFOUND, 0, "there is no branch, tag or commit '%s'", ref);
        return hint_names(r, ref, err);
    }
    if (rc == GIT_EAMBIGUOUS)
        return error_set(err, ERR_INPUT, 0, "several commits begin with '%s'", ref);
    if (rc < 0)
        return libgit2_failed(err, rc, "find '%s'", head ? "HEAD" : ref);
    memcpy(out, id, sizeof(id));
    if (out_name)
        *out_name = take(name);
    return 0;
}

int repo_tags_of(struct strv *out, struct repo *r, const char *commit, struct error *err)
{
    git_strarray refs = { 0 };
    char id[REPO_ID_LEN + 1];
    int rc = r->g->git_reference_list(&refs, r->git);
    if (rc < 0)
        return libgit2_failed(err, rc, "list tags");
    for (size_t i = 0; i < refs.count; i++)
        if (str_starts(refs.strings[i], "refs/tags/") && find_ref(id, r, refs.strings[i]) == 0 &&
            str_eq(id, commit))
            strv_add(out, short_name(refs.strings[i]));
    r->g->git_strarray_dispose(&refs);
    strv_sort(out);
    return 0;
}

int repo_ahead_behind(size_t *ahead, size_t *behind, struct repo *r, const char *commit,
                      const char *other, struct error *err)
{
    git_oid a, b;
    int rc = r->g->git_oid_fromstr(&a, commit);
    if (rc == 0)
        rc = r->g->git_oid_fromstr(&b, other);
    if (rc == 0)
        rc = r->g->git_graph_ahead_behind(ahead, behind, r->git, &a, &b);
    return rc < 0 ? libgit2_failed(err, rc, "compare commits") : 0;
}

/* --- trees --- */

struct walk {
    struct repo *r;
    int (*fn)(void *ctx, const struct repo_entry *entry, struct error *err); /* or NULL */
    int (*folder)(void *ctx, const char *path, struct error *err);           /* or NULL */
    void *ctx;
};

/*
 * Whoever wrote the tree may have written any bytes. Two entries of one name (a link, and a folder
 * to be written through it) are in no tree that git makes; a .gitmodules that is a link is read
 * elsewhere than it is checked. What else some system takes for .git, libgit2 refuses at checkout.
 */
static int check_entry(struct strmap *names, const git_tree_entry *e, const struct libgit2 *g,
                       const char *path, struct error *err)
{
    const char *name = g->git_tree_entry_name(e);
    bool link = g->git_tree_entry_filemode_raw(e) == GIT_FILEMODE_LINK;
    if (!*name || str_eq(name, ".") || str_eq(name, "..") || strchr(name, '/') ||
        strcasecmp(name, ".git") == 0)
        return error_set(err, ERR_INPUT, 0, "'%s' cannot be the name of a file", path);
    if (link && strcasecmp(name, ".gitmodules") == 0)
        return error_set(err, ERR_INPUT, 0, "'%s' is a symbolic link", path);
    if (strmap_has(names, name))
        return error_set(err, ERR_INPUT, 0, "'%s' is in its folder twice", path);
    strmap_set(names, name, NULL);
    return 0;
}

static int visit(const struct walk *w, const git_tree_entry *e, const char *path, struct error *err)
{
    static const struct {
        git_filemode_t mode;
        enum repo_entry_kind kind;
    } kinds[] = { { GIT_FILEMODE_BLOB, REPO_FILE },
                  { GIT_FILEMODE_BLOB_EXECUTABLE, REPO_PROGRAM },
                  { GIT_FILEMODE_LINK, REPO_LINK },
                  { GIT_FILEMODE_COMMIT, REPO_SUBMODULE } };
    struct repo_entry entry = { .path = path, .kind = REPO_FILE };
    git_filemode_t mode = w->r->g->git_tree_entry_filemode_raw(e);
    /* Old repositories have 0100664 and the like. */
    if ((mode & 0170000) == 0100000)
        mode = mode & 0100 ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
    for (size_t i = 0; i < countof(kinds); i++)
        if (kinds[i].mode == mode)
            entry.kind = kinds[i].kind;
    w->r->g->git_oid_tostr(entry.id, sizeof(entry.id), w->r->g->git_tree_entry_id(e));
    return w->fn(w->ctx, &entry, err);
}

static int walk_tree(const struct walk *w, const git_oid *id, const char *path, int depth,
                     struct error *err);

static int walk_entry(const struct walk *w, const git_tree_entry *e, const char *path, int depth,
                      struct error *err)
{
    const struct libgit2 *g = w->r->g;
    if (g->git_tree_entry_type(e) != GIT_OBJECT_TREE)
        return w->fn ? visit(w, e, path, err) : 0;
    if (w->folder && w->folder(w->ctx, path, err) < 0)
        return -1;
    return walk_tree(w, g->git_tree_entry_id(e), path, depth + 1, err);
}

static int walk_tree(const struct walk *w, const git_oid *id, const char *path, int depth,
                     struct error *err)
{
    const struct libgit2 *g = w->r->g;
    struct strmap names = STRMAP_INIT;
    git_tree *tree = NULL;
    if (depth > DEPTH_MAX)
        return error_set(err, ERR_INPUT, 0, "there are too many folders in folders");
    int rc = g->git_tree_lookup(&tree, w->r->git, id);
    if (rc < 0)
        return libgit2_failed(err, rc, "read the folder '%s'", path);
    for (size_t i = 0; i < g->git_tree_entrycount(tree) && rc == 0; i++) {
        const git_tree_entry *e = g->git_tree_entry_byindex(tree, i);
        const char *name = g->git_tree_entry_name(e);
        auto_free char *below = *path ? xasprintf("%s/%s", path, name) : xstrdup(name);
        rc = check_entry(&names, e, g, below, err);
        if (rc == 0)
            rc = walk_entry(w, e, below, depth, err);
    }
    strmap_clear(&names, NULL);
    g->git_tree_free(tree);
    return rc;
}

/* The tree of a commit, or of a folder in it. */
static int find_tree(git_oid *out, struct repo *r, const char *commit_id, const char *folder)
{
    const struct libgit2 *g = r->g;
    git_oid id;
    git_commit *commit = NULL;
    git_tree *tree = NULL;
    git_tree_entry *entry = NULL;
    int rc = g->git_oid_fromstr(&id, commit_id);
    if (rc == 0)
        rc = g->git_commit_lookup(&commit, r->git, &id);
    if (rc == 0)
        rc = g->git_commit_tree(&tree, commit);
    if (rc == 0 && *folder)
        rc = g->git_tree_entry_bypath(&entry, tree, folder);
    if (rc == 0 && entry && g->git_tree_entry_type(entry) != GIT_OBJECT_TREE)
        rc = GIT_ENOTFOUND;
    if (rc == 0)
        *out = entry ? *g->git_tree_entry_id(entry) : *g->git_object_id((git_object *)tree);
    g->git_tree_entry_free(entry);
    g->git_tree_free(tree);
    g->git_commit_free(commit);
    return rc;
}

static int walk_commit(const struct walk *w, const char *commit, const char *folder,
                       struct error *err)
{
    git_oid id;
    int rc = find_tree(&id, w->r, commit, folder);
    if (rc == GIT_ENOTFOUND && *folder)
        return error_set(err, ERR_NOTFOUND, 0, "there is no folder '%s' in commit %.12s", folder,
                         commit);
    if (rc < 0)
        return libgit2_failed(err, rc, "read commit %.12s", commit);
    return walk_tree(w, &id, "", 0, err);
}

int repo_each(struct repo *r, const char *commit, const char *folder,
              int (*fn)(void *ctx, const struct repo_entry *entry, struct error *err), void *ctx,
              struct error *err)
{
    struct walk w = { .r = r, .fn = fn, .ctx = ctx };
    return walk_commit(&w, commit, folder, err);
}

int repo_each_folder(struct repo *r, const char *commit,
                     int (*fn)(void *ctx, const char *path, struct error *err), void *ctx,
                     struct error *err)
{
    struct walk w = { .r = r, .folder = fn, .ctx = ctx };
    return walk_commit(&w, commit, "", err);
}

int repo_blob(char **out, size_t *out_len, struct repo *r, const char *id, size_t max,
              struct error *err)
{
    const struct libgit2 *g = r->g;
    git_oid oid;
    git_odb *odb = NULL;
    git_blob *blob = NULL;
    size_t size = 0;
    git_object_t type;
    int rc = g->git_oid_fromstr(&oid, id);
    if (rc == 0)
        rc = g->git_repository_odb(&odb, r->git);
    if (rc == 0)
        rc = g->git_odb_read_header(&size, &type, odb, &oid);
    g->git_odb_free(odb);
    if (rc == 0 && size > max)
        return error_set(err, ERR_INPUT, 0, "a file of the repository is larger than %zu bytes",
                         max);
    if (rc == 0)
        rc = g->git_blob_lookup(&blob, r->git, &oid);
    if (rc < 0)
        return libgit2_failed(err, rc, "read file %.12s", id);
    *out_len = (size_t)g->git_blob_rawsize(blob);
    *out = xmalloc(*out_len + 1);
    memcpy(*out, g->git_blob_rawcontent(blob), *out_len);
    (*out)[*out_len] = 0;
    g->git_blob_free(blob);
    return 0;
}
