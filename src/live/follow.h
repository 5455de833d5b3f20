/* What logs.c (the lines of containers) and lives.c (which of them run) share. */
#ifndef LIVE_FOLLOW_H
#define LIVE_FOLLOW_H

#include "live/logs.h"
#include "live/private.h"

#define RETRY_MS 300
#define RETRY_MOST 5 /* connections that break without having said anything, in a row */

/* A container whose output is read. */
struct follower {
    struct merge_queue queue; /* first: a queue gives its follower back */
    struct live_logs *logs;
    struct log_stream stream;
    char *id, *name, *service, *label;
    int number;
    bool over;  /* its stream has ended, until the container starts again */
    bool ahead; /* it waits at the engine, as it had run ahead */
    bool up;    /* the container runs */
    bool again; /* it started while the stream of its last life was open */
    bool died;  /* its end is still to be told */
    int exit_code;
    int failures; /* of the connection, in a row */
    struct loop_timer *retry;
};

struct live_logs {
    struct engine *engine;
    struct loop *loop;
    struct live_logs_options opt;
    struct sink sink;
    void (*ended)(void *ctx, const struct error *err);
    void *ctx;
    struct {
        VEC(struct follower *);
    } followers;
    struct merge merge;
    struct loop_timer *hold, *finish, *reopen, *look_later;
    struct engine_call *events, *look;
    int looks;         /* in a row */
    int rested_ms;     /* since nothing runs any more */
    int64_t events_ns; /* where the stream of events begins when it is opened again */
    int event_failures;
    struct error err;
    bool done;
};

/* logs.c */
bool logs_want(const struct live_logs *l, const char *service, int number, bool oneoff);
/* Gives lines in the order of their times; with `all` whatever waits. */
void logs_drain(struct live_logs *l, bool all);
struct follower *follower_add(struct live_logs *l, const char *id, const char *name,
                              const char *service, int number);
struct follower *follower_find(struct live_logs *l, const char *id);
void follower_set_over(struct follower *f, bool over);
/* It runs (again): its stream goes on. */
void follower_started(struct follower *f);
/* Says the end of a container, once its last line came and its death is known. */
void follower_tell_exit(struct follower *f);

/* lives.c */
void lives_follow(struct live_logs *l);
/* To be called when a stream has ended or lines were given: it may be the end of all. */
void lives_check(struct live_logs *l);
void lives_cancel(struct live_logs *l);

#endif
