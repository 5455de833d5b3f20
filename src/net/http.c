/* HTTP requests: from a caller's words to bytes, and back. */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/answer.h"
#include "net/private.h"
#include "net/stream.h"

/*
 * A call waits in the queue, runs on a stream, and reports. It is `over` from then on, or from
 * being cancelled; as its own callbacks may do that, the memory goes when they have returned.
 *
 * GET and HEAD take a connection that an earlier request left; should the peer have closed that
 * meanwhile, they get a new one. All others get one of their own (0.1 ms on a unix socket): of a
 * request that was sent on a dead connection nobody knows whether the peer acted on it.
 */

#define READ_SIZE ((size_t)64 << 10)
#define UPLOAD_SIZE ((size_t)256 << 10)
#define BURST 64 /* reads or pieces in one turn of the loop, which others want, too */

struct http_call {
    struct http_call *prev, *next;
    struct http *h;
    struct http_handlers hd;
    struct stream *stream;
    struct str request; /* head and body; with an upload the head, then piece after piece */
    size_t sent;        /* of it */
    struct http_upload upload;
    char *piece; /* of it, UPLOAD_SIZE */
    struct answer answer;
    struct http_response response;
    struct loop_timer *silence;
    int64_t silence_ms;
    int64_t last_ms; /* when anything went to or came from the peer last */
    bool reads_only; /* GET and HEAD */
    bool counted;    /* against max_connections */
    bool quiet_ok;   /* no limit of silence after the headers */
    bool connected;
    bool kept;         /* it is on a connection that an earlier request left */
    bool headers_came; /* the final ones */
    bool began;        /* something was sent */
    bool paused;       /* the upload waits for http_resume() */
    bool hold;         /* the caller wants no more data now */
    bool last_look;    /* the limit of silence is over */
    bool running;
    bool nested; /* inside one of its callbacks */
    bool over;
};

struct kept {
    struct kept *prev, *next;
    struct http *h;
    struct stream *stream;
};

static bool is_success(const struct http_call *c)
{
    return c->response.status >= 200 && c->response.status < 300;
}

const char *http_header(const struct http_response *r, const char *name)
{
    size_t n = strlen(name);
    strv_each (it, &r->headers)
        if (strncmp(*it, name, n) == 0 && strncmp(*it + n, ": ", 2) == 0)
            return *it + n + 2;
    return NULL;
}

/* --- connections that are kept --- */

static struct stream *take_kept(struct kept *k)
{
    struct stream *s = k->stream;
    DL_DELETE(k->h->kept, k);
    free(k);
    return s;
}

/* The peer closes it, or says something that nobody asked for. */
static void on_kept_ready(void *ctx, int events)
{
    struct kept *k = ctx;
    char byte;
    (void)events;
    if (stream_recv(k->stream, &byte, 1) != STREAM_AGAIN)
        stream_close(take_kept(k));
}

static void keep(struct http *h, struct stream *s)
{
    struct kept *k = xnew(struct kept), *any;
    int n = 0;
    DL_COUNT(h->kept, any, n);
    if (n >= h->max_connections)
        stream_close(take_kept(h->kept->prev)); /* the last one */
    *k = (struct kept){ .h = h, .stream = s };
    DL_PREPEND(h->kept, k);
    stream_hand_over(s, &(struct stream_handlers){ .ready = on_kept_ready, .ctx = k });
    stream_watch(s, LOOP_READ);
}

void http_close_kept(struct http *h)
{
    while (h->kept)
        stream_close(take_kept(h->kept));
}

/* --- a call's life --- */

static void call_free(struct http_call *c)
{
    struct http *h = c->h;
    if (c->running) {
        DL_DELETE(h->running, c);
        h->busy_connections -= c->counted;
    } else {
        DL_DELETE(h->queue, c);
    }
    if (c->request.cap)
        wipe(c->request.buf, c->request.cap); /* credentials among it */
    str_clear(&c->request);
    free(c->piece);
    answer_clear(&c->answer);
    strv_clear(&c->response.headers);
    str_clear(&c->response.body);
    free(c);
}

/* Nothing more of it is sent, received or told. */
static void drop(struct http_call *c)
{
    c->over = true;
    loop_timer_cancel(&c->silence);
    stream_close(take(c->stream));
}

static void fail(struct http_call *c, const struct error *err)
{
    drop(c);
    c->hd.done(c->hd.ctx, NULL, err);
}

static void finish(struct http_call *c, bool reusable)
{
    if (reusable && c->sent == c->request.len && !c->upload.read)
        keep(c->h, take(c->stream));
    drop(c);
    c->hd.done(c->hd.ctx, &c->response, NULL);
}

void http_cancel(struct http_call *c)
{
    if (c->over)
        return;
    struct http *h = c->h;
    drop(c);
    if (!c->nested)
        call_free(c);
    http_kick(h); /* its connection may be waited for */
}

void http_calls_cancel(struct http *h)
{
    struct http_call *c, *next;
    DL_FOREACH_SAFE(h->queue, c, next)
    http_cancel(c);
    DL_FOREACH_SAFE(h->running, c, next)
    http_cancel(c);
}

/* --- the answer --- */

static void on_head(struct http_call *c)
{
    c->headers_came = true;
    c->response.status = c->answer.status;
    c->response.headers = c->answer.headers;
    c->answer.headers = STRV_INIT;
    if (c->quiet_ok)
        loop_timer_cancel(&c->silence);
    if (c->hd.on_headers)
        c->hd.on_headers(c->hd.ctx, &c->response);
}

static void on_body(struct http_call *c, const char *data, size_t len)
{
    auto_error struct error err = ERROR_INIT;
    if (c->hd.on_data && is_success(c)) {
        bool more = c->hd.on_data(c->hd.ctx, data, len);
        if (!more && !c->over)
            error_set(&err, ERR_CANCELED, 0, "the transfer from %s was ended", c->h->where);
    } else {
        str_addn(&c->response.body, data, len);
        if (c->response.body.overflow)
            error_set(&err, ERR_PROTOCOL, 0, "%s answered with more than %zu KiB", c->h->where,
                      c->response.body.max >> 10);
    }
    if (err.kind)
        fail(c, &err);
}

static void malformed(struct http_call *c)
{
    auto_error struct error err = ERROR_INIT;
    http_malformed(c->h, c->answer.why, &err);
    fail(c, &err);
}

static void take_in(struct http_call *c, const char *data, size_t len)
{
    c->last_ms = clock_ms();
    while (!c->over) {
        const char *piece;
        size_t n;
        switch (answer_next(&c->answer, &data, &len, &piece, &n)) {
        case ANSWER_MORE:
            return;
        case ANSWER_HEAD:
            on_head(c);
            break;
        case ANSWER_DATA:
            on_body(c, piece, n);
            break;
        case ANSWER_END:
            finish(c, c->answer.reusable && len == 0);
            break;
        case ANSWER_BAD:
            malformed(c);
            break;
        }
    }
}

static void open_stream(struct http_call *c);

static void at_end(struct http_call *c, bool broken)
{
    auto_error struct error err = ERROR_INIT;
    if (!broken && answer_ended(&c->answer)) {
        finish(c, false);
    } else if (c->kept && !c->answer.begun) {
        stream_close(take(c->stream));
        c->kept = c->connected = false;
        c->sent = 0;
        open_stream(c);
    } else {
        http_broke(c->h, c->began, c->headers_came, stream_problem(c->stream), &err);
        fail(c, &err);
    }
}

/* --- the exchange --- */

/* The next piece of the upload is in c->request when there is one. */
static void next_piece(struct http_call *c)
{
    auto_error struct error err = ERROR_INIT;
    if (!c->piece)
        c->piece = xmalloc(UPLOAD_SIZE);
    c->last_ms = clock_ms();
    c->paused = true; /* http_resume() may be called from inside */
    long n = c->upload.read(c->upload.ctx, c->piece, UPLOAD_SIZE);
    if (c->over || n == HTTP_UPLOAD_LATER)
        return;
    c->paused = false;
    if (n < 0 || (size_t)n > UPLOAD_SIZE) {
        error_set(&err, ERR_CANCELED, 0, "the upload to %s was ended", c->h->where);
        fail(c, &err);
        return;
    }
    str_truncate(&c->request, 0);
    c->sent = 0;
    str_addf(&c->request, "%lx\r\n", (unsigned long)n);
    str_addn(&c->request, c->piece, (size_t)n);
    str_add(&c->request, "\r\n");
    if (n == 0)
        c->upload.read = NULL;
}

/* Sends what the peer takes. One that takes nothing any more may have said why before. */
static void write_request(struct http_call *c)
{
    for (int i = 0; i < BURST && !c->over; i++) {
        while (c->sent < c->request.len) {
            long n = stream_send(c->stream, c->request.buf + c->sent, c->request.len - c->sent);
            if (n == STREAM_AGAIN)
                return;
            if (n == STREAM_BROKEN) {
                c->upload.read = NULL;
                c->sent = c->request.len;
                return;
            }
            c->began = true;
            c->sent += (size_t)n;
            c->last_ms = clock_ms();
        }
        if (!c->upload.read || c->paused)
            return;
        next_piece(c);
    }
}

static void read_answer(struct http_call *c)
{
    char buf[READ_SIZE];
    struct stream *s = c->stream;
    for (int i = 0; i < BURST && c->stream == s && !c->over && !c->hold; i++) {
        long n = stream_recv(s, buf, sizeof(buf));
        if (n == STREAM_AGAIN)
            return;
        if (n > 0)
            take_in(c, buf, (size_t)n);
        else
            at_end(c, n < 0);
    }
}

static void watch(struct http_call *c)
{
    bool write = c->sent < c->request.len || (c->upload.read && !c->paused);
    stream_watch(c->stream, (c->hold ? 0 : LOOP_READ) | (write ? LOOP_WRITE : 0));
}

static void on_ready(void *ctx, int events)
{
    struct http_call *c = ctx;
    struct stream *s = c->stream;
    c->nested = true;
    if (events & LOOP_WRITE)
        write_request(c);
    if (!c->over && events & LOOP_READ)
        read_answer(c);
    c->nested = false;
    if (c->over)
        call_free(c);
    else if (c->stream == s)
        watch(c);
}

static void on_connected(void *ctx)
{
    struct http_call *c = ctx;
    c->connected = true;
    on_ready(c, LOOP_WRITE);
}

static void on_failed(void *ctx, const struct error *err)
{
    struct http_call *c = ctx;
    c->nested = true;
    fail(c, err);
    call_free(c);
}

static void on_silence(void *ctx)
{
    struct http_call *c = ctx;
    struct http *h = c->h;
    int64_t left = c->last_ms + c->silence_ms - clock_ms();
    if (c->paused || c->hold) /* it is us who keep the peer waiting */
        left = c->silence_ms;
    /* Perhaps it was us who stood still, and what came meanwhile is still to be read. */
    c->last_look = left <= 0 && !c->last_look;
    if (c->last_look)
        left = 1;
    if (left > 0) {
        loop_after(&c->silence, h->loop, left, on_silence, c);
        return;
    }
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, 0, "%s sent nothing for %g s", h->where,
              (double)c->silence_ms / 1000);
    http_enter(h);
    on_failed(c, &err);
    http_leave(h);
}

static const struct stream_handlers handlers = { .connected = on_connected,
                                                 .failed = on_failed,
                                                 .ready = on_ready };

static void open_stream(struct http_call *c)
{
    struct stream_handlers hd = handlers;
    hd.ctx = c;
    c->stream = stream_open(c->h, &hd);
}

static void start(struct http_call *c)
{
    struct http *h = c->h;
    DL_DELETE(h->queue, c);
    DL_APPEND(h->running, c);
    c->running = true;
    h->busy_connections += c->counted;
    c->last_ms = clock_ms();
    loop_after(&c->silence, h->loop, c->silence_ms, on_silence, c);
    c->kept = c->connected = c->reads_only && h->kept;
    if (c->kept) {
        struct stream_handlers hd = handlers;
        hd.ctx = c;
        c->stream = take_kept(h->kept);
        stream_hand_over(c->stream, &hd);
        stream_watch(c->stream, LOOP_READ | LOOP_WRITE);
    } else {
        open_stream(c);
    }
}

void http_calls_start(struct http *h)
{
    struct http_call *c, *next;
    DL_FOREACH_SAFE(h->queue, c, next)
    if (!c->counted || h->busy_connections < h->max_connections)
        start(c);
}

/* --- what callers call --- */

static bool has_header(const struct strv *headers, const char *name)
{
    if (headers)
        strv_each (it, headers)
            if (strncasecmp(*it, name, strlen(name)) == 0)
                return true;
    return false;
}

static void write_request_head(struct http_call *c, const struct http_request *rq)
{
    struct str *out = &c->request;
    http_request_line(out, c->h, rq->method, rq->path, !has_header(rq->headers, "Host:"));
    if (rq->headers)
        strv_each (it, rq->headers)
            str_addf(out, "%s\r\n", *it);
    if (rq->upload)
        str_add(out, "Transfer-Encoding: chunked\r\n");
    else if (rq->body || strcmp(rq->method, "POST") == 0)
        str_addf(out, "Content-Length: %zu\r\n", rq->body ? rq->body_len : 0);
    str_add(out, "\r\n");
}

struct http_call *http_start(struct http *h, const struct http_request *rq,
                             const struct http_handlers *hd)
{
    struct http_call *c = xnew(struct http_call);
    c->h = h;
    c->hd = *hd;
    bool head_only = strcmp(rq->method, "HEAD") == 0;
    c->reads_only = head_only || strcmp(rq->method, "GET") == 0;
    answer_begin(&c->answer, head_only);
    c->request = STR_INIT_MAX(SIZE_MAX / 2);
    write_request_head(c, rq);
    if (rq->upload)
        c->upload = *rq->upload;
    else if (rq->body)
        str_addn(&c->request, rq->body, rq->body_len);
    c->response.body = STR_INIT_MAX(rq->max_body ? rq->max_body : HTTP_MAX_BODY);
    c->silence_ms = rq->silence_ms ? rq->silence_ms : HTTP_SILENCE_MS;
    c->quiet_ok = rq->quiet_ok;
    c->counted = !rq->quiet_ok;
    DL_APPEND(h->queue, c);
    http_kick(h);
    return c;
}

/* A stream that is still connecting, or whose callback runs, is watched afterwards. */
static void go_on(struct http_call *c)
{
    c->last_ms = clock_ms();
    if (c->connected && !c->nested && !c->over)
        watch(c);
}

void http_resume(struct http_call *c)
{
    c->paused = false;
    go_on(c);
}

void http_hold(struct http_call *c, bool hold)
{
    c->hold = hold;
    go_on(c);
}
