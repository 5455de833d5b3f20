/* Connections that an HTTP upgrade turned into plain byte streams. */
#include "net/hijack.h"

#include <string.h>
#include <sys/socket.h>

#include <utlist.h>

#include "base/mem.h"
#include "net/head.h"
#include "net/private.h"

/*
 * libcurl connects (unix socket, TCP, TLS) and stops there: CONNECT_ONLY. From then on the
 * connection is ours: the request is written and the answer's head read by hand, and whatever
 * follows is the stream. curl_easy_send() and curl_easy_recv() are used rather than the socket
 * itself, so that TLS is nobody's concern here; the easy handle stays on the multi handle until
 * the end, as libcurl wants.
 *
 * An answer other than 101 and 200 is a refusal with a body of its own, short and in one of three
 * forms: with a length, in chunks, or up to the end of the connection.
 */

#define MAX_HEAD ((size_t)64 << 10)
#define MAX_REFUSAL ((size_t)1 << 20)
#define BURST 64 /* reads in one turn of the loop, so that a flood does not starve the rest */

enum step { CONNECTING, ASKED, REFUSED, OPEN };

struct hijack {
    struct transfer t; /* first: t.ended gets it back */
    struct hijack *prev, *next;
    struct http *h;
    struct hijack_handlers hd;
    enum step step;
    struct loop_io *io;
    struct loop_timer *timer; /* the first turn, then the limit of silence until it is open */
    struct loop_timer *more;  /* goes on reading after a burst */
    struct str request;       /* not yet sent */
    struct str out;           /* of the stream: an engine loses what comes before it said 101 */
    struct str in;            /* head of the answer, then body of a refusal */
    struct head head;
    bool end_write, ended_write;
    bool tell_drained;
    bool nested; /* inside one of its callbacks */
    bool closed;
};

static void free_hijack(struct hijack *j)
{
    if (j->t.easy)
        http_release(j->h, &j->t);
    str_clear(&j->request);
    str_clear(&j->out);
    str_clear(&j->in);
    free(j);
}

void hijack_close(struct hijack *j)
{
    if (j->closed)
        return;
    j->closed = true;
    loop_io_cancel(&j->io);
    loop_timer_cancel(&j->timer);
    loop_timer_cancel(&j->more);
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

static void fail(struct hijack *j, CURLcode result)
{
    auto_error struct error err = ERROR_INIT;
    http_explain(j->h, &j->t, result, j->step != CONNECTING, j->step > ASKED, &err);
    end(j, &err);
}

static void on_silence(void *ctx)
{
    struct hijack *j = ctx;
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_TIMEOUT, 0, "%s sent nothing for %d s", j->h->where,
              HTTP_SILENCE_MS / 1000);
    end(j, &err);
}

/* --- the answer --- */

static void refused(struct hijack *j, const char *body, size_t len)
{
    auto_error struct error err = ERROR_INIT;
    auto_free char *message = http_refusal(j->head.status, body, len);
    error_set(&err, ERR_ENGINE, j->head.status, "%s", message);
    end(j, &err);
}

static void broken(struct hijack *j, const char *what)
{
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_PROTOCOL, 0, "%s does not answer as HTTP says: %s", j->h->where, what);
    end(j, &err);
}

static void check_refusal(struct hijack *j, bool ended)
{
    auto_str struct str joined = STR_INIT_MAX(MAX_REFUSAL);
    if (j->head.chunked) {
        int whole = head_unchunk(&joined, j->in.buf, j->in.len);
        if (whole < 0)
            broken(j, "bad chunks");
        else if (whole > 0 || ended)
            refused(j, joined.buf, joined.len);
    } else if (ended || (j->head.body_len >= 0 && j->in.len >= (size_t)j->head.body_len)) {
        refused(j, j->in.buf, j->in.len);
    } else if (j->in.overflow) {
        broken(j, "the answer is too long");
    }
}

static void read_head(struct hijack *j)
{
    int rc = head_parse(&j->head, j->in.buf, j->in.len);
    if (rc < 0) {
        broken(j, "no status line");
        return;
    }
    if (rc == 0) {
        if (j->in.overflow)
            broken(j, "its headers are too long");
        return;
    }
    str_consume(&j->in, j->head.len);
    if (j->head.status != 101 && j->head.status != 200) {
        j->in.max = MAX_REFUSAL;
        j->step = REFUSED;
        check_refusal(j, false);
        return;
    }
    loop_timer_cancel(&j->timer);
    j->step = OPEN;
    if (j->hd.open)
        j->hd.open(j->hd.ctx);
    if (!j->closed && j->in.len > 0)
        j->hd.data(j->hd.ctx, j->in.buf, j->in.len);
    if (!j->closed)
        str_clear(&j->in);
}

static void take_in(struct hijack *j, const char *data, size_t len)
{
    if (j->step == OPEN) {
        j->hd.data(j->hd.ctx, data, len);
        return;
    }
    str_addn(&j->in, data, len);
    if (j->step == ASKED)
        read_head(j);
    else
        check_refusal(j, false);
}

static void at_end(struct hijack *j)
{
    if (j->step == OPEN)
        end(j, NULL);
    else if (j->step == REFUSED)
        check_refusal(j, true);
    else
        fail(j, CURLE_GOT_NOTHING);
}

/* --- reading and writing --- */

/* Tells the peer that no more comes; with TLS by its own notice, as the socket has both ways. */
static void half_close(struct hijack *j)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    j->ended_write = true;
    j->h->curl->curl_easy_getinfo(j->t.easy, CURLINFO_ACTIVESOCKET, &fd);
    if (j->h->tls)
        http_tls_end(j->h, &j->t);
    else if (fd != CURL_SOCKET_BAD)
        shutdown(fd, SHUT_WR);
}

static void update_interest(struct hijack *j)
{
    bool write = j->request.len > 0;
    if (j->step == OPEN)
        write = j->out.len > 0 || j->tell_drained || (j->end_write && !j->ended_write);
    if (j->io)
        loop_io_change(j->io, LOOP_READ | (write ? LOOP_WRITE : 0));
}

/* True when all of it is sent. */
static bool send_out(struct hijack *j, struct str *s)
{
    while (s->len > 0) {
        size_t n = 0;
        CURLcode rc = j->h->curl->curl_easy_send(j->t.easy, s->buf, s->len, &n);
        if (rc == CURLE_AGAIN || (rc == CURLE_OK && n == 0))
            return false;
        if (rc == CURLE_OK)
            str_consume(s, n);
        else /* the peer may have closed after a last word, which is still to be read */
            str_clear(s);
    }
    return true;
}

static void do_write(struct hijack *j)
{
    if (!send_out(j, &j->request) || j->step != OPEN || !send_out(j, &j->out))
        return;
    if (j->end_write && !j->ended_write)
        half_close(j);
    if (j->tell_drained) {
        j->tell_drained = false;
        if (j->hd.drained)
            j->hd.drained(j->hd.ctx);
    }
}

static void on_more(void *ctx);

static void do_read(struct hijack *j)
{
    char buf[64 << 10];
    for (int i = 0; i < BURST && !j->closed; i++) {
        size_t n = 0;
        CURLcode rc = j->h->curl->curl_easy_recv(j->t.easy, buf, sizeof(buf), &n);
        if (rc == CURLE_AGAIN)
            return;
        if (rc != CURLE_OK)
            fail(j, rc);
        else if (n == 0)
            at_end(j);
        else
            take_in(j, buf, n);
    }
    /* TLS may hold bytes that the socket no longer shows. */
    if (!j->closed && !j->more)
        loop_after(&j->more, j->h->loop, 0, on_more, j);
}

static void transfer(struct hijack *j, int events)
{
    struct http *h = j->h;
    http_enter(h);
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
    http_leave(h);
}

static void on_more(void *ctx)
{
    transfer(ctx, LOOP_READ);
}

static void on_io(void *ctx, int events)
{
    transfer(ctx, events);
}

/* --- opening --- */

static void on_connected(struct transfer *t, CURLcode result)
{
    struct hijack *j = (struct hijack *)t;
    if (result != CURLE_OK) {
        fail(j, result);
        return;
    }
    curl_socket_t fd = CURL_SOCKET_BAD;
    j->h->curl->curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD) {
        fail(j, CURLE_COULDNT_CONNECT);
        return;
    }
    j->step = ASKED;
    loop_after(&j->timer, j->h->loop, HTTP_SILENCE_MS, on_silence, j);
    j->io = loop_io(j->h->loop, fd, LOOP_READ | LOOP_WRITE, on_io, j);
}

static void begin(void *ctx)
{
    struct hijack *j = ctx;
    struct http *h = j->h;
    http_enter(h);
    http_prepare(h, &j->t, "/");
    h->curl->curl_easy_setopt(j->t.easy, CURLOPT_CONNECT_ONLY, 1L);
    h->curl->curl_easy_setopt(j->t.easy, CURLOPT_FRESH_CONNECT, 1L);
    h->curl->curl_multi_add_handle(h->multi, j->t.easy);
    http_leave(h);
}

struct hijack *hijack_start(struct http *h, const char *method, const char *path,
                            const char *protocol, const struct strv *headers, const char *body,
                            const struct hijack_handlers *hd)
{
    struct hijack *j = xnew(struct hijack);
    j->h = h;
    j->hd = *hd;
    j->t.ended = on_connected;
    j->in = STR_INIT_MAX(MAX_HEAD);
    j->out = STR_INIT_MAX(SIZE_MAX / 2); /* the writer looks at hijack_pending() */
    j->request = STR_INIT;

    const char *host = strstr(h->base_url, "://") + strlen("://");
    str_addf(&j->request, "%s %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: stack/" STACK_VERSION "\r\n",
             method, path, (int)strcspn(host, "/"), host);
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
    loop_after(&j->timer, h->loop, 0, begin, j);
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
