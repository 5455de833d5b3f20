/*
 * Lines that repaint in place. The cursor stays on the line below the block, so one line of the
 * screen is never used; painting goes up by as many lines as were painted last.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "loop/tty.h"
#include "view/view.h"

#define HIDE_CURSOR "\x1b[?25l" /* undone by tty_restore() at a death */
#define SHOW_CURSOR "\x1b[?25h"

struct block {
    FILE *f;
    int fixed_rows, fixed_cols;
    int rows, cols; /* of the screen at the last painting */
    size_t shown;   /* lines of the block on it */
};

static void measure(const struct block *b, int *rows, int *cols)
{
    tty_size(fileno(b->f), rows, cols);
    if (b->fixed_rows)
        *rows = b->fixed_rows;
    if (b->fixed_cols)
        *cols = b->fixed_cols;
}

struct block *block_new(FILE *f, int rows, int cols)
{
    struct block *b = xnew(struct block);
    b->f = f;
    b->fixed_rows = rows;
    b->fixed_cols = cols;
    tty_hide_cursor(fileno(f), true);
    fputs(HIDE_CURSOR, f);
    fflush(f);
    return b;
}

int block_width(const struct block *b)
{
    int rows, cols;
    measure(b, &rows, &cols);
    return cols;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; (text = strchr(text, '\n')); text++)
        n++;
    return n;
}

void block_paint(struct block *b, const char *text)
{
    auto_str struct str out = STR_INIT;
    int rows, cols;
    measure(b, &rows, &cols);
    bool resized = b->shown && (rows != b->rows || cols != b->cols);
    if (resized) /* terminals fold lines anew then: nobody knows how many there are */
        str_add(&out, "\x1b[H\x1b[J");
    else if (b->shown)
        str_addf(&out, "\x1b[%zuA\r\x1b[J", b->shown);
    size_t lines = count_lines(text), room = rows > 2 ? (size_t)rows - 1 : 1;
    size_t most = lines > room ? room - 1 : lines;
    for (size_t i = 0; i < most; i++) {
        size_t len = strcspn(text, "\n");
        auto_free char *line = xstrndup(text, len);
        safe_add_cut(&out, line, (size_t)cols);
        str_addc(&out, '\n');
        text += len + 1;
    }
    if (lines > most)
        str_addf(&out, "… and %zu more\n", lines - most);
    b->shown = lines > most ? most + 1 : most;
    b->rows = rows;
    b->cols = cols;
    fwrite(out.buf, 1, out.len, b->f);
    fflush(b->f);
}

void block_free(struct block *b)
{
    if (!b)
        return;
    tty_hide_cursor(fileno(b->f), false);
    fputs(SHOW_CURSOR, b->f);
    fflush(b->f);
    free(b);
}
