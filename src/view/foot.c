/*
 * The foot: one line below everything that is written. It is taken away before anything else is,
 * and put back in the next turn of the loop, once for all that came together. The cursor waits,
 * hidden, at its beginning: so what erases from the cursor on erases it, and so does tty_restore()
 * at a death. In the background nothing is painted: the screen is another's then.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/safe.h"
#include "loop/tty.h"
#include "view/private.h"

#define HIDE_CURSOR "\x1b[?25l"
#define SHOW_CURSOR "\x1b[?25h"
#define ERASE_BELOW "\x1b[J"

static void paint(void *ctx)
{
    struct view *v = ctx;
    auto_str struct str line = STR_INIT, shown = STR_INIT;
    int rows, cols, fd = fileno(v->err);
    if (v->foot.shown || v->display || !tty_in_front(fd))
        return;
    tty_size(fd, &rows, &cols);
    safe_add_cut(&line, v->foot.text, (size_t)(v->opt.cols ? v->opt.cols : cols));
    view_colored(&shown, v->color_err, COLOR_DIM, line.buf);
    v->foot.shown = true;
    tty_hide_cursor(fd, true);
    fflush(v->out);
    fprintf(v->err, HIDE_CURSOR "%s\r", shown.buf);
    fflush(v->err);
}

static void paint_later(struct view *v)
{
    if (!v->foot.timer)
        loop_after(&v->foot.timer, v->loop, 0, paint, v);
}

void foot_hide(struct view *v)
{
    if (!v->foot.text)
        return;
    if (v->foot.shown) {
        v->foot.shown = false;
        fputs(ERASE_BELOW SHOW_CURSOR, v->err);
        fflush(v->err);
        tty_hide_cursor(fileno(v->err), false);
    }
    paint_later(v);
}

/* Somebody stopped us for a while, and has had the screen: tty_restore() took the line away. */
static void on_cont(void *ctx, int signum)
{
    struct view *v = ctx;
    (void)signum;
    v->foot.shown = false;
    paint_later(v);
}

static void on_winch(void *ctx, int signum)
{
    (void)signum;
    foot_hide(ctx);
}

void view_foot(struct view *v, const char *text)
{
    if (v->mode != VIEW_TTY)
        return;
    foot_hide(v);
    free(take(v->foot.text));
    if (text) {
        v->foot.text = xstrdup(text);
        if (!v->foot.cont) {
            v->foot.cont = loop_signal(v->loop, SIGCONT, on_cont, v);
            v->foot.winch = loop_signal(v->loop, SIGWINCH, on_winch, v);
        }
        paint_later(v);
        return;
    }
    loop_timer_cancel(&v->foot.timer);
    loop_signal_cancel(&v->foot.cont);
    loop_signal_cancel(&v->foot.winch);
}
