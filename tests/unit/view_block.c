/* Lines that repaint in place: never taller than the screen, never wider. */
#include "unit.h"

#include "base/str.h"
#include "view/view.h"

static void assert_painted(FILE *f, const char *wanted)
{
    static char text[4096];
    fflush(f);
    rewind(f);
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    assert_string_equal(text, wanted);
}

static void lines_take_the_place_of_the_last(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct block *b = block_new(f, 5, 10);
    assert_int_equal(block_width(b), 10);
    block_paint(b, "one\ntwo\n");
    block_paint(b, "three\n");
    block_free(b);
    assert_painted(f, "\x1b[?25lone\ntwo\n\x1b[2A\r\x1b[Jthree\n\x1b[?25h");
    fclose(f);
}

static void what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    struct block *b = block_new(f, 4, 6);
    block_paint(b, "1234567\nb\nc\nd\ne\n");
    block_paint(b, "x\ny\nz\n");
    block_free(b);
    assert_painted(f, "\x1b[?25l12345…\nb\n… and 3 more\n\x1b[3A\r\x1b[Jx\ny\nz\n\x1b[?25h");
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_take_the_place_of_the_last),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
