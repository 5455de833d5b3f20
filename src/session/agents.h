/*
 * SSH agents for a build: moby.sshforward.v1.SSH. Each is a unix socket that an agent listens at,
 * or a key, for which an agent is started; a mount of type ssh in the build becomes a connection to
 * it.
 */
#ifndef SESSION_AGENTS_H
#define SESSION_AGENTS_H

#include "loop/loop.h"
#include "session/grpc.h"
#include "session/session.h"

#define AGENTS_QUEUE ((size_t)1 << 20) /* not yet taken by an agent: more ends the connection */

struct agents;
/* Calls of it are flushed through `s`, which must live as long as calls do. */
struct agents *agents_new(struct loop *l);
void agents_free(struct agents *a);
DEFINE_FREEP(struct agents, agents_free)
void agents_attach(struct agents *a, struct session *s);

/* `path`: of a socket or a key; NULL: what SSH_AUTH_SOCK names. An id that is there already is
 * replaced. ERR_INPUT names the id: no such file, or one that is neither. */
int agents_add(struct agents *a, const char *id, const char *path, struct error *err);

/* To be served with a struct agents. */
extern const struct grpc_method agents_check, agents_forward;

#endif
