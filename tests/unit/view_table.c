/* Tables: aligned, made safe, cut to the width of a terminal. */
#include "unit.h"

#include "view/view.h"

static const char *const titles[] = { "NAME", "STATUS" };

static void assert_prints(const struct table *t, int columns, const char *wanted)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    table_print(t, f, columns);
    fclose(f);
    assert_string_equal(text, wanted);
    free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    struct table *t = table_new(titles, 2);
    table_add(t, (const char *const[]){ "demo-web-1", "running" });
    table_add(t, (const char *const[]){ "db", NULL });
    assert_prints(t, 0, "NAME         STATUS\ndemo-web-1   running\ndb\n");
    table_free(t);
}

static void width_is_counted_in_columns_not_bytes(void **state)
{
    (void)state;
    struct table *t = table_new(titles, 2);
    table_add(t, (const char *const[]){ "größe", "x" });
    table_add(t, (const char *const[]){ "abcdef", "y" });
    assert_prints(t, 0, "NAME     STATUS\ngröße    x\nabcdef   y\n");
    table_free(t);
}

static void cells_cannot_drive_the_terminal(void **state)
{
    (void)state;
    struct table *t = table_new(titles, 2);
    table_add(t, (const char *const[]){ "a\x1b[2Jb", "c\nd" });
    assert_prints(t, 0, "NAME        STATUS\na\\x1b[2Jb   c\\nd\n");
    table_free(t);
}

static void the_widest_columns_are_narrowed(void **state)
{
    (void)state;
    struct table *t = table_new(titles, 2);
    table_add(t, (const char *const[]){ "a-very-long-name-of-a-container", "running" });
    assert_prints(t, 20, "NAME         STATUS\na-very-lo…   running\n");
    assert_prints(t, 0,
                  "NAME                              STATUS\n"
                  "a-very-long-name-of-a-container   running\n");
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(width_is_counted_in_columns_not_bytes),
        cmocka_unit_test(cells_cannot_drive_the_terminal),
        cmocka_unit_test(the_widest_columns_are_narrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
