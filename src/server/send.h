/* The sending side of the generic form, for repositories without a forge: git's post-receive. */
#ifndef SERVER_SEND_H
#define SERVER_SEND_H

#include "loop/loop.h"
#include "server/signature.h"

#define SEND_PUSHES_MAX 1000

/* `pushes` is what git gives to post-receive: lines "OLD NEW REF". Each branch and tag that was not
 * deleted is sent to `url`, signed; `said` gets what became of it, a line each. A failure of the
 * network is tried again twice. -1 when one could not be delivered. */
int send_pushes(struct loop *l, const char *url, const struct secret *key, const char *pushes,
                void (*said)(void *ctx, const char *line), void *ctx, struct error *err);

#endif
