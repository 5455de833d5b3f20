/*
 * Logins at registries for a build: moby.filesync.v1.Auth. The engine names the host, and gets the
 * login that the docker CLI has for that host, or none. What it would like besides (tokens that are
 * fetched here) is not served: it then fetches them itself.
 */
#ifndef SESSION_LOGINS_H
#define SESSION_LOGINS_H

#include "session/session.h"

struct logins;
struct logins *logins_new(struct loop *l);
void logins_free(struct logins *a);
DEFINE_FREEP(struct logins, logins_free)
void logins_attach(struct logins *a, struct session *s);

/* To be served with a struct logins. */
extern const struct grpc_method logins_credentials;

#endif
