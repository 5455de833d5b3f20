/* Child processes on the loop. */
#include "loop/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <uv.h>

#include "base/mem.h"

/*
 * A child has ended when its process has, and both of its outputs were read to their end. The
 * second may never come: something that it left running can hold them open. So after the exit they
 * get a last second, and are closed.
 *
 * The child owns itself. It reports when nothing is left open, and is freed then.
 */

enum { LAST_WORDS_MS = 1000 };

struct output {
    uv_pipe_t pipe;
    struct child *c;
    struct str *kept;
    char buf[16 << 10];
};

struct child {
    struct loop *loop;
    uv_process_t process;
    uv_pipe_t input;
    uv_write_t write;
    char *input_text;
    struct output out, err;
    struct child_result result;
    struct loop_timer *timeout;
    struct loop_timer *last_words;
    int64_t timeout_ms;
    char *name;
    int open; /* handles that are not closed yet */
    bool own_session;
    bool exited;
    bool timed_out;
    bool canceled;
    struct error failure;
    void (*done)(void *ctx, const struct child_result *result, const struct error *err);
    void *ctx;
};

static void report(void *ctx)
{
    struct child *c = ctx;
    if (c->timed_out && !c->failure.kind)
        error_set(&c->failure, ERR_TIMEOUT, 0, "'%s' did not end within %g s", c->name,
                  (double)c->timeout_ms / 1000);
    if (!c->canceled)
        c->done(c->ctx, c->failure.kind ? NULL : &c->result, c->failure.kind ? &c->failure : NULL);
    str_clear(&c->result.out);
    str_clear(&c->result.err);
    error_clear(&c->failure);
    free(c->input_text);
    free(c->name);
    free(c);
}

static void on_closed(uv_handle_t *h)
{
    struct child *c = h->data;
    if (--c->open > 0)
        return;
    loop_timer_cancel(&c->timeout);
    loop_timer_cancel(&c->last_words);
    report(c);
}

static void close_once(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_outputs(void *ctx)
{
    struct child *c = ctx;
    close_once(&c->out.pipe);
    close_once(&c->err.pipe);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signum)
{
    struct child *c = process->data;
    c->exited = true;
    c->result.status = signum ? 128 + signum : (int)status;
    close_once(&c->process);
    close_once(&c->input);
    loop_after(&c->last_words, c->loop, LAST_WORDS_MS, close_outputs, c);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct output *o = (struct output *)h;
    (void)suggested;
    *buf = uv_buf_init(o->buf, sizeof(o->buf));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct output *o = (struct output *)stream;
    if (n < 0)
        close_once(&o->pipe);
    else
        str_addn(o->kept, buf->base, (size_t)n);
}

static void on_written(uv_write_t *write, int status)
{
    struct child *c = write->data;
    (void)status; /* a child that does not read its input is not wrong */
    close_once(&c->input);
}

static void on_timeout(void *ctx)
{
    struct child *c = ctx;
    c->timed_out = true;
    child_kill(c, SIGKILL);
    if (c->exited)
        close_outputs(c);
}

void child_kill(struct child *c, int signum)
{
    if (c->exited || c->process.pid <= 0)
        return;
    if (c->own_session)
        kill(-c->process.pid, signum);
    else
        uv_process_kill(&c->process, signum);
}

void child_cancel(struct child *c)
{
    child_kill(c, SIGTERM);
    c->canceled = true;
    c->exited = true;
    close_once(&c->process);
    close_once(&c->input);
    close_outputs(c);
}

static void open_output(struct child *c, struct output *o, struct str *kept, size_t max)
{
    *kept = STR_INIT_MAX(max);
    o->c = c;
    o->kept = kept;
    o->pipe.data = c;
    uv_pipe_init(loop_uv(c->loop), &o->pipe, 0);
    c->open++;
}

static void spawn_failed(struct child *c, int rc)
{
    if (rc == UV_ENOENT)
        error_set(&c->failure, ERR_NOTFOUND, ENOENT, "'%s' is not installed", c->name);
    else
        error_set(&c->failure, ERR_SYSTEM, -rc, "start '%s': %s", c->name, uv_strerror(rc));
    c->exited = true;
    close_once(&c->process);
    close_once(&c->input);
    close_outputs(c);
}

const char *child_own_program(void)
{
#ifdef __linux__
    return "/proc/self/exe";
#else
    static char path[4096];
    size_t n = sizeof(path);
    return uv_exepath(path, &n) == 0 ? path : "stack";
#endif
}

struct child *child_start(struct loop *l, const struct child_options *opt,
                          void (*done)(void *ctx, const struct child_result *result,
                                       const struct error *err),
                          void *ctx)
{
    struct child *c = xnew(struct child);
    c->loop = l;
    c->done = done;
    c->ctx = ctx;
    c->name = xstrdup(opt->argv[0]);
    c->timeout_ms = opt->timeout_ms;
    c->own_session = opt->own_session;
    open_output(c, &c->out, &c->result.out, opt->output_max);
    open_output(c, &c->err, &c->result.err, opt->output_max);
    uv_pipe_init(loop_uv(l), &c->input, 0);
    c->input.data = c->write.data = c;
    c->open += 2;

    uv_stdio_container_t stdio[3] = {
        { .flags = UV_IGNORE }, /* /dev/null */
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out.pipe },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->err.pipe },
    };
    if (opt->input || opt->hold_input) {
        stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
        stdio[0].data.stream = (uv_stream_t *)&c->input;
    }
    if (opt->stdio_fd > 0) {
        for (int i = 0; i < 2; i++)
            stdio[i] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = opt->stdio_fd };
        close_once(&c->out.pipe);
    }
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = opt->argv[0],
        .args = (char **)(uintptr_t)opt->argv,
        .env = (char **)(uintptr_t)opt->env,
        .cwd = opt->cwd,
        .flags = opt->own_session ? UV_PROCESS_DETACHED : 0,
        .stdio_count = 3,
        .stdio = stdio,
    };
    int rc = uv_spawn(loop_uv(l), &c->process, &options);
    c->process.data = c;
    if (rc < 0) {
        spawn_failed(c, rc);
        return c;
    }
    if (!uv_is_closing((uv_handle_t *)&c->out.pipe))
        uv_read_start((uv_stream_t *)&c->out.pipe, on_alloc, on_read);
    uv_read_start((uv_stream_t *)&c->err.pipe, on_alloc, on_read);
    if (opt->input) {
        c->input_text = xmalloc(opt->input_len + 1);
        memcpy(c->input_text, opt->input, opt->input_len);
        uv_buf_t buf = uv_buf_init(c->input_text, (unsigned)opt->input_len);
        if (uv_write(&c->write, (uv_stream_t *)&c->input, &buf, 1, on_written) < 0)
            close_once(&c->input);
    } else if (!opt->hold_input) {
        close_once(&c->input);
    }
    if (opt->timeout_ms)
        loop_after(&c->timeout, l, opt->timeout_ms, on_timeout, c);
    return c;
}

/* --- straight-line use --- */

struct run {
    bool done;
    struct child_result result;
    struct error err;
};

static void on_run_done(void *ctx, const struct child_result *result, const struct error *err)
{
    struct run *r = ctx;
    r->done = true;
    if (err) {
        error_copy(&r->err, err);
        return;
    }
    r->result.status = result->status;
    str_addn(&r->result.out, result->out.buf, result->out.len);
    str_addn(&r->result.err, result->err.buf, result->err.len);
}

int child_run(struct child_result *out, struct loop *l, const struct child_options *opt,
              struct error *err)
{
    struct run r = {
        .result = { .out = STR_INIT_MAX(opt->output_max), .err = STR_INIT_MAX(opt->output_max) },
        .err = ERROR_INIT,
    };
    child_start(l, opt, on_run_done, &r);
    loop_wait(l, &r.done);
    if (r.err.kind)
        return error_move(err, &r.err);
    *out = r.result;
    return 0;
}
