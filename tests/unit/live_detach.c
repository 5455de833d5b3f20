/* The keys that detach. */
#include "unit.h"

#include "live/detach.h"

static void keys_are_read_as_docker_writes_them(void **state)
{
    (void)state;
    struct detach d;
    assert_int_equal(detach_parse(&d, NULL, NULL), 0);
    assert_int_equal(d.nkeys, 2);
    assert_memory_equal(d.keys, "\x10\x11", 2);
    assert_int_equal(detach_parse(&d, "", NULL), 0);
    assert_memory_equal(d.keys, "\x10\x11", 2);
    assert_int_equal(detach_parse(&d, "ctrl-A,x,ctrl-],ctrl-@,DEL,ctrl-_", NULL), 0);
    assert_int_equal(d.nkeys, 6);
    assert_memory_equal(d.keys, "\x01x\x1d\x00\x7f\x1f", 6);
}

static void keys_that_there_are_not(void **state)
{
    (void)state;
    static const char *const wrong[] = { "ctrl-", "ctrl-1",        "ctrl-ab",          "escape",
                                         ",",     "ctrl-\xc3\xa4", "a,b,c,d,e,f,g,h,i" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        auto_error struct error err = ERROR_INIT;
        struct detach d;
        assert_int_equal(detach_parse(&d, wrong[i], &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

/* What passes when `typed` comes in pieces of so many bytes; "!" at the end: the keys were typed.
 */
static const char *passed(const char *keys, const char *typed, size_t piece)
{
    static char out[64];
    unsigned char some[64];
    size_t n = 0, len = strlen(typed);
    bool complete = false;
    struct detach d;
    assert_int_equal(detach_parse(&d, keys, NULL), 0);
    for (size_t i = 0; i < len && !complete; i += piece) {
        size_t more = len - i < piece ? len - i : piece;
        size_t got = detach_filter(&d, &complete, some, (const unsigned char *)typed + i, more);
        memcpy(out + n, some, got);
        n += got;
    }
    if (complete)
        out[n++] = '!';
    out[n] = 0;
    return out;
}

static void only_the_keys_are_held_back(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 10; piece++) {
        assert_string_equal(passed("a,b", "xyz", piece), "xyz");
        assert_string_equal(passed("a,b", "xab", piece), "x!");
        assert_string_equal(passed("a,b", "aacab", piece), "aac!");
        assert_string_equal(passed("a,b", "xa", piece), "x"); /* it may still become them */
        assert_string_equal(passed("a,b", "abmore", piece), "!");
        /* The keys begin in the middle of what looked like them. */
        assert_string_equal(passed("a,a,b", "aaab", piece), "a!");
        assert_string_equal(passed("a,b,a,c", "ababac", piece), "ab!");
        assert_string_equal(passed("q", "wq", piece), "w!");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_read_as_docker_writes_them),
        cmocka_unit_test(keys_that_there_are_not),
        cmocka_unit_test(only_the_keys_are_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
