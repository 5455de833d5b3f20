/*
 * Keys that do something while output flows, on a terminal: the line below it names them.
 *
 *     m = menu_start(cli, on_key, ctx)     NULL: there is no terminal for it
 *     menu_say(m, "d detach")
 *     menu_stop(m)
 *
 * Ctrl-C, Ctrl-Z and the like are the signals they always are. In the background no key is read.
 */
#ifndef CLI_MENU_H
#define CLI_MENU_H

#include "base/cleanup.h"
#include "cli/cli.h"

struct menu;

/* `pressed` may not stop the menu. */
struct menu *menu_start(struct cli *cli, void (*pressed)(void *ctx, char key), void *ctx);
/* All that follow accept NULL. */
void menu_say(struct menu *m, const char *text);
/* The line is gone, and the terminal as it was. */
void menu_stop(struct menu *m);
DEFINE_FREEP(struct menu, menu_stop)

#endif
