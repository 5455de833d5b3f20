/* The parts of a view; for view/ alone. */
#ifndef VIEW_PRIVATE_H
#define VIEW_PRIVATE_H

#include "base/str.h"
#include "base/strmap.h"
#include "view/view.h"

struct display; /* the repainting block of a terminal */

struct view {
    struct view_options opt;
    enum view_mode mode; /* never AUTO */
    bool color_out, color_err;
    struct loop *loop;
    FILE *out, *err;
    struct display *display; /* TTY, while a plan runs */
    struct {
        char *text; /* NULL: there is none */
        bool shown;
        struct loop_timer *timer; /* it is put back */
        struct loop_signal *cont, *winch;
    } foot;
    struct strmap prefixes; /* service -> colour number + 1 of its log prefix */
    size_t prefix_width;
    bool begun;          /* a plan, before */
    size_t ops, running; /* of the plan: its operations, running containers it leaves alone */
};

enum color { COLOR_NONE, COLOR_RED, COLOR_GREEN, COLOR_YELLOW, COLOR_BLUE, COLOR_DIM, COLOR_BOLD };

/* Appends `text` (made safe) in a colour, or plainly. */
void view_colored(struct str *out, bool on, enum color c, const char *text);
/* "Container demo-web-1", "Network demo_default": what an operation works on, as compose says it.
 */
void view_op_name(struct str *out, const struct op *op);
/* "Created", "Starting" ...: state words of an operation, capitalised. */
const char *view_op_doing(const struct op *op);
const char *view_op_done(const struct op *op);

void plain_event(struct view *v, const struct event *e);
void json_event(struct view *v, const struct event *e);
void log_event(struct view *v, const struct event *e);

struct display *display_new(struct view *v, const struct plan *plan);
void display_event(struct display *d, const struct event *e);
/* Takes the block off the screen, so that lines can be written; the next paint puts it back. */
void display_hide(struct display *d);
/* The last paint, which stays. */
void display_finish(struct display *d);
void display_free(struct display *d);

/* Takes the foot off the screen, so that lines can be written; it comes back by itself. */
void foot_hide(struct view *v);

#endif
