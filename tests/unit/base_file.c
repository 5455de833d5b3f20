/* Whole files: read with a limit, written as one step. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"

static void check_content(const char *path, const char *want, size_t want_len)
{
    auto_free char *text = NULL;
    size_t len;
    assert_int_equal(file_read(&text, &len, path, 1 << 20, NULL), 0);
    assert_int_equal(len, want_len);
    assert_memory_equal(text, want, want_len);
    assert_int_equal(text[len], 0);
}

static int entries(void)
{
    DIR *dir = opendir(".");
    int n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct stat st;
    umask(022);
    assert_int_equal(file_write_atomic("f", "a\0b", 3, 0600, NULL), 0);
    check_content("f", "a\0b", 3);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(file_write_atomic("f", "", 0, 0644, NULL), 0);
    check_content("f", "", 0);
    assert_int_equal(entries(), 1); /* no temporary file is left */
}

static void large_files_come_whole(void **state)
{
    (void)state;
    size_t len = 300 * 1000;
    auto_free char *data = malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 31);
    assert_int_equal(file_write_atomic("f", data, len, 0644, NULL), 0);
    check_content("f", data, len);
}

static void the_limit_is_inclusive(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    auto_free char *text = NULL;
    size_t len = 77;
    assert_int_equal(file_write_atomic("f", "12345", 5, 0644, NULL), 0);
    assert_int_equal(file_read(&text, &len, "f", 4, &err), -1);
    assert_int_equal(err.code, EFBIG);
    assert_string_equal(err.msg, "read 'f': larger than 4 bytes");
    assert_null(text);
    assert_int_equal(len, 77);
    assert_int_equal(file_read(&text, &len, "f", 5, &err), 0);
    assert_int_equal(len, 5);
}

static void only_regular_files_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int code;
    } cases[] = {
        { "missing", ENOENT }, { "dir", EISDIR }, { "fifo", EINVAL }, { "/dev/zero", EINVAL }
    };
    assert_int_equal(mkdir("dir", 0700), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    for (size_t i = 0; i < countof(cases); i++) {
        auto_error struct error err = ERROR_INIT;
        char *text = NULL;
        size_t len;
        assert_int_equal(file_read(&text, &len, cases[i].path, 100, &err), -1);
        assert_int_equal(err.kind, ERR_SYSTEM);
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.msg, cases[i].path));
    }
}

static void files_that_do_not_say_their_size_are_read(void **state)
{
    (void)state;
    auto_free char *text = NULL;
    size_t len;
    if (!file_exists("/proc/self/status"))
        return;
    assert_int_equal(file_read(&text, &len, "/proc/self/status", 1 << 20, NULL), 0);
    assert_non_null(strstr(text, "Pid:"));
}

static void a_dash_is_standard_input(void **state)
{
    (void)state;
    int fds[2], old = dup(STDIN_FILENO);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "piped", 5), 5);
    close(fds[1]);
    dup2(fds[0], STDIN_FILENO);
    close(fds[0]);
    check_content("-", "piped", 5);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* still open */
    dup2(old, STDIN_FILENO);
    close(old);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic("none/f", "x", 1, 0644, &err), -1);
    assert_string_equal(err.msg, "write 'none/f': No such file or directory");

    assert_int_equal(mkdir("dir", 0700), 0);
    assert_int_equal(mkdir("dir/full", 0700), 0);
    assert_int_equal(file_write_atomic("dir", "x", 1, 0644, &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_true(file_is_dir("dir/full"));
    assert_int_equal(entries(), 1);
}

static void a_draft_takes_its_name_when_it_is_whole(void **state)
{
    (void)state;
    struct file_draft d;
    assert_int_equal(file_write_atomic("f", "old", 3, 0644, NULL), 0);
    assert_int_equal(file_draft_open(&d, "f", NULL), 0);
    assert_int_equal(write(d.fd, "new", 3), 3);
    check_content("f", "old", 3);
    file_draft_drop(&d);
    check_content("f", "old", 3);
    assert_int_equal(entries(), 1);
    assert_int_equal(file_draft_open(&d, "f", NULL), 0);
    assert_int_equal(write(d.fd, "new", 3), 3);
    assert_int_equal(file_draft_keep(&d, 0600, NULL), 0);
    check_content("f", "new", 3);
    assert_int_equal(entries(), 1);
}

static void a_usual_file_goes_by_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(027);
    assert_int_equal(file_usual_mode(), 0640);
    umask(before);
}

static void mkdirs_makes_all_parents(void **state)
{
    auto_free char *deep = path_join(*state, "a/b/c");
    assert_int_equal(file_mkdirs(deep, 0700, NULL), 0);
    assert_int_equal(file_mkdirs(deep, 0700, NULL), 0);
    assert_true(file_is_dir("a/b/c"));
    assert_int_equal(file_mkdirs("a/x/../y//z", 0700, NULL), 0);
    assert_true(file_is_dir("a/y/z"));
    assert_false(file_exists("a/x"));

    auto_error struct error err = ERROR_INIT;
    assert_int_equal(file_write_atomic("a/file", "", 0, 0644, NULL), 0);
    assert_int_equal(file_mkdirs("a/file/z", 0700, &err), -1);
    assert_string_equal(err.msg, "make folder 'a/file': File exists");
}

static void questions(void **state)
{
    (void)state;
    assert_int_equal(file_write_atomic("f", "", 0, 0644, NULL), 0);
    assert_true(file_exists("f"));
    assert_true(file_exists("."));
    assert_false(file_exists("g"));
    assert_true(file_is_dir("."));
    assert_false(file_is_dir("f"));
    assert_false(file_is_dir("g"));
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(what_is_written_is_read),
        with_dir(large_files_come_whole),
        with_dir(the_limit_is_inclusive),
        with_dir(only_regular_files_are_read),
        with_dir(files_that_do_not_say_their_size_are_read),
        with_dir(a_dash_is_standard_input),
        with_dir(a_failed_write_leaves_the_old_file),
        with_dir(a_draft_takes_its_name_when_it_is_whole),
        cmocka_unit_test(a_usual_file_goes_by_the_umask),
        with_dir(mkdirs_makes_all_parents),
        with_dir(questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
