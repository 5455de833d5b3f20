/*
 * HTTP/2 by libnghttp2. A stream queues its answer in one string, which the library empties as the
 * peer's windows allow; the trailers are kept until the queue is empty.
 */
#include "session/h2.h"

#include <nghttp2/nghttp2.h>
#include <string.h>
#include <utlist.h>

#include "base/library.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"

#define NGHTTP2_FUNCTIONS(X)                                     \
    X(nghttp2_session_callbacks_new)                             \
    X(nghttp2_session_callbacks_del)                             \
    X(nghttp2_session_callbacks_set_on_begin_headers_callback)   \
    X(nghttp2_session_callbacks_set_on_header_callback)          \
    X(nghttp2_session_callbacks_set_on_frame_recv_callback)      \
    X(nghttp2_session_callbacks_set_on_data_chunk_recv_callback) \
    X(nghttp2_session_callbacks_set_on_stream_close_callback)    \
    X(nghttp2_session_server_new)                                \
    X(nghttp2_session_del)                                       \
    X(nghttp2_session_mem_recv)                                  \
    X(nghttp2_session_mem_send)                                  \
    X(nghttp2_session_want_read)                                 \
    X(nghttp2_session_want_write)                                \
    X(nghttp2_session_resume_data)                               \
    X(nghttp2_session_set_stream_user_data)                      \
    X(nghttp2_session_get_stream_user_data)                      \
    X(nghttp2_submit_settings)                                   \
    X(nghttp2_submit_response)                                   \
    X(nghttp2_submit_trailer)                                    \
    X(nghttp2_submit_rst_stream)                                 \
    X(nghttp2_strerror)

struct nghttp2_api {
    NGHTTP2_FUNCTIONS(LIBRARY_MEMBER)
};

struct h2 {
    struct nghttp2_api api;
    struct h2_handlers hd;
    nghttp2_session *session;
    struct h2_stream *streams;
};

struct h2_stream {
    struct h2_stream *prev, *next;
    struct h2 *h;
    int32_t id;
    struct strv head; /* names and values in turn */
    size_t head_bytes;
    bool open;  /* `request` ran */
    bool ended; /* `end` ran */
    bool refused;
    struct str out;
    size_t sent; /* of out; consumed now and then, since that moves the rest */
    bool finished;
    struct strv trailers;
    void *user;
};

static int open_library(struct nghttp2_api *api, struct error *err)
{
#define SYMBOL(fn) LIBRARY_SYMBOL(nghttp2_api, fn)
    static const struct library_symbol symbols[] = { NGHTTP2_FUNCTIONS(SYMBOL) };
    static const char *const sonames[] = { "libnghttp2.so.14", "libnghttp2.14.dylib",
                                           "libnghttp2.dylib", NULL };
    return library_open(api, symbols, countof(symbols), sonames, "a build with a session", err);
}

static void stream_free(struct h2_stream *s)
{
    DL_DELETE(s->h->streams, s);
    if (s->open)
        s->h->hd.closed(s->h->hd.ctx, s);
    strv_clear(&s->head);
    strv_clear(&s->trailers);
    str_clear(&s->out);
    free(s);
}

/* What the library tells. */

static struct h2_stream *stream_of(struct h2 *h, int32_t id)
{
    return h->api.nghttp2_session_get_stream_user_data(h->session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct h2 *h = ctx;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct h2_stream *s = xnew(struct h2_stream);
    s->h = h;
    s->id = frame->hd.stream_id;
    s->out = STR_INIT_MAX(SIZE_MAX / 2); /* the writer looks at h2_pending() */
    DL_APPEND(h->streams, s);
    h->api.nghttp2_session_set_stream_user_data(session, s->id, s);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct h2_stream *s = stream_of(ctx, frame->hd.stream_id);
    (void)session, (void)flags;
    if (!s || s->open) /* trailers of a request say nothing that is needed */
        return 0;
    s->head_bytes += name_len + value_len + 32;
    if (s->head_bytes > H2_MAX_HEAD)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    strv_addn(&s->head, (const char *)name, name_len);
    strv_addn(&s->head, (const char *)value, value_len);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct h2 *h = ctx;
    struct h2_stream *s = stream_of(h, frame->hd.stream_id);
    (void)session;
    if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (!s->open) {
        s->open = true;
        h->hd.request(h->hd.ctx, s);
    }
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM && !s->ended) {
        s->ended = true;
        h->hd.end(h->hd.ctx, s);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *ctx)
{
    struct h2 *h = ctx;
    struct h2_stream *s = stream_of(h, id);
    (void)session, (void)flags;
    if (s && s->open && len)
        h->hd.data(h->hd.ctx, s, data, len);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
    struct h2_stream *s = stream_of(ctx, id);
    (void)session, (void)code;
    if (s)
        stream_free(s);
    return 0;
}

int h2_open(struct h2 **out, const struct h2_handlers *hd, struct error *err)
{
    auto_(h2_freep) struct h2 *h = xnew(struct h2);
    nghttp2_session_callbacks *cbs;
    h->hd = *hd;
    if (open_library(&h->api, err) < 0)
        return -1;
    if (h->api.nghttp2_session_callbacks_new(&cbs) != 0)
        return error_set(err, ERR_SYSTEM, 0, "open libnghttp2");
    h->api.nghttp2_session_callbacks_set_on_begin_headers_callback(cbs, on_begin_headers);
    h->api.nghttp2_session_callbacks_set_on_header_callback(cbs, on_header);
    h->api.nghttp2_session_callbacks_set_on_frame_recv_callback(cbs, on_frame);
    h->api.nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cbs, on_data);
    h->api.nghttp2_session_callbacks_set_on_stream_close_callback(cbs, on_close);
    int rc = h->api.nghttp2_session_server_new(&h->session, cbs, h);
    h->api.nghttp2_session_callbacks_del(cbs);
    static const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_MAX_STREAMS },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_MAX_HEAD },
    };
    if (rc == 0)
        rc = h->api.nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                                            countof(settings));
    if (rc != 0)
        return error_set(err, ERR_SYSTEM, 0, "open libnghttp2: %s", h->api.nghttp2_strerror(rc));
    *out = take(h);
    return 0;
}

void h2_free(struct h2 *h)
{
    if (!h)
        return;
    while (h->streams)
        stream_free(h->streams);
    if (h->session)
        h->api.nghttp2_session_del(h->session);
    free(h);
}

/* Moving bytes. */

static int broken(const struct h2 *h, int code, struct error *err)
{
    return error_set(err, ERR_PROTOCOL, 0, "the engine's session does not speak HTTP/2: %s",
                     h->api.nghttp2_strerror(code));
}

int h2_feed(struct h2 *h, const void *data, size_t len, struct error *err)
{
    ssize_t n = h->api.nghttp2_session_mem_recv(h->session, data, len);
    return n < 0 ? broken(h, (int)n, err) : 0;
}

int h2_take(struct h2 *h, const void **data, size_t *len, struct error *err)
{
    const uint8_t *bytes = NULL;
    ssize_t n = h->api.nghttp2_session_mem_send(h->session, &bytes);
    if (n < 0)
        return broken(h, (int)n, err);
    *data = bytes;
    *len = (size_t)n;
    return 0;
}

bool h2_ended(const struct h2 *h)
{
    return !h->api.nghttp2_session_want_read(h->session) &&
           !h->api.nghttp2_session_want_write(h->session);
}

/* Streams. */

const char *h2_header(const struct h2_stream *s, const char *name, size_t i)
{
    for (size_t at = 0; at + 1 < s->head.len; at += 2)
        if (strcmp(s->head.items[at], name) == 0 && i-- == 0)
            return s->head.items[at + 1];
    return NULL;
}

void h2_set_user(struct h2_stream *s, void *user)
{
    s->user = user;
}

void *h2_user(const struct h2_stream *s)
{
    return s->user;
}

static nghttp2_nv field_of(const char *name, const char *value)
{
    /* The library copies both: the constness is lost in its types alone. */
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
                         .value = (uint8_t *)(uintptr_t)value,
                         .namelen = strlen(name),
                         .valuelen = strlen(value) };
}

static void submit_trailers(struct h2_stream *s)
{
    struct h2 *h = s->h;
    size_t n = s->trailers.len / 2;
    nghttp2_nv *nv = xcalloc(n + 1, sizeof(*nv));
    for (size_t i = 0; i < n; i++)
        nv[i] = field_of(s->trailers.items[2 * i], s->trailers.items[2 * i + 1]);
    h->api.nghttp2_submit_trailer(h->session, s->id, nv, n);
    free(nv);
}

/* The library asks for the next piece of an answer. */
static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *buf, size_t max,
                        uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct h2_stream *s = source->ptr;
    struct h2 *h = ctx;
    (void)session, (void)id;
    size_t left = h2_pending(s);
    if (left == 0 && !s->finished)
        return NGHTTP2_ERR_DEFERRED;
    size_t n = left < max ? left : max;
    if (n)
        memcpy(buf, s->out.buf + s->sent, n);
    s->sent += n;
    if (n == left || s->sent >= H2_ROOM) {
        str_consume(&s->out, s->sent);
        s->sent = 0;
    }
    if (s->finished && n == left) {
        *flags = NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_trailers(s);
    } else if (left >= H2_ROOM && left - n < H2_ROOM) {
        h->hd.room(h->hd.ctx, s);
    }
    return (ssize_t)n;
}

void h2_answer(struct h2_stream *s, const struct h2_field *fields, size_t n)
{
    struct h2 *h = s->h;
    nghttp2_nv *nv = xcalloc(n + 1, sizeof(*nv));
    nv[0] = field_of(":status", "200");
    for (size_t i = 0; i < n; i++)
        nv[i + 1] = field_of(fields[i].name, fields[i].value);
    const nghttp2_data_provider provider = { .source = { .ptr = s }, .read_callback = read_out };
    h->api.nghttp2_submit_response(h->session, s->id, nv, n + 1, &provider);
    free(nv);
}

void h2_send(struct h2_stream *s, const void *data, size_t len)
{
    if (s->finished)
        return;
    str_addn(&s->out, data, len);
    s->h->api.nghttp2_session_resume_data(s->h->session, s->id);
}

void h2_finish(struct h2_stream *s, const struct h2_field *fields, size_t n)
{
    if (s->finished)
        return;
    s->finished = true;
    for (size_t i = 0; i < n; i++) {
        strv_add(&s->trailers, fields[i].name);
        strv_add(&s->trailers, fields[i].value);
    }
    s->h->api.nghttp2_session_resume_data(s->h->session, s->id);
}

void h2_reset(struct h2_stream *s)
{
    s->h->api.nghttp2_submit_rst_stream(s->h->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}

size_t h2_pending(const struct h2_stream *s)
{
    return s->out.len - s->sent;
}
