/*
 * The terminal is opened once more for reading: a descriptor that the loop waits for does not
 * block, and standard input may share its state with the shell and with standard output.
 *
 * A shell may put us into the background and back. It says so with a signal where we were stopped
 * meanwhile; otherwise nobody tells, so that in the background we look now and then.
 */
#include "cli/menu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/tty.h"

#define LOOK_MS 300

struct menu {
    struct cli *cli;
    void (*pressed)(void *ctx, char key);
    void *ctx;
    int fd;
    struct loop_io *io; /* NULL: the terminal is gone */
    struct loop_signal *cont;
    struct loop_timer *look;
    bool ready; /* keys are read */
};

static void look(void *ctx)
{
    struct menu *m = ctx;
    bool front = tty_in_front(STDIN_FILENO);
    if (front && !m->ready) {
        tty_resume();
        m->ready = tty_keys(STDIN_FILENO, NULL) == 0;
    } else if (!front) {
        m->ready = false;
        loop_after(&m->look, cli_loop(m->cli), LOOK_MS, look, m);
    }
    if (m->io)
        loop_io_change(m->io, m->ready ? LOOP_READ : 0);
}

static void on_cont(void *ctx, int signum)
{
    struct menu *m = ctx;
    (void)signum;
    loop_timer_cancel(&m->look);
    m->ready = false;
    look(m);
}

static void on_input(void *ctx, int events)
{
    struct menu *m = ctx;
    char keys[64];
    (void)events;
    look(m);
    if (!m->ready)
        return;
    ssize_t n = read(m->fd, keys, sizeof(keys));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) /* the terminal is gone */
        loop_io_cancel(&m->io);
    for (ssize_t i = 0; i < n; i++)
        m->pressed(m->ctx, keys[i]);
}

struct menu *menu_start(struct cli *cli, void (*pressed)(void *ctx, char key), void *ctx)
{
    const char *name = ttyname(STDIN_FILENO);
    if (!name || !tty_is(STDOUT_FILENO) || !tty_is(STDERR_FILENO) ||
        !view_on_terminal(cli_view(cli, NULL)))
        return NULL;
    int fd = open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct menu *m = xnew(struct menu);
    m->cli = cli;
    m->pressed = pressed;
    m->ctx = ctx;
    m->fd = fd;
    m->io = loop_io(cli_loop(cli), fd, 0, on_input, m);
    m->cont = loop_signal(cli_loop(cli), SIGCONT, on_cont, m);
    look(m);
    return m;
}

void menu_say(struct menu *m, const char *text)
{
    if (m)
        view_foot(cli_view(m->cli, NULL), text);
}

void menu_stop(struct menu *m)
{
    if (!m)
        return;
    menu_say(m, NULL);
    tty_restore();
    loop_timer_cancel(&m->look);
    loop_signal_cancel(&m->cont);
    loop_io_cancel(&m->io);
    close(m->fd);
    free(m);
}
