/* Mirrors: cloning and fetching. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "git/cache.h"
#include "git/private.h"

/*
 * A mirror appears by a rename once its first fetch is complete, so that it is either whole or not
 * there. A later fetch adds packs before it moves refs. Reading takes no lock; whoever fetches
 * holds the mirror's, and thereby knows that what looks half made was left by somebody who died.
 */

static const char *const all_refs[] = { "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*" };

/* First member of what callbacks get. */
struct fetching {
    struct credentials credentials;
    struct worker *w;
    bool too_large;
};

/* --- removing --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int repo_remove_tree(const char *path, struct error *err)
{
    struct stat st;
    if (lstat(path, &st) < 0 && errno == ENOENT)
        return 0;
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS) < 0)
        return error_errno(err, "remove '%s'", path);
    return 0;
}

static int remove_leftover(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    const char *name = path + ftw->base;
    if (type == FTW_F && (str_ends(name, ".lock") || str_starts(name, "tmp_") ||
                          str_starts(name, "pack_git2_") || strstr(name, "_git2_")))
        remove(path);
    return 0;
}

/* --- callbacks --- */

static int on_transfer(const git_indexer_progress *stats, void *payload)
{
    struct fetching *f = payload;
    bool resolving = stats->total_deltas && stats->received_objects == stats->total_objects;
    struct repo_progress p = {
        .phase = resolving ? "resolving" : "receiving",
        .current = resolving ? stats->indexed_deltas : stats->received_objects,
        .total = resolving ? stats->total_deltas : stats->total_objects,
        .bytes = (int64_t)stats->received_bytes,
    };
    worker_progress(f->w, &p);
    f->too_large = (int64_t)stats->received_bytes > REPO_RECEIVE_MAX;
    return f->too_large ? GIT_EUSER : 0;
}

/* What the server says of its own work: that it works is all that counts. */
static int on_sideband(const char *text, int len, void *payload)
{
    struct fetching *f = payload;
    (void)text, (void)len;
    worker_progress(f->w, &(struct repo_progress){ .phase = "connecting" });
    return 0;
}

static int on_certificate(git_cert *cert, int valid, const char *host, void *payload)
{
    const struct fetching *f = payload;
    (void)cert;
    if (valid)
        return 0;
    auto_free char *text = xasprintf("the certificate of '%s' is not trusted", host);
    f->w->g->git_error_set_str(GIT_ERROR_SSL, text);
    return GIT_ECERTIFICATE;
}

static int on_credentials(git_credential **out, const char *url, const char *user, unsigned types,
                          void *payload)
{
    return credentials_get(out, url, user, types, &((struct fetching *)payload)->credentials);
}

/* --- fetching --- */

static void set_default_branch(const struct libgit2 *g, git_repository *git, git_remote *remote)
{
    git_buf name = { 0 };
    if (g->git_remote_default_branch(&name, remote) == 0)
        g->git_repository_set_head(git, name.ptr);
    g->git_buf_dispose(&name);
    g->git_error_clear();
}

/* The refs of the remote replace those of the repository. A branch that is gone is removed before
 * others come: 'a' may have become 'a/b'. */
static int fetch_refs(struct fetching *f, git_repository *git, git_remote *remote, const char *ref)
{
    const struct libgit2 *g = f->w->g;
    auto_free char *special =
        ref && str_starts(ref, "refs/") ? xasprintf("+%s:%s", ref, ref) : NULL;
    char *specs[] = { (char *)(uintptr_t)all_refs[0], (char *)(uintptr_t)all_refs[1], special };
    const git_strarray refspecs = { specs, special ? 3 : 2 };
    git_fetch_options opt;
    git_remote_connect_options connect;
    if (g->git_fetch_options_init(&opt, GIT_FETCH_OPTIONS_VERSION) < 0 ||
        g->git_remote_connect_options_init(&connect, GIT_REMOTE_CONNECT_OPTIONS_VERSION) < 0)
        return -1;
    opt.callbacks.payload = f;
    opt.callbacks.transfer_progress = on_transfer;
    opt.callbacks.sideband_progress = on_sideband;
    opt.callbacks.certificate_check = on_certificate;
    opt.callbacks.credentials = on_credentials;
    opt.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    opt.update_fetchhead = 0;
    opt.proxy_opts.type = GIT_PROXY_AUTO;
    opt.follow_redirects = GIT_REMOTE_REDIRECT_INITIAL;
    connect.callbacks = opt.callbacks;
    connect.proxy_opts = opt.proxy_opts;
    connect.follow_redirects = opt.follow_redirects;
    int rc = g->git_remote_connect_ext(remote, GIT_DIRECTION_FETCH, &connect);
    if (rc == 0)
        set_default_branch(g, git, remote);
    if (rc == 0)
        rc = g->git_remote_download(remote, &refspecs, &opt);
    if (rc == 0)
        rc = g->git_remote_prune(remote, &opt.callbacks);
    if (rc == 0)
        rc = g->git_remote_update_tips(remote, &opt.callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE,
                                       NULL);
    return rc;
}

static int hint_failure(const struct fetching *f, const struct repo_url *url, int rc,
                        struct error *err)
{
    if (f->too_large) {
        error_set(err, ERR_NETWORK, 0, "fetch '%s': it is larger than %d GiB", url->url,
                  (int)(REPO_RECEIVE_MAX >> 30));
    } else if (rc == GIT_EAUTH && url->kind == REPO_HTTP) {
        error_hint(err, "git's credential helpers and ~/.netrc are asked for a password");
    } else if (rc == GIT_ECERTIFICATE) {
        error_hint(err, "GIT_SSL_CAINFO=FILE names certificates to trust");
    } else if (url->kind == REPO_LOCAL && !file_is_dir(url->path)) {
        error_set(err, ERR_NOTFOUND, 0, "there is no repository '%s'", url->url);
    }
    return -1;
}

static int fetch_into(struct worker *w, git_repository *git, const struct wanted *wanted,
                      struct error *err)
{
    const struct libgit2 *g = w->g;
    const struct repo_url *url = wanted->url;
    git_remote *remote = NULL;
    struct fetching f = { .credentials = { .worker = w, .url = url }, .w = w };
    worker_progress(w, &(struct repo_progress){ .phase = "connecting" });
    int rc = g->git_remote_create_anonymous(&remote, git, url->url);
    if (rc == 0)
        rc = fetch_refs(&f, git, remote, wanted->ref);
    if (rc < 0) {
        libgit2_failed(err, rc, "fetch '%s'", url->url);
        hint_failure(&f, url, rc, err);
    }
    g->git_remote_free(remote);
    w->fetched = true;
    return rc < 0 ? -1 : 0;
}

static int init_bare(git_repository **out, const struct libgit2 *g, const char *dir,
                     struct error *err)
{
    git_repository_init_options opt;
    int rc = g->git_repository_init_options_init(&opt, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    opt.flags =
        GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    if (rc == 0)
        rc = g->git_repository_init_ext(out, dir, &opt);
    return rc < 0 ? libgit2_failed(err, rc, "make the repository '%s'", dir) : 0;
}

static int note_fetched(const char *mirror, struct error *err)
{
    auto_free char *path = path_join(mirror, REPO_FETCHED);
    auto_free char *text = xasprintf("%lld", (long long)clock_unix_ns());
    return file_write_atomic(path, text, strlen(text), 0600, err);
}

static int clone_mirror(struct worker *w, const char *path, const char *tmp,
                        const struct wanted *wanted, struct error *err)
{
    git_repository *git = NULL;
    if (init_bare(&git, w->g, tmp, err) < 0)
        return -1;
    int rc = fetch_into(w, git, wanted, err);
    w->g->git_repository_free(git);
    if (rc == 0)
        rc = note_fetched(tmp, err);
    if (rc == 0 && rename(tmp, path) < 0)
        rc = error_errno(err, "rename '%s'", tmp);
    if (rc < 0)
        repo_remove_tree(tmp, NULL);
    return rc;
}

static int fetch_mirror(struct worker *w, const char *path, const struct wanted *wanted,
                        struct error *err)
{
    struct repo *r;
    nftw(path, remove_leftover, 32, FTW_PHYS);
    if (repo_open(&r, path, err) < 0)
        return -1;
    int rc = fetch_into(w, r->git, wanted, err);
    repo_close(r);
    return rc < 0 ? -1 : note_fetched(path, err);
}

/* --- what is wanted --- */

static int resolve(char out[REPO_ID_LEN + 1], char **out_name, struct repo *r,
                   const struct wanted *wanted, struct error *err)
{
    if (repo_resolve(out, out_name, r, wanted->commit ? wanted->commit : wanted->ref, err) < 0)
        return error_wrap(err, "%s", wanted->url->url);
    return 0;
}

/* 0 when it is there, 1 when a fetch may bring it, -1 with *err. */
static int look(struct repo **out, char out_commit[REPO_ID_LEN + 1], char **out_name,
                const char *path, const struct wanted *wanted, struct error *err)
{
    auto_(repo_closep) struct repo *r = NULL;
    auto_error struct error why = ERROR_INIT;
    if (!file_is_dir(path))
        return 1;
    if (repo_open(&r, path, err) < 0)
        return -1;
    if (resolve(out_commit, out_name, r, wanted, &why) < 0) {
        if (why.kind == ERR_NOTFOUND)
            return 1;
        return error_move(err, &why);
    }
    *out = take(r);
    return 0;
}

static bool fetched_since(const char *mirror, int64_t since_ns)
{
    auto_free char *path = path_join(mirror, REPO_FETCHED), *text = NULL;
    size_t n;
    int64_t at_ns;
    return file_read(&text, &n, path, 64, NULL) == 0 && num_int(&at_ns, text) == 0 &&
           at_ns > since_ns;
}

static int offline(const char *path, const struct wanted *wanted, struct error *err)
{
    const char *ref = wanted->commit ? wanted->commit : wanted->ref;
    if (!file_is_dir(path))
        error_set(err, ERR_NOTFOUND, 0, "'%s' is not in the cache, and --offline was asked for",
                  wanted->url->url);
    else
        error_set(err, ERR_NOTFOUND, 0,
                  "'%s' of '%s' is not in the cache, and --offline was asked for",
                  ref ? ref : "the default branch", wanted->url->url);
    return error_hint(err, "run it once without --offline");
}

static int open_resolved(struct repo **out, char out_commit[REPO_ID_LEN + 1], char **out_name,
                         const char *path, const struct wanted *wanted, struct error *err)
{
    auto_(repo_closep) struct repo *r = NULL;
    if (repo_open(&r, path, err) < 0 || resolve(out_commit, out_name, r, wanted, err) < 0)
        return -1;
    *out = take(r);
    return 0;
}

/* With the lock of the mirror. */
static int get_locked(struct repo **out, char out_commit[REPO_ID_LEN + 1], char **out_name,
                      struct worker *w, const char *path, const struct wanted *wanted,
                      struct error *err)
{
    /* Another process may have done it meanwhile. */
    bool fresh = fetched_since(path, w->began_ns);
    if (fresh || w->want.fetch == REPO_FETCH_MISSING) {
        int rc = look(out, out_commit, out_name, path, wanted, err);
        if (rc <= 0)
            return rc;
    }
    auto_free char *tmp = xasprintf("%s.tmp", path);
    if (repo_remove_tree(tmp, err) < 0)
        return -1;
    if (!fresh && (file_is_dir(path) ? fetch_mirror(w, path, wanted, err)
                                     : clone_mirror(w, path, tmp, wanted, err)) < 0)
        return -1;
    return open_resolved(out, out_commit, out_name, path, wanted, err);
}

int mirror_get(struct repo **out, char out_commit[REPO_ID_LEN + 1], char **out_name,
               struct worker *w, const struct wanted *wanted, struct error *err)
{
    auto_free char *path = repo_mirror_path(w->cache, wanted->url);
    auto_free char *dir = path_dir(path), *lock = xasprintf("%s.lock", path);
    if (w->want.fetch != REPO_FETCH_ALWAYS) {
        int rc = look(out, out_commit, out_name, path, wanted, err);
        if (rc <= 0)
            return rc;
    }
    if (w->want.fetch == REPO_FETCH_NEVER)
        return offline(path, wanted, err);
    if (file_mkdirs(dir, 0700, err) < 0)
        return -1;
    int fd = worker_lock(w, lock, err);
    if (fd < 0)
        return -1;
    int rc = get_locked(out, out_commit, out_name, w, path, wanted, err);
    close(fd);
    return rc;
}
