/* Paths as text, and the two folders of our own. */
#include "unit.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/path.h"

#define check(call, want)                \
    do {                                 \
        auto_free char *got_ = (call);   \
        assert_non_null(got_);           \
        assert_string_equal(got_, want); \
    } while (0)

static void clean_is_lexical(void **state)
{
    (void)state;
    check(path_clean(""), ".");
    check(path_clean("."), ".");
    check(path_clean("a/../.."), "..");
    check(path_clean("../../x/.."), "../..");
    check(path_clean("./a//b/./c/"), "a/b/c");
    check(path_clean("a/b/../c"), "a/c");
    check(path_clean("/"), "/");
    check(path_clean("//a/../../b"), "/b");
    check(path_clean("/.."), "/");
    check(path_clean("..."), "...");
}

static void join_prefers_absolute_paths(void **state)
{
    (void)state;
    check(path_join("/a/b", "c"), "/a/b/c");
    check(path_join("/a/b", "../c//./d/"), "/a/c/d");
    check(path_join("/a/b", "/c/../d"), "/d");
    check(path_join("rel", ".."), ".");
    check(path_join("/a", ""), "/a");
}

static void dir_and_base_cut_at_the_last_slash(void **state)
{
    (void)state;
    check(path_dir("/a/b"), "/a");
    check(path_dir("/a"), "/");
    check(path_dir("a"), ".");
    check(path_dir("a//b"), "a");
    check(path_dir("//a"), "/");
    assert_string_equal(path_base("/a/b"), "b");
    assert_string_equal(path_base("b"), "b");
    assert_string_equal(path_base("/"), "");
    assert_true(path_is_abs("/a"));
    assert_false(path_is_abs("a/"));
    assert_false(path_is_abs(""));
}

static void home_is_expanded_only_at_the_start(void **state)
{
    (void)state;
    setenv("HOME", "/home/me", 1);
    check(path_expand_home("~"), "/home/me");
    check(path_expand_home("~/x"), "/home/me/x");
    check(path_expand_home("~/x/../y//"), "/home/me/y");
    check(path_expand_home("~you/x"), "~you/x");
    check(path_expand_home("a/~"), "a/~");
    unsetenv("HOME");
    check(path_expand_home("~/x"), "~/x");
}

static void below_compares_whole_names(void **state)
{
    (void)state;
    assert_true(path_below("/a", "/a"));
    assert_true(path_below("/a/", "/a/b/c"));
    assert_true(path_below("/", "/x"));
    assert_false(path_below("/a", "/ab"));
    assert_false(path_below("/a/b", "/a"));
    assert_false(path_below("/a", "/a/../b"));
    assert_false(path_below("/", "x"));
}

static void real_follows_links_and_says_why_not(void **state)
{
    assert_int_equal(symlink("/", "link"), 0);
    check(path_real("link", NULL), "/");
    check(path_real(".", NULL), *state);
    auto_error struct error err = ERROR_INIT;
    assert_null(path_real("missing", &err));
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.code, ENOENT);
    assert_string_equal(err.msg, "resolve 'missing': No such file or directory");
}

static void show_is_relative_where_that_is_shorter(void **state)
{
    auto_free char *below = path_join(*state, "sub/stack.yaml");
    auto_free char *beside = path_join(*state, "../x");
    check(path_show(below), "sub/stack.yaml");
    check(path_show(*state), ".");
    check(path_show(beside), "../x");
    check(path_show("/etc"), "/etc");
    check(path_show("./a//b"), "a/b");
}

static void runtime_dir_is_private(void **state)
{
    struct stat st;
    auto_free char *want = path_join(*state, "stack");
    setenv("XDG_RUNTIME_DIR", *state, 1);
    check(path_runtime_dir(NULL), want);
    check(path_runtime_dir(NULL), want);
    assert_int_equal(stat(want, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void runtime_dir_falls_back_when_the_variable_is_stale(void **state)
{
    char fallback[64];
    auto_free char *gone = path_join(*state, "gone");
    snprintf(fallback, sizeof(fallback), "/tmp/stack-%lu", (unsigned long)geteuid());
    setenv("XDG_RUNTIME_DIR", "relative", 1);
    check(path_runtime_dir(NULL), fallback);
    setenv("XDG_RUNTIME_DIR", gone, 1);
    check(path_runtime_dir(NULL), fallback);

    /* A folder that others can enter, or a link, was perhaps put there by somebody else. */
    setenv("XDG_RUNTIME_DIR", ".", 1);
    auto_free char *open_dir = path_join(*state, "stack");
    assert_int_equal(mkdir(open_dir, 0700), 0);
    assert_int_equal(chmod(open_dir, 0755), 0);
    setenv("XDG_RUNTIME_DIR", *state, 1);
    check(path_runtime_dir(NULL), fallback);
    assert_int_equal(rmdir(open_dir), 0);
    assert_int_equal(symlink("/tmp", open_dir), 0);
    check(path_runtime_dir(NULL), fallback);
}

static void cache_dir_follows_the_environment(void **state)
{
    setenv("XDG_CACHE_HOME", *state, 1);
    auto_free char *in_cache = path_join(*state, "stack");
    check(path_cache_dir(NULL), in_cache);

    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", *state, 1);
    auto_free char *in_home = path_join(*state, ".cache/stack");
    check(path_cache_dir(NULL), in_home);
    struct stat st;
    assert_int_equal(stat(in_home, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);

    unsetenv("HOME");
    auto_error struct error err = ERROR_INIT;
    assert_null(path_cache_dir(&err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(err.hint);
}

#define with_dir(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_is_lexical),
        cmocka_unit_test(join_prefers_absolute_paths),
        cmocka_unit_test(dir_and_base_cut_at_the_last_slash),
        cmocka_unit_test(home_is_expanded_only_at_the_start),
        cmocka_unit_test(below_compares_whole_names),
        with_dir(real_follows_links_and_says_why_not),
        with_dir(show_is_relative_where_that_is_shorter),
        with_dir(runtime_dir_is_private),
        with_dir(runtime_dir_falls_back_when_the_variable_is_stale),
        with_dir(cache_dir_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
