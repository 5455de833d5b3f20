/* The process that does the work: one want from the socket, progress and a result back. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/safe.h"
#include "git/cache.h"
#include "git/private.h"

/*
 * One process for each repository, so that it can be killed: libgit2 waits for servers without an
 * end, and a crash over hostile data is the crash of a helper. It dies with who started it.
 */

#define TELL_MS 100                  /* between two lines of progress */
#define LOCK_PAUSE_MS 100            /* between two looks at a lock */
#define MEMORY_MAX ((rlim_t)6 << 30) /* bytes */

static void send_line(struct worker *w, json_t *line)
{
    if (w->fd >= 0) {
        auto_free char *text = json_dumps(line, JSON_COMPACT);
        size_t len = text ? strlen(text) : 0;
        for (size_t at = 0; at <= len;) {
            ssize_t n = at < len ? send(w->fd, text + at, len - at, 0) : send(w->fd, "\n", 1, 0);
            if (n < 0 && errno != EINTR)
                _exit(1); /* nobody listens any more */
            at += n > 0 ? (size_t)n : 0;
        }
    }
    json_decref(line);
}

void worker_progress(struct worker *w, const struct repo_progress *p)
{
    int64_t now = clock_ms();
    bool last = p->total > 0 && p->current == p->total;
    if (w->phase && strcmp(w->phase, p->phase) == 0 && now - w->told_ms < TELL_MS && !last)
        return;
    w->phase = p->phase;
    w->told_ms = now;
    send_line(w, json_pack("{s:s, s:I, s:I, s:I}", "phase", p->phase, "current",
                           (json_int_t)p->current, "total", (json_int_t)p->total, "bytes",
                           (json_int_t)p->bytes));
}

int worker_lock(struct worker *w, const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(err, "open lock '%s'", path);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            error_errno(err, "lock '%s'", path);
            close(fd);
            return -1;
        }
        worker_progress(w, &(struct repo_progress){ .phase = "waiting" });
        poll(NULL, 0, LOCK_PAUSE_MS);
    }
    return fd;
}

/* --- the want --- */

static int read_line(char *buf, size_t size, int fd)
{
    for (size_t n = 0; n + 1 < size;) {
        ssize_t got = read(fd, buf + n, 1);
        if (got <= 0)
            return -1;
        if (buf[n] == '\n') {
            buf[n] = 0;
            return (int)n;
        }
        n++;
    }
    return -1;
}

static void read_want(struct repo_want *out, const json_t *j)
{
    *out = (struct repo_want){
        .name = json_str_or(j, "name", ""),
        .url = json_str_or(j, "url", ""),
        .ref = json_str(j, "ref"),
        .commit = json_str(j, "commit"),
        .tree = json_str(j, "tree"),
        .own = json_bool(j, "own", false),
        .submodules = json_bool(j, "submodules", false),
        .force = json_bool(j, "force", false),
        .fetch = (enum repo_fetch)json_int(j, "fetch", REPO_FETCH_MISSING),
    };
}

/* --- the work --- */

static int prepare(struct worker *w, struct error *err)
{
    w->began_ns = clock_unix_ns();
    w->g = libgit2(err);
    w->cache = w->g ? repo_cache_dir(err) : NULL;
    if (!w->cache)
        return -1;
    w->loop = loop_new();
    return ssh_register(w, err);
}

static int get_tree(char **out_before, struct worker *w, struct repo *mirror,
                    const struct repo_url *url, const char *commit, const char *ref_name,
                    struct error *err)
{
    const char *tree = w->want.tree;
    if (!tree)
        return 0;
    if (w->want.own)
        return tree_clone(w, mirror, url, commit, ref_name, tree, err);
    auto_free char *dir = path_dir(tree);
    auto_free char *lock = xasprintf("%s.lock", tree);
    if (file_mkdirs(dir, 0700, err) < 0)
        return -1;
    int fd = worker_lock(w, lock, err);
    if (fd < 0)
        return -1;
    int rc = tree_get(out_before, w, mirror, url, commit, tree, 0, err);
    close(fd);
    return rc;
}

static int work(struct worker *w, struct error *err)
{
    char commit[REPO_ID_LEN + 1];
    auto_free char *ref_name = NULL, *before = NULL;
    auto_(repo_closep) struct repo *mirror = NULL;
    auto_repo_url struct repo_url url = { 0 };
    if (repo_url_parse(&url, w->want.url, NULL, err) < 0)
        return -1;
    struct wanted wanted = { &url, w->want.ref, w->want.commit };
    if (mirror_get(&mirror, commit, &ref_name, w, &wanted, err) < 0 ||
        get_tree(&before, w, mirror, &url, commit, ref_name, err) < 0)
        return -1;
    auto_free char *path = repo_mirror_path(w->cache, &url);
    send_line(w, json_pack("{s:{s:s, s:s?, s:s, s:s, s:b}}", "done", "commit", commit, "before",
                           before, "ref_name", ref_name, "mirror", path, "fetched", w->fetched));
    return 0;
}

/* Sanitizers reserve more than any limit would allow. */
static void limit_memory(void)
{
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) < 0)
        return;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > MEMORY_MAX)
        limit.rlim_cur = MEMORY_MAX;
    setrlimit(RLIMIT_DATA, &limit);
#endif
}

static void set_limits(void)
{
    const struct rlimit no_core = { 0, 0 };
    setrlimit(RLIMIT_CORE, &no_core); /* passwords are in memory */
    limit_memory();
    umask(022);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    signal(SIGPIPE, SIG_IGN);
}

int repo_worker_main(void)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *want = NULL;
    struct worker w = { .fd = dup(STDOUT_FILENO) };
    auto_free char *line = xmalloc(REPO_LINE_MAX + 2);
    set_limits();
    fcntl(w.fd, F_SETFD, FD_CLOEXEC);
    int n = read_line(line, REPO_LINE_MAX + 2, STDIN_FILENO);
    want = n < 0 ? NULL : json_parse(line, (size_t)n, "the want", NULL);
    if (!want) {
        fputs("stack __git is started by stack itself\n", stderr);
        return 2;
    }
    wipe(line, (size_t)n);
    read_want(&w.want, want);
    int rc = prepare(&w, &err);
    if (rc == 0)
        rc = work(&w, &err);
    if (rc < 0)
        send_line(&w, json_pack("{s:{s:i, s:i, s:s, s:s?}}", "error", "kind", (int)err.kind, "code",
                                err.code, "message", err.msg, "hint", err.hint));
    free(w.cache);
    loop_free(w.loop);
    close(w.fd);
    return rc < 0;
}
