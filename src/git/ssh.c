/* Repositories over ssh, by the program ssh. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/private.h"
#include "loop/child.h"

/*
 * libgit2 1.5 brings an ssh of its own that reads no ~/.ssh/config, knows no jump hosts, no
 * certificates and no security keys, and signs with RSA keys in a way that servers no longer take.
 * So the program ssh is run, as git does it: what works with git works here. GIT_SSH_COMMAND and
 * GIT_SSH are heeded; nothing asks a person.
 *
 * libgit2 is straight-line code, so that the loop turns only here, while there is nothing to read.
 */

#define STDERR_MAX 4096

struct ssh {
    git_smart_subtransport subtransport;
    git_smart_subtransport_stream stream;
    struct worker *w;
    struct child *child;
    int fd; /* its standard input and output */
    bool open;
    bool ended;
    char *said; /* last line of its standard error, or what kept it from starting */
};

static struct ssh *of_transport(git_smart_subtransport *t)
{
    return (struct ssh *)((char *)t - offsetof(struct ssh, subtransport));
}

static struct ssh *of_stream(git_smart_subtransport_stream *s)
{
    return (struct ssh *)((char *)s - offsetof(struct ssh, stream));
}

char *ssh_command(const char *path)
{
    struct str out = STR_INIT;
    str_add(&out, "git-upload-pack '");
    for (const char *p = path; *p; p++) {
        /* A csh expands '!' even in quotes. */
        if (*p == '\'' || *p == '!')
            str_addf(&out, "'\\%c'", *p);
        else
            str_addc(&out, *p);
    }
    str_addc(&out, '\'');
    return str_detach(&out);
}

static char *last_line(const char *text)
{
    size_t n = strlen(text);
    while (n && strchr("\r\n", text[n - 1]))
        n--;
    size_t from = n;
    while (from && text[from - 1] != '\n')
        from--;
    return xstrndup(text + from, n - from);
}

static void on_end(void *ctx, const struct child_result *result, const struct error *err)
{
    struct ssh *s = ctx;
    s->child = NULL;
    s->ended = true;
    if (err)
        s->said = xstrdup(err->msg);
    else if (result->err.len)
        s->said = last_line(result->err.buf);
}

static void on_readable(void *ctx, int events)
{
    (void)events;
    *(bool *)ctx = true;
}

/* libgit2 says "early EOF"; why it came, ssh has told. */
static int at_end(struct ssh *s)
{
    if (!s->ended)
        loop_wait(s->w->loop, &s->ended);
    if (!s->said || !*s->said)
        return 0;
    s->w->g->git_error_set_str(GIT_ERROR_SSH, s->said);
    return -1;
}

static int stream_read(git_smart_subtransport_stream *stream, char *buf, size_t size, size_t *out)
{
    struct ssh *s = of_stream(stream);
    for (;;) {
        ssize_t n = recv(s->fd, buf, size, MSG_DONTWAIT);
        if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
            *out = n > 0 ? (size_t)n : 0;
            return n > 0 ? 0 : at_end(s);
        }
        bool ready = false;
        struct loop_io *io = loop_io(s->w->loop, s->fd, LOOP_READ, on_readable, &ready);
        loop_wait(s->w->loop, &ready);
        loop_io_cancel(&io);
    }
}

static int stream_write(git_smart_subtransport_stream *stream, const char *text, size_t len)
{
    struct ssh *s = of_stream(stream);
    for (size_t at = 0; at < len;) {
        ssize_t n = send(s->fd, text + at, len - at, 0);
        if (n < 0 && errno != EINTR) {
            if (at_end(s) == 0)
                s->w->g->git_error_set_str(GIT_ERROR_SSH, "the connection was closed");
            return -1;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void stream_free(git_smart_subtransport_stream *stream)
{
    (void)stream; /* part of the transport */
}

/* How ssh is called: the user's own way of it, or ssh that does not ask. */
static void add_program(struct strv *argv)
{
    const char *command = getenv("GIT_SSH_COMMAND"), *program = getenv("GIT_SSH");
    if (command && *command) {
        strv_add(argv, "sh");
        strv_add(argv, "-c");
        strv_addf(argv, "%s \"$@\"", command);
        strv_add(argv, command);
        return;
    }
    strv_add(argv, program && *program ? program : "ssh");
    if (program && *program)
        return;
    strv_add(argv, "-oBatchMode=yes");
    strv_add(argv, "-oConnectTimeout=30");
}

static int start(struct ssh *s, const struct repo_url *url)
{
    auto_strv struct strv argv = STRV_INIT;
    auto_free char *command = ssh_command(url->path);
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) {
        s->w->g->git_error_set_str(GIT_ERROR_OS, strerror(errno));
        return -1;
    }
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    add_program(&argv);
    if (*url->port) {
        strv_add(&argv, "-p");
        strv_add(&argv, url->port);
    }
    /* Brackets of an address are the URL's; neither name begins with '-' (url.c). */
    size_t six = *url->host == '[';
    strv_addf(&argv, "%s%s%.*s", url->user ? url->user : "", url->user ? "@" : "",
              (int)(strlen(url->host) - 2 * six), url->host + six);
    strv_take(&argv, take(command));
    struct child_options opt = { .argv = (const char *const *)argv.items,
                                 .stdio_fd = fds[1],
                                 .output_max = STDERR_MAX };
    s->fd = fds[0];
    s->open = true;
    s->child = child_start(s->w->loop, &opt, on_end, s);
    close(fds[1]);
    return 0;
}

static int action(git_smart_subtransport_stream **out, git_smart_subtransport *transport,
                  const char *text, git_smart_service_t service)
{
    struct ssh *s = of_transport(transport);
    auto_repo_url struct repo_url url = { 0 };
    auto_error struct error err = ERROR_INIT;
    if (service == GIT_SERVICE_UPLOADPACK_LS) {
        if (repo_url_parse(&url, text, NULL, &err) < 0 || url.kind != REPO_SSH) {
            s->w->g->git_error_set_str(GIT_ERROR_SSH, err.msg ? err.msg : "not a URL of ssh");
            return -1;
        }
        if (start(s, &url) < 0)
            return -1;
    } else if (service != GIT_SERVICE_UPLOADPACK || !s->open) {
        s->w->g->git_error_set_str(GIT_ERROR_SSH, "nothing is ever pushed");
        return -1;
    }
    *out = &s->stream;
    return 0;
}

static int close_transport(git_smart_subtransport *transport)
{
    struct ssh *s = of_transport(transport);
    if (s->child)
        child_cancel(take(s->child));
    if (s->open)
        close(s->fd);
    s->open = s->ended = false;
    free(take(s->said));
    return 0;
}

static void free_transport(git_smart_subtransport *transport)
{
    close_transport(transport);
    free(of_transport(transport));
}

static int make(git_smart_subtransport **out, git_transport *owner, void *param)
{
    struct ssh *s = xnew(struct ssh);
    (void)owner;
    s->subtransport = (git_smart_subtransport){ .action = action,
                                                .close = close_transport,
                                                .free = free_transport };
    s->stream = (git_smart_subtransport_stream){ .subtransport = &s->subtransport,
                                                 .read = stream_read,
                                                 .write = stream_write,
                                                 .free = stream_free };
    s->w = param;
    s->fd = -1;
    *out = &s->subtransport;
    return 0;
}

int ssh_register(struct worker *w, struct error *err)
{
    w->ssh = (git_smart_subtransport_definition){ .callback = make, .param = w };
    int rc = w->g->git_transport_register("ssh", w->g->git_transport_smart, &w->ssh);
    return rc < 0 ? libgit2_failed(err, rc, "prepare ssh") : 0;
}
