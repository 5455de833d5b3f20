/*
 * gRPC over HTTP/2: a message is a byte (is it compressed?), four bytes of length, and itself; the
 * status of a call stands in the trailers.
 */
#include "session/grpc.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

#define FRAME_LEN 5

struct served {
    const struct grpc_method *method;
    void *ctx;
};

struct grpc {
    struct h2 *h2;
    struct {
        VEC(struct served);
    } methods;
};

struct grpc_call {
    struct h2_stream *stream;
    const struct served *served; /* NULL: there is no such method */
    struct str in;
    bool asked; /* a message came */
    bool finished;
    void *state;
};

static const struct served *find_method(const struct grpc *g, const char *path)
{
    for (size_t i = 0; path && i < g->methods.len; i++)
        if (strcmp(g->methods.items[i].method->path, path) == 0)
            return &g->methods.items[i];
    return NULL;
}

static void on_request(void *ctx, struct h2_stream *s)
{
    static const struct h2_field head[] = { { "content-type", "application/grpc" } };
    struct grpc *g = ctx;
    const char *path = h2_header(s, ":path", 0);
    struct grpc_call *c = xnew(struct grpc_call);
    c->stream = s;
    c->served = find_method(g, path);
    c->in = STR_INIT_MAX(FRAME_LEN + GRPC_MAX_MESSAGE);
    h2_set_user(s, c);
    h2_answer(s, head, countof(head));
    log_debug("session: %s%s", path ? path : "(no path)", c->served ? "" : ": not served");
    if (!c->served)
        grpc_finish(c, GRPC_UNIMPLEMENTED, "not served here");
    else if (c->served->method->begin)
        c->served->method->begin(c);
}

static size_t message_length(const struct str *in)
{
    const uint8_t *p = (const uint8_t *)in->buf;
    return (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
}

/* Hands on the first whole message of c->in; false when there is none. */
static bool next_message(struct grpc_call *c)
{
    if (c->finished || c->in.len < FRAME_LEN)
        return false;
    size_t len = message_length(&c->in);
    if (c->in.buf[0] != 0) {
        grpc_finish(c, GRPC_UNIMPLEMENTED, "compressed messages are not read");
        return false;
    }
    if (len > GRPC_MAX_MESSAGE) {
        grpc_finish(c, GRPC_RESOURCE_EXHAUSTED, "the message is too long");
        return false;
    }
    if (c->in.len - FRAME_LEN < len)
        return false;
    c->asked = true;
    c->served->method->message(c, (const uint8_t *)c->in.buf + FRAME_LEN, len);
    str_consume(&c->in, FRAME_LEN + len);
    return true;
}

/* What comes in one piece is at most a frame of HTTP/2, so that c->in does not overflow: what stays
 * in it is part of one message. */
static void on_data(void *ctx, struct h2_stream *s, const uint8_t *data, size_t len)
{
    struct grpc_call *c = h2_user(s);
    (void)ctx;
    while (!c->finished && len > 0) {
        size_t space = FRAME_LEN + GRPC_MAX_MESSAGE - c->in.len;
        size_t n = len < space ? len : space;
        str_addn(&c->in, (const char *)data, n);
        data += n;
        len -= n;
        while (next_message(c))
            ;
    }
}

static void on_end(void *ctx, struct h2_stream *s)
{
    struct grpc_call *c = h2_user(s);
    (void)ctx;
    if (!c->finished && c->in.len > 0)
        grpc_finish(c, GRPC_INVALID_ARGUMENT, "the message is cut");
    else if (!c->finished && c->served->method->end)
        c->served->method->end(c);
    else if (!c->finished && !c->asked)
        grpc_finish(c, GRPC_INVALID_ARGUMENT, "there is no message");
}

static void on_room(void *ctx, struct h2_stream *s)
{
    struct grpc_call *c = h2_user(s);
    (void)ctx;
    if (!c->finished && c->served->method->room)
        c->served->method->room(c);
}

static void on_closed(void *ctx, struct h2_stream *s)
{
    struct grpc_call *c = h2_user(s);
    (void)ctx;
    c->finished = true;
    if (c->served && c->served->method->gone)
        c->served->method->gone(c);
    str_clear(&c->in);
    free(c);
}

int grpc_open(struct grpc **out, struct error *err)
{
    auto_(grpc_freep) struct grpc *g = xnew(struct grpc);
    const struct h2_handlers hd = { on_request, on_data, on_end, on_room, on_closed, g };
    if (h2_open(&g->h2, &hd, err) < 0)
        return -1;
    *out = take(g);
    return 0;
}

void grpc_free(struct grpc *g)
{
    if (!g)
        return;
    h2_free(g->h2);
    vec_free(&g->methods);
    free(g);
}

void grpc_serve(struct grpc *g, const struct grpc_method *m, void *ctx)
{
    *vec_push(&g->methods) = (struct served){ m, ctx };
}

const char *grpc_served(const struct grpc *g, size_t i)
{
    return i < g->methods.len ? g->methods.items[i].method->path : NULL;
}

int grpc_feed(struct grpc *g, const void *data, size_t len, struct error *err)
{
    return h2_feed(g->h2, data, len, err);
}

int grpc_take(struct grpc *g, const void **data, size_t *len, struct error *err)
{
    return h2_take(g->h2, data, len, err);
}

bool grpc_ended(const struct grpc *g)
{
    return h2_ended(g->h2);
}

/* Calls. */

void *grpc_ctx(const struct grpc_call *c)
{
    return c->served->ctx;
}

void grpc_set_state(struct grpc_call *c, void *state)
{
    c->state = state;
}

void *grpc_state(const struct grpc_call *c)
{
    return c->state;
}

const char *grpc_metadata(const struct grpc_call *c, const char *key, size_t i)
{
    return h2_header(c->stream, key, i);
}

void grpc_frame(struct str *out, size_t len)
{
    str_addc(out, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        str_addc(out, (char)(len >> shift));
}

void grpc_send(struct grpc_call *c, const void *data, size_t len)
{
    auto_str struct str frame = STR_INIT;
    if (c->finished)
        return;
    grpc_frame(&frame, len);
    h2_send(c->stream, frame.buf, frame.len);
    h2_send(c->stream, data, len);
}

void grpc_send_framed(struct grpc_call *c, const void *data, size_t len)
{
    if (!c->finished)
        h2_send(c->stream, data, len);
}

size_t grpc_pending(const struct grpc_call *c)
{
    return h2_pending(c->stream);
}

/* Percent-encoded, as gRPC wants it in a header. */
static void add_message(struct str *out, const char *message)
{
    for (const char *p = message; *p; p++) {
        if (*p >= ' ' && *p <= '~' && *p != '%')
            str_addc(out, *p);
        else
            str_addf(out, "%%%02X", (unsigned)(unsigned char)*p);
    }
}

void grpc_finish(struct grpc_call *c, enum grpc_code code, const char *message)
{
    if (c->finished)
        return;
    c->finished = true;
    char number[12];
    auto_str struct str text = STR_INIT;
    snprintf(number, sizeof(number), "%d", (int)code);
    add_message(&text, message ? message : "");
    const struct h2_field trailers[] = { { "grpc-status", number }, { "grpc-message", text.buf } };
    h2_finish(c->stream, trailers, message ? 2 : 1);
}

bool grpc_finished(const struct grpc_call *c)
{
    return c->finished;
}
