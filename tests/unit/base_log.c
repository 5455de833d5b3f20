/* Debug messages: silent by default, one harmless line each. */
#include "unit.h"

#include "base/log.h"

/* Standard error of what `fn` does. */
static void capture(char *text, size_t size, void (*fn)(void))
{
    int fds[2], old = dup(STDERR_FILENO);
    assert_int_equal(pipe(fds), 0);
    dup2(fds[1], STDERR_FILENO);
    fn();
    dup2(old, STDERR_FILENO);
    close(old);
    close(fds[1]);
    ssize_t n = read(fds[0], text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fds[0]);
}

static void say(void)
{
    log_debug("answer %d from %s", 42, "\x1b[2Jnet\n");
}

static void messages_appear_only_when_enabled(void **state)
{
    (void)state;
    char text[256];
    assert_false(log_enabled());
    capture(text, sizeof(text), say);
    assert_string_equal(text, "");

    log_enable(true);
    assert_true(log_enabled());
    capture(text, sizeof(text), say);
    int whole = -1, thousandths = -1, end = 0;
    assert_int_equal(sscanf(text, "stack: %d.%3d %n", &whole, &thousandths, &end), 2);
    assert_true(whole >= 0 && whole < 60);
    assert_string_equal(text + end, "answer 42 from \\x1b[2Jnet\\n\n");

    log_enable(false);
    capture(text, sizeof(text), say);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_appear_only_when_enabled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
