/* Reading files as text. */
#include "unit.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "text/source.h"

static void put(const char *name, const void *bytes, size_t len)
{
    auto_fclose FILE *f = fopen(name, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
}

static void assert_source(const char *bytes, size_t len, const char *text)
{
    auto_(arena_freep) struct arena *a = arena_new();
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;

    put("f", bytes, len);
    assert_int_equal(source_read(&src, a, "f", &err), 0);
    assert_string_equal(src->text, text);
    assert_int_equal(src->len, strlen(text));
}

static void assert_refused(const char *bytes, size_t len, const char *message)
{
    auto_(arena_freep) struct arena *a = arena_new();
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;

    put("f", bytes, len);
    assert_int_equal(source_read(&src, a, "f", &err), -1);
    assert_null(src);
    assert_int_equal(err.kind, ERR_INPUT);
    if (!strstr(err.msg, message))
        fail_msg("expected '%s' in: %s", message, err.msg);
}

static void text_is_read_with_its_names(void **state)
{
    auto_(arena_freep) struct arena *a = arena_new();
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;
    char path[PATH_MAX];

    put("f.yaml", "a: 1\r\n", 6);
    assert_int_equal(source_read(&src, a, "f.yaml", &err), 0);
    snprintf(path, sizeof(path), "%s/f.yaml", (char *)*state);
    assert_string_equal(src->path, path);
    assert_string_equal(src->shown, "f.yaml");
    assert_string_equal(src->text, "a: 1\r\n");
}

static void encodings_become_utf8(void **state)
{
    (void)state;
    assert_source("", 0, "");
    assert_source("\xEF\xBB\xBF"
                  "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
                  13, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_source("\xFE\xFF\0a\0\xE9\x20\xAC\xD8\x3D\xDE\x00", 12,
                  "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_source("\xFF\xFE"
                  "a\0\xE9\0\xAC\x20\x3D\xD8\x00\xDE",
                  12, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

static void other_bytes_are_refused_with_their_place(void **state)
{
    (void)state;
    assert_refused("a\n\xC3\xA9 \xE9t", 7, "f:2:3: byte 0xe9 is not UTF-8");
    assert_refused("\xC0\xAF", 2, "f:1:1: byte 0xc0");         /* overlong */
    assert_refused("\xE0\x80\xAF", 3, "f:1:1: byte 0xe0");     /* overlong */
    assert_refused("\xED\xA0\x80", 3, "f:1:1: byte 0xed");     /* a surrogate */
    assert_refused("\xF4\x90\x80\x80", 4, "f:1:1: byte 0xf4"); /* past Unicode */
    assert_refused("x\xE2\x82", 3, "f:1:2: byte 0xe2");        /* cut */
    assert_refused("\xFE\xFF\xD8\x3D\0a", 6, "not valid UTF-16");
    assert_refused("\xFF\xFE"
                   "a",
                   3, "not valid UTF-16");
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;

    assert_int_equal(source_read(&src, a, "missing", &err), -1);
    assert_non_null(strstr(err.msg, "missing"));
    assert_null(src);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;
    auto_close int fd = open("big", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_int_equal(ftruncate(fd, SOURCE_MAX_BYTES + 1), 0);
    assert_int_equal(source_read(&src, a, "big", &err), -1);
    assert_null(src);
}

static void offsets_become_positions(void **state)
{
    (void)state;
    auto_(arena_freep) struct arena *a = arena_new();
    const struct source *src = source_from_text(a, "-", "\xC3\xA9x\nyz", 6);

    assert_string_equal(src->shown, "<stdin>");
    assert_string_equal(src->path, "-");
    assert_int_equal(source_span(src, 0).column, 1);
    assert_int_equal(source_span(src, 2).column, 2);
    assert_int_equal(source_span(src, 5).line, 2);
    assert_int_equal(source_span(src, 5).column, 2);
    assert_int_equal(source_span(src, 99).line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_is_read_with_its_names, unit_dir_make,
                                        unit_dir_remove),
        cmocka_unit_test_setup_teardown(encodings_become_utf8, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(other_bytes_are_refused_with_their_place, unit_dir_make,
                                        unit_dir_remove),
        cmocka_unit_test_setup_teardown(a_missing_file_is_an_error, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(too_much_is_refused, unit_dir_make, unit_dir_remove),
        cmocka_unit_test(offsets_become_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
