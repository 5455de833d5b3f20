/* The end of a command: diagnostics, the error, the summary of a plan with a block per failure. */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "view/private.h"

static void add_hint(struct str *out, const char *hint)
{
    if (hint)
        str_addf(out, "  hint: %s\n", hint);
}

void view_error(struct view *v, const struct error *err)
{
    auto_str struct str text = STR_INIT;
    if (err->kind == ERR_NONE || !err->msg)
        return;
    foot_hide(v);
    view_colored(&text, v->color_err, COLOR_RED, "error");
    str_addf(&text, ": %s\n", err->msg);
    add_hint(&text, err->hint);
    fputs(text.buf, v->err);
}

void view_diag(struct view *v, const struct diag *d)
{
    auto_str struct str text = STR_INIT;
    if (v->mode == VIEW_QUIET && d->errors == 0)
        return;
    diag_print(&text, d, v->mode != VIEW_QUIET);
    foot_hide(v);
    fputs(text.buf, v->err);
}

static void add_failure(struct str *out, bool color, const struct run_failure *f)
{
    auto_str struct str title = STR_INIT;
    if (f->op->service_name)
        str_addf(&title, "service %s", f->op->service_name);
    else
        str_addf(&title, "%s %s", op_words[f->op->kind].object, f->op->subject);
    str_addc(out, '\n');
    view_colored(out, color, COLOR_RED, title.buf);
    str_addf(out, " failed to %s\n", op_words[f->op->kind].verb);
    str_addf(out, "  %s\n", f->err.msg ? f->err.msg : "unknown error");
    add_hint(out, f->err.hint);
    if (f->output && *f->output) {
        str_add(out, "  last output:\n");
        for (const char *line = f->output; *line;) {
            size_t len = strcspn(line, "\n");
            str_add(out, "    | ");
            safe_add(out, line, len, SAFE_LINE);
            str_addc(out, '\n');
            line += len + (line[len] == '\n');
        }
    }
    if (f->held && f->held[0]) {
        str_add(out, "  held back:");
        for (char **h = f->held; *h; h++) {
            str_add(out, h == f->held ? " " : ", ");
            safe_add(out, *h, strlen(*h), SAFE_LINE);
        }
        str_addc(out, '\n');
    }
}

static const char *past(const char *verb)
{
    static const char *const words[][2] = {
        { "up", "ready" },     { "down", "down" },         { "start", "started" },
        { "stop", "stopped" }, { "restart", "restarted" }, { "kill", "killed" },
        { "rm", "removed" },   { "build", "built" },       { "pull", "pulled" },
        { "pause", "paused" }, { "unpause", "unpaused" },  { "create", "created" },
        { "push", "pushed" },  { "sync", "synced" },       { "scale", "scaled" },
    };
    for (size_t i = 0; i < countof(words); i++)
        if (str_eq(verb, words[i][0]))
            return words[i][1];
    return "done";
}

void view_report(struct view *v, const struct run_result *r)
{
    auto_str struct str text = STR_INIT;
    char elapsed[NUM_TEXT_MAX];
    for (size_t i = 0; i < r->nfailures; i++)
        add_failure(&text, v->color_err, &r->failures[i]);
    if (v->mode == VIEW_QUIET || v->mode == VIEW_JSON) {
        if (v->mode == VIEW_QUIET)
            fputs(text.buf, v->err);
        return;
    }
    if (r->nfailures)
        str_addc(&text, '\n');
    num_elapsed_text(elapsed, r->elapsed_ms);
    if (r->interrupted)
        str_addf(&text, "interrupted after %s", elapsed);
    else if (v->ops == 0 && v->running)
        str_addf(&text, "nothing to do, %zu running", v->running);
    else if (v->ops == 0)
        str_add(&text, "nothing to do");
    else if (r->nfailures)
        str_addf(&text, "%zu failed, %zu held back, after %s", r->nfailures, r->held, elapsed);
    else
        str_addf(&text, "%s in %s", past(v->opt.verb), elapsed);
    for (size_t i = 0; i < r->ncritical; i++) {
        str_add(&text, i ? " → " : "; critical path: ");
        safe_add(&text, r->critical[i].name, strlen(r->critical[i].name), SAFE_LINE);
        str_addf(&text, " %s", num_elapsed_text(elapsed, r->critical[i].ms));
    }
    str_addc(&text, '\n');
    foot_hide(v);
    fputs(text.buf, v->err);
}
