/* The last lines that a container wrote: what the report of its failure shows. */
#ifndef RUN_LAST_LINES_H
#define RUN_LAST_LINES_H

#include "engine/engine.h"

struct last_lines;

/* Those that came after `since` (Unix seconds with fraction; NULL: ever). `done` runs once, later,
 * with the text, which is its own; what cannot be had is left out, at worst all of it. */
struct last_lines *last_lines_get(struct engine *e, const char *id, bool tty, const char *since,
                                  void (*done)(void *ctx, char *text), void *ctx);
void last_lines_cancel(struct last_lines *l); /* done does not run */

#endif
