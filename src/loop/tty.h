/* The terminal: size, raw mode, and its restoration whatever happens (all but SIGKILL). */
#ifndef LOOP_TTY_H
#define LOOP_TTY_H

#include <stdbool.h>

#include "base/error.h"

bool tty_is(int fd);
/* Rows and columns of the terminal behind fd; false (and 24 x 80, or $LINES/$COLUMNS) otherwise. */
bool tty_size(int fd, int *rows, int *cols);
/* Raw mode for fd; remembered, and undone by tty_restore(), at exit and on fatal signals. SIGTSTP
 * undoes it until the program goes on. */
int tty_raw(int fd, struct error *err);
/* The same, but each key can be read as it is pressed, unseen, and nothing else changes: those that
 * are signals (Ctrl-C, Ctrl-Z) still are. */
int tty_keys(int fd, struct error *err);
/* Notes that the cursor is hidden / the display is in use, so that a death restores it, and erases
 * what is from the cursor on. */
void tty_hide_cursor(int fd, bool hidden);
void tty_restore(void);
/* Sets again what is remembered, after somebody else (a shell) has used the terminal: on SIGCONT.
 */
void tty_resume(void);
/* Whether the terminal is ours: not when a shell has us in the background, where reading from it
 * would stop us. The functions above leave it alone then. */
bool tty_in_front(int fd);

#endif
