/* Tars that are written here, read by another program. */
#include "unit.h"

#include <sys/stat.h>
#ifndef __APPLE__
#include <sys/sysmacros.h>
#endif

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

static void times_kinds_and_links(void **state)
{
    (void)state;
    const struct tar_entry entries[] = {
        { .type = TAR_FILE, .name = "exact", .mode = 0644, .mtime = 1, .mtime_ns = 500000000 },
        { .type = TAR_FILE, .name = "early", .mode = 0644, .mtime = -5 },
        { .type = TAR_HARDLINK, .name = "same", .link = "exact", .mode = 0644, .size = 9 },
        { .type = TAR_CHARACTERS, .name = "null", .mode = 0666, .device = makedev(1, 3) },
        { .type = TAR_FIFO, .name = "fifo", .mode = 0600 },
    };
    auto_str struct str tar = STR_INIT;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        tar_header(&tar, &entries[i]);
    auto_free char *list = listed(&tar);
    assert_string_equal(list, "-rw-r--r-- 0/0 0 1970-01-01 00:00:01.5 exact\n"
                              "-rw-r--r-- 0/0 0 1969-12-31 23:59:55 early\n"
                              "hrw-r--r-- 0/0 0 1970-01-01 00:00:00 same link to exact\n"
                              "crw-rw-rw- 0/0 1,3 1970-01-01 00:00:00 null\n"
                              "prw------- 0/0 0 1970-01-01 00:00:00 fifo\n");
    /* Before 1970 fractions count the other way; tar(1) lists them wrongly, and extracts them. */
    static const struct tar_entry before = {
        .type = TAR_FIFO, .name = "before", .mtime = -2, .mtime_ns = 750000000
    };
    str_truncate(&tar, 0);
    tar_header(&tar, &before);
    assert_memory_equal(tar.buf + 512, "22 mtime=-1.250000000\n", 22);
    assert_int_equal(tar_type_of(S_IFDIR | 0700), TAR_FOLDER);
    assert_int_equal(tar_type_of(S_IFSOCK), 0);
}

static void names_that_can_be_divided_take_a_plain_header(void **state)
{
    (void)state;
    auto_free char *folder = xasprintf("%0155d", 0), *base = xasprintf("%0100d", 0);
    auto_free char *longest = xasprintf("%s/%s", folder, base);
    auto_free char *longer = xasprintf("%s/0%s", folder, base);
    auto_str struct str plain = STR_INIT, records = STR_INIT;
    tar_header(&plain, &(struct tar_entry){ .type = TAR_FIFO, .name = longest });
    assert_int_equal(plain.len, 512);
    auto_free char *list = listed(&plain);
    assert_non_null(strstr(list, longest));
    tar_header(&records, &(struct tar_entry){ .type = TAR_FIFO, .name = longer });
    assert_true(records.len > 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(entries_are_what_they_were_said_to_be),
        with_dir(long_names_and_links_are_whole),
        with_dir(times_kinds_and_links),
        with_dir(names_that_can_be_divided_take_a_plain_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
