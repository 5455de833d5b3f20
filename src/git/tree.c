/* Work trees: checking out a commit of a mirror. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/cache.h"
#include "git/private.h"

/*
 * A new tree is made beside its place and renamed. One that is there is changed in place, since
 * containers may have it mounted; a mark stands in it meanwhile, so that an update that was killed
 * is known, and completed by the next. What a person changed in it is not overwritten.
 */

static const char *const strict[] = { "core.protectHFS", "core.protectNTFS" };

static int set_up(struct worker *w, git_repository *git, const struct repo_url *url,
                  struct error *err)
{
    const struct libgit2 *g = w->g;
    git_config *config = NULL;
    int rc = g->git_repository_config(&config, git);
    /* Names that other systems take for .git are refused here, too. */
    for (size_t i = 0; i < countof(strict) && rc == 0; i++)
        rc = g->git_config_set_bool(config, strict[i], true);
    if (rc == 0)
        rc = g->git_config_set_string(config, "core.autocrlf", "false");
    if (rc == 0)
        rc = g->git_config_set_string(config, "remote.origin.url", url->url);
    if (rc == 0)
        rc = g->git_config_set_string(config, "remote.origin.fetch",
                                      "+refs/heads/*:refs/remotes/origin/*");
    g->git_config_free(config);
    return rc < 0 ? libgit2_failed(err, rc, "configure a work tree") : 0;
}

static int init(git_repository **out, const struct libgit2 *g, const char *dir, struct error *err)
{
    git_repository_init_options opt;
    int rc = g->git_repository_init_options_init(&opt, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    opt.flags = GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    if (rc == 0)
        rc = g->git_repository_init_ext(out, dir, &opt);
    return rc < 0 ? libgit2_failed(err, rc, "make the work tree '%s'", dir) : 0;
}

/* The objects of the tree are those of the mirror; written each time, as the cache may have been
 * moved. */
static int share_objects(const char *dir, const struct repo *mirror, struct error *err)
{
    auto_free char *path = path_join(dir, ".git/objects/info/alternates");
    auto_free char *info = path_dir(path);
    auto_free char *text = xasprintf("%sobjects\n", mirror->g->git_repository_path(mirror->git));
    if (file_mkdirs(info, 0755, err) < 0)
        return -1;
    return file_write_atomic(path, text, strlen(text), 0644, err);
}

/* The branches and tags of the mirror, as a clone would have them: who looks into the tree finds
 * what its commit is called. */
static int copy_refs(const char *dir, const struct repo *mirror, struct error *err)
{
    static const char *const kinds[][2] = { { "refs/heads/", "refs/remotes/origin/" },
                                            { "refs/tags/", "refs/tags/" } };
    const struct libgit2 *g = mirror->g;
    auto_free char *path = path_join(dir, ".git/packed-refs");
    auto_strv struct strv lines = STRV_INIT;
    git_strarray refs = { 0 };
    int rc = g->git_reference_list(&refs, mirror->git);
    for (size_t i = 0; rc == 0 && i < refs.count; i++) {
        char hex[REPO_ID_LEN + 1];
        git_oid id;
        for (size_t k = 0; k < countof(kinds); k++) {
            if (!str_starts(refs.strings[i], kinds[k][0]) ||
                g->git_reference_name_to_id(&id, mirror->git, refs.strings[i]) < 0)
                continue;
            g->git_oid_tostr(hex, sizeof(hex), &id);
            strv_addf(&lines, "%s %s%s\n", hex, kinds[k][1], refs.strings[i] + strlen(kinds[k][0]));
        }
    }
    g->git_strarray_dispose(&refs);
    if (rc < 0)
        return libgit2_failed(err, rc, "list the branches of '%s'", dir);
    auto_free char *text = strv_join(&lines, "");
    return file_write_atomic(path, text, strlen(text), 0644, err);
}

static void on_progress(const char *path, size_t current, size_t total, void *payload)
{
    struct repo_progress p = {
        .phase = "checking out",
        .current = (int64_t)current,
        .total = (int64_t)total,
    };
    (void)path;
    worker_progress(payload, &p);
}

struct guard {
    struct repo *r;
    const char *dir;
    bool force;
};

/* Whether the commit that is checked out has a link there: then it goes with the others of it. */
static bool is_tracked_link(struct repo *r, const char *path)
{
    git_index *index = NULL;
    const git_index_entry *entry = NULL;
    if (r->g->git_repository_index(&index, r->git) == 0)
        entry = r->g->git_index_get_bypath(index, path, 0);
    bool link = entry && entry->mode == GIT_FILEMODE_LINK;
    r->g->git_index_free(index);
    return link;
}

/* A container that has the tree mounted may have put a link where a folder is to be: files would be
 * written wherever it leads. */
static int guard_folder(void *ctx, const char *path, struct error *err)
{
    const struct guard *g = ctx;
    auto_free char *whole = path_join(g->dir, path);
    struct stat st;
    if (lstat(whole, &st) < 0 || !S_ISLNK(st.st_mode) || is_tracked_link(g->r, path))
        return 0;
    if (!g->force)
        return error_set(err, ERR_CONFLICT, 0, "'%s' is a symbolic link where a folder is to be",
                         whole);
    return unlink(whole) < 0 ? error_errno(err, "remove '%s'", whole) : 0;
}

/* Files, index and HEAD become those of the commit. */
static int checkout(struct worker *w, struct repo *r, const char *dir, const char *commit_id,
                    unsigned strategy, bool filters, struct error *err)
{
    const struct libgit2 *g = w->g;
    struct guard guard = { r, dir, strategy & GIT_CHECKOUT_FORCE };
    git_checkout_options opt;
    git_oid id;
    git_commit *commit = NULL;
    if (repo_each_folder(r, commit_id, guard_folder, &guard, err) < 0)
        return -1;
    int rc = g->git_checkout_options_init(&opt, GIT_CHECKOUT_OPTIONS_VERSION);
    opt.checkout_strategy = strategy;
    opt.disable_filters = !filters;
    opt.progress_cb = on_progress;
    opt.progress_payload = w;
    if (rc == 0)
        rc = g->git_oid_fromstr(&id, commit_id);
    if (rc == 0)
        rc = g->git_commit_lookup(&commit, r->git, &id);
    if (rc == 0)
        rc = g->git_checkout_tree(r->git, (git_object *)commit, &opt);
    if (rc == 0)
        rc = g->git_repository_set_head_detached(r->git, &id);
    g->git_commit_free(commit);
    return rc < 0 ? libgit2_failed(err, rc, "check out %.12s", commit_id) : 0;
}

static int make_tree(struct worker *w, struct repo *mirror, const struct repo_url *url,
                     const char *commit, const char *dir, const char *tmp, struct error *err)
{
    git_repository *git = NULL;
    if (init(&git, w->g, tmp, err) < 0)
        return -1;
    int rc = set_up(w, git, url, err);
    w->g->git_repository_free(git);
    git = NULL;
    if (rc == 0)
        rc = share_objects(tmp, mirror, err);
    if (rc == 0)
        rc = copy_refs(tmp, mirror, err);
    struct repo *r = NULL;
    if (rc == 0)
        rc = repo_open(&r, tmp, err);
    if (rc == 0)
        rc = checkout(w, r, tmp, commit, GIT_CHECKOUT_FORCE, false, err);
    repo_close(r);
    if (rc == 0 && rename(tmp, dir) < 0)
        rc = error_errno(err, "rename '%s'", tmp);
    if (rc < 0)
        repo_remove_tree(tmp, NULL);
    return rc;
}

/* Changes in files of the commit; what came besides them (build output, caches) may stay. */
static int check_clean(struct repo *r, const char *dir, const char *name, struct error *err)
{
    git_status_list *list = NULL;
    git_status_options opt = { .version = GIT_STATUS_OPTIONS_VERSION,
                               .flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES };
    int rc = r->g->git_status_list_new(&list, r->git, &opt);
    if (rc < 0)
        return libgit2_failed(err, rc, "look for changes in '%s'", dir);
    size_t n = r->g->git_status_list_entrycount(list);
    r->g->git_status_list_free(list);
    if (n == 0)
        return 0;
    error_set(err, ERR_CONFLICT, 0, "%zu file%s in '%s' %s changed", n, n == 1 ? "" : "s", dir,
              n == 1 ? "was" : "were");
    return error_hint(err,
                      "'stack dev %s DIR' gives a checkout to work in; 'stack sync --force %s' "
                      "throws the changes away",
                      name, name);
}

static int update_files(struct worker *w, struct repo *r, const char *commit, const char *dir,
                        bool mend, struct error *err)
{
    auto_free char *mark = path_join(dir, REPO_UPDATING);
    auto_free char *index_lock = path_join(dir, ".git/index.lock");
    auto_free char *head_lock = path_join(dir, ".git/HEAD.lock");
    bool force = mend || w->want.force;
    if (!force && check_clean(r, dir, w->want.name, err) < 0)
        return -1;
    if (mend) {
        unlink(index_lock);
        unlink(head_lock);
    }
    if (file_write_atomic(mark, "", 0, 0600, err) < 0)
        return -1;
    unsigned strategy = force ? GIT_CHECKOUT_FORCE : GIT_CHECKOUT_SAFE;
    int rc = checkout(w, r, dir, commit, strategy, false, err);
    /* A safe checkout that meets a conflict has changed nothing. */
    if ((rc == 0 || (!force && err && err->kind == ERR_CONFLICT)) && unlink(mark) < 0 && rc == 0)
        rc = error_errno(err, "remove '%s'", mark);
    return rc;
}

static int update_tree(char **out_before, struct worker *w, struct repo *mirror,
                       const struct repo_url *url, const char *commit, const char *dir,
                       struct error *err)
{
    auto_(repo_closep) struct repo *r = NULL;
    auto_free char *before = NULL;
    bool mend = repo_tree_commit(&before, dir, NULL) < 0;
    if (share_objects(dir, mirror, err) < 0 || copy_refs(dir, mirror, err) < 0 ||
        repo_open(&r, dir, err) < 0 || set_up(w, r->git, url, err) < 0)
        return -1;
    bool same = before && str_eq(before, commit) && !w->want.force;
    if (!same && update_files(w, r, commit, dir, mend, err) < 0)
        return -1;
    *out_before = take(before);
    return 0;
}

/* --- submodules --- */

struct submodules {
    struct worker *w;
    struct repo *parent;
    const struct repo_url *url; /* of the parent */
    const char *dir;
    int depth;
    struct error *err;
};

/* Its path is below the parent, and no part of that is a link. */
static bool path_is_plain(const char *dir, const char *path)
{
    auto_free char *whole = path_join(dir, path);
    auto_free char *above = path_dir(whole);
    auto_free char *real_dir = path_real(dir, NULL);
    auto_free char *real_above = path_real(above, NULL);
    auto_free char *wanted = real_dir ? path_join(real_dir, path) : NULL;
    auto_free char *wanted_above = wanted ? path_dir(wanted) : NULL;
    return *path != '-' && path_below(dir, whole) && !str_eq(dir, whole) && real_above &&
           str_eq(real_above, wanted_above);
}

static int submodule_url(struct repo_url *out, const struct submodules *s, const char *text,
                         struct error *err)
{
    git_buf whole = { 0 };
    if (!text)
        return error_set(err, ERR_INPUT, 0, "it has no URL");
    int rc = s->w->g->git_submodule_resolve_url(&whole, s->parent->git, text);
    if (rc < 0)
        return libgit2_failed(err, rc, "its URL");
    rc = repo_url_parse(out, whole.ptr, NULL, err);
    s->w->g->git_buf_dispose(&whole);
    if (rc == 0 && out->kind == REPO_LOCAL && s->url->kind != REPO_LOCAL)
        rc = error_set(err, ERR_INPUT, 0, "its URL is a path of this machine");
    return rc;
}

static int get_submodule(const struct submodules *s, git_submodule *module, struct error *err)
{
    const struct libgit2 *g = s->w->g;
    const char *path = g->git_submodule_path(module);
    const git_oid *id = g->git_submodule_head_id(module);
    char wanted_commit[REPO_ID_LEN + 1], commit[REPO_ID_LEN + 1];
    auto_repo_url struct repo_url url = { 0 };
    auto_free char *name = NULL, *before = NULL, *dir = path_join(s->dir, path);
    auto_(repo_closep) struct repo *mirror = NULL;
    if (!id)
        return 0; /* named in .gitmodules alone */
    if (!path_is_plain(s->dir, path))
        return error_set(err, ERR_INPUT, 0, "its path leads elsewhere");
    if (s->depth >= REPO_SUBMODULE_DEPTH)
        return error_set(err, ERR_INPUT, 0, "there are too many submodules in submodules");
    if (submodule_url(&url, s, g->git_submodule_url(module), err) < 0)
        return -1;
    g->git_oid_tostr(wanted_commit, sizeof(wanted_commit), id);
    struct wanted wanted = { .url = &url, .commit = wanted_commit };
    if (mirror_get(&mirror, commit, &name, s->w, &wanted, err) < 0)
        return -1;
    return tree_get(&before, s->w, mirror, &url, commit, dir, s->depth + 1, err);
}

static int on_submodule(git_submodule *module, const char *name, void *payload)
{
    const struct submodules *s = payload;
    (void)name;
    if (get_submodule(s, module, s->err) == 0)
        return 0;
    error_wrap(s->err, "submodule '%s'", s->w->g->git_submodule_path(module));
    return GIT_EUSER;
}

static int get_submodules(struct worker *w, const struct repo_url *url, const char *dir, int depth,
                          struct error *err)
{
    auto_(repo_closep) struct repo *r = NULL;
    auto_error struct error why = ERROR_INIT;
    if (repo_open(&r, dir, err) < 0)
        return -1;
    struct submodules s = { w, r, url, dir, depth, &why };
    int rc = w->g->git_submodule_foreach(r->git, on_submodule, &s);
    if (why.kind)
        return error_move(err, &why);
    return rc < 0 ? libgit2_failed(err, rc, "read the submodules of '%s'", dir) : 0;
}

int tree_get(char **out_before, struct worker *w, struct repo *mirror, const struct repo_url *url,
             const char *commit, const char *dir, int depth, struct error *err)
{
    auto_free char *git = path_join(dir, ".git");
    auto_free char *tmp = xasprintf("%s.tmp", dir);
    if (repo_remove_tree(tmp, err) < 0)
        return -1;
    int rc = file_is_dir(git) ? update_tree(out_before, w, mirror, url, commit, dir, err)
                              : make_tree(w, mirror, url, commit, dir, tmp, err);
    if (rc == 0 && w->want.submodules)
        rc = get_submodules(w, url, dir, depth, err);
    return rc;
}

/* --- a clone for people --- */

static bool is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;
    while (d && n <= 2 && readdir(d))
        n++;
    if (d)
        closedir(d);
    return d && n <= 2;
}

static int copy_objects(struct worker *w, git_repository *git, struct repo *mirror,
                        const struct repo_url *url, struct error *err)
{
    const struct libgit2 *g = w->g;
    git_remote *origin = NULL;
    git_fetch_options opt;
    int rc = g->git_fetch_options_init(&opt, GIT_FETCH_OPTIONS_VERSION);
    opt.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_ALL;
    if (rc == 0)
        rc = g->git_remote_create(&origin, git, "origin", url->url);
    if (rc == 0)
        rc = g->git_remote_set_instance_url(origin, g->git_repository_path(mirror->git));
    worker_progress(w, &(struct repo_progress){ .phase = "copying" });
    if (rc == 0)
        rc = g->git_remote_fetch(origin, NULL, &opt, NULL);
    g->git_remote_free(origin);
    return rc < 0 ? libgit2_failed(err, rc, "copy '%s'", url->url) : 0;
}

/* HEAD becomes a branch that follows the origin's, where the ref is one. */
static int follow_branch(struct worker *w, git_repository *git, const char *ref_name,
                         const char *commit_id, struct error *err)
{
    const struct libgit2 *g = w->g;
    static const char heads[] = "refs/heads/";
    if (!str_starts(ref_name, heads))
        return 0;
    const char *branch = ref_name + strlen(heads);
    auto_free char *upstream = xasprintf("origin/%s", branch);
    git_oid id;
    git_commit *commit = NULL;
    git_reference *ref = NULL;
    int rc = g->git_oid_fromstr(&id, commit_id);
    if (rc == 0)
        rc = g->git_commit_lookup(&commit, git, &id);
    if (rc == 0)
        rc = g->git_branch_create(&ref, git, branch, commit, 0);
    if (rc == 0)
        rc = g->git_branch_set_upstream(ref, upstream);
    if (rc == 0)
        rc = g->git_repository_set_head(git, ref_name);
    g->git_reference_free(ref);
    g->git_commit_free(commit);
    return rc < 0 ? libgit2_failed(err, rc, "make the branch '%s'", branch) : 0;
}

int tree_clone(struct worker *w, struct repo *mirror, const struct repo_url *url,
               const char *commit, const char *ref_name, const char *dir, struct error *err)
{
    auto_free char *tmp = xasprintf("%s.stack-tmp", dir);
    auto_free char *above = path_dir(dir);
    struct repo r = { .g = w->g };
    if (file_exists(dir) && !is_empty_dir(dir))
        return error_set(err, ERR_CONFLICT, 0, "'%s' exists and is not empty", dir);
    if (file_mkdirs(above, 0755, err) < 0 || repo_remove_tree(tmp, err) < 0 ||
        init(&r.git, w->g, tmp, err) < 0)
        return -1;
    int rc = copy_objects(w, r.git, mirror, url, err);
    if (rc == 0)
        rc = checkout(w, &r, tmp, commit, GIT_CHECKOUT_FORCE, true, err);
    if (rc == 0)
        rc = follow_branch(w, r.git, ref_name, commit, err);
    w->g->git_repository_free(r.git);
    if (rc == 0 && rename(tmp, dir) < 0)
        rc = error_errno(err, "rename '%s'", tmp);
    if (rc < 0)
        repo_remove_tree(tmp, NULL);
    return rc;
}
