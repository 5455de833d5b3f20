/* Connections that an HTTP upgrade turned into plain byte streams. */
#include "net/hijack.h"

#include <string.h>

#include <utlist.h>

#include "base/mem.h"
#include "net/answer.h"
#include "net/private.h"
#include "net/stream.h"

/*
 * A request like others, except that what follows the head of its answer is the stream. An answer
 * other than 101 and 200 is a refusal with a body of its own, short.
 */

#define MAX_REFUSAL ((size_t)1 << 20)
#define READ_SIZE ((size_t)64 << 10)
#define BURST 64 /* reads in one turn of the loop, so that a flood does not starve the rest */

enum step { CONNECTING, ASKED, REFUSED, OPEN };

struct hijack {
    struct hijack *prev, *next;
    struct http *h;
    struct hijack_handlers hd;
    struct stream *stream;
    enum step step;
    struct loop_timer *silence; /* until it is open */
    struct str request;         /* not yet sent */
    struct str out;             /* of the stream: an engine loses what comes before it said 101 */
    struct str refusal;
    struct answer answer;
    bool end_write, ended_write;
    bool tell_drained;
    bool nested; /* inside one of its callbacks */
    bool closed;
};

static void free_hijack(struct hijack *j)
{
    str_clear(&j->request);
    str_clear(&j->out);
    str_clear(&j->refusal);
    answer_clear(&j->answer);
    free(j);
}

void hijack_close(struct hijack *j)
{
    if (j->closed)
        return;
    j->closed = true;
    loop_timer_cancel(&j->silence);
    stream_close(take(j->stream));
    DL_DELETE(j->h->hijacks, j);
    if (!j->nested)
        free_hijack(j);
}

/* The last word; j is gone afterwards, or as soon as nothing of it is on the stack. */
static void end(struct hijack *j, const struct error *err)
{
    struct hijack_handlers hd = j->hd;
    hijack_close(j);
    hd.closed(hd.ctx, err);
}

static void broke(struct hijack *j)
{
    auto_error struct error err = ERROR_INIT;
    http_broke(j->h, j->step != CONNECTING, j->step > ASKED, stream_problem(j->stream), &err);
    end(j, &err);
}

static void on_silence(void *ctx)
{
    struct hijack *j = ctx;
    struct http *h = j->h;
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, 0, "%s sent nothing for %d s", h->where, HTTP_SILENCE_MS / 1000);
    http_enter(h);
    end(j, &err);
    http_leave(h);
}

/* --- the answer --- */

static void refused(struct hijack *j)
{
    auto_error struct error err = ERROR_INIT;
    auto_free char *message = http_refusal(j->answer.status, j->refusal.buf, j->refusal.len);
    error_set(&err, ERR_ENGINE, j->answer.status, "%s", message);
    end(j, &err);
}

static void malformed(struct hijack *j, const char *why)
{
    auto_error struct error err = ERROR_INIT;
    http_malformed(j->h, why, &err);
    end(j, &err);
}

static void on_head(struct hijack *j)
{
    if (j->answer.status != 101 && j->answer.status != 200) {
        j->step = REFUSED;
        return;
    }
    loop_timer_cancel(&j->silence);
    j->step = OPEN;
    if (j->hd.open)
        j->hd.open(j->hd.ctx);
}

static void take_in(struct hijack *j, const char *data, size_t len)
{
    const char *piece;
    size_t n;
    while (!j->closed && j->step != OPEN) {
        switch (answer_next(&j->answer, &data, &len, &piece, &n)) {
        case ANSWER_MORE:
            return;
        case ANSWER_HEAD:
            on_head(j);
            break;
        case ANSWER_DATA:
            str_addn(&j->refusal, piece, n);
            if (j->refusal.overflow)
                malformed(j, "the answer is too long");
            break;
        case ANSWER_END:
            refused(j);
            break;
        case ANSWER_BAD:
            malformed(j, j->answer.why);
            break;
        }
    }
    if (!j->closed && len > 0)
        j->hd.data(j->hd.ctx, data, len);
}

static void at_end(struct hijack *j, bool broken)
{
    if (j->step == OPEN && !broken)
        end(j, NULL);
    else if (j->step == REFUSED)
        refused(j);
    else
        broke(j);
}

/* --- reading and writing --- */

static void update_interest(struct hijack *j)
{
    bool write = j->request.len > 0;
    if (j->closed || j->step == CONNECTING)
        return;
    if (j->step == OPEN)
        write = j->out.len > 0 || j->tell_drained || (j->end_write && !j->ended_write);
    stream_watch(j->stream, LOOP_READ | (write ? LOOP_WRITE : 0));
}

/* True when all of it is sent. */
static bool send_out(struct hijack *j, struct str *s)
{
    while (s->len > 0) {
        long n = stream_send(j->stream, s->buf, s->len);
        if (n == STREAM_AGAIN)
            return false;
        if (n >= 0)
            str_consume(s, (size_t)n);
        else /* the peer may have closed after a last word, which is still to be read */
            str_clear(s);
    }
    return true;
}

static void do_write(struct hijack *j)
{
    if (!send_out(j, &j->request) || j->step != OPEN || !send_out(j, &j->out))
        return;
    if (j->end_write && !j->ended_write) {
        j->ended_write = true;
        stream_end_write(j->stream);
    }
    if (j->tell_drained) {
        j->tell_drained = false;
        if (j->hd.drained)
            j->hd.drained(j->hd.ctx);
    }
}

static void do_read(struct hijack *j)
{
    char buf[READ_SIZE];
    for (int i = 0; i < BURST && !j->closed; i++) {
        long n = stream_recv(j->stream, buf, sizeof(buf));
        if (n == STREAM_AGAIN)
            return;
        if (n > 0)
            take_in(j, buf, (size_t)n);
        else
            at_end(j, n < 0);
    }
}

static void on_ready(void *ctx, int events)
{
    struct hijack *j = ctx;
    j->nested = true;
    if (events & LOOP_WRITE)
        do_write(j);
    if (!j->closed && events & LOOP_READ)
        do_read(j);
    j->nested = false;
    if (j->closed)
        free_hijack(j);
    else
        update_interest(j);
}

static void on_connected(void *ctx)
{
    struct hijack *j = ctx;
    j->step = ASKED;
    loop_after(&j->silence, j->h->loop, HTTP_SILENCE_MS, on_silence, j);
    on_ready(j, LOOP_WRITE);
}

static void on_failed(void *ctx, const struct error *err)
{
    end(ctx, err);
}

struct hijack *hijack_start(struct http *h, const char *method, const char *path,
                            const char *protocol, const struct strv *headers, const char *body,
                            const struct hijack_handlers *hd)
{
    struct hijack *j = xnew(struct hijack);
    j->h = h;
    j->hd = *hd;
    j->refusal = STR_INIT_MAX(MAX_REFUSAL);
    j->out = STR_INIT_MAX(SIZE_MAX / 2); /* the writer looks at hijack_pending() */
    j->request = STR_INIT;
    answer_begin(&j->answer, false);

    http_request_line(&j->request, h, method, path, true);
    str_addf(&j->request, "Connection: Upgrade\r\nUpgrade: %s\r\n", protocol);
    if (headers)
        strv_each (it, headers)
            str_addf(&j->request, "%s\r\n", *it);
    if (body)
        str_add(&j->request, "Content-Type: application/json\r\n");
    str_addf(&j->request, "Content-Length: %zu\r\n\r\n", body ? strlen(body) : 0);
    if (body)
        str_add(&j->request, body);

    DL_APPEND(h->hijacks, j);
    j->stream = stream_open(h, &(struct stream_handlers){ on_connected, on_failed, on_ready, j });
    return j;
}

void hijack_write(struct hijack *j, const void *data, size_t len)
{
    if (j->closed || j->end_write || len == 0)
        return;
    str_addn(&j->out, data, len);
    j->tell_drained = true;
    update_interest(j);
}

size_t hijack_pending(const struct hijack *j)
{
    return j->out.len;
}

void hijack_end_write(struct hijack *j)
{
    j->end_write = true;
    update_interest(j);
}

void http_close_hijacks(struct http *h)
{
    while (h->hijacks)
        hijack_close(h->hijacks);
}
