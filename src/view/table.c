/* Tables: every cell made safe, columns as wide as their widest cell. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "base/strv.h"
#include "base/vec.h"
#include "view/view.h"

struct table {
    size_t columns;
    struct strv cells; /* row by row, the titles first */
};

static void add_row(struct table *t, const char *const *cells)
{
    for (size_t i = 0; i < t->columns; i++)
        strv_take(&t->cells, safe_text(cells[i] ? cells[i] : "", SAFE_LINE));
}

struct table *table_new(const char *const *titles, size_t columns)
{
    struct table *t = xnew(struct table);
    t->columns = columns;
    add_row(t, titles);
    return t;
}

void table_add(struct table *t, const char *const *cells)
{
    add_row(t, cells);
}

/* Narrows the widest columns until the row fits; none below eight columns. */
static void fit(size_t *widths, size_t n, size_t limit)
{
    size_t total = n ? 3 * (n - 1) : 0;
    for (size_t i = 0; i < n; i++)
        total += widths[i];
    while (total > limit) {
        size_t widest = 0;
        for (size_t i = 1; i < n; i++)
            if (widths[i] > widths[widest])
                widest = i;
        if (widths[widest] <= 8)
            return;
        widths[widest]--;
        total--;
    }
}

void table_print(const struct table *t, FILE *f, int columns)
{
    auto_free size_t *widths = xcalloc(t->columns, sizeof(*widths));
    for (size_t i = 0; i < t->cells.len; i++) {
        size_t width = safe_width(t->cells.items[i]);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    if (columns > 0)
        fit(widths, t->columns, (size_t)columns);
    for (size_t i = 0; i < t->cells.len; i += t->columns) {
        auto_str struct str line = STR_INIT;
        for (size_t c = 0; c < t->columns; c++) {
            const char *cell = t->cells.items[i + c];
            size_t width = safe_width(cell);
            if (columns > 0 && width > widths[c])
                safe_add_cut(&line, cell, widths[c]);
            else
                str_add(&line, cell);
            if (c + 1 < t->columns)
                str_addf(&line, "%*s   ", (int)(width < widths[c] ? widths[c] - width : 0), "");
        }
        size_t end = line.len;
        while (end && line.buf[end - 1] == ' ')
            end--;
        str_truncate(&line, end);
        fprintf(f, "%s\n", line.buf);
    }
}

void table_free(struct table *t)
{
    if (!t)
        return;
    strv_clear(&t->cells);
    free(t);
}
