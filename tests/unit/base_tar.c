/* Tars that are written here, read by another program. */
#include "unit.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tar.h"
#include "loop/child.h"

#define with_dir(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_make, unit_dir_remove)

static void put(struct str *tar, enum tar_type type, const char *name, const char *text)
{
    struct tar_entry e = { .type = type,
                           .name = name,
                           .link = text,
                           .mode = 0750,
                           .uid = 12,
                           .gid = 4000000,
                           .mtime = 1700000000 };
    if (type == TAR_FILE)
        e.size = (int64_t)strlen(text);
    tar_header(tar, &e);
    if (type == TAR_FILE) {
        str_add(tar, text);
        tar_pad(tar, e.size);
    }
}

/* What tar(1) lists, line by line; it also checks the sums. */
static char *listed(struct str *tar)
{
    tar_end(tar);
    FILE *f = fopen("t.tar", "w");
    assert_int_equal(fwrite(tar->buf, 1, tar->len, f), tar->len);
    fclose(f);
    static const char *const argv[] = {
        "sh", "-c", "TZ=UTC tar -tvf t.tar --numeric-owner --full-time | tr -s ' '", NULL
    };
    struct child_options opt = { .argv = argv, .output_max = 65536 };
    struct child_result result = { 0 };
    struct loop *l = loop_new();
    assert_int_equal(child_run(&result, l, &opt, NULL), 0);
    loop_free(l);
    assert_string_equal(result.err.buf, "");
    str_clear(&result.err);
    return str_detach(&result.out);
}

static void entries_are_what_they_were_said_to_be(void **state)
{
    (void)state;
    auto_str struct str tar = STR_INIT;
    put(&tar, TAR_FOLDER, "/a", NULL);
    put(&tar, TAR_FILE, "a/empty", "");
    put(&tar, TAR_FILE, "a/f", "text");
    put(&tar, TAR_SYMLINK, "a/l", "../else where");
    auto_free char *list = listed(&tar);
    assert_string_equal(list, "drwxr-x--- 12/4000000 0 2023-11-14 22:13:20 a\n"
                              "-rwxr-x--- 12/4000000 0 2023-11-14 22:13:20 a/empty\n"
                              "-rwxr-x--- 12/4000000 4 2023-11-14 22:13:20 a/f\n"
                              "lrwxr-x--- 12/4000000 0 2023-11-14 22:13:20 a/l -> ../else where\n");
    assert_int_equal(tar.len % 512, 0);
}

static void long_names_and_links_are_whole(void **state)
{
    (void)state;
    /* Around the length of the fields, and where the length of a record gets a digit more. */
    static const size_t lengths[] = { 99, 100, 101, 985, 986, 987, 988, 989, 990, 3000 };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        auto_str struct str tar = STR_INIT, name = STR_INIT;
        while (name.len < lengths[i])
            str_addc(&name, name.len % 50 == 49 ? '/' : 'x');
        put(&tar, TAR_SYMLINK, name.buf, name.buf);
        put(&tar, TAR_FILE, "next", "1");
        auto_free char *list = listed(&tar);
        auto_free char *expected = xasprintf("20 %s -> %s\n", name.buf, name.buf);
        assert_non_null(strstr(list, expected));
        assert_non_null(strstr(list, "20 next\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(entries_are_what_they_were_said_to_be),
        with_dir(long_names_and_links_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
