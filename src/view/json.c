/*
 * JSON lines on standard error: the keys of docker compose's --progress json (id, parent_id, text,
 * status, current, total, percent), with time, reason and error of our own.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "view/private.h"

static void set_safe(json_t *object, const char *key, const char *text, size_t len)
{
    auto_str struct str clean = STR_INIT;
    safe_add(&clean, text, len, SAFE_NEWLINES);
    json_object_set_new(object, key, json_string(clean.buf));
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text)
        set_safe(object, key, text, strlen(text));
}

static const char *outcome_word(const struct event *e)
{
    switch (e->outcome) {
    case OUTCOME_DONE:
        return view_op_done(e->op);
    case OUTCOME_SKIPPED:
        return "skipped";
    case OUTCOME_FAILED:
        return "failed";
    case OUTCOME_HELD:
        return "held back";
    case OUTCOME_CANCELED:
        return "canceled";
    }
    return "";
}

static void add_op(json_t *line, const struct op *op)
{
    auto_str struct str id = STR_INIT;
    view_op_name(&id, op);
    json_object_set_new(line, "id", json_string(id.buf));
    set_text(line, "service", op->service_name);
}

void json_event(struct view *v, const struct event *e)
{
    auto_json json_t *line = json_object();
    char now[40];
    switch (e->kind) {
    case EVENT_STARTED:
        add_op(line, e->op);
        set_text(line, "status", view_op_doing(e->op));
        set_text(line, "reason", e->op->reason);
        break;
    case EVENT_PROGRESS:
    case EVENT_STEP:
        add_op(line, e->op);
        set_text(line, "status", view_op_doing(e->op));
        if (e->text)
            set_safe(line, "text", e->text, e->len);
        if (e->total > 0) {
            json_object_set_new(line, "current", json_integer(e->current));
            json_object_set_new(line, "total", json_integer(e->total));
            json_object_set_new(line, "percent", json_integer(e->current * 100 / e->total));
        }
        break;
    case EVENT_OUTPUT:
        add_op(line, e->op);
        set_safe(line, "text", e->text, e->len);
        break;
    case EVENT_ENDED:
        add_op(line, e->op);
        set_text(line, "status", outcome_word(e));
        json_object_set_new(line, "elapsed_ms", json_integer(e->elapsed_ms));
        if (e->err)
            set_text(line, "error", e->err->msg);
        if (e->cause) {
            auto_str struct str cause = STR_INIT;
            view_op_name(&cause, e->cause);
            json_object_set_new(line, "cause", json_string(cause.buf));
        }
        break;
    case EVENT_NOTE:
        json_object_set_new(line, "level", json_string("warning"));
        set_safe(line, "text", e->text, e->len);
        break;
    case EVENT_BEGIN:
    case EVENT_LOG:
    case EVENT_END:
        return;
    }
    json_object_set_new(line, "time", json_string(clock_rfc3339(now, clock_unix_ns())));
    auto_free char *text = json_dumps(line, JSON_COMPACT);
    fprintf(v->err, "%s\n", text);
}
