/*
 * raw N : the floor that `up` and `down` are held against: the same engine calls, nothing else. One
 * network, N containers created and started with the given number of calls under way, then removed.
 * Prints the best of the tried concurrencies.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/engine.h"
#include "engine/requests.h"

struct bench {
    struct engine *engine;
    int n, next, under_way, over, limit;
    char **ids;
    bool removing, done;
};

struct one {
    struct bench *b;
    int i;
};

static void fill(struct bench *b);

static void check(const struct error *err)
{
    if (err) {
        fprintf(stderr, "raw: %s\n", err->msg);
        exit(1);
    }
}

static void on_over(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct one *o = ctx;
    struct bench *b = o->b;
    (void)answer;
    check(err);
    free(o);
    b->under_way--;
    b->done = ++b->over == b->n;
    fill(b);
}

static void on_created(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct one *o = ctx;
    check(err);
    o->b->ids[o->i] = xstrdup(json_string_value(json_object_get(answer->json, "Id")));
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_over, .ctx = o };
    rq_container_start(&rq, o->b->ids[o->i]);
    engine_start(o->b->engine, &rq, &hd);
}

static void fill(struct bench *b)
{
    while (b->next < b->n && b->under_way < b->limit) {
        struct one *o = xnew(struct one);
        struct engine_request rq;
        struct engine_handlers hd = { .ctx = o };
        o->b = b;
        o->i = b->next++;
        b->under_way++;
        if (b->removing) {
            rq_container_remove(&rq, b->ids[o->i], true, false);
            hd.done = on_over;
        } else {
            auto_free char *name = xasprintf("bench-raw-%d", o->i);
            hd.done = on_created;
            rq_container_create(&rq, name, NULL,
                                json_pack("{s:s, s:[s,s], s:{s:s}}", "Image", "busybox", "Cmd",
                                          "sleep", "1000", "HostConfig", "NetworkMode",
                                          "bench-raw"));
        }
        engine_start(b->engine, &rq, &hd);
    }
}

static int64_t all(struct bench *b, bool removing, int limit)
{
    int64_t begin = clock_ms();
    b->next = b->under_way = b->over = 0;
    b->removing = removing;
    b->limit = limit;
    b->done = false;
    fill(b);
    loop_wait(engine_loop(b->engine), &b->done);
    return clock_ms() - begin;
}

int main(int argc, char **argv)
{
    int64_t n = 50;
    if (argc > 1 && num_range(&n, argv[1], 1, 10000) < 0) {
        fprintf(stderr, "usage: raw [CONTAINERS]\n");
        return 2;
    }
    struct bench b = { .n = (int)n };
    struct engine_options opt = { 0 };
    struct engine_request rq;
    struct error err = ERROR_INIT;
    struct loop *loop = loop_new();
    if (engine_open(&b.engine, loop, &opt, &err) < 0 || engine_ready(b.engine, &err) < 0)
        check(&err);
    b.ids = xcalloc((size_t)b.n, sizeof(*b.ids));
    int64_t up = INT64_MAX, down = INT64_MAX;
    static const int limits[] = { 2, 4, 8 };
    for (size_t i = 0; i < countof(limits); i++) {
        int64_t begin = clock_ms();
        rq_network_create(&rq, json_pack("{s:s}", "Name", "bench-raw"));
        if (engine_do(NULL, b.engine, &rq, &err) < 0)
            check(&err);
        int64_t ms = clock_ms() - begin + all(&b, false, limits[i]);
        up = ms < up ? ms : up;
        begin = clock_ms();
        all(&b, true, limits[i]);
        rq_network_remove(&rq, "bench-raw");
        if (engine_do(NULL, b.engine, &rq, &err) < 0)
            check(&err);
        ms = clock_ms() - begin;
        down = ms < down ? ms : down;
        for (int k = 0; k < b.n; k++)
            free(b.ids[k]);
    }
    printf("raw calls, %d containers up: %lld\n", b.n, (long long)up);
    printf("raw calls, %d containers down: %lld\n", b.n, (long long)down);
    free(b.ids);
    engine_close(b.engine);
    loop_free(loop);
    return 0;
}
