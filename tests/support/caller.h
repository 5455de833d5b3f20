/*
 * The other side of a session: a client of gRPC, as the engine is one, in the same process. Bytes
 * are moved between it and a struct grpc by hand.
 */
#ifndef SUPPORT_CALLER_H
#define SUPPORT_CALLER_H

#include <stdbool.h>

#include "base/str.h"
#include "session/grpc.h"

struct caller;

/* A call, freed with its caller. */
struct call {
    struct str in; /* what came, frames included */
    size_t total;  /* bytes that came; `in` may be emptied */
    int status;    /* grpc-status, -1: none came */
    char message[256];
    bool closed;
    int32_t id; /* private from here on */
    struct caller *caller;
    struct str out;
    bool ended;
    struct call *next;
};

struct caller *caller_new(void);
void caller_free(struct caller *c);

/* Metadata: name, value, ..., NULL; or NULL. */
struct call *caller_start(struct caller *c, const char *path, const char *const *metadata);
void caller_send(struct call *call, const void *message, size_t len);
/* Bytes as they are, without a frame. */
void caller_send_raw(struct call *call, const void *data, size_t len);
void caller_end(struct call *call);
void caller_reset(struct call *call);
/* The next message of the answer, NULL when there is none; *len. Borrowed until the call goes on.
 */
const char *caller_message(const struct call *call, size_t *at, size_t *len);

/* Bytes to the server, `piece` at a time, and back, until both are silent. 0, or -1 when either
 * does not understand the other. */
int caller_exchange(struct caller *c, struct grpc *g, size_t piece);
/* The bytes to the server alone, into out. */
void caller_take(struct caller *c, struct str *out);
/* From now on windows are not opened again: the server may send 64 KB more for each call. */
void caller_stop_reading(struct caller *c);
void caller_go_on_reading(struct caller *c);

#endif
