/*
 * One attempt to find out whether a container is ready: a connection, an HTTP request, a command.
 *
 * tcp and http must reach the service inside its container: the engine's port proxy accepts
 * connections while nothing listens behind it. So they go to the container's own address where this
 * machine has a route to it (a local engine on Linux), and otherwise run inside the container, by
 * exec, with what its image has.
 */
#ifndef RUN_PROBE_H
#define RUN_PROBE_H

#include "engine/engine.h"

enum probe_kind { PROBE_TCP, PROBE_HTTP, PROBE_EXEC };

struct probe_spec {
    enum probe_kind kind;
    const char *container; /* id */
    const char *address;   /* IP address to connect to, or NULL: inside the container */
    int port;
    const char *host; /* Host header, or NULL */
    const char *path;
    int status;              /* 0: any 2xx or 3xx */
    const char *const *argv; /* EXEC */
    int64_t timeout_ms;
};

enum probe_verdict { PROBE_READY, PROBE_NOT_YET, PROBE_NO_ROUTE /* try inside the container */ };

struct probe;

/* `done` runs once, later; text says what came ("connection refused", "exit code 1: ..."), raw. */
struct probe *probe_start(struct engine *e, const struct probe_spec *spec,
                          void (*done)(void *ctx, enum probe_verdict verdict, const char *text),
                          void *ctx);
void probe_cancel(struct probe *p); /* done does not run */

#endif
