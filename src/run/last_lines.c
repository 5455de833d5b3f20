/* The last lines that a container wrote. */
#include "run/last_lines.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/frames.h"
#include "engine/requests.h"

#define LINES 20
#define BYTES_MAX (64 << 10)

struct last_lines {
    void (*done)(void *ctx, char *text);
    void *ctx;
    bool tty;
    struct engine_call *call;
    struct frames frames;
    struct str text;
};

static void add(void *ctx, int stream, const char *data, size_t len)
{
    struct last_lines *l = ctx;
    (void)stream;
    str_addn(&l->text, data, len);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct last_lines *l = ctx;
    if (l->tty)
        str_addn(&l->text, data, len);
    else
        frames_feed(&l->frames, data, len, add, l, NULL);
}

static void on_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct last_lines *l = ctx;
    void (*done)(void *, char *) = l->done;
    void *its = l->ctx;
    char *text = str_detach(&l->text);
    (void)answer, (void)err;
    free(l);
    done(its, text);
}

struct last_lines *last_lines_get(struct engine *e, const char *id, bool tty, const char *since,
                                  void (*done)(void *ctx, char *text), void *ctx)
{
    struct last_lines *l = xnew(struct last_lines);
    struct engine_request rq;
    struct logs_options opt = { .tail = LINES, .since = since };
    l->done = done;
    l->ctx = ctx;
    l->tty = tty;
    l->frames = FRAMES_INIT;
    l->text = STR_INIT_MAX(BYTES_MAX);
    rq_container_logs(&rq, id, &opt);
    struct engine_handlers hd = { .on_data = on_data, .done = on_end, .ctx = l };
    l->call = engine_start(e, &rq, &hd);
    return l;
}

void last_lines_cancel(struct last_lines *l)
{
    engine_cancel(l->call);
    str_clear(&l->text);
    free(l);
}
