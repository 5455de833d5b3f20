/* Shared libraries opened on need: the C library's own mathematics stands for one. */
#include "unit.h"

#include <math.h>

#include "base/cleanup.h"
#include "base/library.h"

#define MATH_FUNCTIONS(X) X(cos) X(floor)
struct math_api {
    void *before;
    MATH_FUNCTIONS(LIBRARY_MEMBER)
};
#define SYMBOL(fn) LIBRARY_SYMBOL(math_api, fn)
static const struct library_symbol symbols[] = { MATH_FUNCTIONS(SYMBOL) };

static const char *const sonames[] = { "libnone.so.9", "libm.so.6", "libSystem.B.dylib", NULL };

static void the_first_library_that_is_there_fills_the_table(void **state)
{
    (void)state;
    struct math_api api = { 0 };
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(library_open(&api, symbols, countof(symbols), sonames, "maths", &err), 0);
    assert_true(api.cos(0) == 1);
    assert_true(api.floor(2.5) == 2);
    assert_null(api.before);
    assert_null(err.msg);
}

static void check_missing(const char *soname, const char *msg, const char *hint)
{
    struct math_api api = { 0 };
    auto_error struct error err = ERROR_INIT;
    const char *const names[] = { soname, NULL };
    assert_int_equal(library_open(&api, symbols, countof(symbols), names, "git", &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
    assert_string_equal(err.msg, msg);
    assert_string_equal(err.hint, hint);
    assert_null(api.cos);
}

static void a_missing_library_names_the_package(void **state)
{
    (void)state;
    check_missing("libnone.so.4", "git needs the library 'libnone.so.4', which is not installed",
                  "install libnone (on Debian and Ubuntu: apt install libnone4)");
    check_missing("libnone2.so.1.5",
                  "git needs the library 'libnone2.so.1.5', which is not installed",
                  "install libnone2 (on Debian and Ubuntu: apt install libnone2-1.5)");
    check_missing("/opt/lib/libnone.9.dylib",
                  "git needs the library '/opt/lib/libnone.9.dylib', which is not installed",
                  "install libnone");
}

static void a_library_without_a_function_leaves_the_table_alone(void **state)
{
    (void)state;
    static const struct library_symbol wrong[] = {
        { "cos", offsetof(struct math_api, cos) },
        { "no_such_function", offsetof(struct math_api, floor) },
    };
    struct math_api api = { 0 };
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(library_open(&api, wrong, countof(wrong), sonames, "maths", &err), -1);
    assert_int_equal(err.kind, ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "no_such_function"));
    assert_null(api.cos);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_library_that_is_there_fills_the_table),
        cmocka_unit_test(a_missing_library_names_the_package),
        cmocka_unit_test(a_library_without_a_function_leaves_the_table_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
