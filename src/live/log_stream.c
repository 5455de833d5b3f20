/*
 * The output of one container. The engine sends messages, each with its timestamp: a line, or a
 * piece of a line of more than PIECE bytes. Of a container without a terminal each message is a
 * frame; of one with a terminal they just follow each other, and begin with the digit of a year
 * where a frame begins with a number below ten: so the first byte tells which it is.
 *
 * A message that is neither full nor ends in a newline was the last of its life, and what follows
 * it is another life's. (Podman cuts lines anywhere; there only the end of the stream tells.)
 *
 * Timestamps are always asked for. The place in the stream is the newest one and how many messages
 * had it: a stream that is opened again starts there, and skips that many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/requests.h"
#include "live/private.h"

#define LINE_MOST ((size_t)1 << 20) /* longer lines are given in pieces */
#define PIECE ((size_t)16 << 10)
#define TIME_LEN 30 /* "2026-11-21T10:00:00.123456789Z" */

static void give_line(struct log_stream *s, int stream)
{
    struct str *text = &s->parts[stream].text;
    size_t len = text->len;
    while (len && (text->buf[len - 1] == '\n' || text->buf[len - 1] == '\r'))
        len--;
    struct log_line *line = xcalloc(1, sizeof(*line) + len + 1);
    memcpy(line->text, text->buf, len);
    memcpy(line->time, s->parts[stream].time, sizeof(line->time));
    line->len = len;
    line->at_ns = s->parts[stream].at_ns;
    line->stream = stream;
    str_truncate(text, 0);
    s->line(s->ctx, line);
}

/* The length of the timestamp that the text begins with, and its value; 0: there is none. */
static size_t read_time(int64_t *at_ns, char time[static 40], const char *text, size_t len)
{
    const char *end = memchr(text, ' ', len < 40 ? len : 40);
    if (!end)
        return 0;
    size_t n = (size_t)(end - text);
    char copy[40] = "";
    memcpy(copy, text, n);
    if (clock_parse_rfc3339(at_ns, copy) < 0)
        return 0;
    memcpy(time, copy, sizeof(copy));
    return n + 1;
}

/* Whether the message is new, and not one that a resumed stream repeats. */
static bool advance(struct log_stream *s, int64_t at_ns)
{
    if (at_ns == s->last_ns && s->skip) {
        s->skip--;
        return false;
    }
    if (at_ns > s->last_ns) {
        s->last_ns = at_ns;
        s->last_count = 0;
        s->skip = 0;
    }
    s->last_count += at_ns == s->last_ns;
    return true;
}

static void take_message(struct log_stream *s, int stream, const char *text, size_t len)
{
    int64_t at_ns = s->last_ns;
    char time[40] = "";
    size_t head = read_time(&at_ns, time, text, len);
    stream = stream == 2 ? 2 : 1;
    if (head && !advance(s, at_ns))
        return;
    if (s->parts[stream].text.len == 0) {
        s->parts[stream].at_ns = at_ns;
        memcpy(s->parts[stream].time, time, sizeof(time));
    }
    str_addn(&s->parts[stream].text, text + head, len - head);
    bool last_words = head && len - head < PIECE && !s->cuts_anywhere;
    if (text[len - 1] == '\n' || last_words || s->parts[stream].text.len >= LINE_MOST)
        give_line(s, stream);
}

/* Hands the collected message on. Of one that is too long the end is lost; so its line ends here.
 */
static void end_message(struct log_stream *s, int stream)
{
    take_message(s, stream, s->message.buf, s->message.len);
    if (s->message.overflow) {
        str_clear(&s->message);
        log_stream_flush(s);
    }
    str_truncate(&s->message, 0);
}

static void on_frame(void *ctx, int stream, const char *data, size_t len)
{
    struct log_stream *s = ctx;
    if (!s->call)
        return; /* closed by the receiver of a line */
    str_addn(&s->message, data, len);
    if (s->frames.left == 0 && s->message.len)
        end_message(s, stream);
}

/*
 * Where in a line of a container with a terminal the engine's next message begins; len: nowhere.
 * Either the message is full there, or its life ended, and a later time follows. A time that the
 * program itself had written is not later.
 */
static size_t next_message(const char *text, size_t len)
{
    const size_t whole = TIME_LEN + 1 + PIECE;
    int64_t at_ns, next_ns;
    char time[40];
    size_t head = read_time(&at_ns, time, text, len);
    if (!head || len < head + TIME_LEN)
        return len;
    const char *from = text + head + TIME_LEN, *z;
    while (from <= text + whole + TIME_LEN &&
           (z = memchr(from, 'Z', (size_t)(text + len - from)))) {
        const char *begin = z + 1 - TIME_LEN;
        size_t at = (size_t)(begin - text);
        if (read_time(&next_ns, time, begin, len - at) == TIME_LEN + 1 &&
            (next_ns > at_ns || at == whole))
            return at;
        from = z + 1;
    }
    return len;
}

static void take_raw_line(struct log_stream *s, const char *text, size_t len)
{
    while (s->call && len) {
        size_t n = next_message(text, len);
        take_message(s, 1, text, n);
        text += n;
        len -= n;
    }
}

static void take_raw(struct log_stream *s, const char *data, size_t len)
{
    while (s->call && len) {
        const char *end = memchr(data, '\n', len);
        size_t n = end ? (size_t)(end - data) + 1 : len;
        str_addn(&s->message, data, n);
        data += n;
        len -= n;
        if (end || s->message.len >= LINE_MOST) {
            take_raw_line(s, s->message.buf, s->message.len);
            str_truncate(&s->message, 0);
        }
    }
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct log_stream *s = ctx;
    if (s->form == FORM_UNKNOWN && len)
        s->form = (unsigned char)data[0] < 10 ? FORM_FRAMES : FORM_RAW;
    if (s->form == FORM_RAW)
        take_raw(s, data, len);
    else if (frames_feed(&s->frames, data, len, on_frame, s, &s->trouble) < 0 && s->call) {
        engine_cancel(take(s->call));
        s->ended(s->ctx, &s->trouble);
    }
}

static void on_end(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct log_stream *s = ctx;
    (void)answer;
    if (s->form == FORM_RAW && s->message.len && !err)
        take_raw_line(s, s->message.buf, s->message.len);
    s->call = NULL;
    s->ended(s->ctx, err);
}

void log_stream_init(struct log_stream *s)
{
    s->message = STR_INIT_MAX(LINE_MOST + PIECE);
    for (int stream = 0; stream <= 2; stream++)
        s->parts[stream].text = STR_INIT;
}

void log_stream_open(struct log_stream *s)
{
    char since[40];
    struct logs_options opt = { .follow = s->follow,
                                .timestamps = true,
                                .tail = s->tail,
                                .since = s->since,
                                .until = s->until };
    if (s->last_ns) {
        snprintf(since, sizeof(since), "%lld.%09lld", (long long)(s->last_ns / 1000000000),
                 (long long)(s->last_ns % 1000000000));
        opt.since = since;
        opt.tail = -1;
        s->skip = s->last_count;
    }
    s->form = FORM_UNKNOWN;
    const char *server = engine_server(s->engine);
    s->cuts_anywhere = server && str_starts(server, "Libpod");
    s->frames = FRAMES_INIT;
    str_clear(&s->message);
    error_clear(&s->trouble);
    struct engine_request rq;
    rq_container_logs(&rq, s->id, &opt);
    s->call = engine_start(
        s->engine, &rq, &(struct engine_handlers){ .on_data = on_data, .done = on_end, .ctx = s });
}

void log_stream_hold(struct log_stream *s, bool hold)
{
    if (s->call)
        engine_hold(s->call, hold);
}

void log_stream_close(struct log_stream *s)
{
    if (s->call)
        engine_cancel(take(s->call));
}

void log_stream_flush(struct log_stream *s)
{
    for (int stream = 1; stream <= 2; stream++)
        if (s->parts[stream].text.len)
            give_line(s, stream);
}

void log_stream_clear(struct log_stream *s)
{
    log_stream_close(s);
    str_clear(&s->message);
    error_clear(&s->trouble);
    for (int stream = 0; stream <= 2; stream++)
        str_clear(&s->parts[stream].text);
}
