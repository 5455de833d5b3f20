/* Starting the process that gets a work tree, and listening to it. */
#include "git/checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "git/private.h"
#include "loop/child.h"

/*
 * The want goes out as one line of JSON, what comes back are lines of JSON: progress, then the
 * result. The line goes through a socket and not through arguments, since its URL may hold a
 * password.
 */

#define STDERR_MAX 4096

struct repo_job {
    struct loop *loop;
    struct repo_handlers hd;
    struct child *child;
    struct loop_io *io;
    struct loop_timer *stall;
    int64_t stall_ms;
    int fd;
    struct str input;
    char *name, *shown; /* of the project, of the repository */
    json_t *result;     /* {"done": ...} or {"error": ...} */
    bool stalled;
};

static void job_free(struct repo_job *job)
{
    loop_io_cancel(&job->io);
    loop_timer_cancel(&job->stall);
    if (job->fd >= 0)
        close(job->fd);
    str_clear(&job->input);
    json_decref(job->result);
    free(job->name);
    free(job->shown);
    free(job);
}

static void on_stall(void *ctx)
{
    struct repo_job *job = ctx;
    job->stalled = true;
    child_kill(job->child, SIGKILL);
}

static void tell(struct repo_job *job, const json_t *line)
{
    struct repo_progress p = {
        .phase = json_str_or(line, "phase", ""),
        .current = json_int(line, "current", 0),
        .total = json_int(line, "total", 0),
        .bytes = json_int(line, "bytes", 0),
    };
    if (job->hd.progress)
        job->hd.progress(job->hd.ctx, &p);
}

static void take_line(struct repo_job *job, const char *text, size_t len)
{
    auto_json json_t *line = json_parse(text, len, "a message", NULL);
    if (!line)
        return;
    if (json_str(line, "phase")) {
        tell(job, line);
    } else {
        json_decref(job->result);
        job->result = take(line);
    }
}

/* Everything that has come. Lines are told one by one; progress may cancel nothing but other jobs.
 */
static void read_all(struct repo_job *job)
{
    char buf[4096];
    ssize_t n;
    while ((n = recv(job->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
        str_addn(&job->input, buf, (size_t)n);
        for (char *end; (end = memchr(job->input.buf, '\n', job->input.len));) {
            take_line(job, job->input.buf, (size_t)(end - job->input.buf));
            str_consume(&job->input, (size_t)(end + 1 - job->input.buf));
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        loop_io_cancel(&job->io);
}

static void on_readable(void *ctx, int events)
{
    struct repo_job *job = ctx;
    (void)events;
    loop_timer_cancel(&job->stall);
    loop_after(&job->stall, job->loop, job->stall_ms, on_stall, job);
    read_all(job);
}

static void set_error(struct repo_job *job, const struct child_result *result, struct error *err)
{
    const json_t *said = json_object_get(job->result, "error");
    if (job->stalled) {
        error_set(err, ERR_TIMEOUT, 0, "nothing came from '%s' for %g s", job->shown,
                  (double)job->stall_ms / 1000);
        error_hint(err, "try again; STACK_GIT_TIMEOUT=SECONDS waits longer");
    } else if (said) {
        error_set(err, (enum error_kind)json_int(said, "kind", ERR_SYSTEM),
                  (int)json_int(said, "code", 0), "%s", json_str_or(said, "message", ""));
        if (json_str(said, "hint"))
            error_hint(err, "%s", json_str(said, "hint"));
    } else {
        const char *last = result ? result->err.buf : "";
        error_set(err, ERR_SYSTEM, 0, "the process that reads '%s' ended early (status %d)%s%.200s",
                  job->shown, result ? result->status : -1, *last ? ": " : "", last);
    }
}

static void on_child(void *ctx, const struct child_result *result, const struct error *failed)
{
    struct repo_job *job = ctx;
    auto_error struct error err = ERROR_INIT;
    job->child = NULL;
    loop_timer_cancel(&job->stall);
    read_all(job);
    const json_t *done = json_object_get(job->result, "done");
    struct repo_got got = {
        .commit = json_str_or(done, "commit", ""),
        .before = json_str(done, "before"),
        .ref_name = json_str_or(done, "ref_name", ""),
        .mirror = json_str_or(done, "mirror", ""),
        .fetched = json_bool(done, "fetched", false),
    };
    if (failed)
        error_copy(&err, failed);
    else if (!done)
        set_error(job, result, &err);
    job->hd.done(job->hd.ctx, err.kind ? NULL : &got, err.kind ? &err : NULL);
    job_free(job);
}

static char *want_text(const struct repo_want *w)
{
    auto_json json_t *j =
        json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:b, s:b, s:b, s:i}", "name", w->name, "url",
                  w->url, "ref", w->ref, "commit", w->commit, "tree", w->tree, "own", w->own,
                  "submodules", w->submodules, "force", w->force, "fetch", (int)w->fetch);
    if (!j)
        return NULL; /* not UTF-8 */
    auto_free char *line = json_dumps(j, JSON_COMPACT);
    char *out = line ? xasprintf("%s\n", line) : NULL;
    if (line)
        wipe(line, strlen(line));
    return out;
}

static int64_t stall_ms(void)
{
    int64_t seconds;
    const char *text = getenv("STACK_GIT_TIMEOUT");
    return text && num_range(&seconds, text, 1, 86400) == 0 ? seconds * 1000 : REPO_STALL_MS;
}

/* What cannot even begin is reported like everything else: later. */
static void refuse(void *ctx)
{
    struct repo_job *job = ctx;
    auto_error struct error err = ERROR_INIT;
    set_error(job, NULL, &err);
    job->hd.done(job->hd.ctx, NULL, &err);
    job_free(job);
}

static void refuse_later(struct repo_job *job, const struct error *err)
{
    job->result = json_pack("{s:{s:i, s:s, s:s?}}", "error", "kind", (int)err->kind, "message",
                            err->msg, "hint", err->hint);
    loop_after(&job->stall, job->loop, 0, refuse, job);
}

static void start(struct repo_job *job, const char *text, int theirs)
{
    const char *argv[] = { child_own_program(), "__git", NULL };
    struct child_options opt = {
        .argv = argv, .cwd = "/", .stdio_fd = theirs, .output_max = STDERR_MAX, .own_session = true
    };
    job->child = child_start(job->loop, &opt, on_child, job);
    job->io = loop_io(job->loop, job->fd, LOOP_READ, on_readable, job);
    loop_after(&job->stall, job->loop, job->stall_ms, on_stall, job);
    /* Far smaller than the socket's buffer; a process that died is seen by its end. */
    if (send(job->fd, text, strlen(text), 0) < 0)
        loop_io_cancel(&job->io);
}

struct repo_job *repo_checkout_start(struct loop *l, const struct repo_want *want,
                                     const struct repo_handlers *hd)
{
    struct repo_job *job = xnew(struct repo_job);
    auto_error struct error err = ERROR_INIT;
    auto_repo_url struct repo_url url = { 0 };
    auto_free char *text = want_text(want);
    int fds[2];
    *job = (struct repo_job){
        .loop = l, .hd = *hd, .fd = -1, .stall_ms = stall_ms(), .input = STR_INIT_MAX(REPO_LINE_MAX)
    };
    if (!text || strlen(text) > REPO_LINE_MAX)
        error_set(&err, ERR_INPUT, 0, "its URL or ref is too long, or is not UTF-8");
    else if (repo_url_parse(&url, want->url, NULL, &err) == 0 &&
             socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        error_errno(&err, "make a socket");
    if (err.kind) {
        refuse_later(job, &err);
        return job;
    }
    job->name = xstrdup(want->name);
    job->shown = xstrdup(url.url);
    job->fd = fds[0];
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    start(job, text, fds[1]);
    close(fds[1]);
    wipe(text, strlen(text));
    return job;
}

void repo_checkout_cancel(struct repo_job *job)
{
    if (!job)
        return;
    if (job->child) {
        child_kill(job->child, SIGKILL);
        child_cancel(job->child);
    }
    job_free(job);
}
