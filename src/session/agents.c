/*
 * SSH agents for a build.
 *
 *     CheckAgentRequest { string ID 1 }
 *     BytesMessage      { bytes data 1 }      both ways, the id in the metadata
 *
 * What the agent says is read only while little is queued for the engine; what the build says to
 * the agent is short, so that a limit is enough.
 */
#include "session/agents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/pb.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "session/key_agent.h"

struct agents {
    struct loop *loop;
    struct session *session;
    struct strmap sockets; /* id -> path */
    struct {
        VEC(struct key_agent *);
    } keys;
};

/* One connection. */
struct forward {
    struct agents *agents;
    struct grpc_call *call;
    int fd;
    struct loop_io *io;
    struct str out; /* for the agent */
    bool ended;     /* the build sends no more: half-close when `out` is sent */
    bool paused;    /* too much is queued for the engine */
};

struct agents *agents_new(struct loop *l)
{
    struct agents *a = xnew(struct agents);
    a->loop = l;
    return a;
}

void agents_attach(struct agents *a, struct session *s)
{
    a->session = s;
}

void agents_free(struct agents *a)
{
    if (!a)
        return;
    strmap_clear(&a->sockets, free);
    vec_each (key, &a->keys)
        key_agent_stop(*key);
    vec_free(&a->keys);
    free(a);
}

int agents_add(struct agents *a, const char *id, const char *path, struct error *err)
{
    struct stat st;
    struct sockaddr_un address;
    bool given = path;
    if (!given)
        path = getenv("SSH_AUTH_SOCK");
    if (!path || !*path) {
        error_set(err, ERR_INPUT, 0,
                  "build.ssh: '%s' needs an SSH agent, and SSH_AUTH_SOCK is not set", id);
        return error_hint(err, "start one: eval $(ssh-agent); ssh-add");
    }
    if (stat(path, &st) < 0) {
        error_errno(err, "build.ssh: '%s': look at '%s'", id, path);
        err->kind = ERR_INPUT;
        return -1;
    }
    if (given && S_ISREG(st.st_mode)) {
        struct key_agent *key;
        if (key_agent_start(&key, a->loop, path, err) < 0)
            return error_wrap(err, "build.ssh: '%s'", id);
        *vec_push(&a->keys) = key;
        path = key_agent_socket(key);
    } else if (!S_ISSOCK(st.st_mode)) {
        return error_set(err, ERR_INPUT, 0,
                         "build.ssh: '%s': '%s' is not the socket of an SSH agent%s", id, path,
                         given ? ", and no key" : "");
    }
    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, ERR_INPUT, 0,
                         "build.ssh: '%s': the path '%s' is too long for a socket", id, path);
    free(strmap_set(&a->sockets, id, xstrdup(path)));
    return 0;
}

static const char *socket_of(const struct agents *a, const char *id)
{
    return strmap_get(&a->sockets, id && *id ? id : "default");
}

static void not_found(struct grpc_call *c)
{
    grpc_finish(c, GRPC_NOT_FOUND, "the build declares no such SSH agent");
}

static void check(struct grpc_call *c, const uint8_t *data, size_t len)
{
    struct pb in = pb_of(data, len);
    struct pb_field f;
    auto_free char *id = NULL;
    while (pb_more(&in) && pb_next(&in, &f))
        if (f.number == 1 && f.type == PB_BYTES && !id)
            id = pb_text(&f.bytes);
    if (!socket_of(grpc_ctx(c), id)) {
        not_found(c);
        return;
    }
    grpc_send(c, "", 0);
    grpc_finish(c, GRPC_OK, NULL);
}

/* Connections. */

static void update_interest(struct forward *f)
{
    int events = f->paused ? 0 : LOOP_READ;
    if (f->io)
        loop_io_change(f->io, events | (f->out.len ? LOOP_WRITE : 0));
}

static void stop(struct forward *f, enum grpc_code code, const char *message)
{
    loop_io_cancel(&f->io);
    grpc_finish(f->call, code, message);
    session_flush(f->agents->session);
}

static void do_read(struct forward *f)
{
    char buf[16 << 10];
    ssize_t n = read(f->fd, buf, sizeof(buf));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        stop(f, n < 0 ? GRPC_INTERNAL : GRPC_OK, n < 0 ? "the SSH agent broke off" : NULL);
        return;
    }
    auto_str struct str message = STR_INIT;
    pb_add_bytes(&message, 1, buf, (size_t)n);
    grpc_send(f->call, message.buf, message.len);
    f->paused = grpc_pending(f->call) >= GRPC_ROOM;
    session_flush(f->agents->session);
}

static void do_write(struct forward *f)
{
    while (f->out.len > 0) {
        ssize_t n = send(f->fd, f->out.buf, f->out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            stop(f, GRPC_INTERNAL, "the SSH agent broke off");
            return;
        }
        str_consume(&f->out, (size_t)n);
    }
    if (f->out.len == 0 && f->ended)
        shutdown(f->fd, SHUT_WR);
}

static void on_io(void *ctx, int events)
{
    struct forward *f = ctx;
    if (events & LOOP_WRITE)
        do_write(f);
    if (f->io && events & LOOP_READ)
        do_read(f);
    update_interest(f);
}

static int connect_agent(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    auto_close int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    memcpy(to.sun_path, path, strlen(path) + 1); /* its length was checked */
    if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        return -1;
    int connected = fd;
    fd = -1;
    return connected;
}

static void begin(struct grpc_call *c)
{
    struct agents *a = grpc_ctx(c);
    const char *path = socket_of(a, grpc_metadata(c, "buildkit.ssh.id", 0));
    if (!path) {
        not_found(c);
        return;
    }
    int fd = connect_agent(path);
    if (fd < 0) {
        grpc_finish(c, GRPC_INTERNAL, "the SSH agent does not answer");
        return;
    }
    struct forward *f = xnew(struct forward);
    f->agents = a;
    f->call = c;
    f->fd = fd;
    f->out = STR_INIT_MAX(AGENTS_QUEUE);
    f->io = loop_io(a->loop, fd, LOOP_READ, on_io, f);
    grpc_set_state(c, f);
}

static void on_message(struct grpc_call *c, const uint8_t *data, size_t len)
{
    struct forward *f = grpc_state(c);
    struct pb in = pb_of(data, len);
    struct pb_field field;
    while (pb_more(&in)) {
        if (!pb_next(&in, &field)) {
            stop(f, GRPC_INVALID_ARGUMENT, "the message is cut");
            return;
        }
        if (field.number == 1 && field.type == PB_BYTES)
            str_addn(&f->out, (const char *)field.bytes.p, pb_len(&field.bytes));
    }
    if (f->out.overflow)
        stop(f, GRPC_RESOURCE_EXHAUSTED, "the SSH agent takes nothing");
    else
        do_write(f);
    update_interest(f);
}

static void on_end(struct grpc_call *c)
{
    struct forward *f = grpc_state(c);
    f->ended = true;
    do_write(f);
    update_interest(f);
}

static void on_room(struct grpc_call *c)
{
    struct forward *f = grpc_state(c);
    f->paused = false;
    update_interest(f);
}

static void gone(struct grpc_call *c)
{
    struct forward *f = grpc_state(c);
    if (!f)
        return;
    loop_io_cancel(&f->io);
    close(f->fd);
    str_clear(&f->out);
    free(f);
}

const struct grpc_method agents_check = {
    .path = "/moby.sshforward.v1.SSH/CheckAgent",
    .message = check,
};

const struct grpc_method agents_forward = {
    .path = "/moby.sshforward.v1.SSH/ForwardAgent",
    .begin = begin,
    .message = on_message,
    .end = on_end,
    .room = on_room,
    .gone = gone,
};
