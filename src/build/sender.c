/*
 * Two buffers: `ready` is read by the upload on the loop, `made` belongs to the job on the worker
 * pool while `busy` is set. They are swapped when the one is used up and the other is done.
 */
#include "build/sender.h"

#include <string.h>

#include "base/mem.h"

#define SENDER_PIECE ((size_t)512 << 10)

struct sender {
    struct loop *loop;
    struct pack *pack;
    struct http_upload upload;
    void (*resume)(void *ctx);
    void *ctx;

    struct str ready;
    size_t used; /* of ready */
    struct str made;
    bool made_end; /* made is the last piece */
    struct error made_err;
    bool busy;
    bool have; /* made holds something to swap in */
    bool ended;
    bool waiting; /* the upload said LATER */
    struct error err;
    int64_t bytes;

    bool freed;
    void (*gone)(void *ctx);
    void *gone_ctx;
};

static void destroy(struct sender *s)
{
    pack_close(s->pack);
    str_clear(&s->ready);
    str_clear(&s->made);
    error_clear(&s->made_err);
    error_clear(&s->err);
    if (s->gone)
        s->gone(s->gone_ctx);
    free(s);
}

static void work(void *ctx)
{
    struct sender *s = ctx;
    if (pack_produce(s->pack, &s->made, SENDER_PIECE, &s->made_end, &s->made_err) < 0)
        s->made_end = true;
}

static void worked(void *ctx)
{
    struct sender *s = ctx;
    s->busy = false;
    s->have = true;
    if (s->freed) {
        destroy(s);
    } else if (s->waiting) {
        s->waiting = false;
        s->resume(s->ctx);
    }
}

static void produce(struct sender *s)
{
    str_truncate(&s->made, 0);
    s->have = false;
    s->busy = true;
    loop_work(s->loop, work, worked, s);
}

/* Swaps in what the job made, and sets it to work again. */
static void swap(struct sender *s)
{
    struct str old = s->ready;
    s->ready = s->made;
    s->made = old;
    s->used = 0;
    s->have = false;
    s->ended = s->made_end;
    if (s->made_err.kind)
        error_move(&s->err, &s->made_err);
    if (!s->ended)
        produce(s);
}

static long upload_read(void *ctx, char *buf, size_t max)
{
    struct sender *s = ctx;
    if (s->used == s->ready.len && s->have)
        swap(s);
    if (s->err.kind)
        return HTTP_UPLOAD_ABORT;
    size_t left = s->ready.len - s->used;
    if (left == 0 && s->ended)
        return 0;
    if (left == 0) {
        s->waiting = true;
        if (!s->busy)
            produce(s);
        return HTTP_UPLOAD_LATER;
    }
    size_t n = left < max ? left : max;
    memcpy(buf, s->ready.buf + s->used, n);
    s->used += n;
    s->bytes += (int64_t)n;
    return (long)n;
}

struct sender *sender_new(struct loop *l, struct pack *pack, void (*resume)(void *ctx), void *ctx)
{
    struct sender *s = xnew(struct sender);
    s->loop = l;
    s->pack = pack;
    s->resume = resume;
    s->ctx = ctx;
    s->ready = STR_INIT;
    s->made = STR_INIT;
    s->upload = (struct http_upload){ upload_read, s };
    return s;
}

const struct http_upload *sender_upload(const struct sender *s)
{
    return &s->upload;
}

const struct error *sender_error(const struct sender *s)
{
    return s->err.kind ? &s->err : NULL;
}

int64_t sender_bytes(const struct sender *s)
{
    return s->bytes;
}

void sender_free(struct sender *s, void (*gone)(void *ctx), void *ctx)
{
    if (!s)
        return;
    s->freed = true;
    s->gone = gone;
    s->gone_ctx = ctx;
    if (!s->busy)
        destroy(s);
}
