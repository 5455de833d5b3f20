/*
 * A key in a file, for those that ask agents: an ssh-agent of our own that has this key alone. It
 * ends when it is stopped, or when we do, however that is.
 */
#ifndef SESSION_KEY_AGENT_H
#define SESSION_KEY_AGENT_H

#include "loop/loop.h"

struct key_agent;

/* Blocks until the agent has the key: some milliseconds. ERR_INPUT says why it has not: no key, or
 * one with a passphrase, for which nobody is asked. */
int key_agent_start(struct key_agent **out, struct loop *l, const char *path, struct error *err);
const char *key_agent_socket(const struct key_agent *k);
void key_agent_stop(struct key_agent *k); /* accepts NULL */
DEFINE_FREEP(struct key_agent, key_agent_stop)

#endif
