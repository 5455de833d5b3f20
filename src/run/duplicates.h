/*
 * Networks that a killed run left twice. Its last request may take effect after the next run has
 * looked, and engines such as 20.10 make a second network of the same name.
 */
#ifndef RUN_DUPLICATES_H
#define RUN_DUPLICATES_H

#include "engine/engine.h"

/* Leaves one network of each name among those of the stack: the engine refuses to remove one that
 * is in use, so the others go. To be called at the end of a plan whose lock was broken. One list
 * call, and one more for each network too many. */
int duplicates_remove(struct engine *e, const char *stack_name, struct error *err);

#endif
