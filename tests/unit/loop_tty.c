/* The terminal, and how it is left behind. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "loop/tty.h"

struct pty {
    int master, slave;
};

static int setup(void **state)
{
    struct pty *p = calloc(1, sizeof(*p));
    *state = p;
    p->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (p->master < 0 || grantpt(p->master) || unlockpt(p->master))
        return -1;
    p->slave = open(ptsname(p->master), O_RDWR | O_NOCTTY);
    return p->slave < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    struct pty *p = *state;
    close(p->slave);
    close(p->master);
    free(p);
    return 0;
}

static bool is_raw(int fd)
{
    struct termios modes;
    assert_int_equal(tcgetattr(fd, &modes), 0);
    return !(modes.c_lflag & (ICANON | ECHO | ISIG));
}

static void the_size_is_the_terminals(void **state)
{
    struct pty *p = *state;
    int rows = 0, cols = 0;
    struct winsize size = { .ws_row = 33, .ws_col = 111 };
    assert_int_equal(ioctl(p->slave, TIOCSWINSZ, &size), 0);
    assert_true(tty_is(p->slave));
    assert_true(tty_size(p->slave, &rows, &cols));
    assert_int_equal(rows, 33);
    assert_int_equal(cols, 111);
}

static void without_a_terminal_the_environment_says(void **state)
{
    (void)state;
    int rows, cols, fds[2];
    assert_int_equal(pipe(fds), 0);
    unsetenv("LINES");
    unsetenv("COLUMNS");
    assert_false(tty_is(fds[0]));
    assert_false(tty_size(fds[0], &rows, &cols));
    assert_int_equal(rows, 24);
    assert_int_equal(cols, 80);
    setenv("LINES", "50", 1);
    setenv("COLUMNS", "wide", 1);
    assert_false(tty_size(fds[0], &rows, &cols));
    assert_int_equal(rows, 50);
    assert_int_equal(cols, 80);
    auto_error struct error err = ERROR_INIT;
    assert_int_equal(tty_raw(fds[0], &err), -1);
    assert_int_equal(err.kind, ERR_SYSTEM);
    close(fds[0]);
    close(fds[1]);
}

static void raw_mode_is_undone(void **state)
{
    struct pty *p = *state;
    assert_false(is_raw(p->slave));
    assert_int_equal(tty_raw(p->slave, NULL), 0);
    assert_true(is_raw(p->slave));
    assert_int_equal(tty_raw(p->slave, NULL), 0); /* again changes nothing */
    tty_restore();
    assert_false(is_raw(p->slave));
}

static bool reads_keys(int fd)
{
    struct termios modes;
    assert_int_equal(tcgetattr(fd, &modes), 0);
    return !(modes.c_lflag & (ICANON | ECHO)) && modes.c_lflag & ISIG;
}

static void keys_leave_signals_alone(void **state)
{
    struct pty *p = *state;
    assert_int_equal(tty_keys(p->slave, NULL), 0);
    assert_true(reads_keys(p->slave));
    tty_restore();
    assert_false(reads_keys(p->slave));
    assert_false(is_raw(p->slave));
}

/* Tells the other process, and waits for it. */
static void take_turns(int fd)
{
    char turn = 0;
    if (write(fd, &turn, 1) != 1 || read(fd, &turn, 1) != 1)
        _exit(1);
}

/* A job that reads keys while it is in front; then a shell has it in the background. */
static void be_job(const struct pty *p, int shell)
{
    setpgid(0, 0);
    take_turns(shell);
    bool front = tty_in_front(p->slave) && tty_keys(p->slave, NULL) == 0 && reads_keys(p->slave);
    take_turns(shell);
    tty_resume();
    _exit(front && !tty_in_front(p->slave) && !reads_keys(p->slave) ? 0 : 1);
}

static void be_shell(const struct pty *p)
{
    int ends[2], status = 1;
    struct termios cooked;
    setsid();
    if (ioctl(p->slave, TIOCSCTTY, 0) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        _exit(1);
    signal(SIGTTOU, SIG_IGN);
    tcgetattr(p->slave, &cooked);
    pid_t job = fork();
    if (job == 0)
        be_job(p, ends[1]);
    char turn = 0;
    bool begun = read(ends[0], &turn, 1) == 1 && tcsetpgrp(p->slave, job) == 0;
    take_turns(begun ? ends[0] : -1);
    tcsetpgrp(p->slave, getpid());
    tcsetattr(p->slave, TCSANOW, &cooked);
    if (write(ends[0], &turn, 1) != 1)
        _exit(1);
    waitpid(job, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void in_the_background_the_terminal_is_left_alone(void **state)
{
    struct pty *p = *state;
    int status = 0;
    pid_t shell = fork();
    if (shell == 0)
        be_shell(p);
    assert_int_equal(waitpid(shell, &status, 0), shell);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Runs a process that sets up the terminal and ends in the given way; its wait status. */
static int die(const struct pty *p, int signum)
{
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        tty_raw(p->slave, NULL);
        tty_hide_cursor(p->slave, true);
        if (signum)
            raise(signum);
        exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void check_restored(const struct pty *p)
{
    char got[16] = { 0 };
    assert_int_equal(read(p->master, got, sizeof(got) - 1), 9);
    assert_string_equal(got, "\033[J\033[?25h");
    assert_false(is_raw(p->slave));
}

static void however_the_process_ends(void **state)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT };
    struct pty *p = *state;
    int status = die(p, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    check_restored(p);
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        status = die(p, signals[i]);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        check_restored(p);
    }
}

#define WITH_PTY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PTY(the_size_is_the_terminals),
        cmocka_unit_test(without_a_terminal_the_environment_says),
        WITH_PTY(however_the_process_ends), /* before others, which would be inherited */
        WITH_PTY(raw_mode_is_undone),
        WITH_PTY(keys_leave_signals_alone),
        WITH_PTY(in_the_background_the_terminal_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
