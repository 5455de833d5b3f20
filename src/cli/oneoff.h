/*
 * The life of a container that `stack run` has created: started, with this terminal or without,
 * waited for, and gone afterwards where that was asked for.
 */
#ifndef CLI_ONEOFF_H
#define CLI_ONEOFF_H

#include "cli/terminal.h"

struct oneoff {
    struct cli *cli;
    const char *service, *name;
    bool rm; /* the engine removes it when it ends (AutoRemove), also when we are gone by then */
    struct terminal terminal;
    /* The rest is oneoff.c's. */
    struct engine_call *wait, *call;
    bool starting; /* the engine was asked to */
    bool answered; /* and how that went is known */
    bool ended;    /* and so did it, or waiting for it: code, wait_err */
    int code;
    struct error err, wait_err;
};

/* Both end with the exit code of the command, or -1. A container that did not start is removed. */
int oneoff_attached(struct oneoff *o, struct error *err);
int oneoff_detached(struct oneoff *o, struct error *err);
/* Whatever it does; none that is not there. */
int oneoff_remove(const struct oneoff *o, struct error *err);

#endif
