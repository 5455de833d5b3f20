/* Frames of stdout and stderr. */
#include "unit.h"

#include "base/str.h"
#include "engine/frames.h"

#define OUT(n) "\1\0\0\0\0\0\0" n
#define ERR(n) "\2\0\0\0\0\0\0" n

struct seen {
    struct str text;
    int last;
};

static void on_frame(void *ctx, int stream, const char *data, size_t len)
{
    struct seen *s = ctx;
    if (stream != s->last)
        str_addf(&s->text, "|%d:", stream);
    s->last = stream;
    str_addn(&s->text, data, len);
}

static void frames_may_be_cut_anywhere(void **state)
{
    (void)state;
    static const char stream[] = OUT("\5") "hello" ERR("\3") "bad" ERR("\0") OUT("\2") "ok";
    for (size_t cut = 0; cut < sizeof(stream); cut++) {
        struct frames f = FRAMES_INIT;
        struct seen s = { .text = STR_INIT, .last = -1 };
        assert_int_equal(frames_feed(&f, stream, cut, on_frame, &s, NULL), 0);
        assert_int_equal(
            frames_feed(&f, stream + cut, sizeof(stream) - 1 - cut, on_frame, &s, NULL), 0);
        assert_string_equal(s.text.buf, "|1:hello|2:bad|1:ok");
        str_clear(&s.text);
    }
}

static void the_engines_own_words_are_stderr(void **state)
{
    (void)state;
    struct frames f = FRAMES_INIT;
    struct seen s = { .text = STR_INIT, .last = -1 };
    assert_int_equal(frames_feed(&f, "\3\0\0\0\0\0\0\4oops", 12, on_frame, &s, NULL), 0);
    assert_string_equal(s.text.buf, "|2:oops");
    str_clear(&s.text);
}

static void long_frames_are_not_kept(void **state)
{
    (void)state;
    struct frames f = FRAMES_INIT;
    struct seen s = { .text = STR_INIT, .last = -1 };
    assert_int_equal(frames_feed(&f, "\1\0\0\0\377\377\377\377abc", 11, on_frame, &s, NULL), 0);
    assert_string_equal(s.text.buf, "|1:abc");
    assert_true(f.left == UINT32_MAX - 3);
    str_clear(&s.text);
}

static void what_is_no_header_is_refused(void **state)
{
    (void)state;
    static const char *const headers[] = { "\4\0\0\0\0\0\0\1", "\1\0\0\1\0\0\0\1", "plain te" };
    for (size_t i = 0; i < 3; i++) {
        auto_error struct error err = ERROR_INIT;
        struct frames f = FRAMES_INIT;
        struct seen s = { .text = STR_INIT };
        assert_int_equal(frames_feed(&f, headers[i], 8, on_frame, &s, &err), -1);
        assert_int_equal(err.kind, ERR_PROTOCOL);
        assert_int_equal(s.text.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_may_be_cut_anywhere),
        cmocka_unit_test(the_engines_own_words_are_stderr),
        cmocka_unit_test(long_frames_are_not_kept),
        cmocka_unit_test(what_is_no_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
