/*
 * The stream of a build. BuildKit sends vertices, again at each change, so what was reported of one
 * is remembered; several are under way at once. The classic builder sends text in which a line
 * "Step 2/5 : RUN make" begins a step; everything up to the next is its output.
 */
#include "build/progress.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/strmap.h"
#include "build/layers.h"
#include "build/trace.h"
#include "net/lines.h"

#define STEP_NAME_COLUMNS 120 /* of a step's name in an error */

struct step {
    char *id;
    char *name;
    char *error; /* or NULL */
    bool started, done, cached;
    struct layers layers;
    struct lines lines; /* of output, the last one perhaps cut short so far */
    struct str output;  /* its end */
};

struct progress {
    void (*report)(void *ctx, const struct build_step *step);
    void *ctx;
    struct strmap steps;
    struct step *classic; /* the current step of the classic builder */
    int64_t classic_number;
    char *image_id;
    char *error;               /* of the stream */
    const struct step *failed; /* after progress_end() */
};

struct progress *progress_new(void (*step)(void *ctx, const struct build_step *step), void *ctx)
{
    struct progress *p = xnew(struct progress);
    p->report = step;
    p->ctx = ctx;
    return p;
}

static void step_free(void *value)
{
    struct step *s = value;
    free(s->id);
    free(s->name);
    free(s->error);
    layers_clear(&s->layers);
    lines_clear(&s->lines);
    str_clear(&s->output);
    free(s);
}

void progress_free(struct progress *p)
{
    if (!p)
        return;
    strmap_clear(&p->steps, step_free);
    free(p->image_id);
    free(p->error);
    free(p);
}

static void report(struct progress *p, const struct step *s, struct build_step what)
{
    what.id = s->id;
    what.name = s->name;
    if (p->report)
        p->report(p->ctx, &what);
}

/* The step, new if need be; NULL beyond the limit. */
static struct step *step_at(struct progress *p, const char *id, const char *name)
{
    struct step *s = strmap_get(&p->steps, id);
    if (!s) {
        if (strmap_len(&p->steps) >= PROGRESS_MAX_STEPS)
            return NULL;
        s = xnew(struct step);
        s->id = xstrdup(id);
        s->name = xstrdup("");
        s->lines = LINES_INIT;
        s->output = STR_INIT;
        strmap_set(&p->steps, id, s);
    }
    if (*name && strcmp(s->name, name) != 0) {
        free(s->name);
        s->name = xstrdup(name);
    }
    return s;
}

static void start(struct progress *p, struct step *s)
{
    if (s->started)
        return;
    s->started = true;
    report(p, s, (struct build_step){ .what = STEP_STARTED });
}

struct source_of_lines {
    struct progress *progress;
    struct step *step;
};

/* A line that was drawn several times over is what it became. */
static void report_line(void *ctx, const char *line, size_t len)
{
    struct source_of_lines *from = ctx;
    const char *over = memrchr(line, '\r', len);
    if (over) {
        len -= (size_t)(over + 1 - line);
        line = over + 1;
    }
    report(from->progress, from->step,
           (struct build_step){ .what = STEP_LOG, .text = line, .len = len });
}

static void add_output(struct progress *p, struct step *s, const char *data, size_t len)
{
    str_addn(&s->output, data, len);
    if (s->output.len > 2 * PROGRESS_OUTPUT_MAX)
        str_consume(&s->output, s->output.len - PROGRESS_OUTPUT_MAX);
    struct source_of_lines from = { p, s };
    if (lines_feed(&s->lines, data, len, report_line, &from, NULL) < 0)
        lines_clear(&s->lines); /* endless: the rest of it is not shown */
}

/* A line that the step did not end. */
static void end_output(struct progress *p, struct step *s)
{
    struct source_of_lines from = { p, s };
    if (s->lines.rest.len)
        report_line(&from, s->lines.rest.buf, s->lines.rest.len);
    lines_clear(&s->lines);
}

static void finish(struct progress *p, struct step *s, bool cached, const char *error)
{
    if (s->done && s->cached == cached)
        return;
    end_output(p, s);
    s->done = true;
    s->cached = cached;
    if (error) {
        free(s->error);
        s->error = xstrdup(error);
        report(p, s,
               (struct build_step){ .what = STEP_FAILED, .text = error, .len = strlen(error) });
    } else {
        report(p, s, (struct build_step){ .what = cached ? STEP_CACHED : STEP_DONE });
    }
}

static void on_vertex(void *ctx, const struct trace_vertex *v)
{
    struct progress *p = ctx;
    struct step *s = step_at(p, v->digest, v->name);
    if (!s)
        return;
    if (v->started)
        start(p, s);
    if (v->completed || v->cached)
        finish(p, s, v->cached, *v->error ? v->error : NULL);
}

static void report_layers(struct progress *p, struct step *s)
{
    report(p, s,
           (struct build_step){
               .what = STEP_PROGRESS, .current = s->layers.current, .total = s->layers.total });
}

static void on_status(void *ctx, const struct trace_status *st)
{
    struct progress *p = ctx;
    struct step *s = step_at(p, st->vertex, "");
    if (s && layers_set(&s->layers, st->id, st->current, st->total))
        report_layers(p, s);
}

static void on_log(void *ctx, const struct trace_log *l)
{
    struct progress *p = ctx;
    struct step *s = step_at(p, l->vertex, "");
    if (s && l->len)
        add_output(p, s, l->data, l->len);
}

static void trace(struct progress *p, const char *encoded)
{
    const struct trace_handlers hd = { on_vertex, on_status, on_log, p };
    auto_error struct error err = ERROR_INIT;
    auto_free uint8_t *data = NULL;
    size_t len;
    /* Progress alone is lost with it: the result is told elsewhere. */
    if (base64_decode(&data, &len, encoded, &err) < 0 || trace_decode(data, len, &hd, &err) < 0)
        log_debug("build: %s", err.msg);
}

/* "Step 2/5 : RUN make": the next number and the rest, or NULL. */
static const char *classic_step(const struct progress *p, const char *text, int64_t *number)
{
    unsigned n, of;
    int at = 0;
    if (sscanf(text, "Step %6u/%6u : %n", &n, &of, &at) < 2 || at == 0 ||
        (int64_t)n != p->classic_number + 1)
        return NULL;
    *number = n;
    return text + strlen("Step ");
}

/* What the classic builder says about its own doings. */
static bool classic_chatter(const char *text)
{
    static const char *const starts[] = { " ---> ", "Removing intermediate container ",
                                          "Successfully built ", "Successfully tagged " };
    for (size_t i = 0; i < countof(starts); i++)
        if (str_starts(text, starts[i]))
            return true;
    return strcmp(text, "\n") == 0;
}

/* It paints standard error red. */
static void strip_red(const char **text, size_t *len)
{
    static const char red[] = "\x1b[91m", reset[] = "\x1b[0m";
    size_t nred = strlen(red), nreset = strlen(reset);
    if (*len >= nred && memcmp(*text, red, nred) == 0) {
        *text += nred;
        *len -= nred;
    }
    if (*len >= nreset && memcmp(*text + *len - nreset, reset, nreset) == 0)
        *len -= nreset;
}

static void classic_text(struct progress *p, const char *text, size_t len)
{
    int64_t number;
    const char *rest = classic_step(p, text, &number);
    if (rest) {
        if (p->classic && !p->classic->done)
            finish(p, p->classic, false, NULL);
        const char *instruction = strstr(rest, " : ");
        auto_free char *id = xasprintf("%lld", (long long)number);
        auto_free char *name = xasprintf("[%.*s] %.*s", (int)(instruction - rest), rest,
                                         (int)strcspn(instruction + 3, "\n"), instruction + 3);
        p->classic_number = number;
        p->classic = step_at(p, id, name);
        if (p->classic)
            start(p, p->classic);
        return;
    }
    if (p->classic && strcmp(text, " ---> Using cache\n") == 0)
        finish(p, p->classic, true, NULL);
    strip_red(&text, &len);
    if (len == 0 || classic_chatter(text))
        return;
    if (!p->classic) /* podman begins without a step; one of that name carries its text */
        p->classic = step_at(p, "build", "build");
    if (p->classic)
        add_output(p, p->classic, text, len);
}

static void set_text(char **slot, const char *text)
{
    free(*slot);
    *slot = xstrdup(text);
}

/* Podman's ends its line. */
static void set_error(struct progress *p, const char *text)
{
    size_t len = strlen(text);
    while (len && text[len - 1] == '\n')
        len--;
    free(p->error);
    p->error = xstrndup(text, len);
}

void progress_value(struct progress *p, json_t *value)
{
    const json_t *aux = json_object_get(value, "aux");
    const char *stream = json_str(value, "stream");
    const char *error = json_str(value, "errorDetail.message");
    if (!error)
        error = json_str(value, "error");
    if (error)
        set_error(p, error);
    if (json_is_string(aux))
        trace(p, json_string_value(aux));
    else if (json_str(aux, "ID"))
        set_text(&p->image_id, json_str(aux, "ID"));
    if (stream)
        classic_text(p, stream, json_string_length(json_object_get(value, "stream")));
    if (p->classic && layers_transfer(&p->classic->layers, value))
        report_layers(p, p->classic);
}

/* The step that broke; those that were only cancelled because of it do not count. */
static const struct step *find_failed(const struct progress *p)
{
    const struct step *canceled = NULL;
    strmap_each (it, &p->steps) {
        const struct step *s = it->value;
        if (s->error && !strstr(s->error, "context canceled"))
            return s;
        if (s->error)
            canceled = s;
    }
    return canceled;
}

/* The whole command again, before "exit code: 3", says nothing new. */
static const char *short_error(const char *text)
{
    static const char *const tails[] = { "exit code: ", "returned a non-zero code: " };
    for (size_t i = 0; i < countof(tails); i++) {
        const char *at = NULL;
        for (const char *next = strstr(text, tails[i]); next; next = strstr(next + 1, tails[i]))
            at = next;
        if (at)
            return at;
    }
    return text;
}

static int step_error(struct error *err, const struct step *s, const char *text)
{
    auto_str struct str name = STR_INIT;
    safe_add_cut(&name, s->name, STEP_NAME_COLUMNS);
    return error_set(err, ERR_BUILD, 0, "%s: %s", name.buf, short_error(text));
}

int progress_end(const char **image_id, struct progress *p, struct error *err)
{
    if (p->classic && !p->classic->done)
        finish(p, p->classic, false, p->error);
    p->failed = find_failed(p);
    if (p->error && p->failed)
        return step_error(err, p->failed, p->error);
    if (p->error)
        return error_set(err, ERR_BUILD, 0, "%s", p->error);
    if (!p->image_id)
        return error_set(err, ERR_PROTOCOL, 0,
                         "the engine ended the build without an image and without an error");
    *image_id = p->image_id;
    return 0;
}

const char *progress_output(const struct progress *p)
{
    return p->failed && p->failed->output.len ? p->failed->output.buf : NULL;
}
