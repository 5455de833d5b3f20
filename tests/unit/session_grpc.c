/* gRPC calls, by a client of it in the same process. */
#include "unit.h"

#include "../support/caller.h"
#include "base/mem.h"

struct fixture {
    struct grpc *g;
    struct caller *c;
    unsigned began, messages, ends, rooms, gone;
    size_t last_len;
};

static void on_begin(struct grpc_call *call)
{
    ((struct fixture *)grpc_ctx(call))->began++;
    grpc_set_state(call, xstrdup("state"));
}

/* What comes goes back, with the value of the metadata "mark" where there is one. */
static void on_message(struct grpc_call *call, const uint8_t *data, size_t len)
{
    struct fixture *f = grpc_ctx(call);
    const char *mark = grpc_metadata(call, "mark", 1);
    assert_string_equal(grpc_state(call), "state");
    f->messages++;
    f->last_len = len;
    if (mark)
        grpc_send(call, mark, strlen(mark));
    grpc_send(call, data, len);
}

static void on_end(struct grpc_call *call)
{
    ((struct fixture *)grpc_ctx(call))->ends++;
    grpc_finish(call, GRPC_OK, NULL);
    grpc_finish(call, GRPC_INTERNAL, "ignored");
    grpc_send(call, "ignored", 7);
}

static void on_room(struct grpc_call *call)
{
    ((struct fixture *)grpc_ctx(call))->rooms++;
}

static void on_gone(struct grpc_call *call)
{
    ((struct fixture *)grpc_ctx(call))->gone++;
    free(grpc_state(call));
}

static const struct grpc_method echo = { "/x.Echo/Say", on_begin, on_message,
                                         on_end,        on_room,  on_gone };

static void refuse(struct grpc_call *call, const uint8_t *data, size_t len)
{
    (void)data, (void)len;
    grpc_finish(call, GRPC_NOT_FOUND, "100% \n\xc3\xa9");
}

static const struct grpc_method refusing = { .path = "/x.Echo/Refuse", .message = refuse };

static int setup(void **state)
{
    struct fixture *f = xnew(struct fixture);
    *state = f;
    if (grpc_open(&f->g, NULL) < 0)
        return -1;
    f->c = caller_new();
    grpc_serve(f->g, &echo, f);
    grpc_serve(f->g, &refusing, f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    grpc_free(f->g);
    caller_free(f->c);
    assert_int_equal(f->began, f->gone);
    free(f);
    return 0;
}

static void assert_message(const struct call *call, size_t *at, const char *text)
{
    size_t len = 0;
    const char *m = caller_message(call, at, &len);
    assert_non_null(m);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(m, text, len);
}

static void messages_come_whole_however_they_are_cut(void **state)
{
    static const size_t pieces[] = { 1, 2, 7, 100000 };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(pieces); i++) {
        const char *const metadata[] = { "mark", "first", "mark", "second", NULL };
        struct call *call = caller_start(f->c, echo.path, metadata);
        size_t at = 0;
        caller_send(call, "one", 3);
        caller_send(call, "", 0);
        caller_send(call, "three", 5);
        caller_end(call);
        assert_int_equal(caller_exchange(f->c, f->g, pieces[i]), 0);
        assert_message(call, &at, "second");
        assert_message(call, &at, "one");
        assert_message(call, &at, "second");
        assert_message(call, &at, "");
        assert_message(call, &at, "second");
        assert_message(call, &at, "three");
        assert_int_equal(at, call->in.len);
        assert_int_equal(call->status, GRPC_OK);
        assert_true(call->closed);
        assert_int_equal(f->gone, i + 1);
    }
}

static void what_is_not_served_says_so(void **state)
{
    struct fixture *f = *state;
    struct call *call = caller_start(f->c, "/x.Other/Say", NULL);
    caller_send(call, "x", 1);
    assert_int_equal(caller_exchange(f->c, f->g, 100), 0);
    assert_int_equal(call->status, GRPC_UNIMPLEMENTED);
    assert_int_equal(f->began, 0);
    assert_string_equal(grpc_served(f->g, 0), "/x.Echo/Say");
    assert_null(grpc_served(f->g, 2));
}

static void a_refusal_has_its_words(void **state)
{
    struct fixture *f = *state;
    struct call *call = caller_start(f->c, refusing.path, NULL);
    caller_send(call, "x", 1);
    caller_send(call, "more that nobody reads", 22);
    caller_end(call);
    assert_int_equal(caller_exchange(f->c, f->g, 100), 0);
    assert_int_equal(call->status, GRPC_NOT_FOUND);
    assert_string_equal(call->message, "100%25 %0A%C3%A9");
    assert_int_equal(call->in.len, 0);
}

static void messages_that_are_not_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum grpc_code code;
    } cases[] = {
        { "\1\0\0\0\1x", 6, GRPC_UNIMPLEMENTED },       /* compressed */
        { "\0\0\x40\0\1", 5, GRPC_RESOURCE_EXHAUSTED }, /* 4 MB and 1 */
        { "\0\xff\xff\xff\xff", 5, GRPC_RESOURCE_EXHAUSTED },
        { "\0\0\0\0\5four", 9, GRPC_INVALID_ARGUMENT }, /* ends within */
        { "\0\0", 2, GRPC_INVALID_ARGUMENT },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < countof(cases); i++) {
        struct call *call = caller_start(f->c, echo.path, NULL);
        caller_send_raw(call, cases[i].bytes, cases[i].len);
        caller_end(call);
        assert_int_equal(caller_exchange(f->c, f->g, 3), 0);
        assert_int_equal(call->status, cases[i].code);
    }
    assert_int_equal(f->messages, 0);
}

static void the_longest_message_there_and_back(void **state)
{
    struct fixture *f = *state;
    auto_free char *big = xcalloc(1, GRPC_MAX_MESSAGE);
    struct call *call = caller_start(f->c, echo.path, NULL);
    big[GRPC_MAX_MESSAGE - 1] = 'z';
    caller_send(call, big, GRPC_MAX_MESSAGE);
    caller_end(call);
    assert_int_equal(caller_exchange(f->c, f->g, 100000), 0);
    assert_int_equal(f->last_len, GRPC_MAX_MESSAGE);
    assert_int_equal(call->in.len, 5 + GRPC_MAX_MESSAGE);
    assert_int_equal(call->in.buf[call->in.len - 1], 'z');
    assert_int_equal(call->status, GRPC_OK);
    assert_int_equal(f->rooms, 0); /* nobody is told who has finished */
}

static void a_reader_that_stops_gets_no_more(void **state)
{
    struct fixture *f = *state;
    auto_free char *big = xcalloc(1, 1 << 20);
    struct call *call = caller_start(f->c, echo.path, NULL);
    caller_stop_reading(f->c);
    caller_send(call, big, 1 << 20);
    assert_int_equal(caller_exchange(f->c, f->g, 100000), 0);
    assert_int_equal(call->in.len, 65535);
    assert_int_equal(f->rooms, 0);
    caller_go_on_reading(f->c);
    assert_int_equal(caller_exchange(f->c, f->g, 100000), 0);
    assert_int_equal(call->in.len, 5 + (1 << 20));
    assert_int_equal(f->rooms, 1);
}

static void a_call_that_is_taken_back(void **state)
{
    struct fixture *f = *state;
    struct call *call = caller_start(f->c, echo.path, NULL);
    caller_send(call, "x", 1);
    assert_int_equal(caller_exchange(f->c, f->g, 100), 0);
    assert_int_equal(f->gone, 0);
    caller_reset(call);
    assert_int_equal(caller_exchange(f->c, f->g, 100), 0);
    assert_int_equal(f->gone, 1);
    assert_int_equal(f->ends, 0);
}

static void many_calls_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct call *calls[H2_MAX_STREAMS + 20];
    for (size_t i = 0; i < countof(calls); i++) {
        calls[i] = caller_start(f->c, echo.path, NULL);
        caller_send(calls[i], "x", 1);
    }
    assert_int_equal(caller_exchange(f->c, f->g, 1000), 0);
    assert_int_equal(f->began, H2_MAX_STREAMS);
    for (size_t i = 0; i < countof(calls); i++)
        caller_end(calls[i]);
    assert_int_equal(caller_exchange(f->c, f->g, 1000), 0);
    for (size_t i = 0; i < countof(calls); i++)
        assert_int_equal(calls[i]->status, GRPC_OK);
}

static void heads_that_are_too_long(void **state)
{
    struct fixture *f = *state;
    auto_free char *long_value = xcalloc(1, 60001);
    memset(long_value, 'v', 60000);
    const char *metadata[2 * 20 + 1] = { NULL };
    for (size_t i = 0; i < 20; i++) {
        metadata[2 * i] = "mark";
        metadata[2 * i + 1] = long_value;
    }
    struct call *call = caller_start(f->c, echo.path, metadata);
    caller_send(call, "x", 1);
    caller_exchange(f->c, f->g, 100000);
    assert_int_equal(f->began, 0);
    assert_true(call->closed || call->status < 0);
}

static void bytes_that_are_no_http2(void **state)
{
    static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n",
                                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\n" };
    for (size_t i = 0; i < countof(texts); i++) {
        auto_(grpc_freep) struct grpc *g = NULL;
        auto_error struct error err = ERROR_INIT;
        assert_int_equal(grpc_open(&g, NULL), 0);
        assert_int_equal(grpc_feed(g, texts[i], strlen(texts[i]), &err), -1);
        assert_int_equal(err.kind, ERR_PROTOCOL);
    }
    (void)state;
}

#define CALLED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALLED(messages_come_whole_however_they_are_cut),
        CALLED(what_is_not_served_says_so),
        CALLED(a_refusal_has_its_words),
        CALLED(messages_that_are_not_read),
        CALLED(the_longest_message_there_and_back),
        CALLED(a_reader_that_stops_gets_no_more),
        CALLED(a_call_that_is_taken_back),
        CALLED(many_calls_at_a_time),
        CALLED(heads_that_are_too_long),
        cmocka_unit_test(bytes_that_are_no_http2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
