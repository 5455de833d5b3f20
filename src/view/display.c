/*
 * The block of lines that repaints in place while a plan runs.
 *
 * A row is a service, or a network, volume or image of its own: all operations of the same subject
 * fold into it. Events only note what changed; painting happens at most once per FRAME_MS, so a
 * burst of events costs one paint. The block is never taller than the screen: rows that failed or
 * work come first, the others fold into a count. While hidden (something else is written), the next
 * paint puts it back below.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "base/vec.h"
#include "loop/tty.h"
#include "view/private.h"

#define FRAME_MS 80
#define HIDE_CURSOR "\x1b[?25l" /* xterm's DECTCEM; undone by tty_restore() at a death */
#define SHOW_CURSOR "\x1b[?25h"

enum row_state { ROW_WAITING, ROW_WORKING, ROW_DONE, ROW_FAILED, ROW_HELD };

struct row {
    const char *object; /* "service", "network" ... */
    char *title;
    enum row_state state;
    size_t ops, ended; /* operations of this row */
    char *status;      /* "creating", "healthy" */
    char *detail;      /* "health check, attempt 2", "3/5 layers" */
    int64_t started_ms, elapsed_ms;
    int64_t current, total;
    const struct op *next; /* the first operation that has not begun */
};

struct display {
    struct view *v;
    const struct plan *plan;
    struct {
        VEC(struct row);
    } rows;
    size_t *row_of; /* by op->index */
    bool *begun, *over;
    size_t done;
    size_t shown; /* lines of the block on the screen */
    int64_t started_ms;
    size_t frame;
    struct loop_timer *timer;
    bool finished;
};

static const char *row_key(const struct op *op)
{
    return op->service_name ? op->service_name : op->subject;
}

static size_t find_row(struct display *d, struct strmap *known, const struct op *op)
{
    const char *object = op->service_name ? "service" : op_words[op->kind].object;
    auto_free char *key = xasprintf("%s/%s", object, row_key(op));
    void *at = strmap_get(known, key);
    if (at)
        return (size_t)(uintptr_t)at - 1;
    struct row *row = vec_push(&d->rows);
    row->object = object;
    row->title = safe_text(row_key(op), SAFE_LINE);
    row->next = op;
    strmap_set(known, key, (void *)(uintptr_t)d->rows.len);
    return d->rows.len - 1;
}

struct display *display_new(struct view *v, const struct plan *plan)
{
    struct display *d = xnew(struct display);
    struct strmap known = STRMAP_INIT;
    d->v = v;
    d->plan = plan;
    d->started_ms = clock_ms();
    d->row_of = xcalloc(plan->nops + 1, sizeof(*d->row_of));
    d->begun = xcalloc(plan->nops + 1, sizeof(*d->begun));
    d->over = xcalloc(plan->nops + 1, sizeof(*d->over));
    for (size_t i = 0; i < plan->nops; i++) {
        d->row_of[plan->ops[i]->index] = find_row(d, &known, plan->ops[i]);
        d->rows.items[d->row_of[plan->ops[i]->index]].ops++;
    }
    strmap_clear(&known, NULL);
    tty_hide_cursor(fileno(v->err), true);
    fputs(HIDE_CURSOR, v->err);
    return d;
}

void display_free(struct display *d)
{
    if (!d)
        return;
    loop_timer_cancel(&d->timer);
    tty_hide_cursor(fileno(d->v->err), false);
    fputs(SHOW_CURSOR, d->v->err);
    fflush(d->v->err);
    vec_each (row, &d->rows) {
        free(row->title);
        free(row->status);
        free(row->detail);
    }
    vec_free(&d->rows);
    free(d->row_of);
    free(d->begun);
    free(d->over);
    free(d);
}

/* The name of what the row's next operation still needs, outside the row itself. */
static const char *waits_for(const struct display *d, const struct row *row)
{
    if (!row->next)
        return NULL;
    for (size_t i = 0; i < row->next->nneeds; i++) {
        const struct op *need = row->next->needs[i].op;
        if (!d->over[need->index] && &d->rows.items[d->row_of[need->index]] != row)
            return row_key(need);
    }
    return NULL;
}

static void add_bar(struct str *line, int64_t current, int64_t total)
{
    char now[NUM_TEXT_MAX], all[NUM_TEXT_MAX];
    str_addf(line, " %s/%s", num_size_text(now, current), num_size_text(all, total));
}

static void add_row(struct str *out, const struct display *d, const struct row *row, size_t cols)
{
    static const char *const spinner[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };
    static const enum color colors[] = { COLOR_DIM, COLOR_BLUE, COLOR_GREEN, COLOR_RED,
                                         COLOR_YELLOW };
    static const char *const marks[] = { "·", "", "✔", "✘", "-" };
    auto_str struct str text = STR_INIT, tail = STR_INIT, cut = STR_INIT;
    char elapsed[NUM_TEXT_MAX];
    str_addf(&text, "%-8s %-22s ", row->object, row->title);
    const char *waits = row->state == ROW_WAITING ? waits_for(d, row) : NULL;
    if (waits) {
        str_add(&text, "waits for ");
        safe_add(&text, waits, strlen(waits), SAFE_LINE);
    } else if (row->status) {
        str_add(&text, row->status);
        if (row->state == ROW_WORKING && row->detail)
            str_addf(&text, ": %s", row->detail);
        if (row->state == ROW_WORKING && row->total > 0)
            add_bar(&text, row->current, row->total);
    }
    if (row->started_ms) {
        int64_t ms = row->state == ROW_WORKING ? clock_ms() - row->started_ms : row->elapsed_ms;
        str_addf(&tail, "%s", num_elapsed_text(elapsed, ms));
    }
    size_t room = cols > 14 + 3 ? cols - 14 : 3;
    safe_add_cut(&cut, text.buf, room);
    str_addc(out, ' ');
    view_colored(out, d->v->color_err, colors[row->state],
                 row->state == ROW_WORKING ? spinner[d->frame % countof(spinner)]
                                           : marks[row->state]);
    size_t width = safe_width(cut.buf);
    str_addf(out, " %s%*s %8s", cut.buf, (int)(room > width ? room - width : 0), "", tail.buf);
}

static int row_rank(const struct row *row)
{
    static const int ranks[] = { 2, 1, 3, 0, 3 };
    return ranks[row->state];
}

/* Which rows are shown when not all fit: by rank, in the order of the plan. */
static void choose(const struct display *d, bool *show, size_t room)
{
    for (int rank = 0; rank <= 3; rank++)
        for (size_t i = 0; i < d->rows.len && room; i++)
            if (row_rank(&d->rows.items[i]) == rank) {
                show[i] = true;
                room--;
            }
}

static void erase(struct str *out, const struct display *d)
{
    if (d->shown)
        str_addf(out, "\x1b[%zuA\r\x1b[J", d->shown);
}

static void paint(struct display *d)
{
    int rows, cols;
    tty_size(fileno(d->v->err), &rows, &cols);
    if (d->v->opt.rows)
        rows = d->v->opt.rows;
    if (d->v->opt.cols)
        cols = d->v->opt.cols;
    size_t room = rows > 4 ? (size_t)rows - 3 : 1;
    auto_str struct str out = STR_INIT;
    auto_free bool *show = xcalloc(d->rows.len + 1, sizeof(*show));
    char elapsed[NUM_TEXT_MAX];
    bool all = d->rows.len <= room;
    choose(d, show, all ? d->rows.len : room - 1);
    erase(&out, d);
    auto_free char *head =
        xasprintf("[+] %s %zu/%zu  %s", d->v->opt.verb ? d->v->opt.verb : "", d->done,
                  d->plan->nops, num_elapsed_text(elapsed, clock_ms() - d->started_ms));
    safe_add_cut(&out, head, (size_t)cols);
    str_addc(&out, '\n');
    size_t lines = 1, hidden = 0;
    for (size_t i = 0; i < d->rows.len; i++) {
        if (!show[i]) {
            hidden++;
            continue;
        }
        add_row(&out, d, &d->rows.items[i], (size_t)cols);
        str_addc(&out, '\n');
        lines++;
    }
    if (hidden) {
        str_addf(&out, "   … and %zu more\n", hidden);
        lines++;
    }
    d->shown = lines;
    d->frame++;
    fwrite(out.buf, 1, out.len, d->v->err);
    fflush(d->v->err);
}

static void on_frame(void *ctx)
{
    struct display *d = ctx;
    paint(d);
    bool working = false;
    vec_each (row, &d->rows)
        working |= row->state == ROW_WORKING;
    if (working && !d->finished)
        loop_after(&d->timer, d->v->loop, FRAME_MS, on_frame, d);
}

static void set_text(char **slot, const char *text, size_t len)
{
    auto_str struct str clean = STR_INIT;
    safe_add(&clean, text, len, SAFE_LINE);
    free(*slot);
    *slot = str_detach(&clean);
}

static void find_next(struct display *d, struct row *row)
{
    size_t at = (size_t)(row - d->rows.items);
    row->next = NULL;
    for (size_t i = 0; i < d->plan->nops && !row->next; i++) {
        const struct op *op = d->plan->ops[i];
        if (d->row_of[op->index] == at && !d->begun[op->index])
            row->next = op;
    }
}

static void end_op(struct display *d, struct row *row, const struct event *e)
{
    static const enum row_state states[] = { ROW_DONE, ROW_DONE, ROW_FAILED, ROW_HELD, ROW_HELD };
    const char *word = e->outcome == OUTCOME_DONE || e->outcome == OUTCOME_SKIPPED
                           ? view_op_done(e->op)
                       : e->outcome == OUTCOME_FAILED ? "failed"
                       : e->outcome == OUTCOME_HELD   ? "held back"
                                                      : "canceled";
    d->over[e->op->index] = d->begun[e->op->index] = true;
    d->done++;
    row->ended++;
    row->elapsed_ms = row->started_ms ? clock_ms() - row->started_ms : 0;
    free(take(row->detail));
    row->total = 0;
    enum row_state state = states[e->outcome];
    if (row->state != ROW_FAILED) {
        set_text(&row->status, word, strlen(word));
        row->state = state != ROW_DONE || row->ended == row->ops ? state : ROW_WAITING;
    }
    if (row->state == ROW_FAILED && e->err && e->err->msg && e->outcome == OUTCOME_FAILED) {
        auto_free char *text = xasprintf("failed: %s", e->err->msg);
        set_text(&row->status, text, strlen(text));
    }
    find_next(d, row);
}

void display_event(struct display *d, const struct event *e)
{
    if (!e->op)
        return;
    struct row *row = &d->rows.items[d->row_of[e->op->index]];
    switch (e->kind) {
    case EVENT_STARTED:
        d->begun[e->op->index] = true;
        if (!row->started_ms)
            row->started_ms = clock_ms();
        if (row->state != ROW_FAILED)
            row->state = ROW_WORKING;
        set_text(&row->status, view_op_doing(e->op), strlen(view_op_doing(e->op)));
        find_next(d, row);
        break;
    case EVENT_PROGRESS:
    case EVENT_STEP:
        if (e->text)
            set_text(&row->detail, e->text, e->len);
        row->current = e->current;
        row->total = e->total;
        break;
    case EVENT_ENDED:
        end_op(d, row, e);
        break;
    case EVENT_BEGIN:
    case EVENT_OUTPUT:
    case EVENT_LOG:
    case EVENT_NOTE:
    case EVENT_END:
        return;
    }
    if (!d->timer)
        loop_after(&d->timer, d->v->loop, d->shown ? FRAME_MS : 1, on_frame, d);
}

void display_hide(struct display *d)
{
    auto_str struct str out = STR_INIT;
    erase(&out, d);
    d->shown = 0;
    fwrite(out.buf, 1, out.len, d->v->err);
    fflush(d->v->err);
    if (!d->timer && !d->finished)
        loop_after(&d->timer, d->v->loop, FRAME_MS, on_frame, d);
}

void display_finish(struct display *d)
{
    d->finished = true;
    loop_timer_cancel(&d->timer);
    if (d->plan->nops)
        paint(d);
    d->shown = 0;
}
