/*
 * BuildKit's progress messages: the protobuf message moby.buildkit.v1.StatusResponse.
 *
 *     StatusResponse { repeated Vertex 1; repeated VertexStatus 2; repeated VertexLog 3 }
 *     Vertex         { string digest 1; string name 3; bool cached 4; Timestamp started 5;
 *                      Timestamp completed 6; string error 7 }
 *     VertexStatus   { string ID 1; string vertex 2; string name 3; int64 current 4;
 *                      int64 total 5; Timestamp started 7; Timestamp completed 8 }
 *     VertexLog      { string vertex 1; int64 stream 3; bytes msg 4 }
 */
#ifndef BUILD_TRACE_H
#define BUILD_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A step. Sent again whenever something about it changes. */
struct trace_vertex {
    const char *digest;
    const char *name;
    const char *error; /* "" : none */
    bool cached, started, completed;
};

/* Part of a step: a layer that is downloaded, a file that is sent. */
struct trace_status {
    const char *id;
    const char *vertex; /* digest */
    int64_t current, total;
};

struct trace_log {
    const char *vertex;
    const char *data;
    size_t len;
};

/* Each may be NULL. Texts are never NULL, end in NUL, and are valid during the call. */
struct trace_handlers {
    void (*vertex)(void *ctx, const struct trace_vertex *v);
    void (*status)(void *ctx, const struct trace_status *s);
    void (*log)(void *ctx, const struct trace_log *l);
    void *ctx;
};

/* Unknown fields are skipped. ERR_PROTOCOL where the bytes are no such message; what stood before
 * the fault was handed on. */
int trace_decode(const uint8_t *data, size_t len, const struct trace_handlers *hd,
                 struct error *err);

#endif
