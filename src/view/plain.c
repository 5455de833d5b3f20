/* Plain lines: one per change of state, for logs of CI and for pipes. */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "view/private.h"

static void put(struct view *v, const struct str *line)
{
    fprintf(v->err, "%s\n", line->buf);
}

static void ended(struct view *v, const struct event *e)
{
    auto_str struct str line = STR_INIT;
    char elapsed[NUM_TEXT_MAX];
    str_addc(&line, ' ');
    view_op_name(&line, e->op);
    str_add(&line, "  ");
    switch (e->outcome) {
    case OUTCOME_DONE:
        view_colored(&line, v->color_err, COLOR_GREEN, view_op_done(e->op));
        if (e->elapsed_ms >= 100)
            str_addf(&line, "  %s", num_elapsed_text(elapsed, e->elapsed_ms));
        if (e->op->reason && *e->op->reason &&
            (e->op->kind == OP_CREATE || e->op->kind == OP_IMAGE_BUILD)) {
            str_add(&line, "  (");
            safe_add(&line, e->op->reason, strlen(e->op->reason), SAFE_LINE);
            str_addc(&line, ')');
        }
        break;
    case OUTCOME_SKIPPED:
        if (e->op->kind == OP_IMAGE_BUILD)
            return; /* it was fetched */
        view_colored(&line, v->color_err, COLOR_DIM,
                     e->op->kind == OP_IMAGE_FETCH ? "not in the registry" : "nothing to do");
        break;
    case OUTCOME_FAILED:
        view_colored(&line, v->color_err, COLOR_RED, "failed");
        if (e->err && e->err->msg) {
            str_add(&line, ": ");
            safe_add(&line, e->err->msg, strlen(e->err->msg), SAFE_LINE);
        }
        break;
    case OUTCOME_HELD:
        /* One line for a service is enough: its first operation. */
        if (e->op->kind != OP_CREATE && e->op->kind != OP_START)
            return;
        view_colored(&line, v->color_err, COLOR_YELLOW, "held back");
        if (e->cause) {
            str_add(&line, " by ");
            view_op_name(&line, e->cause);
        }
        break;
    case OUTCOME_CANCELED:
        view_colored(&line, v->color_err, COLOR_YELLOW, "canceled");
        break;
    }
    put(v, &line);
}

/* Only what takes time says that it has begun. */
static bool announces(const struct op *op)
{
    return op->kind == OP_IMAGE_PULL || op->kind == OP_IMAGE_FETCH || op->kind == OP_IMAGE_BUILD ||
           op->kind == OP_IMAGE_PUSH || op->kind == OP_PROJECT_SYNC || op->kind == OP_WAIT ||
           op->kind == OP_STOP || op->kind == OP_HOOK || op->kind == OP_RESTART;
}

void plain_event(struct view *v, const struct event *e)
{
    auto_str struct str line = STR_INIT;
    switch (e->kind) {
    case EVENT_STARTED:
        if (!announces(e->op))
            return;
        str_addc(&line, ' ');
        view_op_name(&line, e->op);
        str_addf(&line, "  %s", view_op_doing(e->op));
        put(v, &line);
        return;
    case EVENT_OUTPUT:
        str_add(&line, "   ");
        safe_add(&line, e->text, e->len, v->color_err ? SAFE_SGR : SAFE_LINE);
        put(v, &line);
        return;
    case EVENT_ENDED:
        ended(v, e);
        return;
    case EVENT_BEGIN:
    case EVENT_PROGRESS:
    case EVENT_LOG:
    case EVENT_NOTE:
    case EVENT_END:
        return;
    }
}
