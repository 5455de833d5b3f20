/*
 * Plain lines: one per change of state, for logs of CI and for pipes. They begin as those of docker
 * compose do, " Container web-1 Started", because scripts look for such words.
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "view/private.h"

static void put(struct view *v, const struct str *line)
{
    fprintf(v->err, "%s\n", line->buf);
}

/* The log of a build is what some commands are for. */
static FILE *build_log(const struct view *v)
{
    return v->opt.log_builds ? v->out : v->err;
}

static void put_build(struct view *v, const struct str *line)
{
    FILE *f = build_log(v);
    fprintf(f, "%s\n", line->buf);
    fflush(f); /* both may lead to one file: the order stays */
}

static void begin(struct str *line, const struct op *op)
{
    str_addc(line, ' ');
    view_op_name(line, op);
    str_addc(line, ' ');
}

/* The words of operations are in small letters, as sentences need them. */
static void add_state(struct str *line, struct view *v, enum color color, const char *words)
{
    auto_free char *state = xstrdup(words);
    if (state[0] >= 'a' && state[0] <= 'z')
        state[0] = (char)(state[0] - 'a' + 'A');
    view_colored(line, v->color_err, color, state);
}

static void add_elapsed(struct str *line, const struct event *e)
{
    char elapsed[NUM_TEXT_MAX];
    if (e->elapsed_ms >= 100)
        str_addf(line, " %s", num_elapsed_text(elapsed, e->elapsed_ms));
}

static void put_container(struct view *v, const char *name, const struct str *state)
{
    auto_str struct str line = STR_INIT;
    str_add(&line, " Container ");
    safe_add(&line, name, strlen(name), SAFE_LINE);
    str_addf(&line, " %s", state->buf);
    put(v, &line);
}

/* A wait is for a service; what is told is what its containers are. */
static void put_waited(struct view *v, const struct event *e)
{
    auto_str struct str state = STR_INIT;
    if (e->kind == EVENT_STARTED)
        add_state(&state, v, COLOR_NONE, view_op_doing(e->op));
    else
        add_state(&state, v, COLOR_GREEN,
                  e->op->condition == COND_COMPLETED ? "exited" : "healthy");
    add_elapsed(&state, e);
    for (struct op *const *o = e->op->waits; o && *o; o++)
        put_container(v, (*o)->subject, &state);
    for (const struct seen_container *const *c = e->op->wait_seen; c && *c; c++)
        put_container(v, (*c)->name, &state);
}

/* What is there already, and stays. */
static void put_kept(struct view *v, const struct plan *plan)
{
    for (size_t i = 0; i < plan->nkept; i++) {
        const struct seen_container *c = plan->kept[i];
        auto_str struct str state = STR_INIT;
        add_state(&state, v, COLOR_GREEN,
                  c->state == CONTAINER_RUNNING ? "running"
                  : str_eq(v->opt.verb, "stop") ? "stopped"
                                                : container_state_names[c->state]);
        put_container(v, c->name, &state);
    }
}

static void ended(struct view *v, const struct event *e)
{
    auto_str struct str line = STR_INIT;
    if (e->op->kind == OP_WAIT && e->outcome == OUTCOME_DONE) {
        put_waited(v, e);
        return;
    }
    begin(&line, e->op);
    switch (e->outcome) {
    case OUTCOME_DONE:
        add_state(&line, v, COLOR_GREEN, view_op_done(e->op));
        add_elapsed(&line, e);
        if (e->op->reason && *e->op->reason &&
            (e->op->kind == OP_CREATE || e->op->kind == OP_IMAGE_BUILD)) {
            str_add(&line, " (");
            safe_add(&line, e->op->reason, strlen(e->op->reason), SAFE_LINE);
            str_addc(&line, ')');
        }
        break;
    case OUTCOME_SKIPPED:
        if (e->op->kind == OP_IMAGE_BUILD)
            return; /* it was fetched */
        add_state(&line, v, COLOR_DIM,
                  e->op->kind == OP_IMAGE_FETCH ? "not in the registry" : "nothing to do");
        break;
    case OUTCOME_FAILED:
        if (e->op->optional)
            str_addf(&line, "Skipped: optional dependency \"%s\" failed to start", e->op->subject);
        else
            add_state(&line, v, COLOR_RED, "failed");
        if (e->err && e->err->msg) {
            str_add(&line, ": ");
            safe_add(&line, e->err->msg, strlen(e->err->msg), SAFE_LINE);
        }
        break;
    case OUTCOME_HELD:
        /* One line for a service is enough: its first operation. */
        if (e->op->kind != OP_CREATE && e->op->kind != OP_START)
            return;
        add_state(&line, v, COLOR_YELLOW, "held back");
        if (e->cause) {
            str_add(&line, " by ");
            view_op_name(&line, e->cause);
        }
        break;
    case OUTCOME_CANCELED:
        add_state(&line, v, COLOR_YELLOW, "canceled");
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

/* The steps of a Dockerfile, "[2/5] RUN make", without those around it, "[internal] load ...". */
static bool is_instruction(const struct event *e)
{
    static const char internal[] = "[internal]";
    return e->len && e->text[0] == '[' &&
           (e->len < strlen(internal) || memcmp(e->text, internal, strlen(internal)) != 0);
}

void plain_event(struct view *v, const struct event *e)
{
    auto_str struct str line = STR_INIT;
    switch (e->kind) {
    case EVENT_STARTED:
        if (!announces(e->op))
            return;
        if (e->op->kind == OP_WAIT) {
            put_waited(v, e);
            return;
        }
        begin(&line, e->op);
        add_state(&line, v, COLOR_NONE, view_op_doing(e->op));
        put(v, &line);
        return;
    case EVENT_STEP:
        if (!is_instruction(e))
            return;
        begin(&line, e->op);
        safe_add(&line, e->text, e->len, SAFE_LINE);
        put_build(v, &line);
        return;
    case EVENT_OUTPUT:
        str_add(&line, "   ");
        safe_add(&line, e->text, e->len, view_color(v, build_log(v)) ? SAFE_SGR : SAFE_LINE);
        put_build(v, &line);
        return;
    case EVENT_ENDED:
        ended(v, e);
        return;
    case EVENT_BEGIN:
        /* A second plan of the same command only goes on with the first one's work. */
        if (!v->begun || str_eq(v->opt.verb, "stop"))
            put_kept(v, e->plan);
        v->begun = true;
        return;
    case EVENT_PROGRESS:
    case EVENT_LOG:
    case EVENT_NOTE:
    case EVENT_END:
        return;
    }
}
