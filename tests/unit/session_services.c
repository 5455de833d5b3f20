/* Secrets, SSH agents and logins, asked for by a client in the same process. */
#include "model_stack.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../support/caller.h"
#include "base/mem.h"
#include "base/pb.h"
#include "session/agents.h"
#include "session/logins.h"
#include "session/secrets.h"

struct fixture {
    char *dir;
    struct loop *l;
    struct grpc *g;
    struct caller *c;
    struct secrets *secrets;
    struct agents *agents;
    struct logins *logins;
};

static int setup(void **state)
{
    void *dir;
    if (unit_dir_make(&dir))
        return -1;
    struct fixture *f = xnew(struct fixture);
    *state = f;
    f->dir = dir;
    f->l = loop_new();
    f->secrets = secrets_new();
    f->agents = agents_new(f->l);
    f->logins = logins_new(f->l);
    if (grpc_open(&f->g, NULL) < 0)
        return -1;
    grpc_serve(f->g, &secrets_get, f->secrets);
    grpc_serve(f->g, &agents_check, f->agents);
    grpc_serve(f->g, &agents_forward, f->agents);
    grpc_serve(f->g, &logins_credentials, f->logins);
    f->c = caller_new();
    setenv("DOCKER_CONFIG", f->dir, 1);
    unsetenv("DOCKER_AUTH_CONFIG");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    grpc_free(f->g);
    caller_free(f->c);
    secrets_free(f->secrets);
    agents_free(f->agents);
    logins_free(f->logins);
    loop_free(f->l);
    void *dir = f->dir;
    free(f);
    return unit_dir_remove(&dir);
}

struct turn {
    struct fixture *f;
    const struct call *call;
    size_t bytes;
    bool done;
};

static void turn(void *ctx)
{
    struct turn *t = ctx;
    assert_int_equal(caller_exchange(t->f->c, t->f->g, 100000), 0);
    t->done = t->call->status >= 0 || t->call->total >= t->bytes;
    if (!t->done)
        loop_defer(t->f->l, turn, t);
}

/* Until the call has a status, or so many bytes have come. */
static void exchange_until(struct fixture *f, const struct call *call, size_t bytes)
{
    struct turn t = { f, call, bytes, false };
    loop_defer(f->l, turn, &t);
    loop_wait(f->l, &t.done);
}

/* A call of one message that has `text` in field 1; its answer is in the call. */
static struct call *ask(struct fixture *f, const struct grpc_method *m, const char *text)
{
    auto_str struct str message = STR_INIT;
    struct call *call = caller_start(f->c, m->path, NULL);
    pb_add_text(&message, 1, text);
    caller_send(call, message.buf, message.len);
    caller_end(call);
    exchange_until(f, call, SIZE_MAX);
    return call;
}

/* Field `number` of the answer; owned by the caller. */
static char *field(const struct call *call, unsigned number)
{
    size_t at = 0, len;
    const char *message = caller_message(call, &at, &len);
    assert_int_equal(call->status, GRPC_OK);
    assert_non_null(message);
    struct pb in = pb_of(message, len);
    struct pb_field f;
    while (pb_more(&in)) {
        assert_true(pb_next(&in, &f));
        if (f.number == number)
            return pb_text(&f.bytes);
    }
    return xstrdup("");
}

/* Secrets. */

static void secrets_by_id(void **state)
{
    struct fixture *f = *state;
    put("file", "from a file");
    assert_int_equal(secrets_add_file(f->secrets, "file", "file", NULL), 0);
    assert_int_equal(secrets_add_value(f->secrets, "value", "first", NULL), 0);
    assert_int_equal(secrets_add_value(f->secrets, "value", "a value", NULL), 0);
    auto_free char *file = field(ask(f, &secrets_get, "file"), 1);
    auto_free char *value = field(ask(f, &secrets_get, "value"), 1);
    assert_string_equal(file, "from a file");
    assert_string_equal(value, "a value");
    put("file", "changed");
    auto_free char *changed = field(ask(f, &secrets_get, "file"), 1);
    assert_string_equal(changed, "changed");
    assert_int_equal(ask(f, &secrets_get, "other")->status, GRPC_NOT_FOUND);
    assert_int_equal(ask(f, &secrets_get, "")->status, GRPC_INVALID_ARGUMENT);
    assert_int_equal(unlink("file"), 0);
    assert_int_equal(ask(f, &secrets_get, "file")->status, GRPC_INTERNAL);
}

static void secrets_that_are_too_long(void **state)
{
    struct fixture *f = *state;
    auto_error struct error err = ERROR_INIT;
    auto_free char *text = xcalloc(1, SECRET_MAX_BYTES + 2);
    memset(text, 's', SECRET_MAX_BYTES);
    assert_int_equal(secrets_add_value(f->secrets, "id", text, NULL), 0);
    auto_free char *whole = field(ask(f, &secrets_get, "id"), 1);
    assert_string_equal(whole, text);
    text[SECRET_MAX_BYTES] = 's';
    assert_int_equal(secrets_add_value(f->secrets, "id", text, &err), -1);
    assert_string_equal(err.msg, "the build secret 'id' is longer than 512000 bytes");
    put("file", text);
    assert_int_equal(secrets_add_file(f->secrets, "id", "file", &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_int_equal(secrets_add_file(f->secrets, "id", ".", &err), -1);
    assert_int_equal(secrets_add_file(f->secrets, "id", "nowhere", &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
}

/* Agents. */

struct agent {
    struct loop *loop;
    int fd, connection;
    struct loop_io *listen, *io;
    struct str got;
    bool echo, ended;
};

static void on_connection(void *ctx, int events)
{
    struct agent *a = ctx;
    char buf[4096];
    ssize_t n = read(a->connection, buf, sizeof(buf));
    (void)events;
    if (n <= 0) {
        a->ended = true;
        loop_io_cancel(&a->io);
        close(a->connection);
        return;
    }
    str_addn(&a->got, buf, (size_t)n);
    if (a->echo)
        assert_int_equal(write(a->connection, buf, (size_t)n), n);
}

static void on_accept(void *ctx, int events)
{
    struct agent *a = ctx;
    (void)events;
    a->connection = accept(a->fd, NULL, NULL);
    assert_true(a->connection >= 0);
    if (a->echo)
        a->io = loop_io(a->loop, a->connection, LOOP_READ, on_connection, a);
}

static void agent_open(struct agent *a, struct fixture *f, const char *path, bool echo)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    *a = (struct agent){ .loop = f->l, .got = STR_INIT, .echo = echo };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    a->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(a->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(a->fd, 4), 0);
    a->listen = loop_io(f->l, a->fd, LOOP_READ, on_accept, a);
}

static void agent_close(struct agent *a)
{
    loop_io_cancel(&a->listen);
    loop_io_cancel(&a->io);
    close(a->fd);
    str_clear(&a->got);
}

static struct call *forward(struct fixture *f, const char *id)
{
    const char *const metadata[] = { "buildkit.ssh.id", id, NULL };
    return caller_start(f->c, agents_forward.path, metadata);
}

static void say(struct call *call, const char *data, size_t len)
{
    auto_str struct str message = STR_INIT;
    pb_add_bytes(&message, 1, data, len);
    caller_send(call, message.buf, message.len);
}

static void an_agent_and_the_build(void **state)
{
    struct fixture *f = *state;
    struct agent a;
    agent_open(&a, f, "agent", true);
    setenv("SSH_AUTH_SOCK", "agent", 1);
    assert_int_equal(agents_add(f->agents, "default", NULL, NULL), 0);
    assert_int_equal(agents_add(f->agents, "other", "agent", NULL), 0);
    assert_int_equal(ask(f, &agents_check, "default")->status, GRPC_OK);
    assert_int_equal(ask(f, &agents_check, "")->status, GRPC_OK);
    assert_int_equal(ask(f, &agents_check, "third")->status, GRPC_NOT_FOUND);
    struct call *call = forward(f, "other");
    say(call, "ab\0c", 4);
    exchange_until(f, call, 5 + 2 + 4);
    size_t at = 0, len;
    const char *message = caller_message(call, &at, &len);
    assert_int_equal(len, 6);
    assert_memory_equal(message,
                        "\x0a\x04"
                        "ab\0c",
                        6);
    caller_end(call); /* the agent sees the end, and ends too */
    exchange_until(f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_OK);
    assert_true(a.ended);
    call = forward(f, "third");
    exchange_until(f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_NOT_FOUND);
    agent_close(&a);
}

static void an_agent_that_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct agent a;
    auto_free char *much = xcalloc(1, 3 << 20);
    agent_open(&a, f, "agent", false);
    assert_int_equal(agents_add(f->agents, "default", "agent", NULL), 0);
    struct call *call = forward(f, "default");
    say(call, much, 3 << 20);
    exchange_until(f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_RESOURCE_EXHAUSTED);
    agent_close(&a);
    call = forward(f, "default");
    exchange_until(f, call, SIZE_MAX);
    assert_int_equal(call->status, GRPC_INTERNAL);
}

static void agents_that_are_not_there(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *socket, *said;
    } cases[] = { { NULL, "SSH_AUTH_SOCK is not set" },
                  { "nowhere", "look at 'nowhere'" },
                  { "key", "no SSH agent takes 'key' as a key: " },
                  { "/dev/null", "is not the socket of an SSH agent, and no key" } };
    put("key", "-----BEGIN OPENSSH PRIVATE KEY-----");
    unsetenv("SSH_AUTH_SOCK");
    for (size_t i = 0; i < countof(cases); i++) {
        auto_error struct error err = ERROR_INIT;
        assert_int_equal(agents_add(f->agents, "x", cases[i].socket, &err), -1);
        assert_int_equal(err.kind, ERR_INPUT);
        assert_non_null(strstr(err.msg, cases[i].said));
    }
}

/* Logins. */

static void assert_login(struct fixture *f, const char *host, const char *user, const char *secret)
{
    const struct call *call = ask(f, &logins_credentials, host);
    auto_free char *got_user = field(call, 1);
    auto_free char *got_secret = field(call, 2);
    assert_string_equal(got_user, user);
    assert_string_equal(got_secret, secret);
}

static void each_host_gets_its_own(void **state)
{
    struct fixture *f = *state;
    put("config.json", "{\"auths\":{\"r.example:5000\":{\"username\":\"u\",\"password\":\"p\"},"
                       "\"https://index.docker.io/v1/\":{\"username\":\"hub\",\"password\":\"h\"},"
                       "\"t.example\":{\"identitytoken\":\"token\"}}}");
    assert_login(f, "r.example:5000", "u", "p");
    assert_login(f, "r.example", "", "");
    assert_login(f, "registry-1.docker.io", "hub", "h");
    assert_login(f, "t.example", "", "token");
    assert_login(f, "localhost", "", "");
    /* No host: "x/y" would be an image of the hub. */
    static const char *const none[] = { "", "x", "r.example:5000/a", "UPPER case", "../x" };
    for (size_t i = 0; i < countof(none); i++)
        assert_int_equal(ask(f, &logins_credentials, none[i])->status, GRPC_INVALID_ARGUMENT);
    put("config.json", "{");
    assert_int_equal(ask(f, &logins_credentials, "r.example:5000")->status, GRPC_INTERNAL);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(secrets_by_id),
        SERVED(secrets_that_are_too_long),
        SERVED(an_agent_and_the_build),
        SERVED(an_agent_that_does_nothing),
        SERVED(agents_that_are_not_there),
        SERVED(each_host_gets_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
