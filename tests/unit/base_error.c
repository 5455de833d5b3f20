/* Errors: what callers branch on, and what users read. */
#include "unit.h"

#include <errno.h>

#include "base/error.h"

static void set_fills_every_field_and_replaces(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERR_ENGINE, 409, "name '%s' is taken", "web"), -1);
    error_hint(&err, "run stack down");
    assert_int_equal(err.kind, ERR_ENGINE);
    assert_int_equal(err.code, 409);
    assert_string_equal(err.msg, "name 'web' is taken");
    assert_string_equal(err.hint, "run stack down");

    error_set(&err, ERR_TIMEOUT, 0, "late");
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_int_equal(err.code, 0);
    assert_string_equal(err.msg, "late");
    assert_null(err.hint);
}

static void a_message_may_be_made_of_the_old_one(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_INPUT, 0, "inner");
    error_set(&err, err.kind, 0, "outer of %s", err.msg);
    assert_string_equal(err.msg, "outer of inner");
}

static void errno_is_code_and_text(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    errno = ENOENT;
    assert_int_equal(error_errno(&err, "open '%s'", "x"), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    assert_int_equal(err.code, ENOENT);
    assert_string_equal(err.msg, "open 'x': No such file or directory");
    assert_int_equal(errno, ENOENT);
}

static void wrap_adds_context_outside_and_keeps_the_rest(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_PULL, 5, "no such image");
    error_hint(&err, "log in");
    assert_int_equal(error_wrap(&err, "pull '%s'", "a:1"), -1);
    error_wrap(&err, "service 'web'");
    assert_string_equal(err.msg, "service 'web': pull 'a:1': no such image");
    assert_int_equal(err.kind, ERR_PULL);
    assert_int_equal(err.code, 5);
    assert_string_equal(err.hint, "log in");
}

static void outside_text_cannot_drive_the_terminal(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_ENGINE, 500, "engine: %s", "\x1b[2Jgone\nsecond\x7f\xff");
    assert_string_equal(err.msg, "engine: \\x1b[2Jgone\\nsecond\\x7f\\xff");
    error_wrap(&err, "%s", "\x1b]0;title\a");
    error_hint(&err, "%s", "\r");
    assert_null(strpbrk(err.msg, "\x1b\a\n"));
    assert_string_equal(err.hint, "\\x0d");
}

static void move_and_copy_hand_over(void **state)
{
    (void)state;
    auto_error struct error a = ERROR_INIT, b = ERROR_INIT, c = ERROR_INIT;
    error_set(&a, ERR_BUILD, 2, "one");
    error_hint(&a, "two");
    error_set(&b, ERR_USAGE, 0, "old");
    assert_int_equal(error_move(&b, &a), -1);
    assert_int_equal(a.kind, ERR_NONE);
    assert_null(a.msg);
    assert_string_equal(b.msg, "one");

    error_copy(&c, &b);
    error_clear(&b);
    assert_int_equal(c.kind, ERR_BUILD);
    assert_int_equal(c.code, 2);
    assert_string_equal(c.msg, "one");
    assert_string_equal(c.hint, "two");
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(error_set(NULL, ERR_INPUT, 0, "x"), -1);
    assert_int_equal(error_errno(NULL, "x"), -1);
    assert_int_equal(error_wrap(NULL, "x"), -1);
    assert_int_equal(error_hint(NULL, "x"), -1);
    error_copy(NULL, &err);
    error_clear(NULL);
    error_set(&err, ERR_INPUT, 0, "x");
    assert_int_equal(error_move(NULL, &err), -1);
    assert_null(err.msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_every_field_and_replaces),
        cmocka_unit_test(a_message_may_be_made_of_the_old_one),
        cmocka_unit_test(errno_is_code_and_text),
        cmocka_unit_test(wrap_adds_context_outside_and_keeps_the_rest),
        cmocka_unit_test(outside_text_cannot_drive_the_terminal),
        cmocka_unit_test(move_and_copy_hand_over),
        cmocka_unit_test(nobody_needs_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
