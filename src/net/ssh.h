/*
 * An engine behind ssh. A private unix socket is listened on; each connection to it is carried by
 * an ssh, which runs `docker system dial-stdio` on the other side; they share one connection to it,
 * or a few where there are more of them than an sshd allows for one.
 */
#ifndef NET_SSH_H
#define NET_SSH_H

#include "base/cleanup.h"
#include "base/error.h"
#include "loop/loop.h"

struct ssh;

/* `url`: "ssh://[user@]host[:port][/socket]", already checked (engine/context.h). Nothing is
 * started before the first connection. */
int ssh_open(struct ssh **out, struct loop *l, const char *url, struct error *err);
/* Ends all of them. */
void ssh_close(struct ssh *s);
DEFINE_FREEP(struct ssh, ssh_close)

const char *ssh_socket(const struct ssh *s);
/* What the last ssh that failed said, or NULL. */
const char *ssh_complaint(const struct ssh *s);

#endif
