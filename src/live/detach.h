/*
 * The keys that end a session at a terminal and leave the container running: "ctrl-p,ctrl-q".
 */
#ifndef LIVE_DETACH_H
#define LIVE_DETACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define DETACH_MOST 8
#define DETACH_DEFAULT "ctrl-p,ctrl-q"

struct detach {
    unsigned char keys[DETACH_MOST], held[DETACH_MOST];
    size_t nkeys, nheld;
};

/* Keys separated by commas, as docker writes them: a character, DEL, or ctrl- and one of a-z @ [ \
 * ] ^ _. NULL or "": the default, which the engine would take, too. ERR_USAGE. */
int detach_parse(struct detach *out, const char *text, struct error *err);

/*
 * Copies what was typed to `out` (room for len + DETACH_MOST) and returns the length. What may
 * become the keys is held back until it is clear that it does not. *complete: the keys were typed;
 * what came before them is in `out`, what comes after them is lost.
 */
size_t detach_filter(struct detach *d, bool *complete, unsigned char *out,
                     const unsigned char *typed, size_t len);

#endif
