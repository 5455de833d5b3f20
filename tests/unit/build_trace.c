/* BuildKit's progress messages: decoded, cut, and wrong. */
#include "unit.h"

#include "base/str.h"
#include "build/trace.h"

/* Wire form, written here: (number, 2) length bytes; (number, 0) varint. */
static void add_varint(struct str *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        str_addc(out, (char)(value | 128));
    str_addc(out, (char)value);
}

static void add_bytes(struct str *out, unsigned number, const char *data, size_t len)
{
    add_varint(out, number << 3 | 2);
    add_varint(out, len);
    str_addn(out, data, len);
}

static void add_text(struct str *out, unsigned number, const char *text)
{
    add_bytes(out, number, text, strlen(text));
}

static void add_number(struct str *out, unsigned number, uint64_t value)
{
    add_varint(out, number << 3);
    add_varint(out, value);
}

static void on_vertex(void *ctx, const struct trace_vertex *v)
{
    str_addf(ctx, "vertex %s '%s'%s%s%s error '%s'\n", v->digest, v->name,
             v->cached ? " cached" : "", v->started ? " started" : "",
             v->completed ? " completed" : "", v->error);
}

static void on_status(void *ctx, const struct trace_status *s)
{
    str_addf(ctx, "status %s of %s %lld/%lld\n", s->id, s->vertex, (long long)s->current,
             (long long)s->total);
}

static void on_log(void *ctx, const struct trace_log *l)
{
    str_addf(ctx, "log %s '%.*s' %zu\n", l->vertex, (int)l->len, l->data, l->len);
}

static int decode(struct str *said, const char *data, size_t len)
{
    const struct trace_handlers hd = { on_vertex, on_status, on_log, said };
    auto_error struct error err = ERROR_INIT;
    int result = trace_decode((const uint8_t *)data, len, &hd, &err);
    assert_true(result == 0 || err.kind == ERR_PROTOCOL);
    return result;
}

/* One of each, with fields that are not known here in between. */
static struct str message(void)
{
    struct str out = STR_INIT, part = STR_INIT;
    add_text(&part, 1, "sha256:a");
    add_text(&part, 2, "sha256:input");
    add_text(&part, 3, "[1/2] RUN make");
    add_number(&part, 4, 1);
    add_bytes(&part, 5, "\x08\x01", 2);
    add_bytes(&part, 6, "", 0);
    add_text(&part, 7, "exit code: 3");
    add_text(&part, 8, "group");
    add_bytes(&out, 1, part.buf, part.len);
    str_truncate(&part, 0);
    add_text(&part, 1, "layer");
    add_text(&part, 2, "sha256:a");
    add_number(&part, 4, 5);
    add_number(&part, 5, UINT64_C(1) << 40);
    str_addn(&part, "\x61xxxxxxxx\x6dxxxx", 14); /* 12: fixed64, 13: fixed32 */
    add_bytes(&out, 2, part.buf, part.len);
    str_truncate(&part, 0);
    add_text(&part, 1, "sha256:a");
    add_number(&part, 3, 2);
    add_bytes(&part, 4, "out\n", 4);
    add_bytes(&out, 3, part.buf, part.len);
    add_text(&out, 4, "a warning");
    add_number(&out, 1, 7); /* not what its number says */
    str_clear(&part);
    return out;
}

static void all_three_kinds(void **state)
{
    (void)state;
    auto_str struct str m = message(), said = STR_INIT;
    assert_int_equal(decode(&said, m.buf, m.len), 0);
    assert_string_equal(
        said.buf, "vertex sha256:a '[1/2] RUN make' cached started completed error 'exit code: 3'\n"
                  "status layer of sha256:a 5/1099511627776\n"
                  "log sha256:a 'out\n' 4\n");
}

static void nothing(void **state)
{
    (void)state;
    auto_str struct str said = STR_INIT;
    assert_int_equal(decode(&said, "", 0), 0);
    assert_int_equal(said.len, 0);
}

static void cut_anywhere(void **state)
{
    (void)state;
    auto_str struct str m = message(), said = STR_INIT;
    size_t whole = 0;
    for (size_t len = 0; len < m.len; len++) {
        char *copy = malloc(len + 1);
        memcpy(copy, m.buf, len);
        whole += decode(&said, copy, len) == 0;
        free(copy);
    }
    assert_int_equal(whole, 5); /* before each of the five fields */
}

static void wrong_bytes(void **state)
{
    (void)state;
    auto_str struct str said = STR_INIT;
    static const char endless[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    static const char too_long[] = "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    static const char group[] = "\x0b";
    assert_int_equal(decode(&said, endless, sizeof(endless) - 1), -1);
    assert_int_equal(decode(&said, too_long, sizeof(too_long) - 1), -1);
    assert_int_equal(decode(&said, group, sizeof(group) - 1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_three_kinds),
        cmocka_unit_test(nothing),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(wrong_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
