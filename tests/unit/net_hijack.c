/* Streams behind an upgrade, against a scripted peer. */
#include "http_peer.h"

#include "base/mem.h"
#include "net/hijack.h"

#define UPGRADED "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

struct seen {
    struct hijack *j;
    struct str data;
    int opened, drained, closed;
    bool done; /* closed, or closed by ourselves */
    bool end_at_open, close_at_data;
    struct error err;
};

static void on_open(void *ctx)
{
    struct seen *s = ctx;
    s->opened++;
    if (s->end_at_open)
        hijack_end_write(s->j);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct seen *s = ctx;
    assert_int_equal(s->opened, 1);
    str_addn(&s->data, data, len);
    if (s->close_at_data) {
        hijack_close(s->j);
        s->done = true;
    }
}

static void on_drained(void *ctx)
{
    struct seen *s = ctx;
    s->drained++;
    assert_int_equal(hijack_pending(s->j), 0);
}

static void on_closed(void *ctx, const struct error *err)
{
    struct seen *s = ctx;
    s->closed++;
    s->done = true;
    if (err)
        error_copy(&s->err, err);
}

static void begin(struct fixture *f, struct seen *s, const char *body)
{
    struct hijack_handlers hd = {
        .open = on_open, .data = on_data, .drained = on_drained, .closed = on_closed, .ctx = s
    };
    s->data = STR_INIT;
    s->j = hijack_start(f->h, "POST", "/attach?x=1", "tcp", NULL, body, &hd);
}

static void clear(struct seen *s)
{
    str_clear(&s->data);
    error_clear(&s->err);
}

static void bytes_go_both_ways_and_the_end_too(void **state)
{
    struct fixture *f = *state;
    struct seen s = { .end_at_open = true };
    peer_reply(f->p, UPGRADED "early,", PEER_ECHO);
    begin(f, &s, "{}");
    hijack_write(s.j, "hello,", 6); /* held back until it is open */
    assert_int_equal(hijack_pending(s.j), 6);
    assert_true(loop_wait(f->l, &s.done));
    assert_null(s.err.msg);
    assert_string_equal(s.data.buf, "early,hello,end");
    assert_int_equal(s.opened, 1);
    assert_int_equal(s.drained, 1);
    assert_int_equal(s.closed, 1);
    const char *sent = peer_requests(f->p)->items[0];
    assert_true(str_starts(sent, "POST /attach?x=1 HTTP/1.1\r\nHost: localhost"));
    assert_non_null(strstr(sent, "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"));
    assert_true(str_ends(sent, "\r\n\r\n{}"));
    clear(&s);
}

static void much_more_than_a_socket_holds(void **state)
{
    struct fixture *f = *state;
    struct seen s = { .end_at_open = false };
    enum { LEN = 3 << 20 };
    char *big = xmalloc(LEN);
    for (int i = 0; i < LEN; i++)
        big[i] = (char)('a' + i % 26);
    peer_reply(f->p, "HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n", PEER_ECHO);
    begin(f, &s, NULL);
    hijack_write(s.j, big, LEN);
    hijack_end_write(s.j);
    assert_true(loop_wait(f->l, &s.done));
    assert_null(s.err.msg);
    assert_int_equal(s.data.len, LEN + 3);
    assert_memory_equal(s.data.buf, big, LEN);
    free(big);
    clear(&s);
}

static void a_refusal_is_the_engines_words(void **state)
{
    static const char *const replies[] = {
        "HTTP/1.1 404 X\r\nContent-Length: 18\r\n\r\n{\"message\":\"gone\"}",
        ("HTTP/1.1 404 X\r\ntransfer-encoding: Chunked\r\n\r\n"
         "4\r\n{\"me\r\ne\r\nssage\":\"gone\"}\r\n0\r\n\r\n"),
        "HTTP/1.0 404 X\r\n\r\ngone\nmore",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(replies); i++) {
        struct seen s = { 0 };
        peer_reply(f->p, replies[i], i == 2 ? PEER_CLOSE : PEER_KEEP);
        begin(f, &s, NULL);
        assert_true(loop_wait(f->l, &s.done));
        assert_int_equal(s.opened, 0);
        assert_int_equal(s.err.kind, ERR_ENGINE);
        assert_int_equal(s.err.code, 404);
        assert_string_equal(s.err.msg, "gone");
        clear(&s);
    }
}

static void answers_that_are_wrong(void **state)
{
    struct fixture *f = *state;
    struct str endless = STR_INIT;
    str_add(&endless, "HTTP/1.1 101 X\r\n");
    for (int i = 0; i < 20000; i++)
        str_add(&endless, "Header: value\r\n");
    const struct {
        const char *reply;
        enum error_kind kind;
    } cases[] = {
        { "", ERR_NETWORK },
        { "HTTP/1.1 101 UPGRA", ERR_NETWORK },
        { "SSH-2.0-OpenSSH\r\n\r\n", ERR_PROTOCOL },
        { "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ERR_PROTOCOL },
        { endless.buf, ERR_PROTOCOL },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct seen s = { 0 };
        peer_reply(f->p, cases[i].reply, PEER_CLOSE);
        begin(f, &s, NULL);
        assert_true(loop_wait(f->l, &s.done));
        assert_int_equal(s.opened, 0);
        assert_int_equal(s.closed, 1);
        assert_int_equal(s.err.kind, cases[i].kind);
        clear(&s);
    }
    str_clear(&endless);
}

static void nobody_listens(void **state)
{
    struct fixture *f = *state;
    struct seen s = { 0 };
    unlink(f->path);
    begin(f, &s, NULL);
    assert_false(s.done);
    assert_true(loop_wait(f->l, &s.done));
    assert_int_equal(s.err.kind, ERR_NETWORK);
    assert_non_null(strstr(s.err.msg, "No such file or directory"));
    clear(&s);
}

static void it_may_be_closed_from_inside(void **state)
{
    struct fixture *f = *state;
    struct seen s = { .close_at_data = true };
    peer_reply(f->p, UPGRADED "data", PEER_KEEP);
    begin(f, &s, NULL);
    assert_true(loop_wait(f->l, &s.done));
    assert_string_equal(s.data.buf, "data");
    assert_int_equal(s.closed, 0);
    clear(&s);
}

static void it_may_be_closed_at_once_and_with_the_peer(void **state)
{
    struct fixture *f = *state;
    struct seen a = { 0 }, b = { 0 }, c = { .close_at_data = true };
    begin(f, &a, NULL);
    hijack_close(a.j);
    peer_reply(f->p, UPGRADED "x", PEER_KEEP);
    begin(f, &c, NULL);
    assert_true(loop_wait(f->l, &c.done));
    begin(f, &b, NULL);
    http_close(f->h);
    f->h = NULL;
    assert_int_equal(a.closed + b.closed, 0);
    assert_int_equal(peer_requests(f->p)->len, 1);
    clear(&a);
    clear(&b);
    clear(&c);
}

#define WITH_PEER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BOTH(test) WITH_PEER(test), cmocka_unit_test_setup_teardown(test, setup_tcp, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(bytes_go_both_ways_and_the_end_too),
        BOTH(much_more_than_a_socket_holds),
        BOTH(a_refusal_is_the_engines_words),
        BOTH(answers_that_are_wrong),
        WITH_PEER(nobody_listens),
        BOTH(it_may_be_closed_from_inside),
        BOTH(it_may_be_closed_at_once_and_with_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
