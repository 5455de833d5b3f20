/* Collecting and printing diagnostics. */
#include "unit.h"

#include "base/cleanup.h"
#include "text/diag.h"

struct fixture {
    struct arena *arena;
    struct diag diag;
    const struct source *one;
    const struct source *two;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->arena = arena_new();
    f->one = source_from_text(f->arena, "/x/one.yaml", "", 0);
    f->two = source_from_text(f->arena, "/x/two.yaml", "", 0);
    diag_init(&f->diag, f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    diag_clear(&f->diag);
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct span at(const struct source *src, int line, int column)
{
    return (struct span){ src, line, column };
}

static void assert_prints(const struct diag *d, bool warnings, const char *expected)
{
    auto_str struct str out = STR_INIT;

    diag_print(&out, d, warnings);
    assert_string_equal(out.buf, expected);
}

static void entries_are_printed_by_file_and_place(void **state)
{
    struct fixture *f = *state;
    struct diag *d = &f->diag;

    diag_error(d, at(f->two, 9, 1), "two-9");
    diag_error(d, (struct span){ 0 }, "nowhere");
    diag_warning(d, at(f->one, 3, 7), "one-3-7");
    diag_error(d, at(f->one, 3, 2), "one-3-2");
    diag_error(d, at(f->two, 1, 1), "two-1");
    diag_hint(d, "try %d", 5);
    assert_int_equal(d->errors, 4);
    assert_int_equal(d->warnings, 1);
    assert_prints(d, true,
                  "/x/two.yaml:1:1: error: two-1; try 5\n"
                  "/x/two.yaml:9:1: error: two-9\n"
                  "/x/one.yaml:3:2: error: one-3-2\n"
                  "/x/one.yaml:3:7: warning: one-3-7\n"
                  "error: nowhere\n");
    assert_prints(d, false,
                  "/x/two.yaml:1:1: error: two-1; try 5\n"
                  "/x/two.yaml:9:1: error: two-9\n"
                  "/x/one.yaml:3:2: error: one-3-2\n"
                  "error: nowhere\n");
}

static void near_names_are_suggested(void **state)
{
    static const char *const known[] = { "image", "environment", "env_file", "ports" };
    struct fixture *f = *state;
    struct diag *d = &f->diag;

    diag_error(d, at(f->one, 1, 1), "unknown key 'enviroment'");
    diag_suggest(d, "enviroment", known, countof(known));
    assert_string_equal(d->items[0].hint, "did you mean 'environment'?");
    diag_error(d, at(f->one, 2, 1), "unknown key 'Image'");
    diag_suggest(d, "Image", known, countof(known));
    assert_string_equal(d->items[1].hint, "did you mean 'image'?");
    diag_error(d, at(f->one, 3, 1), "unknown key 'volumes'");
    diag_suggest(d, "volumes", known, countof(known));
    assert_null(d->items[2].hint);
}

static void later_ones_are_counted_and_hints_stay_with_theirs(void **state)
{
    struct fixture *f = *state;
    struct diag *d = &f->diag;
    auto_str struct str out = STR_INIT;

    for (int i = 1; i <= DIAG_MAX + 5; i++) {
        diag_warning(d, at(f->one, i, 1), "w%d", i);
        diag_hint(d, "h%d", i);
    }
    diag_error(d, at(f->one, 1, 2), "the error");
    assert_int_equal(d->len, DIAG_MAX + 1);
    assert_int_equal(d->warnings, DIAG_MAX + 5);
    assert_string_equal(d->items[DIAG_MAX - 1].hint, "h100");
    diag_print(&out, d, true);
    assert_non_null(strstr(out.buf, "error: the error\n"));
    assert_true(str_ends(out.buf, "warning: 5 more warnings\n"));
}

static void context_stands_before_the_message(void **state)
{
    struct fixture *f = *state;

    f->diag.context = "included from a.yaml:3";
    diag_error(&f->diag, at(f->one, 1, 1), "unknown key 'x'");
    assert_string_equal(f->diag.items[0].message, "included from a.yaml:3: unknown key 'x'");
}

static void bytes_of_files_do_not_reach_the_terminal(void **state)
{
    struct fixture *f = *state;

    diag_error(&f->diag, at(f->one, 1, 1), "unknown key '%s'", "a\x1b[31m\nb");
    diag_hint(&f->diag, "%s", "\x1b]0;x\x07");
    assert_null(strpbrk(f->diag.items[0].message, "\x1b\n"));
    assert_null(strpbrk(f->diag.items[0].hint, "\x1b\x07"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_printed_by_file_and_place, setup, teardown),
        cmocka_unit_test_setup_teardown(near_names_are_suggested, setup, teardown),
        cmocka_unit_test_setup_teardown(later_ones_are_counted_and_hints_stay_with_theirs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(context_stands_before_the_message, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_of_files_do_not_reach_the_terminal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
