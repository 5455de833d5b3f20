/*
 * The session of a command that has a container's streams on this terminal: exec, run, attach.
 *
 *     struct terminal t = { .cli = cli, .tty = ..., .input = ... };
 *     terminal_keys(&t, o->detach_keys, err)    before anything is changed
 *     t.container or t.exec, t.path, t.body
 *     terminal_run(&t, err)                     then t.end says how it ended
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "cli/cli.h"
#include "live/interact.h"

struct terminal {
    struct cli *cli;
    const char *container, *exec; /* id or name of the one whose window and signals these are */
    const char *path;             /* see live/interact.h */
    json_t *body;                 /* borrowed, or NULL */
    bool tty;                     /* the container's side is a terminal */
    bool input, end_input;
    bool sig_proxy; /* without a TTY signals go to the container, with one they end us */
    bool redraw;    /* what is there already is to paint the window anew */
    void (*opened)(struct terminal *t); /* the stream is open; may be NULL */
    void *ctx;

    struct interact_result end;
    /* The rest is terminal.c's. */
    struct detach detach;
    char *keys; /* as the engine is told; NULL: its default */
    struct interact_options interact;
    struct engine_call *resize;
    struct loop_timer *retry;
    int rows, cols, tries;
};

/* A TTY is made where this side has one, both ways. */
bool terminal_there(void);
/* The keys that detach: those of the option, of docker's config.json, or the default. ERR_USAGE. */
int terminal_keys(struct terminal *t, const char *option, struct error *err);
/* Adds them to a query. */
void terminal_query(const struct terminal *t, struct str *path);
/* To an exec's or a container's body: the size of the window at the start. */
void terminal_size_at_start(const struct terminal *t, json_t *body);

/* Until the stream ends, the user detaches, or a signal comes: t->end. 0, or -1. */
int terminal_run(struct terminal *t, struct error *err);
/* From inside `opened` or what it started: the process is there now, and can be told the size. */
void terminal_started(struct terminal *t);
/* From there, too: ends terminal_run(). */
void terminal_end(struct terminal *t);
void terminal_clear(struct terminal *t);

/* What a session that did not end by itself gives: 128 + the signal, or EXIT_DONE when the user
 * detached (and is told that `name` runs on); -1: it ended by itself. */
int terminal_left(const struct terminal *t, const char *name);

#endif
