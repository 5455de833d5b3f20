/* Published ports that are taken, found before anything is created. */
#ifndef RUN_PORTS_H
#define RUN_PORTS_H

#include <jansson.h>

#include "engine/engine.h"
#include "plan/plan.h"

/* Tries to bind each host port that the plan's new containers publish and that no container of the
 * stack holds now (those are given up first). Local engines only. One error for all of them:
 * ERR_CONFLICT, each with service, port, and the holder where it can be known (a container of this
 * engine, or a process of ours). No engine call is made unless a port is taken. */
int ports_check(struct engine *e, const struct stack *st, const struct plan *plan,
                const struct snapshot *now, struct error *err);

/* Whether somebody on this machine has the port; host_ip "" is every address. What cannot be tried
 * (a low port, an address that is not ours) does not count as taken: the engine will say. */
bool port_is_taken(const char *host_ip, int port, bool udp);

/* Who has a host port, as text of the caller's, or NULL: nobody, as far as is known. `all`: the
 * engine's list of running containers. `here`: the engine's ports are those of this machine, so
 * that a bind(2) tells. */
char *port_holder(const json_t *all, bool here, const char *host_ip, int port,
                  const char *protocol);

#endif
