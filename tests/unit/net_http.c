/* HTTP against a scripted peer, and what it does when the peer misbehaves. */
#include "http_peer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http.h"

/* What came of one request. */
struct result {
    bool done;
    int count;
    int status;
    struct str body; /* collected, or the pieces */
    struct strv headers;
    struct error err;
    int headers_seen;
    int data_limit; /* on_data ends the transfer after so many pieces; 0: never */
};

static void on_headers(void *ctx, const struct http_response *r)
{
    struct result *got = ctx;
    got->headers_seen++;
    got->status = r->status;
}

static bool on_data(void *ctx, const char *data, size_t len)
{
    struct result *got = ctx;
    str_addn(&got->body, data, len);
    return --got->data_limit != 0;
}

static void on_done(void *ctx, const struct http_response *r, const struct error *err)
{
    struct result *got = ctx;
    got->done = true;
    got->count++;
    if (err) {
        error_copy(&got->err, err);
        return;
    }
    got->status = r->status;
    str_addn(&got->body, r->body.buf, r->body.len);
    strv_each (it, &r->headers)
        strv_add(&got->headers, *it);
}

static void result_clear(struct result *r)
{
    str_clear(&r->body);
    strv_clear(&r->headers);
    error_clear(&r->err);
}

static struct http_call *begin(struct fixture *f, struct result *r, struct http_request rq,
                               bool stream)
{
    *r = (struct result){ .body = STR_INIT };
    struct http_handlers hd = { .on_headers = on_headers, .done = on_done, .ctx = r };
    if (stream)
        hd.on_data = on_data;
    if (!rq.method)
        rq.method = "GET";
    if (!rq.path)
        rq.path = "/x";
    return http_start(f->h, &rq, &hd);
}

static struct result request(struct fixture *f, struct http_request rq, bool stream)
{
    struct result r;
    begin(f, &r, rq, stream);
    assert_false(r.done); /* never from inside the starting function */
    assert_true(loop_wait(f->l, &r.done));
    assert_int_equal(r.count, 1);
    return r;
}

static void an_answer_with_headers_and_body(void **state)
{
    struct fixture *f = *state;
    peer_reply(
        f->p,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Thing:  Some Value \r\nEmpty:\r\n\r\nhello",
        PEER_KEEP);
    struct result r = request(f, (struct http_request){ .path = "/a?b=c" }, false);
    assert_null(r.err.msg);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.buf, "hello");
    struct http_response response = { .headers = r.headers };
    assert_string_equal(http_header(&response, "x-thing"), "Some Value ");
    assert_string_equal(http_header(&response, "empty"), "");
    assert_null(http_header(&response, "x-thin"));
    assert_true(peer_saw(f->p, 0, "GET /a?b=c HTTP/1.1\r\nHost: localhost"));
    result_clear(&r);
}

static void methods_and_bodies_are_sent_as_given(void **state)
{
    struct fixture *f = *state;
    struct strv headers = STRV_INIT;
    strv_add(&headers, "Content-Type: application/json");
    struct http_request requests[] = {
        { .method = "POST", .body = "{}", .body_len = 2, .headers = &headers },
        { .method = "POST" },
        { .method = "DELETE" },
        { .method = "PUT", .body = "tar", .body_len = 3 },
        { .method = "HEAD" },
    };
    for (size_t i = 0; i < countof(requests); i++) {
        peer_reply(f->p, "HTTP/1.1 204 No\r\n\r\n", PEER_KEEP);
        struct result r = request(f, requests[i], false);
        assert_null(r.err.msg);
        assert_int_equal(r.status, 204);
        char start[32];
        snprintf(start, sizeof(start), "%s /x HTTP/1.1\r\n", requests[i].method);
        assert_true(peer_saw(f->p, i, start));
        result_clear(&r);
    }
    char **sent = peer_requests(f->p)->items;
    assert_non_null(strstr(sent[0], "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(sent[0], "\r\nContent-Length: 2\r\n"));
    assert_true(str_ends(sent[0], "\r\n\r\n{}"));
    assert_non_null(strstr(sent[1], "\r\nContent-Length: 0\r\n"));
    assert_null(strstr(sent[1], "Content-Type"));
    assert_null(strstr(sent[2], "Content-"));
    assert_true(str_ends(sent[3], "\r\n\r\ntar"));
    for (size_t i = 0; i < countof(requests); i++)
        assert_null(strstr(sent[i], "Expect"));
    strv_clear(&headers);
}

static void errors_have_a_body_even_where_data_is_streamed(void **state)
{
    struct fixture *f = *state;
    peer_answer(f->p, 404, "{\"message\":\"no such thing\"}");
    struct result r = request(f, (struct http_request){ 0 }, true);
    assert_null(r.err.msg);
    assert_int_equal(r.status, 404);
    assert_string_equal(r.body.buf, "{\"message\":\"no such thing\"}");
    result_clear(&r);
}

static void no_body_is_waited_for_with_304(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p, "HTTP/1.1 304 Not Modified\r\n\r\n", PEER_KEEP);
    struct result r = request(f, (struct http_request){ .method = "POST" }, false);
    assert_null(r.err.msg);
    assert_int_equal(r.status, 304);
    result_clear(&r);
}

static void chunks_are_joined_and_trailers_ignored(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p,
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3\r\none\r\n4;x=y\r\n two\r\n0\r\nLate: header\r\n\r\n",
               PEER_KEEP);
    struct result r = request(f, (struct http_request){ 0 }, true);
    assert_null(r.err.msg);
    assert_string_equal(r.body.buf, "one two");
    assert_int_equal(r.headers_seen, 1);
    assert_int_equal(r.headers.len, 1);
    result_clear(&r);
}

static void provisional_answers_are_skipped(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p,
               "HTTP/1.1 100 Continue\r\nOne: 1\r\n\r\n"
               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
               PEER_KEEP);
    struct result r = request(f, (struct http_request){ 0 }, false);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.headers_seen, 1);
    assert_int_equal(r.headers.len, 1);
    assert_string_equal(r.body.buf, "ok");
    result_clear(&r);
}

static void redirects_are_not_followed(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p, "HTTP/1.1 301 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
               PEER_KEEP);
    struct result r = request(f, (struct http_request){ 0 }, false);
    assert_int_equal(r.status, 301);
    assert_int_equal(peer_requests(f->p)->len, 1);
    result_clear(&r);
}

/* --- faults --- */

static void check_fault(struct fixture *f, const char *reply, struct http_request rq,
                        enum error_kind kind, const char *words)
{
    peer_reply(f->p, reply, PEER_CLOSE);
    struct result r = request(f, rq, false);
    assert_int_equal(r.err.kind, kind);
    if (!strstr(r.err.msg, words))
        fail_msg("'%s' is not in '%s'", words, r.err.msg);
    result_clear(&r);
}

static void connections_that_break(void **state)
{
    struct fixture *f = *state;
    struct http_request rq = { .method = "POST" };
    check_fault(f, "", rq, ERR_NETWORK, "after the request was sent, before an answer came");
    check_fault(f, "HTTP/1.1 200 OK\r\nConte", rq, ERR_NETWORK, "broke");
    check_fault(f, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", rq, ERR_NETWORK,
                "in the middle of the answer");
    check_fault(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", rq, ERR_NETWORK,
                "in the middle of the answer");
    assert_int_equal(peer_requests(f->p)->len, 4); /* none was repeated */
}

static void answers_that_are_not_http(void **state)
{
    struct fixture *f = *state;
    struct http_request rq = { 0 };
    check_fault(f, "SSH-2.0-OpenSSH_9.2\r\n\r\n", rq, ERR_PROTOCOL, "does not answer as HTTP says");
    check_fault(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", rq,
                ERR_PROTOCOL, "does not answer as HTTP says");
    check_fault(f, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx", rq, ERR_PROTOCOL,
                "does not answer as HTTP says");
}

static void bodies_have_a_limit(void **state)
{
    struct fixture *f = *state;
    check_fault(f, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n0123456789",
                (struct http_request){ .max_body = 5 }, ERR_PROTOCOL, "more than");
    check_fault(f, "HTTP/1.1 500 X\r\nContent-Length: 2000\r\n\r\n0123456789",
                (struct http_request){ .max_body = 5 }, ERR_PROTOCOL, "more than");
}

static void headers_have_a_limit(void **state)
{
    struct fixture *f = *state;
    struct str many = STR_INIT, one = STR_INIT;
    str_add(&many, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 40000; i++)
        str_add(&many, "Some-Header: x\r\n");
    str_add(&many, "\r\n");
    check_fault(f, many.buf, (struct http_request){ 0 }, ERR_PROTOCOL, "headers");
    str_add(&one, "HTTP/1.1 200 OK\r\nLong: ");
    for (int i = 0; i < 40000; i++)
        str_add(&one, "0123456789012345");
    str_add(&one, "\r\n\r\n");
    check_fault(f, one.buf, (struct http_request){ 0 }, ERR_PROTOCOL, "");
    /* "Wait", for ever. */
    str_truncate(&many, 0);
    for (int i = 0; i < 40000; i++)
        str_add(&many, "HTTP/1.1 102 X\r\n\r\n");
    check_fault(f, many.buf, (struct http_request){ 0 }, ERR_PROTOCOL, "headers");
    str_clear(&many);
    str_clear(&one);
}

static void silence_has_a_limit(void **state)
{
    struct fixture *f = *state;
    static const char *const silences[] = { "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel" };
    for (size_t i = 0; i < countof(silences); i++) {
        peer_reply(f->p, silences[i], PEER_KEEP);
        struct result r = request(f, (struct http_request){ .silence_ms = 30 }, false);
        assert_int_equal(r.err.kind, ERR_TIMEOUT);
        assert_true(str_ends(r.err.msg, "sent nothing for 0.03 s"));
        result_clear(&r);
    }
}

static void set_flag(void *ctx)
{
    *(bool *)ctx = true;
}

static void silence_may_be_normal_once_the_headers_came(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
               PEER_KEEP);
    peer_reply(f->p, "", PEER_KEEP);
    struct result open, silent;
    struct http_request rq = { .quiet_ok = true, .silence_ms = 20 };
    struct http_call *c = begin(f, &open, rq, true);
    begin(f, &silent, rq, true);
    bool later = false;
    struct loop_timer *timer;
    loop_after(&timer, f->l, 60, set_flag, &later);
    assert_true(loop_wait(f->l, &later));
    assert_false(open.done);
    assert_string_equal(open.body.buf, "one");
    assert_int_equal(silent.err.kind, ERR_TIMEOUT);
    http_cancel(c);
    assert_false(open.done);
    result_clear(&open);
    result_clear(&silent);
}

static void nobody_listens(void **state)
{
    struct fixture *f = *state;
    char *path = xasprintf("%s/nobody.sock", f->dir);
    struct http_endpoint ep = { .socket_path = path, .base_url = "http://localhost" };
    struct http *own = f->h;
    assert_int_equal(http_open(&f->h, f->l, &ep, NULL), 0);
    struct result r = request(f, (struct http_request){ 0 }, false);
    assert_int_equal(r.err.kind, ERR_NETWORK);
    assert_non_null(strstr(r.err.msg, path));
    assert_non_null(strstr(r.err.msg, "No such file or directory"));
    result_clear(&r);
    http_close(f->h);
    f->h = own;
    free(path);
}

/* --- connections --- */

static void connections_are_kept_for_reading_and_never_for_changes(void **state)
{
    struct fixture *f = *state;
    static const char *const methods[] = { "GET", "GET", "POST", "HEAD", "DELETE" };
    static const int connections[] = { 1, 1, 2, 2, 3 };
    for (size_t i = 0; i < countof(methods); i++) {
        peer_reply(f->p, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", PEER_KEEP);
        struct result r = request(f, (struct http_request){ .method = methods[i] }, false);
        assert_null(r.err.msg);
        assert_int_equal(peer_connections(f->p), connections[i]);
        result_clear(&r);
    }
}

/* The peer closes it after the answer, or when the next request has come. */
static void a_kept_connection_may_be_dead(void **state)
{
    struct fixture *f = *state;
    peer_answer(f->p, 200, "one");
    peer_reply(f->p, "", PEER_CLOSE);
    peer_reply(f->p, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo", PEER_CLOSE);
    peer_answer(f->p, 200, "six");
    static const char *const want[] = { "one", "two", "six" };
    for (size_t i = 0; i < countof(want); i++) {
        struct result r = request(f, (struct http_request){ 0 }, false);
        assert_null(r.err.msg);
        assert_string_equal(r.body.buf, want[i]);
        result_clear(&r);
    }
    assert_int_equal(peer_requests(f->p)->len, 4);
    assert_int_equal(peer_connections(f->p), 3);
}

static void at_most_so_many_at_a_time(void **state)
{
    struct fixture *f = *state;
    enum { N = 20, LIMIT = 16 };
    struct result r[N];
    for (int i = 0; i < N; i++) {
        peer_answer(f->p, 200, "ok");
        begin(f, &r[i], (struct http_request){ 0 }, false);
    }
    for (int i = 0; i < N; i++) {
        assert_true(loop_wait(f->l, &r[i].done));
        assert_string_equal(r[i].body.buf, "ok");
        result_clear(&r[i]);
    }
    assert_int_equal(peer_requests(f->p)->len, N);
    assert_in_range(peer_connections(f->p), 1, LIMIT);
}

static void those_that_may_last_do_not_keep_others_waiting(void **state)
{
    struct fixture *f = *state;
    enum { N = 20 };
    struct result lasting[N];
    for (int i = 0; i < N; i++) {
        peer_reply(f->p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", PEER_KEEP);
        begin(f, &lasting[i], (struct http_request){ .quiet_ok = true }, true);
    }
    bool later = false;
    struct loop_timer *timer;
    while (peer_requests(f->p)->len < N) {
        later = false;
        loop_after(&timer, f->l, 1, set_flag, &later);
        assert_true(loop_wait(f->l, &later));
    }
    peer_answer(f->p, 200, "ok");
    struct result r = request(f, (struct http_request){ 0 }, false);
    assert_string_equal(r.body.buf, "ok");
    result_clear(&r);
    for (int i = 0; i < N; i++) {
        assert_false(lasting[i].done);
        result_clear(&lasting[i]);
    }
}

static void children_do_not_inherit_connections(void **state)
{
    struct fixture *f = *state;
    peer_answer(f->p, 200, "ok"); /* which keeps the connection */
    struct result r = request(f, (struct http_request){ 0 }, false);
    int found = 0;
    for (int fd = 3; fd < 64; fd++) {
        struct sockaddr_un address = { 0 };
        socklen_t len = sizeof(address);
        if (getpeername(fd, (struct sockaddr *)&address, &len) < 0 ||
            strcmp(address.sun_path, f->path) != 0)
            continue;
        found++;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    assert_int_equal(found, 1);
    result_clear(&r);
}

/* --- ending early --- */

static void a_cancelled_request_does_not_report(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p, "", PEER_KEEP);
    peer_answer(f->p, 200, "ok");
    struct result unsent, sent, other;
    http_cancel(begin(f, &unsent, (struct http_request){ 0 }, false));
    struct http_call *c = begin(f, &sent, (struct http_request){ 0 }, false);
    while (peer_requests(f->p)->len < 1) {
        bool later = false;
        struct loop_timer *timer;
        loop_after(&timer, f->l, 1, set_flag, &later);
        assert_true(loop_wait(f->l, &later));
    }
    http_cancel(c);
    begin(f, &other, (struct http_request){ 0 }, false);
    assert_true(loop_wait(f->l, &other.done));
    assert_string_equal(other.body.buf, "ok");
    assert_int_equal(unsent.count + sent.count, 0);
    result_clear(&unsent);
    result_clear(&sent);
    result_clear(&other);
}

struct selfish {
    struct fixture *f;
    struct http_call *victims[3];
    struct result results[3];
    int pieces;
    bool done;
};

static bool hold_it(void *ctx, const char *data, size_t len)
{
    struct selfish *s = ctx;
    (void)data, (void)len;
    s->pieces++;
    http_hold(s->victims[0], true);
    return true;
}

static void set_done(void *ctx, const struct http_response *r, const struct error *err)
{
    struct selfish *s = ctx;
    assert_non_null(r);
    assert_null(err);
    s->done = true;
}

static void the_reader_may_keep_the_peer_waiting(void **state)
{
    struct fixture *f = *state;
    struct selfish s = { .f = f };
    struct str reply = STR_INIT;
    enum { BODY = 1 << 20, AT_ONCE = 64 << 10 };
    str_addf(&reply, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY);
    while (reply.len < BODY + 100)
        str_addc(&reply, 'x');
    peer_reply(f->p, reply.buf, PEER_CLOSE);
    struct http_request rq = { .method = "GET", .path = "/x", .silence_ms = 250 };
    struct http_handlers hd = { .on_data = hold_it, .done = set_done, .ctx = &s };
    s.victims[0] = http_start(f->h, &rq, &hd);
    int turns = 0;
    while (!s.done) {
        int before = s.pieces;
        bool later = false;
        struct loop_timer *timer;
        loop_after(&timer, f->l, turns == 1 ? 500 : 1, set_flag, &later);
        assert_true(loop_wait(f->l, &later));
        assert_in_range(s.pieces - before, 0, 1);
        if (!s.done)
            http_hold(s.victims[0], false);
        turns++;
    }
    assert_true(s.pieces >= BODY / AT_ONCE);
    str_clear(&reply);
}

static void the_reader_may_end_a_transfer(void **state)
{
    struct fixture *f = *state;
    peer_reply(f->p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
               PEER_KEEP);
    struct result r;
    begin(f, &r, (struct http_request){ .quiet_ok = true }, true);
    r.data_limit = 1;
    assert_true(loop_wait(f->l, &r.done));
    assert_int_equal(r.err.kind, ERR_CANCELED);
    assert_string_equal(r.body.buf, "one");
    result_clear(&r);
}

static bool cancel_everything(void *ctx, const char *data, size_t len)
{
    struct selfish *s = ctx;
    (void)data, (void)len;
    for (int i = 0; i < 3; i++)
        http_cancel(s->victims[i]);
    s->done = true;
    return true;
}

static void not_reached(void *ctx, const struct http_response *r, const struct error *err)
{
    (void)ctx, (void)r, (void)err;
    fail_msg("a cancelled request reported");
}

static void a_callback_may_cancel_others_and_its_own(void **state)
{
    struct fixture *f = *state;
    struct selfish s = { .f = f };
    peer_reply(f->p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
               PEER_KEEP);
    struct http_request rq = { .method = "GET", .path = "/self", .quiet_ok = true };
    struct http_handlers hd = { .on_data = cancel_everything, .done = not_reached, .ctx = &s };
    s.victims[0] = http_start(f->h, &rq, &hd);
    s.victims[1] = begin(f, &s.results[1], (struct http_request){ 0 }, false);
    s.victims[2] = begin(f, &s.results[2], (struct http_request){ 0 }, false);
    assert_true(loop_wait(f->l, &s.done));
    bool never = false;
    struct loop_timer *timer;
    loop_after(&timer, f->l, 5, set_flag, &never);
    assert_true(loop_wait(f->l, &never));
    assert_int_equal(s.results[1].count + s.results[2].count, 0);
    result_clear(&s.results[1]);
    result_clear(&s.results[2]);
}

static bool close_all(void *ctx, const char *data, size_t len)
{
    struct selfish *s = ctx;
    (void)data, (void)len;
    http_close(s->f->h);
    s->f->h = NULL;
    s->done = true;
    return true;
}

static void a_callback_may_close_the_peer(void **state)
{
    struct fixture *f = *state;
    struct selfish s = { .f = f };
    peer_answer(f->p, 200, "ok");
    struct http_request rq = { .method = "GET", .path = "/close" };
    struct http_handlers hd = { .on_data = close_all, .done = not_reached, .ctx = &s };
    http_start(f->h, &rq, &hd);
    assert_true(loop_wait(f->l, &s.done));
    assert_null(f->h);
}

/* --- uploads --- */

struct source {
    struct http_call *call;
    struct loop *l;
    struct loop_timer *timer;
    int pieces; /* still to come */
    bool ready;
    bool abort;
};

static void more(void *ctx)
{
    struct source *s = ctx;
    s->ready = true;
    http_resume(s->call);
}

/* Every piece comes a turn later than it is asked for. */
static long produce(void *ctx, char *buf, size_t max)
{
    struct source *s = ctx;
    assert_true(max >= 5);
    if (s->abort)
        return HTTP_UPLOAD_ABORT;
    if (s->pieces == 0)
        return 0;
    if (!s->ready) {
        if (!s->timer)
            loop_after(&s->timer, s->l, 0, more, s);
        return HTTP_UPLOAD_LATER;
    }
    s->ready = false;
    s->pieces--;
    memcpy(buf, "piece", 5);
    return 5;
}

static void uploads_come_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct source s = { .l = f->l, .pieces = 3 };
    struct http_upload upload = { .read = produce, .ctx = &s };
    peer_answer(f->p, 200, "thanks");
    struct result r;
    s.call = begin(f, &r, (struct http_request){ .method = "PUT", .upload = &upload }, false);
    assert_true(loop_wait(f->l, &r.done));
    assert_null(r.err.msg);
    assert_string_equal(r.body.buf, "thanks");
    const char *sent = peer_requests(f->p)->items[0];
    assert_true(str_starts(sent, "PUT /x HTTP/1.1\r\n"));
    assert_non_null(strcasestr(sent, "\r\nTransfer-Encoding: chunked\r\n"));
    assert_true(str_ends(sent, "\r\n5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n"));
    result_clear(&r);
}

static void an_upload_may_give_up(void **state)
{
    struct fixture *f = *state;
    struct source s = { .l = f->l, .abort = true };
    struct http_upload upload = { .read = produce, .ctx = &s };
    struct result r =
        request(f, (struct http_request){ .method = "POST", .upload = &upload }, false);
    assert_int_equal(r.err.kind, ERR_CANCELED);
    result_clear(&r);
}

static void refusals_in_their_own_words(void **state)
{
    (void)state;
    static const struct {
        const char *body, *want;
    } cases[] = {
        { "{\"message\":\"No such container: x\"}\n", "No such container: x" },
        { "{\"message\":\"ends in a stop.\\n\"}", "ends in a stop" },
        { "client version 1.11 is too old.\nmore", "client version 1.11 is too old." },
        { "", "HTTP status 500" },
        { "{\"other\":1}", "HTTP status 500" },
        { "{\"message\":\"\"}", "HTTP status 500" },
    };
    for (size_t i = 0; i < countof(cases); i++) {
        auto_free char *got = http_refusal(500, cases[i].body, strlen(cases[i].body));
        assert_string_equal(got, cases[i].want);
    }
}

#define WITH_PEER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define BOTH(test) WITH_PEER(test), cmocka_unit_test_setup_teardown(test, setup_tcp, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_answer_with_headers_and_body),
        BOTH(methods_and_bodies_are_sent_as_given),
        BOTH(errors_have_a_body_even_where_data_is_streamed),
        BOTH(no_body_is_waited_for_with_304),
        BOTH(chunks_are_joined_and_trailers_ignored),
        BOTH(provisional_answers_are_skipped),
        BOTH(redirects_are_not_followed),
        BOTH(connections_that_break),
        BOTH(answers_that_are_not_http),
        BOTH(bodies_have_a_limit),
        BOTH(headers_have_a_limit),
        BOTH(silence_has_a_limit),
        BOTH(silence_may_be_normal_once_the_headers_came),
        WITH_PEER(nobody_listens),
        BOTH(connections_are_kept_for_reading_and_never_for_changes),
        BOTH(a_kept_connection_may_be_dead),
        BOTH(at_most_so_many_at_a_time),
        BOTH(those_that_may_last_do_not_keep_others_waiting),
        WITH_PEER(children_do_not_inherit_connections),
        BOTH(a_cancelled_request_does_not_report),
        BOTH(the_reader_may_keep_the_peer_waiting),
        BOTH(the_reader_may_end_a_transfer),
        BOTH(a_callback_may_cancel_others_and_its_own),
        BOTH(a_callback_may_close_the_peer),
        BOTH(uploads_come_in_pieces),
        BOTH(an_upload_may_give_up),
        cmocka_unit_test(refusals_in_their_own_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
