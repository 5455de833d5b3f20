/* The terminal, and how it is left behind. */
#include "loop/tty.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"

/*
 * The one place with state of the whole process: there is one terminal, and a signal handler has
 * no other way to know what to restore. The handler only writes, sets the modes and dies of the
 * same signal again, which the standard allows inside handlers. Signals that somebody handles
 * already are left to them.
 */

static struct {
    volatile sig_atomic_t raw_fd;    /* -1: not in raw mode */
    volatile sig_atomic_t hidden_fd; /* -1: the cursor is shown */
    struct termios before, raw;
    bool guarded;
} terminal = { .raw_fd = -1, .hidden_fd = -1 };

bool tty_is(int fd)
{
    return isatty(fd);
}

static int from_env(const char *name, int fallback)
{
    int64_t n;
    const char *text = getenv(name);
    return text && num_range(&n, text, 1, 10000) == 0 ? (int)n : fallback;
}

bool tty_size(int fd, int *rows, int *cols)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        *rows = size.ws_row;
        *cols = size.ws_col;
        return true;
    }
    *rows = from_env("LINES", 24);
    *cols = from_env("COLUMNS", 80);
    return false;
}

/* Nobody is left to be told that it failed. */
static void put(int fd, const char *text)
{
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        errno = 0;
}

bool tty_in_front(int fd)
{
    pid_t front = tcgetpgrp(fd);
    return front < 0 || front == getpgrp(); /* nobody's, or no terminal of this session */
}

void tty_restore(void)
{
    int saved_errno = errno;
    /* At once: output that somebody holds back (ctrl-s) must not hold us back, too. */
    if (terminal.raw_fd >= 0 && tty_in_front(terminal.raw_fd))
        tcsetattr(terminal.raw_fd, TCSANOW, &terminal.before);
    put(terminal.hidden_fd, "\033[J\033[?25h");
    terminal.raw_fd = -1;
    terminal.hidden_fd = -1;
    errno = saved_errno;
}

static void on_death(int signum)
{
    tty_restore();
    signal(signum, SIG_DFL);
    raise(signum);
}

void tty_resume(void)
{
    if (terminal.raw_fd >= 0 && tty_in_front(terminal.raw_fd))
        tcsetattr(terminal.raw_fd, TCSANOW, &terminal.raw);
    if (terminal.hidden_fd >= 0 && tty_in_front(terminal.hidden_fd))
        put(terminal.hidden_fd, "\033[?25l");
}

/* SIGTSTP: the terminal is the shell's until we go on. */
static void on_stop(int signum)
{
    int raw_fd = terminal.raw_fd, hidden_fd = terminal.hidden_fd, saved_errno = errno;
    struct sigaction again, once = { .sa_handler = SIG_DFL };
    sigset_t stop;
    tty_restore();
    sigemptyset(&once.sa_mask);
    sigaction(signum, &once, &again);
    raise(signum);
    sigemptyset(&stop);
    sigaddset(&stop, signum);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* here we stop, and go on */
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    sigaction(signum, &again, NULL);
    terminal.raw_fd = raw_fd;
    terminal.hidden_fd = hidden_fd;
    tty_resume();
    errno = saved_errno;
}

static void handle(int signum, void (*handler)(int))
{
    struct sigaction was, now = { .sa_handler = handler, .sa_flags = SA_RESTART };
    sigemptyset(&now.sa_mask);
    if (sigaction(signum, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
        sigaction(signum, &now, NULL);
}

static void guard(void)
{
    static const int fatal[] = { SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGABRT,
                                 SIGSEGV, SIGBUS,  SIGFPE, SIGILL };
    if (terminal.guarded)
        return;
    terminal.guarded = true;
    atexit(tty_restore);
    for (size_t i = 0; i < countof(fatal); i++)
        handle(fatal[i], on_death);
    handle(SIGTSTP, on_stop);
}

static void make_keys(struct termios *modes)
{
    modes->c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    modes->c_cc[VMIN] = 1;
    modes->c_cc[VTIME] = 0;
}

static int set_modes(int fd, void (*change)(struct termios *modes), struct error *err)
{
    struct termios modes;
    if (terminal.raw_fd == fd)
        return 0;
    if (tcgetattr(fd, &modes) < 0)
        return error_errno(err, "read the terminal's modes");
    guard();
    terminal.before = modes;
    change(&modes);
    terminal.raw = modes;
    if (tcsetattr(fd, TCSADRAIN, &modes) < 0)
        return error_errno(err, "set the terminal's modes");
    terminal.raw_fd = fd;
    return 0;
}

int tty_raw(int fd, struct error *err)
{
    return set_modes(fd, cfmakeraw, err);
}

int tty_keys(int fd, struct error *err)
{
    return set_modes(fd, make_keys, err);
}

void tty_hide_cursor(int fd, bool hidden)
{
    if (hidden)
        guard();
    terminal.hidden_fd = hidden ? fd : -1;
}
