/* Lines and JSON values out of a stream. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "net/lines.h"

static void on_line(void *ctx, const char *line, size_t len)
{
    str_addf(ctx, "[%.*s]", (int)len, line);
}

static void on_json(void *ctx, json_t *value)
{
    auto_free char *text = json_dumps(value, JSON_COMPACT);
    str_addf(ctx, "<%s>", text);
}

typedef int feed_fn(struct lines *s, const char *data, size_t len, struct str *out,
                    struct error *err);

static int feed_lines(struct lines *s, const char *data, size_t len, struct str *out,
                      struct error *err)
{
    return lines_feed(s, data, len, on_line, out, err);
}

static int feed_json(struct lines *s, const char *data, size_t len, struct str *out,
                     struct error *err)
{
    return lines_feed_json(s, data, len, on_json, out, err);
}

/* The same text in one piece, and in two at every place, and byte by byte. */
static void check(feed_fn *feed, const char *text, const char *want, const char *rest)
{
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len + 1; cut++) {
        auto_str struct str out = STR_INIT;
        auto_error struct error err = ERROR_INIT;
        struct lines s = LINES_INIT;
        int rc = 0;
        if (cut <= len) {
            rc = feed(&s, text, cut, &out, &err) || feed(&s, text + cut, len - cut, &out, &err);
        } else {
            for (size_t i = 0; i < len && rc == 0; i++)
                rc = feed(&s, text + i, 1, &out, &err);
        }
        assert_int_equal(rc, 0);
        assert_string_equal(out.buf, want);
        assert_string_equal(s.rest.buf, rest);
        lines_clear(&s);
    }
}

static void lines_are_cut_at_newlines(void **state)
{
    (void)state;
    check(feed_lines, "one\ntwo\r\n\nthree", "[one][two][]", "three");
    check(feed_lines, "", "", "");
    check(feed_lines, "\n", "[]", "");
}

static void values_end_where_their_brackets_close(void **state)
{
    (void)state;
    check(feed_json, "{\"a\":1}\r\n{\"b\":[{}]} [1]\n{\"c\"", "<{\"a\":1}><{\"b\":[{}]}><[1]>",
          "{\"c\"");
    check(feed_json, "{\"a\":1}{\"b\":2}", "<{\"a\":1}><{\"b\":2}>", "");
    check(feed_json, " \n\t", "", "");
}

static void brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    check(feed_json, "{\"a\":\"}\\\"{\\\\\"}{\"b\":\"]\"}",
          "<{\"a\":\"}\\\"{\\\\\"}><{\"b\":\"]\"}>", "");
}

static int feed_once(feed_fn *feed, const char *text, struct error *err)
{
    auto_str struct str out = STR_INIT;
    struct lines s = LINES_INIT;
    int rc = feed(&s, text, strlen(text), &out, err);
    lines_clear(&s);
    return rc;
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "client version 1.52 is too new", "}", "\"x\"", "{]", "{\"a\":1}x{}", "{a}", "[1}"
    };
    for (size_t i = 0; i < countof(texts); i++) {
        auto_error struct error err = ERROR_INIT;
        assert_int_equal(feed_once(feed_json, texts[i], &err), -1);
        assert_int_equal(err.kind, ERR_PROTOCOL);
    }
}

/* Feeds '[' or "{" and filler until it is refused; returns the bytes that were taken. */
static size_t feed_for_ever(feed_fn *feed, const char *begin)
{
    auto_str struct str out = STR_INIT;
    auto_error struct error err = ERROR_INIT;
    struct lines s = LINES_INIT;
    char filler[1 << 16];
    memset(filler, 'x', sizeof(filler));
    assert_int_equal(feed(&s, begin, strlen(begin), &out, &err), 0);
    size_t taken = 0;
    while (taken < 4 * LINES_MAX && feed(&s, filler, sizeof(filler), &out, &err) == 0)
        taken += sizeof(filler);
    assert_int_equal(err.kind, ERR_PROTOCOL);
    lines_clear(&s);
    return taken;
}

static void nothing_grows_beyond_its_limit(void **state)
{
    (void)state;
    assert_in_range(feed_for_ever(feed_lines, ""), LINES_MAX / 2, LINES_MAX);
    assert_in_range(feed_for_ever(feed_json, "{\""), LINES_MAX / 2, LINES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_at_newlines),
        cmocka_unit_test(values_end_where_their_brackets_close),
        cmocka_unit_test(brackets_in_strings_do_not_count),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nothing_grows_beyond_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
