/* HTTP requests: from a caller's words to libcurl's, and back. */
#include "net/http.h"

#include <ctype.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/private.h"

/*
 * A call waits in the queue, runs, and reports; peer.c says when. What its callbacks find wrong is
 * kept in `failure` and told at the end, as libcurl only knows that they refused to go on.
 *
 * libcurl repeats any request, a POST too, on a kept connection that turns out to be dead. An
 * engine that did the work and then lost the connection would do it twice; so all but GET and HEAD
 * get a connection of their own (0.1 ms on a unix socket).
 */

struct http_call {
    struct transfer t; /* first: t.ended gets it back */
    struct http_call *prev, *next;
    struct http *h;
    struct http_handlers hd;
    char *method;
    char *path;
    struct curl_slist *headers;
    char *body;
    size_t body_len;
    struct http_upload upload;
    struct http_response response;
    struct error failure; /* why one of our callbacks ended the transfer */
    struct loop_timer *silence;
    int64_t silence_ms;
    int64_t last_ms; /* when the peer was heard of last */
    size_t header_bytes;
    bool counted;      /* against max_connections */
    bool quiet_ok;     /* no limit of silence after the headers */
    bool headers_came; /* the final ones */
    bool paused;       /* the upload waits for http_resume() */
    bool resume;
    bool hold; /* the caller wants no data now */
    bool held; /* and libcurl knows it */
    bool canceled;
};

static bool reads_only(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

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

/* --- what libcurl calls --- */

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    size_t len = size * n;
    c->last_ms = clock_ms();
    if (c->canceled)
        return 0;
    if (c->headers_came)
        return len; /* a trailer */
    c->header_bytes += len;
    if (c->header_bytes > HTTP_MAX_HEADERS) {
        error_set(&c->failure, ERR_PROTOCOL, 0, "%s answered with headers of more than %zu KiB",
                  c->h->where, HTTP_MAX_HEADERS >> 10);
        return 0;
    }
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n'))
        len--;

    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        strv_clear(&c->response.headers);
    } else if (len > 0) {
        const char *colon = memchr(data, ':', len);
        size_t name = colon ? (size_t)(colon - data) : len;
        size_t value = colon ? name + 1 : len;
        while (value < len && (data[value] == ' ' || data[value] == '\t'))
            value++;
        for (size_t i = 0; i < name; i++)
            data[i] = (char)tolower((unsigned char)data[i]);
        strv_addf(&c->response.headers, "%.*s: %.*s", (int)name, data, (int)(len - value),
                  data + value);
    } else {
        long status = 0;
        c->h->curl->curl_easy_getinfo(c->t.easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200) { /* not one of the provisional answers, 100 and the like */
            c->headers_came = true;
            c->response.status = (int)status;
            if (c->quiet_ok)
                loop_timer_cancel(&c->silence);
            if (c->hd.on_headers)
                c->hd.on_headers(c->hd.ctx, &c->response);
        }
    }
    return c->canceled ? 0 : size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    size_t len = size * n;
    c->last_ms = clock_ms();
    if (c->canceled)
        return 0;
    if (c->hold) {
        c->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (c->hd.on_data && is_success(c)) {
        bool more = c->hd.on_data(c->hd.ctx, data, len);
        if (!more && !c->canceled)
            error_set(&c->failure, ERR_CANCELED, 0, "the transfer from %s was ended", c->h->where);
        return more && !c->canceled ? len : 0;
    }
    str_addn(&c->response.body, data, len);
    if (c->response.body.overflow) {
        error_set(&c->failure, ERR_PROTOCOL, 0, "%s answered with more than %zu KiB", c->h->where,
                  c->response.body.max >> 10);
        return 0;
    }
    return len;
}

static size_t on_upload(char *buf, size_t size, size_t n, void *ctx)
{
    struct http_call *c = ctx;
    c->last_ms = clock_ms();
    if (c->canceled)
        return CURL_READFUNC_ABORT;
    long got = c->upload.read(c->upload.ctx, buf, size * n);
    if (c->canceled)
        return CURL_READFUNC_ABORT;
    if (got == HTTP_UPLOAD_LATER) {
        c->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (got < 0 || (size_t)got > size * n) {
        error_set(&c->failure, ERR_CANCELED, 0, "the upload to %s was ended", c->h->where);
        return CURL_READFUNC_ABORT;
    }
    return (size_t)got;
}

/* --- a call's life --- */

static void call_free(struct http_call *c)
{
    struct http *h = c->h;
    if (c->t.easy) {
        http_release(h, &c->t);
        DL_DELETE(h->running, c);
        h->busy_connections -= c->counted;
    } else {
        DL_DELETE(h->queue, c);
    }
    loop_timer_cancel(&c->silence);
    for (struct curl_slist *it = c->headers; it; it = it->next)
        wipe(it->data, strlen(it->data)); /* credentials among them */
    h->curl->curl_slist_free_all(c->headers);
    strv_clear(&c->response.headers);
    str_clear(&c->response.body);
    error_clear(&c->failure);
    free(c->method);
    free(c->path);
    free(c->body);
    free(c);
}

/* Reports and frees. `err` NULL: the answer is whole. */
static void finish(struct http_call *c, const struct error *err)
{
    loop_timer_cancel(&c->silence);
    if (!c->canceled) {
        c->canceled = true; /* a cancel from inside `done` finds nothing left to do */
        c->hd.done(c->hd.ctx, err ? NULL : &c->response, err);
    }
    call_free(c);
}

static void on_ended(struct transfer *t, CURLcode result)
{
    struct http_call *c = (struct http_call *)t;
    auto_error struct error err = ERROR_INIT;
    if (result == CURLE_OK && !c->headers_came)
        result = CURLE_GOT_NOTHING; /* libcurl takes a head that was cut short for a whole one */
    if (c->failure.kind) {
        error_move(&err, &c->failure);
    } else if (result != CURLE_OK) {
        long sent = 0;
        c->h->curl->curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
        http_explain(c->h, t, result, sent > 0, c->headers_came, &err);
    }
    finish(c, err.kind ? &err : NULL);
}

static void on_silence(void *ctx)
{
    struct http_call *c = ctx;
    struct http *h = c->h;
    int64_t left = c->last_ms + c->silence_ms - clock_ms();
    if (c->paused || c->held) /* it is us who keep the peer waiting */
        left = c->silence_ms;
    if (left > 0) {
        loop_after(&c->silence, h->loop, left, on_silence, c);
        return;
    }
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, 0, "%s sent nothing for %g s", h->where,
              (double)c->silence_ms / 1000);
    http_enter(h);
    finish(c, &err);
    http_leave(h);
}

static void start(struct http_call *c)
{
    struct http *h = c->h;
    const struct curl_api *curl = h->curl;
    DL_DELETE(h->queue, c);
    DL_APPEND(h->running, c);
    h->busy_connections += c->counted;

    http_prepare(h, &c->t, c->path);
    CURL *easy = c->t.easy;
    if (strcmp(c->method, "HEAD") == 0) {
        curl->curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (c->upload.read) {
        curl->curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl->curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
        curl->curl_easy_setopt(easy, CURLOPT_READDATA, c);
        curl->curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
        curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
    } else if (c->body || strcmp(c->method, "POST") == 0) {
        curl->curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len);
        curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->body ? c->body : "");
        curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
    } else if (strcmp(c->method, "GET") != 0) {
        curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
    }
    if (!reads_only(c->method))
        curl->curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl->curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->headers);
    curl->curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
    curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);

    c->last_ms = clock_ms();
    loop_after(&c->silence, h->loop, c->silence_ms, on_silence, c);
    curl->curl_multi_add_handle(h->multi, easy);
}

static void start_queued(struct http *h)
{
    struct http_call *c, *next;
    DL_FOREACH_SAFE(h->queue, c, next)
    {
        if (c->counted && h->busy_connections >= h->max_connections)
            continue;
        start(c);
    }
}

static void sweep(struct http *h)
{
    struct http_call *c, *next;
    h->sweep = false;
    DL_FOREACH_SAFE(h->queue, c, next)
    {
        if (c->canceled)
            call_free(c);
    }
    DL_FOREACH_SAFE(h->running, c, next)
    {
        if (c->canceled) {
            call_free(c);
        } else if (c->resume) {
            c->resume = false;
            if (c->paused || (c->held && !c->hold)) {
                c->paused = c->held = false;
                c->last_ms = clock_ms();
                h->curl->curl_easy_pause(c->t.easy, CURLPAUSE_CONT);
            }
        }
    }
}

void http_calls_settle(struct http *h)
{
    if (h->sweep)
        sweep(h);
    if (!h->closed)
        start_queued(h);
}

void http_calls_cancel(struct http *h)
{
    struct http_call *c;
    DL_FOREACH (h->queue, c)
        c->canceled = true;
    DL_FOREACH (h->running, c)
        c->canceled = true;
}

void http_calls_free(struct http *h)
{
    while (h->queue)
        call_free(h->queue);
    while (h->running)
        call_free(h->running);
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

struct http_call *http_start(struct http *h, const struct http_request *rq,
                             const struct http_handlers *hd)
{
    const struct curl_api *curl = h->curl;
    struct http_call *c = xnew(struct http_call);
    c->h = h;
    c->t.ended = on_ended;
    c->hd = *hd;
    c->method = xstrdup(rq->method);
    c->path = xstrdup(rq->path);
    if (rq->headers)
        strv_each (it, rq->headers)
            c->headers = curl->curl_slist_append(c->headers, *it);
    /* What libcurl would add by itself: a wait of a second for "100 Continue", a form's type. */
    c->headers = curl->curl_slist_append(c->headers, "Expect:");
    if (!has_header(rq->headers, "Content-Type:"))
        c->headers = curl->curl_slist_append(c->headers, "Content-Type:");
    if (rq->upload) {
        c->upload = *rq->upload;
    } else if (rq->body) {
        c->body = xmalloc(rq->body_len + 1);
        memcpy(c->body, rq->body, rq->body_len);
        c->body_len = rq->body_len;
    }
    c->response.body = STR_INIT_MAX(rq->max_body ? rq->max_body : HTTP_MAX_BODY);
    c->silence_ms = rq->silence_ms ? rq->silence_ms : HTTP_SILENCE_MS;
    c->quiet_ok = rq->quiet_ok;
    c->counted = !rq->quiet_ok;
    DL_APPEND(h->queue, c);
    http_kick(h);
    return c;
}

void http_resume(struct http_call *c)
{
    c->resume = true;
    c->h->sweep = true;
    http_kick(c->h);
}

void http_hold(struct http_call *c, bool hold)
{
    c->hold = hold;
    if (!hold && c->held)
        http_resume(c);
}

void http_cancel(struct http_call *c)
{
    struct http *h = c->h;
    if (h->nested) {
        c->canceled = true;
        h->sweep = true;
    } else {
        call_free(c);
        http_kick(h); /* its connection may be waited for */
    }
}
