/*
 * A view is the sink of a running plan. It decides once how to show things (terminal, plain lines,
 * JSON lines, nothing), hands each event to that form, and writes everything to the streams it was
 * given.
 */
#include "view/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "loop/tty.h"
#include "view/private.h"

static bool environment_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static bool use_color(enum view_ansi ansi, FILE *f)
{
    if (ansi != ANSI_AUTO)
        return ansi == ANSI_ALWAYS;
    if (environment_set("NO_COLOR"))
        return false;
    if (environment_set("CLICOLOR_FORCE") || environment_set("FORCE_COLOR"))
        return true;
    const char *term = getenv("TERM");
    return tty_is(fileno(f)) && !str_eq(term, "dumb");
}

struct view *view_new(struct loop *l, const struct view_options *opt)
{
    struct view *v = xnew(struct view);
    v->opt = *opt;
    v->loop = l;
    v->out = opt->out ? opt->out : stdout;
    v->err = opt->err ? opt->err : stderr;
    v->color_out = use_color(opt->ansi, v->out);
    v->color_err = use_color(opt->ansi, v->err);
    v->mode = opt->mode;
    if (v->mode == VIEW_AUTO)
        v->mode =
            tty_is(fileno(v->err)) && opt->ansi != ANSI_NEVER && !str_eq(getenv("TERM"), "dumb")
                ? VIEW_TTY
                : VIEW_PLAIN;
    if (v->mode == VIEW_TTY && !l)
        v->mode = VIEW_PLAIN;
    return v;
}

void view_free(struct view *v)
{
    if (!v)
        return;
    display_free(v->display);
    view_foot(v, NULL);
    strmap_clear(&v->prefixes, NULL);
    fflush(v->out);
    free(v);
}

void view_set_verb(struct view *v, const char *verb)
{
    v->opt.verb = verb;
}

bool view_color(const struct view *v, FILE *f)
{
    return f == v->err ? v->color_err : v->color_out;
}

void view_colored(struct str *out, bool on, enum color c, const char *text)
{
    static const char *const codes[] = { "", "31", "32", "33", "36", "2", "1" };
    if (on && c != COLOR_NONE)
        str_addf(out, "\x1b[%sm", codes[c]);
    safe_add(out, text, strlen(text), SAFE_LINE);
    if (on && c != COLOR_NONE)
        str_add(out, "\x1b[0m");
}

void view_op_name(struct str *out, const struct op *op)
{
    const char *object = op_words[op->kind].object;
    char first[2] = { object[0], 0 };
    if (first[0] >= 'a' && first[0] <= 'z')
        first[0] = (char)(first[0] - 'a' + 'A');
    str_addf(out, "%s%s ", first, object + 1);
    safe_add(out, op->subject, strlen(op->subject), SAFE_LINE);
}

const char *view_op_doing(const struct op *op)
{
    return op->kind == OP_WAIT ? "waiting" : op_words[op->kind].doing;
}

const char *view_op_done(const struct op *op)
{
    if (op->kind == OP_WAIT)
        return op->condition == COND_HEALTHY     ? "healthy"
               : op->condition == COND_COMPLETED ? "completed"
               : op->condition == COND_READY     ? "ready"
                                                 : "started";
    if (op->kind == OP_CREATE && op->old)
        return "recreated";
    return op->kind == OP_RESTART ? "started" : op_words[op->kind].done;
}

/* A note in the form of the mode; on a terminal the block makes room for it. */
static void show_note(struct view *v, const struct event *e)
{
    auto_str struct str line = STR_INIT;
    auto_free char *text = xstrndup(e->text, e->len);
    if (v->display)
        display_hide(v->display);
    view_colored(&line, v->color_err, COLOR_YELLOW, text);
    fprintf(v->err, "%s\n", line.buf);
}

bool view_on_terminal(const struct view *v)
{
    return v->mode == VIEW_TTY;
}

static void note_plan(struct view *v, const struct plan *plan)
{
    v->ops = plan->nops;
    v->running = 0;
    for (size_t i = 0; i < plan->nkept; i++)
        v->running += plan->kept[i]->state == CONTAINER_RUNNING;
}

static void on_event(void *ctx, const struct event *e)
{
    struct view *v = ctx;
    foot_hide(v);
    if (e->kind == EVENT_BEGIN)
        note_plan(v, e->plan);
    if (e->kind == EVENT_LOG) {
        if (v->display)
            display_hide(v->display);
        log_event(v, e);
        return;
    }
    switch (v->mode) {
    case VIEW_JSON:
        json_event(v, e);
        return;
    case VIEW_QUIET:
        return;
    case VIEW_TTY:
        if (e->kind == EVENT_BEGIN) {
            display_free(v->display);
            v->display = display_new(v, e->plan);
        } else if (e->kind == EVENT_NOTE) {
            show_note(v, e);
        } else if (e->kind == EVENT_END && v->display) {
            display_finish(v->display);
            display_free(take(v->display));
        } else if (v->display) {
            display_event(v->display, e);
        }
        return;
    case VIEW_AUTO:
    case VIEW_PLAIN:
        if (e->kind == EVENT_NOTE)
            show_note(v, e);
        else
            plain_event(v, e);
        return;
    }
}

struct sink view_sink(struct view *v)
{
    return (struct sink){ .event = on_event, .ctx = v };
}
