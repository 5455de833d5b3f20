/* A client of gRPC by libnghttp2. */
#include "caller.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "base/library.h"
#include "base/mem.h"
#include "base/num.h"

#define CLIENT_FUNCTIONS(X)                                      \
    X(nghttp2_session_callbacks_new)                             \
    X(nghttp2_session_callbacks_del)                             \
    X(nghttp2_session_callbacks_set_on_header_callback)          \
    X(nghttp2_session_callbacks_set_on_data_chunk_recv_callback) \
    X(nghttp2_session_callbacks_set_on_stream_close_callback)    \
    X(nghttp2_option_new)                                        \
    X(nghttp2_option_del)                                        \
    X(nghttp2_option_set_no_auto_window_update)                  \
    X(nghttp2_session_client_new2)                               \
    X(nghttp2_session_del)                                       \
    X(nghttp2_session_mem_recv)                                  \
    X(nghttp2_session_mem_send)                                  \
    X(nghttp2_session_consume)                                   \
    X(nghttp2_session_get_stream_user_data)                      \
    X(nghttp2_session_resume_data)                               \
    X(nghttp2_submit_settings)                                   \
    X(nghttp2_submit_request)                                    \
    X(nghttp2_submit_rst_stream)

struct client_api {
    CLIENT_FUNCTIONS(LIBRARY_MEMBER)
};

struct caller {
    struct client_api api;
    nghttp2_session *session;
    struct call *calls;
    bool stopped;
    size_t unread; /* consumed at go_on */
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct caller *c = ctx;
    struct call *call = c->api.nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    int64_t status;
    (void)flags, (void)name_len;
    if (call && strcmp((const char *)name, "grpc-status") == 0)
        call->status = num_range(&status, (const char *)value, 0, 16) < 0 ? -1 : (int)status;
    if (call && strcmp((const char *)name, "grpc-message") == 0)
        snprintf(call->message, sizeof(call->message), "%.*s", (int)value_len, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *ctx)
{
    struct caller *c = ctx;
    struct call *call = c->api.nghttp2_session_get_stream_user_data(session, id);
    (void)flags;
    if (call) {
        str_addn(&call->in, (const char *)data, len);
        call->total += len;
    }
    if (c->stopped)
        c->unread += len;
    else
        c->api.nghttp2_session_consume(session, id, len);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
    struct caller *c = ctx;
    struct call *call = c->api.nghttp2_session_get_stream_user_data(session, id);
    (void)code;
    if (call)
        call->closed = true;
    return 0;
}

struct caller *caller_new(void)
{
#define SYMBOL(fn) LIBRARY_SYMBOL(client_api, fn)
    static const struct library_symbol symbols[] = { CLIENT_FUNCTIONS(SYMBOL) };
    static const char *const sonames[] = { "libnghttp2.so.14", "libnghttp2.14.dylib",
                                           "libnghttp2.dylib", NULL };
    struct caller *c = xnew(struct caller);
    int rc = library_open(&c->api, symbols, countof(symbols), sonames, "the test", NULL);
    assert(rc == 0);
    nghttp2_session_callbacks *cbs;
    nghttp2_option *option;
    rc = c->api.nghttp2_session_callbacks_new(&cbs);
    rc |= c->api.nghttp2_option_new(&option);
    assert(rc == 0);
    c->api.nghttp2_session_callbacks_set_on_header_callback(cbs, on_header);
    c->api.nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cbs, on_data);
    c->api.nghttp2_session_callbacks_set_on_stream_close_callback(cbs, on_close);
    c->api.nghttp2_option_set_no_auto_window_update(option, 1);
    rc = c->api.nghttp2_session_client_new2(&c->session, cbs, c, option);
    c->api.nghttp2_session_callbacks_del(cbs);
    c->api.nghttp2_option_del(option);
    rc |= c->api.nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, NULL, 0);
    assert(rc == 0);
    return c;
}

void caller_free(struct caller *c)
{
    if (!c)
        return;
    c->api.nghttp2_session_del(c->session);
    while (c->calls) {
        struct call *call = c->calls;
        c->calls = call->next;
        str_clear(&call->in);
        str_clear(&call->out);
        free(call);
    }
    free(c);
}

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *buf, size_t max,
                        uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct call *call = source->ptr;
    size_t n = call->out.len < max ? call->out.len : max;
    (void)session, (void)id, (void)ctx;
    if (n == 0 && !call->ended)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(buf, call->out.buf, n);
    str_consume(&call->out, n);
    if (call->ended && call->out.len == 0)
        *flags = NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
                         .value = (uint8_t *)(uintptr_t)value,
                         .namelen = strlen(name),
                         .valuelen = strlen(value) };
}

struct call *caller_start(struct caller *c, const char *path, const char *const *metadata)
{
    nghttp2_nv nv[64] = { field(":method", "POST"),
                          field(":scheme", "http"),
                          field(":path", path),
                          field(":authority", "localhost"),
                          field("content-type", "application/grpc"),
                          field("te", "trailers") };
    size_t n = 6;
    for (; metadata && metadata[0]; metadata += 2)
        nv[n++] = field(metadata[0], metadata[1]);
    struct call *call = xnew(struct call);
    call->caller = c;
    call->in = call->out = STR_INIT_MAX(SIZE_MAX / 2);
    call->status = -1;
    call->next = c->calls;
    c->calls = call;
    const nghttp2_data_provider provider = { .source = { .ptr = call }, .read_callback = read_out };
    call->id = c->api.nghttp2_submit_request(c->session, NULL, nv, n, &provider, call);
    assert(call->id > 0);
    return call;
}

static void resume(struct call *call)
{
    call->caller->api.nghttp2_session_resume_data(call->caller->session, call->id);
}

void caller_send_raw(struct call *call, const void *data, size_t len)
{
    str_addn(&call->out, data, len);
    resume(call);
}

void caller_send(struct call *call, const void *message, size_t len)
{
    grpc_frame(&call->out, len);
    caller_send_raw(call, message, len);
}

void caller_end(struct call *call)
{
    call->ended = true;
    resume(call);
}

void caller_reset(struct call *call)
{
    call->caller->api.nghttp2_submit_rst_stream(call->caller->session, NGHTTP2_FLAG_NONE, call->id,
                                                NGHTTP2_CANCEL);
}

const char *caller_message(const struct call *call, size_t *at, size_t *len)
{
    const uint8_t *p = (const uint8_t *)call->in.buf + *at;
    size_t left = call->in.len - *at;
    if (left < 5)
        return NULL;
    size_t n = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (left - 5 < n)
        return NULL;
    *at += 5 + n;
    *len = n;
    return (const char *)p + 5;
}

void caller_take(struct caller *c, struct str *out)
{
    const uint8_t *data;
    ssize_t n;
    while ((n = c->api.nghttp2_session_mem_send(c->session, &data)) > 0)
        str_addn(out, (const char *)data, (size_t)n);
}

int caller_exchange(struct caller *c, struct grpc *g, size_t piece)
{
    auto_str struct str bytes = STR_INIT_MAX(SIZE_MAX / 2);
    const void *data;
    size_t len;
    bool moved = true;
    while (moved) {
        str_truncate(&bytes, 0);
        caller_take(c, &bytes);
        moved = bytes.len > 0;
        for (size_t at = 0; at < bytes.len; at += piece)
            if (grpc_feed(g, bytes.buf + at, bytes.len - at < piece ? bytes.len - at : piece,
                          NULL) < 0)
                return -1;
        for (;;) {
            if (grpc_take(g, &data, &len, NULL) < 0)
                return -1;
            if (len == 0)
                break;
            moved = true;
            if (c->api.nghttp2_session_mem_recv(c->session, data, len) < 0)
                return -1;
        }
    }
    return 0;
}

void caller_stop_reading(struct caller *c)
{
    c->stopped = true;
}

void caller_go_on_reading(struct caller *c)
{
    c->stopped = false;
    for (struct call *call = c->calls; call && c->unread; call = call->next) {
        c->api.nghttp2_session_consume(c->session, call->id, c->unread);
        c->unread = 0;
    }
}
