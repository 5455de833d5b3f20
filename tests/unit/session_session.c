/* The connection of a session, against a scripted engine. */
#include "unit.h"

#include "../support/peer.h"
#include "base/mem.h"
#include "session/session.h"

#define UPGRADED "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

struct fixture {
    char *dir;
    struct loop *l;
    struct peer *peer;
    struct engine *e;
    struct session *s;
    bool close_at_open;
    int opened, closed;
    bool done;
    struct error err;
};

static int setup(void **state)
{
    void *dir;
    if (unit_dir_make(&dir))
        return -1;
    struct fixture *f = xnew(struct fixture);
    *state = f;
    f->dir = dir;
    auto_free char *socket = xasprintf("%s/engine.sock", f->dir);
    auto_free char *host = xasprintf("unix://%s", socket);
    const struct engine_options opt = { .host = host };
    f->l = loop_new();
    f->peer = peer_new(f->l, socket);
    if (engine_open(&f->e, f->l, &opt, NULL))
        return -1;
    peer_answer(f->peer, 200, "OK");
    return engine_ready(f->e, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    session_close(f->s);
    engine_close(f->e);
    peer_free(f->peer);
    loop_free(f->l);
    error_clear(&f->err);
    void *dir = f->dir;
    free(f);
    return unit_dir_remove(&dir);
}

static void on_open(void *ctx)
{
    struct fixture *f = ctx;
    f->opened++;
    if (f->close_at_open) {
        session_close(take(f->s));
        f->done = true;
    }
}

static void on_closed(void *ctx, const struct error *err)
{
    struct fixture *f = ctx;
    f->closed++;
    f->done = true;
    if (err)
        error_copy(&f->err, err);
    session_close(take(f->s));
}

static void ignore(struct grpc_call *c, const uint8_t *data, size_t len)
{
    (void)c, (void)data, (void)len;
}

static const struct grpc_method method = { .path = "/x.Y/Z", .message = ignore };

static void run(struct fixture *f, const char *reply, enum peer_after after)
{
    const struct session_handlers hd = { on_open, on_closed, f };
    peer_reply(f->peer, reply, after);
    assert_int_equal(session_new(&f->s, f->e, "the-key", &hd, NULL), 0);
    session_serve(f->s, &method, NULL);
    session_start(f->s);
    auto_free char *id = xasprintf("\r\nX-Docker-Expose-Session-Uuid: %s\r\n", session_id(f->s));
    loop_wait(f->l, &f->done);
    const char *sent = peer_requests(f->peer)->items[1];
    assert_true(str_starts(sent, "POST /v1.41/session HTTP/1.1\r\n"));
    assert_non_null(strstr(sent, id));
}

static void what_is_served_is_announced(void **state)
{
    struct fixture *f = *state;
    f->close_at_open = true;
    run(f, UPGRADED, PEER_KEEP);
    assert_int_equal(f->opened, 1);
    assert_int_equal(f->closed, 0);
    const char *sent = peer_requests(f->peer)->items[1];
    static const char *const parts[] = {
        "\r\nUpgrade: h2c\r\n",
        "\r\nX-Docker-Expose-Session-Sharedkey: the-key\r\n",
        "\r\nX-Docker-Expose-Session-Grpc-Method: /grpc.health.v1.Health/Check\r\n",
        "\r\nX-Docker-Expose-Session-Grpc-Method: /x.Y/Z\r\n",
    };
    for (size_t i = 0; i < countof(parts); i++)
        if (!strstr(sent, parts[i]))
            fail_msg("not sent: %s", parts[i]);
}

static void an_engine_that_has_none(void **state)
{
    struct fixture *f = *state;
    run(f,
        "HTTP/1.1 404 Not Found\r\nContent-Length: 30\r\n\r\n"
        "{\"message\":\"page not found\"}  ",
        PEER_KEEP);
    assert_int_equal(f->opened, 0);
    assert_int_equal(f->err.kind, ERR_ENGINE);
    assert_int_equal(f->err.code, 404);
}

static void an_engine_that_speaks_something_else(void **state)
{
    struct fixture *f = *state;
    run(f, UPGRADED "SSH-2.0-OpenSSH_9.2\r\n and so on, long enough to be noticed", PEER_KEEP);
    assert_int_equal(f->opened, 1);
    assert_int_equal(f->closed, 1);
    assert_int_equal(f->err.kind, ERR_PROTOCOL);
}

static void an_engine_that_goes(void **state)
{
    struct fixture *f = *state;
    run(f, UPGRADED "PRI * HTTP/2.0\r\n", PEER_CLOSE);
    assert_int_equal(f->opened, 1);
    assert_int_equal(f->closed, 1);
}

#define ON_PEER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_PEER(what_is_served_is_announced),
        ON_PEER(an_engine_that_has_none),
        ON_PEER(an_engine_that_speaks_something_else),
        ON_PEER(an_engine_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
