/* Requests to an engine: versions, repetition, errors, streams. */
#include "unit.h"

#include "../support/peer.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/requests.h"

struct fixture {
    char *dir;
    char *host;
    struct loop *l;
    struct peer *p;
    struct engine *e;
};

static int setup(void **state)
{
    void *dir;
    if (unit_dir_make(&dir))
        return -1;
    struct fixture *f = xnew(struct fixture);
    f->dir = dir;
    f->host = xasprintf("unix://%s/peer.sock", f->dir);
    f->l = loop_new();
    f->p = peer_new(f->l, f->host + strlen("unix://"));
    unsetenv("DOCKER_API_VERSION");
    struct engine_options opt = { .host = f->host };
    *state = f;
    return engine_open(&f->e, f->l, &opt, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    engine_close(f->e);
    peer_free(f->p);
    loop_free(f->l);
    free(f->host);
    void *dir = f->dir;
    free(f);
    return unit_dir_remove(&dir);
}

/* An answer with the given version, "" for none. */
static void answer(struct fixture *f, int status, const char *version, const char *body)
{
    auto_free char *header = *version ? xasprintf("Api-Version: %s\r\n", version) : xstrdup("");
    auto_free char *text =
        xasprintf("HTTP/1.1 %d X\r\n%sServer: Docker/9 (linux)\r\nContent-Length: %zu\r\n\r\n%s",
                  status, header, strlen(body), body);
    peer_reply(f->p, text, PEER_KEEP);
}

#define DO(f, call)                            \
    __extension__({                            \
        struct engine_request rq;              \
        call;                                  \
        engine_do(NULL, (f)->e, &rq, &error_); \
    })

static void check_requests(const struct fixture *f, const char *const *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!peer_saw(f->p, i, want[i]))
            fail_msg("request %zu is not '%s' but '%s'", i, want[i],
                     i < peer_requests(f->p)->len ? peer_requests(f->p)->items[i] : "missing");
    assert_int_equal(peer_requests(f->p)->len, n);
    assert_int_equal(engine_calls(f->e), n);
}

#define CHECK_REQUESTS(f, ...)                       \
    do {                                             \
        const char *const want_[] = { __VA_ARGS__ }; \
        check_requests((f), want_, countof(want_));  \
    } while (0)

/* --- versions --- */

static void the_first_answer_tells_the_version(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 200, "1.44", "[]");
    answer(f, 204, "1.44", "");
    assert_int_equal(engine_api(f->e), 0);
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    assert_int_equal(engine_api(f->e), 44);
    assert_string_equal(engine_server(f->e), "Docker/9 (linux)");
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), 0);
    CHECK_REQUESTS(f, "GET /v1.41/networks?", "POST /v1.44/containers/a/start ");
}

static void newer_engines_are_spoken_to_in_our_newest(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 200, "1.99", "[]");
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    assert_int_equal(engine_api(f->e), ENGINE_API_MAX);
}

static void a_change_waits_for_the_version(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 200, "1.43", "OK");
    answer(f, 204, "1.43", "");
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), 0);
    CHECK_REQUESTS(f, "GET /_ping ", "POST /v1.43/containers/a/start ");
}

static void peers_that_do_not_tell_are_pinged_once(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 200, "", "[]");
    answer(f, 200, "", "OK");
    answer(f, 204, "", "");
    answer(f, 204, "", "");
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    assert_int_equal(engine_api(f->e), 0);
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), 0);
    assert_int_equal(DO(f, rq_container_start(&rq, "b")), 0);
    CHECK_REQUESTS(f, "GET /v1.41/networks", "GET /_ping ", "POST /v1.41/containers/a/start ",
                   "POST /v1.41/containers/b/start ");
}

static void ready_asks_only_when_nothing_is_known(void **state)
{
    struct fixture *f = *state;
    answer(f, 200, "1.45", "OK");
    assert_int_equal(engine_ready(f->e, NULL), 0);
    assert_int_equal(engine_ready(f->e, NULL), 0);
    assert_int_equal(engine_api(f->e), 45);
    CHECK_REQUESTS(f, "GET /_ping ");
}

static void a_refusal_of_the_oldest_carries_the_version(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 400, "1.52",
           "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade");
    answer(f, 200, "1.52", "[]");
    answer(f, 204, "1.52", "");
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), 0);
    CHECK_REQUESTS(f, "GET /v1.41/networks", "GET /v1.51/networks",
                   "POST /v1.51/containers/a/start ");
}

static void an_engine_that_refuses_the_oldest_is_asked(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 400, "", "client version 1.41 is too old. Minimum supported API version is 1.44");
    answer(f, 200, "1.52", "OK");
    answer(f, 200, "1.52", "[]");
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    CHECK_REQUESTS(f, "GET /v1.41/networks", "GET /_ping ", "GET /v1.51/networks");
}

static void a_refusal_that_stays_is_an_error(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 400, "", "{\"message\":\"client version 1.41 is too new. Maximum is 1.5\"}");
    answer(f, 200, "", "OK");
    answer(f, 400, "", "{\"message\":\"client version 1.41 is too new. Maximum is 1.5\"}");
    assert_int_equal(DO(f, rq_networks(&rq, "x")), -1);
    assert_int_equal(error_.kind, ERR_ENGINE);
    assert_int_equal(error_.code, 400);
    assert_non_null(strstr(error_.msg, "too new"));
}

static void engines_that_are_too_old_are_named(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 400, "1.40", "{\"message\":\"client version 1.41 is too new\"}");
    for (int i = 0; i < 2; i++) { /* the second time without asking */
        assert_int_equal(i ? DO(f, rq_container_start(&rq, "x")) : DO(f, rq_networks(&rq, "x")),
                         -1);
        assert_int_equal(error_.kind, ERR_NETWORK);
        assert_non_null(strstr(error_.msg, "is too old: it speaks API 1.40 (Docker/9 (linux))"));
        assert_non_null(strstr(error_.hint, "1.41"));
    }
    CHECK_REQUESTS(f, "GET /v1.41/networks");
}

static void the_user_may_pin_the_version(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    struct engine_options opt = { .host = f->host };
    engine_close(f->e);
    setenv("DOCKER_API_VERSION", "1.42", 1);
    assert_int_equal(engine_open(&f->e, f->l, &opt, NULL), 0);
    answer(f, 204, "1.47", "");
    answer(f, 200, "1.47", "[]");
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), 0);
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    CHECK_REQUESTS(f, "POST /v1.42/containers/a/start ", "GET /v1.42/networks");

    static const char *const wrong[] = { "1.40", "2", "1.x" };
    for (size_t i = 0; i < countof(wrong); i++) {
        struct engine *e = NULL;
        setenv("DOCKER_API_VERSION", wrong[i], 1);
        assert_int_equal(engine_open(&e, f->l, &opt, &error_), -1);
        assert_int_equal(error_.kind, ERR_USAGE);
        assert_null(e);
    }
    unsetenv("DOCKER_API_VERSION");
}

struct counted {
    int ok, failed;
    bool done;
    int total;
};

static void on_counted(void *ctx, const struct engine_answer *a, const struct error *err)
{
    struct counted *c = ctx;
    assert_int_equal(a == NULL, err != NULL);
    c->ok += !err;
    c->failed += err != NULL;
    c->done = c->ok + c->failed == c->total;
}

static void changes_that_wait_share_one_ping(void **state)
{
    struct fixture *f = *state;
    struct counted c = { .total = 3 };
    struct engine_handlers hd = { .done = on_counted, .ctx = &c };
    answer(f, 200, "1.43", "OK");
    for (int i = 0; i < 3; i++) {
        struct engine_request rq;
        answer(f, 204, "1.43", "");
        rq_container_start(&rq, "a");
        engine_start(f->e, &rq, &hd);
    }
    assert_true(loop_wait(f->l, &c.done));
    assert_int_equal(c.ok, 3);
    CHECK_REQUESTS(f, "GET /_ping ", "POST /v1.43/", "POST /v1.43/", "POST /v1.43/");
}

static void a_ping_that_fails_fails_them_all(void **state)
{
    struct fixture *f = *state;
    struct counted c = { .total = 2 };
    struct engine_handlers hd = { .done = on_counted, .ctx = &c };
    answer(f, 500, "", "no");
    for (int i = 0; i < 2; i++) {
        struct engine_request rq;
        rq_container_start(&rq, "a");
        engine_start(f->e, &rq, &hd);
    }
    assert_true(loop_wait(f->l, &c.done));
    assert_int_equal(c.failed, 2);
    CHECK_REQUESTS(f, "GET /_ping ");
}

/* --- repetition --- */

static void reading_is_tried_again(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    peer_reply(f->p, "", PEER_CLOSE);
    peer_reply(f->p, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", PEER_CLOSE);
    answer(f, 200, "1.41", "[]");
    assert_int_equal(DO(f, rq_networks(&rq, "x")), 0);
    assert_int_equal(peer_requests(f->p)->len, 3);
}

static void but_only_twice(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    for (int i = 0; i < 4; i++)
        peer_reply(f->p, "", PEER_CLOSE);
    assert_int_equal(DO(f, rq_networks(&rq, "x")), -1);
    assert_int_equal(error_.kind, ERR_NETWORK);
    assert_int_equal(peer_requests(f->p)->len, 3);
}

static void changes_are_never_sent_twice(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 200, "1.41", "OK");
    assert_int_equal(engine_ready(f->e, NULL), 0);
    peer_reply(f->p, "", PEER_CLOSE);
    peer_reply(f->p, "", PEER_CLOSE);
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), -1);
    assert_int_equal(error_.kind, ERR_NETWORK);
    assert_int_equal(DO(f, rq_container_remove(&rq, "a", true, false)), -1);
    assert_int_equal(error_.kind, ERR_NETWORK);
    assert_int_equal(peer_requests(f->p)->len, 3);
}

static void nobody_there(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    unlink(f->host + strlen("unix://"));
    assert_int_equal(DO(f, rq_networks(&rq, "x")), -1);
    assert_int_equal(error_.kind, ERR_NETWORK);
    auto_free char *want = xasprintf("no engine answers at %s: No such file or directory", f->host);
    assert_string_equal(error_.msg, want);
    assert_non_null(strstr(error_.hint, "-H"));
    assert_int_equal(engine_calls(f->e), 1);
}

/* --- errors and answers --- */

static void errors_are_the_engines_words(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int status;
        const char *body, *msg;
    } cases[] = {
        { 404, "{\"message\":\"No such network: x\"}", "No such network: x" },
        { 500, "{\"cause\":\"c\",\"message\":\"it broke\",\"response\":500}", "it broke" },
        { 404, "Not Found\n", "Not Found" },
        { 503, "", "HTTP status 503" },
        { 302, "", "HTTP status 302" },
        { 500, "{\"message\":\"a\\u001b[31mb\\nc\"}", "a\\x1b[31mb\\nc" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_error struct error error_ = ERROR_INIT;
        answer(f, cases[i].status, "1.41", cases[i].body);
        assert_int_equal(DO(f, rq_network_inspect(&rq, "x")), -1);
        assert_int_equal(error_.kind, ERR_ENGINE);
        assert_int_equal(error_.code, cases[i].status);
        assert_string_equal(error_.msg, cases[i].msg);
    }
}

static void what_is_so_already_is_no_error(void **state)
{
    struct fixture *f = *state;
    auto_error struct error error_ = ERROR_INIT;
    answer(f, 200, "1.41", "OK");
    answer(f, 304, "1.41", "");
    answer(f, 404, "1.41", "{\"message\":\"No such container\"}");
    answer(f, 404, "1.41", "{\"message\":\"No such container\"}");
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), 0);
    assert_int_equal(DO(f, rq_container_remove(&rq, "a", true, false)), 0);
    assert_int_equal(DO(f, rq_container_start(&rq, "a")), -1);
    assert_int_equal(error_.code, 404);
}

static void answers_are_parsed(void **state)
{
    struct fixture *f = *state;
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *json = NULL;
    struct engine_request rq;
    answer(f, 200, "1.41", "{\"Id\":\"abc\"}");
    rq_network_inspect(&rq, "x");
    assert_int_equal(engine_do(&json, f->e, &rq, &err), 0);
    assert_string_equal(json_str(json, "Id"), "abc");
    assert_null(rq.path); /* taken over */

    answer(f, 200, "1.41", "{\"Id\":");
    rq_network_inspect(&rq, "x");
    assert_int_equal(engine_do(&json, f->e, &rq, &err), -1);
    assert_int_equal(err.kind, ERR_PROTOCOL);
}

static void a_limit_of_time_ends_a_call(void **state)
{
    struct fixture *f = *state;
    auto_error struct error err = ERROR_INIT;
    struct engine_request rq;
    peer_reply(f->p, "", PEER_KEEP); /* the request is taken, and nothing is said */
    rq_network_inspect(&rq, "x");
    assert_int_equal(engine_do_within(NULL, f->e, &rq, 50, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
}

struct stream {
    struct str seen;
    struct error err;
    struct engine_call *call;
    bool done, cancel, opened;
};

static void on_open(void *ctx)
{
    struct stream *s = ctx;
    s->opened = true;
}

static void on_json(void *ctx, json_t *value)
{
    struct stream *s = ctx;
    str_addf(&s->seen, "<%s>", json_str_or(value, "s", "?"));
    if (s->cancel) {
        engine_cancel(s->call);
        s->done = true;
    }
}

static void on_stream_done(void *ctx, const struct engine_answer *a, const struct error *err)
{
    struct stream *s = ctx;
    (void)a;
    s->done = true;
    if (err)
        error_copy(&s->err, err);
}

static void run_stream(struct fixture *f, const char *reply, struct stream *s)
{
    struct engine_handlers hd = {
        .on_open = on_open, .on_json = on_json, .done = on_stream_done, .ctx = s
    };
    struct engine_request rq;
    s->seen = STR_INIT;
    peer_reply(f->p, reply, PEER_CLOSE);
    rq_events(&rq, NULL, NULL, NULL, NULL, 0);
    s->call = engine_start(f->e, &rq, &hd);
    assert_true(loop_wait(f->l, &s->done));
}

#define HEAD "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n"

static void streams_come_value_by_value(void **state)
{
    struct fixture *f = *state;
    struct stream s = { 0 };
    run_stream(f, HEAD "9\r\n{\"s\":\"a\"}\r\n6\r\n\n{\"s\":\r\n5\r\n\"b\"}\n\r\n0\r\n\r\n", &s);
    assert_null(s.err.msg);
    assert_true(s.opened);
    assert_string_equal(s.seen.buf, "<a><b>");
    str_clear(&s.seen);
}

static void streams_that_break_are_not_begun_again(void **state)
{
    static const struct {
        const char *reply;
        enum error_kind kind;
    } cases[] = {
        { HEAD "9\r\n{\"s\":\"a\"}\r\n", ERR_NETWORK },
        { HEAD "9\r\n{\"s\":\"a\"}\r\n3\r\n{\"s\r\n0\r\n\r\n", ERR_PROTOCOL },
        { HEAD "9\r\n{\"s\":\"a\"}\r\n5\r\nnope!\r\n0\r\n\r\n", ERR_PROTOCOL },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(cases); i++) {
        struct stream s = { 0 };
        run_stream(f, cases[i].reply, &s);
        assert_int_equal(s.err.kind, cases[i].kind);
        assert_string_equal(s.seen.buf, "<a>");
        assert_int_equal(peer_requests(f->p)->len, i + 1);
        str_clear(&s.seen);
        error_clear(&s.err);
    }
}

static void a_stream_may_be_cancelled_from_inside(void **state)
{
    struct fixture *f = *state;
    struct stream s = { .cancel = true };
    run_stream(f, HEAD "12\r\n{\"s\":\"a\"}{\"s\":\"b\"}\r\n", &s);
    assert_string_equal(s.seen.buf, "<a>");
    str_clear(&s.seen);
}

static void closing_ends_what_runs(void **state)
{
    struct fixture *f = *state;
    struct counted c = { .total = 3 };
    struct engine_handlers hd = { .done = on_counted, .ctx = &c };
    struct engine_request rq;
    rq_networks(&rq, NULL);
    engine_start(f->e, &rq, &hd);
    rq_container_start(&rq, "a");
    engine_cancel(engine_start(f->e, &rq, &hd));
    rq_container_start(&rq, "b");
    engine_start(f->e, &rq, &hd);
    engine_close(f->e);
    f->e = NULL;
    assert_int_equal(c.ok + c.failed, 0);
}

#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENGINE(the_first_answer_tells_the_version),
        WITH_ENGINE(newer_engines_are_spoken_to_in_our_newest),
        WITH_ENGINE(a_change_waits_for_the_version),
        WITH_ENGINE(peers_that_do_not_tell_are_pinged_once),
        WITH_ENGINE(ready_asks_only_when_nothing_is_known),
        WITH_ENGINE(a_refusal_of_the_oldest_carries_the_version),
        WITH_ENGINE(an_engine_that_refuses_the_oldest_is_asked),
        WITH_ENGINE(a_refusal_that_stays_is_an_error),
        WITH_ENGINE(engines_that_are_too_old_are_named),
        WITH_ENGINE(the_user_may_pin_the_version),
        WITH_ENGINE(changes_that_wait_share_one_ping),
        WITH_ENGINE(a_ping_that_fails_fails_them_all),
        WITH_ENGINE(reading_is_tried_again),
        WITH_ENGINE(but_only_twice),
        WITH_ENGINE(changes_are_never_sent_twice),
        WITH_ENGINE(nobody_there),
        WITH_ENGINE(errors_are_the_engines_words),
        WITH_ENGINE(what_is_so_already_is_no_error),
        WITH_ENGINE(answers_are_parsed),
        WITH_ENGINE(a_limit_of_time_ends_a_call),
        WITH_ENGINE(streams_come_value_by_value),
        WITH_ENGINE(streams_that_break_are_not_begun_again),
        WITH_ENGINE(a_stream_may_be_cancelled_from_inside),
        WITH_ENGINE(closing_ends_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
