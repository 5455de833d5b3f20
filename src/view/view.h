/*
 * Showing things: progress of a plan, logs, tables, diagnostics, the closing report.
 *
 * Progress goes to standard error, what one would pipe to standard output. A view is a sink
 * (run/events.h). Everything from outside passes base/safe.h.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include <stdio.h>

#include "loop/loop.h"
#include "run/events.h"
#include "run/run.h"
#include "text/diag.h"

enum view_mode { VIEW_AUTO, VIEW_TTY, VIEW_PLAIN, VIEW_JSON, VIEW_QUIET };
enum view_ansi { ANSI_AUTO, ANSI_ALWAYS, ANSI_NEVER };

struct view_options {
    enum view_mode mode; /* AUTO: TTY when standard error is a terminal, else PLAIN */
    enum view_ansi ansi; /* flag > NO_COLOR > CLICOLOR_FORCE/FORCE_COLOR > terminal */
    bool log_prefix;     /* "web-1  | " before lines of output */
    bool timestamps;
    bool log_split;   /* what containers write to standard error goes to ours */
    bool log_builds;  /* plain lines of builds go to standard output */
    bool log_json;    /* lines of output as objects: time, service, container, stream, line */
    const char *verb; /* "up", "down": for the summary */
    FILE *out, *err;  /* NULL: stdout, stderr */
    int rows, cols;   /* 0: the terminal's; fixed in tests */
};

struct view;
struct view *view_new(struct loop *l, const struct view_options *opt);
/* Puts the terminal back as it was. */
void view_free(struct view *v);
DEFINE_FREEP(struct view, view_free)
struct sink view_sink(struct view *v);
/* For the summary of what comes next. */
void view_set_verb(struct view *v, const char *verb);
bool view_color(const struct view *v, FILE *f);

/* Makes room for the prefix of a container's lines, so that those of all line up. */
void view_log_label(struct view *v, const char *label);

/* Whether there is a terminal on which lines are painted anew. */
bool view_on_terminal(const struct view *v);
/* A line below all that is written, until it is another, or NULL: none. There, on a terminal. */
void view_foot(struct view *v, const char *text);

/* The end of a plan: summary ("ready in 11.4 s; critical path: ...") and a block per failure. */
void view_report(struct view *v, const struct run_result *r);
void view_error(struct view *v, const struct error *err);
void view_diag(struct view *v, const struct diag *d);

/* Lines that are painted anew in place, on a terminal, with the cursor hidden meanwhile. */
struct block;
struct block *block_new(FILE *f, int rows, int cols /* 0: the terminal's; fixed in tests */);
/* `text` is made of lines that are safe to print. Each is cut to the width; of what is more than
 * the screen has room for, the end is left out, and a last line says how much. */
void block_paint(struct block *b, const char *text);
/* The room that a line has. */
int block_width(const struct block *b);
/* The last painting stays; the cursor is shown again. */
void block_free(struct block *b);
DEFINE_FREEP(struct block, block_free)

/* Tables: cells are made safe and aligned; columns are cut to the terminal's width only on a
 * terminal, unless no_trunc. */
struct table;
struct table *table_new(const char *const *titles, size_t columns);
void table_add(struct table *t, const char *const *cells); /* copied */
void table_print(const struct table *t, FILE *f, int columns /* 0: no limit */);
void table_free(struct table *t);
DEFINE_FREEP(struct table, table_free)

#endif
