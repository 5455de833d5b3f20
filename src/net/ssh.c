/* An engine behind ssh. */
#include "net/ssh.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <utlist.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "loop/child.h"

/*
 * libcurl 7.88 cannot be handed a connected socket, but it connects to unix sockets. So each
 * connection that is accepted here becomes standard input and output of an ssh, and nothing has to
 * be copied: its end, either way, is the end of that ssh. The first one also carries the others
 * (ControlMaster), so that only it pays for the handshake.
 *
 * ssh runs in a session of its own: Ctrl-C is for us to act on, while the tunnel still stands.
 */

struct tunnel {
    struct tunnel *prev, *next;
    struct ssh *s;
    struct child *child;
};

struct ssh {
    struct loop *loop;
    char *path;
    int fd;
    struct loop_io *io;
    struct strv argv;
    struct tunnel *tunnels;
    char *complaint;
};

/* The arguments of ssh for "ssh://[user@]host[:port][/socket]". */
static void add_arguments(struct strv *argv, const char *url, const char *control)
{
    const char *authority = url + strlen("ssh://");
    size_t len = strcspn(authority, "/");
    const char *socket = authority + len;
    const char *at = NULL; /* the last one */
    for (const char *p = authority; p < socket; p++)
        if (*p == '@')
            at = p;
    const char *host = at ? at + 1 : authority;
    size_t host_len = len - (size_t)(host - authority);
    const char *bracket = memchr(host, ']', host_len);
    const char *from = bracket ? bracket : host;
    const char *colon = memchr(from, ':', host_len - (size_t)(from - host));

    strv_add(argv, "ssh");
    strv_add(argv, "-oConnectTimeout=10");
    strv_add(argv, "-oControlMaster=auto");
    strv_addf(argv, "-oControlPath=%s", control);
    strv_add(argv, "-T");
    if (at) {
        strv_add(argv, "-l");
        strv_addn(argv, authority, (size_t)(at - authority));
    }
    if (colon) {
        const char *port = colon + 1;
        host_len = (size_t)(colon - host);
        strv_add(argv, "-p");
        strv_addn(argv, port, len - (size_t)(port - authority));
    }
    if (bracket && *host == '[') {
        host++;
        host_len = (size_t)(bracket - host);
    }
    strv_add(argv, "--");
    strv_addn(argv, host, host_len);
    strv_add(argv, "docker");
    if (*socket && strcmp(socket, "/") != 0)
        strv_addf(argv, "--host=unix://%s", socket);
    strv_add(argv, "system");
    strv_add(argv, "dial-stdio");
}

static void on_ended(void *ctx, const struct child_result *result, const struct error *err)
{
    struct tunnel *t = ctx;
    struct ssh *s = t->s;
    auto_free char *said = err ? xstrdup(err->msg) : NULL;
    if (result && result->status != 0) {
        /* The last line: banners and warnings come before it. */
        auto_strv struct strv lines = STRV_INIT;
        strv_split(&lines, result->err.buf, "\r\n");
        said = lines.len ? xstrdup(lines.items[lines.len - 1])
                         : xasprintf("ssh ended with status %d", result->status);
    }
    if (said) {
        free(s->complaint);
        s->complaint = take(said);
    }
    DL_DELETE(s->tunnels, t);
    free(t);
}

static void on_connection(void *ctx, int events)
{
    struct ssh *s = ctx;
    (void)events;
    auto_close int fd = accept(s->fd, NULL, NULL);
    if (fd < 0)
        return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct child_options opt = {
        .argv = (const char *const *)s->argv.items,
        .stdio_fd = fd,
        .output_max = 64 << 10,
        .own_session = true,
    };
    struct tunnel *t = xnew(struct tunnel);
    t->s = s;
    DL_APPEND(s->tunnels, t);
    t->child = child_start(s->loop, &opt, on_ended, t);
}

static int listen_at(const char *path, struct error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, ERR_SYSTEM, 0, "the path of a socket is too long: '%s'", path);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0) {
        error_errno(err, "listen at '%s'", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

int ssh_open(struct ssh **out, struct loop *l, const char *url, struct error *err)
{
    auto_free char *dir = path_runtime_dir(err);
    if (!dir)
        return -1;
    auto_free char *control = xasprintf("%s/ssh-%%C", dir);
    char unique[17];
    random_hex(unique, 8);
    auto_free char *path = xasprintf("%s/ssh-%s.sock", dir, unique);
    int fd = listen_at(path, err);
    if (fd < 0)
        return -1;
    struct ssh *s = xnew(struct ssh);
    s->loop = l;
    s->path = take(path);
    s->fd = fd;
    add_arguments(&s->argv, url, control);
    s->io = loop_io(l, fd, LOOP_READ, on_connection, s);
    *out = s;
    return 0;
}

void ssh_close(struct ssh *s)
{
    if (!s)
        return;
    while (s->tunnels) {
        struct tunnel *t = s->tunnels;
        DL_DELETE(s->tunnels, t);
        child_cancel(t->child);
        free(t);
    }
    loop_io_cancel(&s->io);
    close(s->fd);
    unlink(s->path);
    free(s->path);
    free(s->complaint);
    strv_clear(&s->argv);
    free(s);
}

const char *ssh_socket(const struct ssh *s)
{
    return s->path;
}

const char *ssh_complaint(const struct ssh *s)
{
    return s->complaint;
}
