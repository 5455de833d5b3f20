/*
 * A scripted HTTP peer on a unix socket or a port, on the test's own loop: the k-th request that
 * arrives, on whichever connection, gets the k-th reply, byte for byte.
 */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include "base/strv.h"
#include "loop/loop.h"

struct peer;

enum peer_after {
    PEER_KEEP,  /* the connection waits for the next request */
    PEER_CLOSE, /* it is closed once the reply is sent */
    PEER_ECHO,  /* it gives back what comes, and on end of input says "end" and closes */
};

/* Listens at `path`. */
struct peer *peer_new(struct loop *l, const char *path);
/* Listens at a free port of this machine. */
struct peer *peer_new_tcp(struct loop *l, int *port);
void peer_free(struct peer *p);
/* One more reply; "" says nothing. */
void peer_reply(struct peer *p, const char *text, enum peer_after after);
/* A whole answer: status line, Content-Length, Api-Version: 1.41 and the body. */
void peer_answer(struct peer *p, int status, const char *body);

/* What came: head and body of each request, in order; and how many connections. */
const struct strv *peer_requests(const struct peer *p);
int peer_connections(const struct peer *p);
/* Whether the k-th request begins with `text` (its method and path). */
bool peer_saw(const struct peer *p, size_t k, const char *text);

#endif
