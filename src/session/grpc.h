/*
 * gRPC, the server's side: calls of methods, messages both ways, a status at the end.
 *
 * A service is a table of methods, found by the path of the request. Messages of more than
 * GRPC_MAX_MESSAGE bytes, and compressed ones, end their call. All functions of a method run from
 * inside grpc_feed() and grpc_take(); the last one of each call is `gone`.
 */
#ifndef SESSION_GRPC_H
#define SESSION_GRPC_H

#include "session/h2.h"

#define GRPC_MAX_MESSAGE ((size_t)4 << 20)
#define GRPC_ROOM H2_ROOM

enum grpc_code {
    GRPC_OK = 0,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_NOT_FOUND = 5,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
};

struct grpc;
struct grpc_call;

/* All but `message` may be NULL. */
struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    void (*begin)(struct grpc_call *c);
    void (*message)(struct grpc_call *c, const uint8_t *data, size_t len);
    void (*end)(struct grpc_call *c);  /* the caller sends no more; NULL: it needs one message */
    void (*room)(struct grpc_call *c); /* less than GRPC_ROOM bytes are queued again */
    void (*gone)(struct grpc_call *c); /* frees grpc_state() */
};

/* ERR_NOTFOUND: there is no libnghttp2. */
int grpc_open(struct grpc **out, struct error *err);
void grpc_free(struct grpc *g);
DEFINE_FREEP(struct grpc, grpc_free)
/* Adds a method, which must live as long; `ctx` is what its calls get by grpc_ctx(). */
void grpc_serve(struct grpc *g, const struct grpc_method *m, void *ctx);
/* Path of method number i that is served, or NULL. */
const char *grpc_served(const struct grpc *g, size_t i);

/* As h2_feed(), h2_take(), h2_ended(). */
int grpc_feed(struct grpc *g, const void *data, size_t len, struct error *err);
int grpc_take(struct grpc *g, const void **data, size_t *len, struct error *err);
bool grpc_ended(const struct grpc *g);

void *grpc_ctx(const struct grpc_call *c);
void grpc_set_state(struct grpc_call *c, void *state);
void *grpc_state(const struct grpc_call *c);
/* Value number i of a metadata key, or NULL. Keys are in lower case. */
const char *grpc_metadata(const struct grpc_call *c, const char *key, size_t i);

/* Queues one message. Nothing after grpc_finish(). */
void grpc_send(struct grpc_call *c, const void *data, size_t len);
/* Queues bytes that are messages with their frames already: grpc_frame(). */
void grpc_send_framed(struct grpc_call *c, const void *data, size_t len);
/* Appends the frame of a message of `len` bytes, which the caller adds. */
struct str;
void grpc_frame(struct str *out, size_t len);
size_t grpc_pending(const struct grpc_call *c);
/* Ends the call, once; more is ignored. `message` may be NULL. */
void grpc_finish(struct grpc_call *c, enum grpc_code code, const char *message);
bool grpc_finished(const struct grpc_call *c);

#endif
