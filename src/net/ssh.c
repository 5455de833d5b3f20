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
 * Each connection that is accepted here becomes standard input and output of an ssh, and nothing
 * has to be copied: its end, either way, is the end of that ssh. The first ssh is a master, which
 * also carries those of others (ControlMaster), so that only it pays for the handshake. An sshd
 * allows a connection ten sessions unless it is told otherwise (MaxSessions), and drops some of
 * many that log in at once (MaxStartups): further masters follow when one is full, one after the
 * other, and connections wait until the next one stands.
 *
 * The masters are of this process alone: another one's would end under us when that process does.
 *
 * ssh runs in a session of its own: Ctrl-C is for us to act on, while the tunnel still stands.
 */

enum { SESSIONS = 8, LOOK_MS = 10 };

struct master {
    struct master *prev, *next;
    char *control; /* its socket, there as soon as it carries others */
    struct strv argv;
    int tunnels;
    bool stands;
};

struct tunnel {
    struct tunnel *prev, *next;
    struct ssh *s;
    struct master *master;
    struct child *child;
};

/* An accepted connection that no master has room for. */
struct waiting {
    struct waiting *prev, *next;
    int fd;
};

struct ssh {
    struct loop *loop;
    char *url, *dir, *path;
    int fd;
    struct loop_io *io;
    struct master *masters, *starting; /* at most one is */
    struct tunnel *tunnels;
    struct waiting *waiting;
    struct loop_timer *look; /* whether the starting one stands */
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

/* --- masters --- */

static struct master *master_new(struct ssh *s)
{
    struct master *m = xnew(struct master);
    char unique[9];
    random_hex(unique, 4);
    m->control = xasprintf("%s/ssh-%s", s->dir, unique);
    add_arguments(&m->argv, s->url, m->control);
    DL_APPEND(s->masters, m);
    return m;
}

static void master_free(struct ssh *s, struct master *m)
{
    DL_DELETE(s->masters, m);
    unlink(m->control);
    free(m->control);
    strv_clear(&m->argv);
    free(m);
}

static struct master *master_with_room(const struct ssh *s)
{
    struct master *m;
    DL_FOREACH (s->masters, m)
        if (m->stands && m->tunnels < SESSIONS)
            return m;
    return NULL;
}

/* --- connections --- */

static int take_waiting(struct ssh *s)
{
    struct waiting *w = s->waiting;
    int fd = w->fd;
    DL_DELETE(s->waiting, w);
    free(w);
    return fd;
}

static void drop_waiting(struct ssh *s)
{
    while (s->waiting)
        close(take_waiting(s));
}

static void place(struct ssh *s);

static void on_look(void *ctx)
{
    struct ssh *s = ctx;
    if (access(s->starting->control, F_OK) < 0) {
        loop_after(&s->look, s->loop, LOOK_MS, on_look, s);
        return;
    }
    s->starting->stands = true;
    s->starting = NULL;
    place(s);
}

static void complain(struct ssh *s, const struct child_result *result, const struct error *err)
{
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
}

static void on_ended(void *ctx, const struct child_result *result, const struct error *err)
{
    struct tunnel *t = ctx;
    struct ssh *s = t->s;
    struct master *m = t->master;
    complain(s, result, err);
    DL_DELETE(s->tunnels, t);
    free(t);
    if (m == s->starting) {
        s->starting = NULL;
        loop_timer_cancel(&s->look);
        if (err || result->status != 0)
            drop_waiting(s); /* it would be the same with them */
    }
    if (--m->tunnels == 0)
        master_free(s, m);
    place(s);
}

static void start_tunnel(struct ssh *s, struct master *m, int fd)
{
    struct child_options opt = {
        .argv = (const char *const *)m->argv.items,
        .stdio_fd = fd,
        .output_max = 64 << 10,
        .own_session = true,
    };
    struct tunnel *t = xnew(struct tunnel);
    t->s = s;
    t->master = m;
    m->tunnels++;
    DL_APPEND(s->tunnels, t);
    t->child = child_start(s->loop, &opt, on_ended, t);
    close(fd);
}

static void place(struct ssh *s)
{
    while (s->waiting) {
        struct master *m = master_with_room(s);
        if (!m && s->starting)
            return;
        if (!m) {
            m = s->starting = master_new(s);
            loop_after(&s->look, s->loop, LOOK_MS, on_look, s);
        }
        start_tunnel(s, m, take_waiting(s));
    }
}

static void on_connection(void *ctx, int events)
{
    struct ssh *s = ctx;
    (void)events;
    int fd = accept(s->fd, NULL, NULL);
    if (fd < 0)
        return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct waiting *w = xnew(struct waiting);
    w->fd = fd;
    DL_APPEND(s->waiting, w);
    place(s);
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
    char unique[17];
    random_hex(unique, 8);
    auto_free char *path = xasprintf("%s/ssh-%s.sock", dir, unique);
    int fd = listen_at(path, err);
    if (fd < 0)
        return -1;
    struct ssh *s = xnew(struct ssh);
    s->loop = l;
    s->url = xstrdup(url);
    s->dir = take(dir);
    s->path = take(path);
    s->fd = fd;
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
    drop_waiting(s);
    while (s->masters)
        master_free(s, s->masters);
    loop_timer_cancel(&s->look);
    loop_io_cancel(&s->io);
    close(s->fd);
    unlink(s->path);
    free(s->url);
    free(s->dir);
    free(s->path);
    free(s->complaint);
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
