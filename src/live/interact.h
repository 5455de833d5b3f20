/*
 * A terminal, or pipes, on one side and a container's streams on the other: exec, run, attach.
 *
 * With a TTY the terminal is in raw mode while it lasts and restored whatever happens; its size
 * follows the window. Without one, output is framed and goes to standard output and error apart.
 */
#ifndef LIVE_INTERACT_H
#define LIVE_INTERACT_H

#include "engine/engine.h"
#include "live/detach.h"

struct interact_options {
    const char *path;      /* to hijack: "/containers/x/attach?...", "/exec/x/start" */
    json_t *body;          /* borrowed, or NULL */
    bool tty;              /* the container's side is a terminal */
    bool input;            /* standard input goes to the container */
    bool end_input;        /* its end is passed on by half-closing (never with a TTY: engines end
                              the whole attach then) */
    struct detach *detach; /* with a TTY: the keys; NULL: none */
    /* The stream is open: time to start the container. May be NULL. */
    void (*opened)(void *ctx);
    /* The window has a size now: at the beginning and at each change. May be NULL. */
    void (*resized)(void *ctx, int rows, int cols);
    /* A signal that came while there was no terminal in raw mode to type it into (INT, TERM, HUP,
     * QUIT, USR1, USR2). The third that asks for the end ends us, too. NULL: signals end us. */
    void (*signaled)(void *ctx, int signum);
    void *ctx;
    struct interact *running; /* while it runs */
};

/* Ends interact_run() from inside a callback. */
void interact_end(struct interact_options *opt);

struct interact_result {
    bool detached; /* by the detach keys */
    int signum;    /* the signal that ended it, or 0; the terminal's loss is SIGHUP */
};

/* Runs the loop until the stream ends. */
int interact_run(struct interact_result *out, struct engine *e, struct interact_options *opt,
                 struct error *err);

#endif
