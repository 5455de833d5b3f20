/* What the files of this room share. */
#ifndef LIVE_PRIVATE_H
#define LIVE_PRIVATE_H

#include "base/str.h"
#include "engine/engine.h"
#include "engine/frames.h"
#include "live/merge.h"

/*
 * log_stream.c: the output of one container, with the place up to which it was read. It can be
 * closed and opened again at any time: it goes on at that place.
 */
struct log_stream {
    struct engine *engine;
    const char *id; /* borrowed, as all that stands before `call` */
    bool follow;
    int64_t tail;
    const char *since, *until;
    /* The line is taken over. */
    void (*line)(void *ctx, struct log_line *line);
    /* The engine has no more to say, or the connection broke (err). */
    void (*ended)(void *ctx, const struct error *err);
    void *ctx;

    struct engine_call *call; /* NULL: closed */
    enum { FORM_UNKNOWN, FORM_FRAMES, FORM_RAW } form;
    bool cuts_anywhere; /* the engine's messages may be any pieces of lines */
    struct frames frames;
    struct str message;   /* the one that is being read */
    struct error trouble; /* frames that cannot be */
    int64_t last_ns;      /* time of the newest message */
    size_t last_count;    /* messages that have this time */
    size_t skip;          /* messages of that time that the resumed stream repeats */
    struct {
        struct str text;
        int64_t at_ns;
        char time[40];
    } parts[3]; /* by stream: a line whose end has not come */
};

void log_stream_init(struct log_stream *s); /* of a zeroed one; the caller's fields come after */
void log_stream_open(struct log_stream *s);
/* What comes is to wait at the engine. */
void log_stream_hold(struct log_stream *s, bool hold);
void log_stream_close(struct log_stream *s); /* `ended` does not run */
/* Gives what came of lines that have no end. */
void log_stream_flush(struct log_stream *s);
void log_stream_clear(struct log_stream *s);

#endif
