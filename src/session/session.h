/*
 * A session of BuildKit: a connection to the engine over which it calls us while it builds, for
 * secrets, SSH agents, logins and files. The engine speaks first: it is the client of HTTP/2 and
 * gRPC, we are the server, on a hijacked POST /session.
 *
 *     struct session *s;
 *     session_new(&s, engine, shared_key, &handlers, &err);
 *     session_serve(s, &some_method, ctx);       // before session_start()
 *     session_start(s);
 *     ... at `open`: POST /build?session=<session_id(s)> ...
 *     session_close(s);
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "engine/engine.h"
#include "session/grpc.h"

struct session;

struct session_handlers {
    void (*open)(void *ctx); /* the engine took it over */
    /* Once, unless session_close() came first: it was refused (ERR_ENGINE with the status), broke
     * (ERR_NETWORK, ERR_PROTOCOL), or the engine ended it (err NULL). Still to be closed. */
    void (*closed)(void *ctx, const struct error *err);
    void *ctx;
};

/* Under `shared_key` the engine keeps the files of earlier sessions, to be sent only the changed
 * ones; NULL: it keeps none. ERR_NOTFOUND: there is no libnghttp2. */
int session_new(struct session **out, struct engine *e, const char *shared_key,
                const struct session_handlers *hd, struct error *err);
void session_serve(struct session *s, const struct grpc_method *m, void *ctx);
/* The engine's version must be known: engine_ready(). */
void session_start(struct session *s);
const char *session_id(const struct session *s);
/* To be called when something was queued outside of a call's functions: it goes out. NULL: nothing.
 */
void session_flush(struct session *s);
/* Calls that are open end; what they were served with may be freed after it. Not from inside a
 * call's functions. */
void session_close(struct session *s);
DEFINE_FREEP(struct session, session_close)

#endif
