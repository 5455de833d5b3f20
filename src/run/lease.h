/* The block of host ports that an instance of a stack publishes from. */
#ifndef RUN_LEASE_H
#define RUN_LEASE_H

#include "engine/engine.h"
#include "model/model.h"
#include "state/state.h"

/* Moves the stack's fixed host ports into the block that its containers in `now` have, by their
 * labels; where there are none, into the first free one, for which the engine is asked once about
 * the others. Nothing happens for a stack that is no instance or that publishes no fixed port. The
 * lease is in the labels alone: it ends with the containers. */
int lease_ports(struct engine *e, struct stack *st, const struct snapshot *now, struct error *err);

#endif
