/* Allocation: zeroed, copied, and the end of the program without memory. */
#include "unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/mem.h"

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    auto_free unsigned char *p = xcalloc(3, 7);
    for (size_t i = 0; i < 21; i++)
        assert_int_equal(p[i], 0);
    auto_free void *none = xmalloc(0);
    auto_free void *nothing = xcalloc(0, 8);
    assert_non_null(none);
    assert_non_null(nothing);
}

static void growing_keeps_the_content(void **state)
{
    (void)state;
    int *p = xreallocarray(NULL, 2, sizeof(*p));
    p[0] = 4, p[1] = 5;
    p = xreallocarray(p, 1000, sizeof(*p));
    assert_int_equal(p[0], 4);
    assert_int_equal(p[1], 5);
    free(p);
}

static void copies_stop_at_the_nul_or_the_length(void **state)
{
    (void)state;
    auto_free char *all = xstrdup("text");
    auto_free char *part = xstrndup("text", 2);
    auto_free char *shorter = xstrndup("text", 100);
    auto_free char *printed = xasprintf("%s-%d", "a", 7);
    assert_string_equal(all, "text");
    assert_string_equal(part, "te");
    assert_string_equal(shorter, "text");
    assert_string_equal(printed, "a-7");
    assert_null(xstrdup(NULL));
}

/* Runs fn in a child; the signal that ended it. Its standard error goes to *text. */
static int signal_of(void (*fn)(void), char *text, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        signal(SIGABRT, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void ask_for_a_product_that_wraps(void)
{
    volatile size_t n = SIZE_MAX / 2;
    free(xreallocarray(NULL, n, 4));
}

static void no_memory_ends_the_program_with_a_message(void **state)
{
    (void)state;
    char text[256];
    assert_int_equal(signal_of(ask_for_a_product_that_wraps, text, sizeof(text)), SIGABRT);
    assert_string_equal(text, "stack: out of memory\n");
}

static void wipe_clears_exactly_its_range(void **state)
{
    (void)state;
    char secret[] = "password";
    wipe(secret + 1, 3);
    assert_memory_equal(secret, "p\0\0\0word", 8);
    wipe(secret, 0);
    assert_int_equal(secret[0], 'p');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(copies_stop_at_the_nul_or_the_length),
        cmocka_unit_test(no_memory_ends_the_program_with_a_message),
        cmocka_unit_test(wipe_clears_exactly_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
