/* The line of a transfer: repainted a few times a second, cut to the terminal's width. */
#include "cli/meter.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "base/str.h"
#include "loop/tty.h"

#define EVERY_MS 150
#define NUMBER_COLUMNS 14 /* of what follows the text */

struct meter meter_begin(const struct cli *cli, const char *what)
{
    const char *mode = cli_progress(cli);
    bool on = (!mode || str_eq(mode, "auto") || str_eq(mode, "tty")) && tty_is(STDERR_FILENO);
    return (struct meter){ .what = what, .on = on, .shown_ms = clock_ms() };
}

void meter_update(void *ctx, int64_t bytes)
{
    struct meter *m = ctx;
    if (!m->on || clock_ms() - m->shown_ms < EVERY_MS)
        return;
    m->shown_ms = clock_ms();
    m->shown = true;
    int rows, cols;
    char size[NUM_TEXT_MAX];
    auto_str struct str line = STR_INIT;
    auto_free char *what = safe_text(m->what, SAFE_LINE);
    tty_size(STDERR_FILENO, &rows, &cols);
    safe_add_cut(&line, what, cols > NUMBER_COLUMNS ? (size_t)(cols - NUMBER_COLUMNS) : 1);
    fprintf(stderr, "\r%s  %s\033[K", line.buf, num_size_text(size, bytes));
    fflush(stderr);
}

void meter_end(struct meter *m)
{
    if (m->shown)
        fputs("\r\033[K", stderr);
    m->shown = false;
}

void meter_say(const struct cli *cli, const char *fmt, ...)
{
    if (str_eq(cli_progress(cli), "quiet"))
        return;
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    auto_free char *safe = safe_text(text, SAFE_LINE);
    fprintf(stderr, "%s\n", safe);
}
