/* Lists in docker's forms. */
#include "cli/listing.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "base/strv.h"
#include "cli/template.h"
#include "loop/tty.h"
#include "state/state.h"
#include "view/view.h"

struct listing {
    const struct listing_column *columns;
    size_t n;
    json_t *rows;
    struct strv cells; /* n of each row */
};

struct listing *listing_new(const struct listing_column *columns, size_t n)
{
    struct listing *l = xnew(struct listing);
    l->columns = columns;
    l->n = n;
    l->rows = json_array();
    return l;
}

void listing_free(struct listing *l)
{
    if (!l)
        return;
    json_decref(l->rows);
    strv_clear(&l->cells);
    free(l);
}

void listing_add(struct listing *l, json_t *row, const char *const *cells)
{
    for (size_t i = 0; i < l->n; i++) {
        const char *field = json_string_value(json_object_get(row, l->columns[i].field));
        const char *text = cells ? cells[i] : field;
        strv_add(&l->cells, text ? text : "");
    }
    json_array_append_new(l->rows, row);
}

static int width_of(FILE *f, bool no_trunc)
{
    int rows, columns = 0;
    if (no_trunc || !tty_is(fileno(f)))
        return 0;
    return tty_size(fileno(f), &rows, &columns) ? columns : 0;
}

static void print_table(const struct listing *l, bool no_trunc, FILE *f)
{
    auto_free const char **titles = xcalloc(l->n, sizeof(*titles));
    for (size_t i = 0; i < l->n; i++)
        titles[i] = l->columns[i].title;
    auto_(table_freep) struct table *t = table_new(titles, l->n);
    for (size_t i = 0; i < l->cells.len; i += l->n)
        table_add(t, (const char *const *)&l->cells.items[i]);
    table_print(t, f, width_of(f, no_trunc));
}

static void print_json(const struct listing *l, bool lines, FILE *f)
{
    if (!lines) {
        auto_free char *text = json_dumps(l->rows, JSON_COMPACT | JSON_ENSURE_ASCII);
        fprintf(f, "%s\n", text);
        return;
    }
    for (size_t i = 0; i < json_array_size(l->rows); i++) {
        auto_free char *text =
            json_dumps(json_array_get(l->rows, i), JSON_COMPACT | JSON_ENSURE_ASCII);
        fprintf(f, "%s\n", text);
    }
}

struct heading {
    const struct listing *listing;
    char text[64];
};

static const char *title_of(void *ctx, const char *field)
{
    struct heading *h = ctx;
    for (size_t i = 0; i < h->listing->n; i++)
        if (str_eq(h->listing->columns[i].field, field))
            return h->listing->columns[i].title;
    size_t n = 0;
    for (; field[n] && n + 1 < sizeof(h->text); n++)
        h->text[n] = (char)toupper((unsigned char)field[n]);
    h->text[n] = '\0';
    return h->text;
}

/* Columns are what tabs separate. */
static void add_line(struct strv *lines, size_t *columns, const struct str *line)
{
    size_t n = 1;
    for (size_t i = 0; i < line->len; i++)
        n += line->buf[i] == '\t';
    if (n > *columns)
        *columns = n;
    strv_add(lines, line->buf);
}

static void fill_cells(struct strv *cells, const char *line, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        size_t len = strcspn(line, "\t");
        strv_addn(cells, line, len);
        line += len + (line[len] == '\t');
    }
}

static int print_template_table(const struct listing *l, const char *template, bool no_trunc,
                                FILE *f, struct error *err)
{
    struct heading heading = { .listing = l };
    auto_strv struct strv lines = STRV_INIT;
    size_t columns = 1, rows = json_array_size(l->rows);
    for (size_t i = 0; i <= rows; i++) {
        auto_str struct str line = STR_INIT;
        const json_t *row = i ? json_array_get(l->rows, i - 1) : NULL;
        if (template_render(&line, template, row, i ? NULL : title_of, &heading, err) < 0)
            return -1;
        add_line(&lines, &columns, &line);
    }
    auto_(table_freep) struct table *t = NULL;
    for (size_t i = 0; i < lines.len; i++) {
        auto_strv struct strv cells = STRV_INIT;
        fill_cells(&cells, lines.items[i], columns);
        if (i)
            table_add(t, (const char *const *)cells.items);
        else
            t = table_new((const char *const *)cells.items, columns);
    }
    table_print(t, f, width_of(f, no_trunc));
    return 0;
}

int listing_print(const struct listing *l, const char *format, bool lines, bool no_trunc, FILE *f,
                  struct error *err)
{
    if (!format || !*format || str_eq(format, "table") || str_eq(format, "pretty")) {
        print_table(l, no_trunc, f);
    } else if (str_eq(format, "json")) {
        print_json(l, lines, f);
    } else if (str_starts(format, "table ")) {
        return print_template_table(l, format + strlen("table "), no_trunc, f, err);
    } else {
        for (size_t i = 0; i < json_array_size(l->rows); i++) {
            auto_str struct str line = STR_INIT;
            if (template_render(&line, format, json_array_get(l->rows, i), NULL, NULL, err) < 0)
                return -1;
            fprintf(f, "%s\n", line.buf);
        }
    }
    return 0;
}

void listing_line(FILE *f, const char *text)
{
    auto_free char *safe = safe_text(text, SAFE_LINE);
    fprintf(f, "%s\n", safe);
}

const char *listing_age(char buf[NUM_TEXT_MAX], int64_t seconds)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    static const struct {
        int64_t below, unit; /* unit 0: the text as it is */
        const char *text;
    } steps[] = {
        { 1, 0, "Less than a second" },    { 2, 0, "1 second" },
        { MINUTE, 1, "seconds" },          { 2 * MINUTE, 0, "About a minute" },
        { HOUR, MINUTE, "minutes" },       { 2 * HOUR, 0, "About an hour" },
        { 2 * DAY, HOUR, "hours" },        { 14 * DAY, DAY, "days" },
        { 60 * DAY, 7 * DAY, "weeks" },    { 2 * 365 * DAY, 30 * DAY, "months" },
        { INT64_MAX, 365 * DAY, "years" },
    };
    size_t i = 0;
    while (seconds >= steps[i].below)
        i++;
    if (!steps[i].unit)
        return steps[i].text;
    snprintf(buf, NUM_TEXT_MAX, "%lld %s", (long long)(seconds / steps[i].unit), steps[i].text);
    return buf;
}

char *listing_cut(const char *text, size_t most)
{
    struct str out = STR_INIT;
    safe_add_cut(&out, text, most);
    return str_detach(&out);
}

char *listing_labels(const struct label *labels, size_t n)
{
    struct str text = STR_INIT;
    for (size_t i = 0; i < n; i++)
        str_addf(&text, "%s%s=%s", i ? "," : "", labels[i].key, labels[i].value);
    return str_detach(&text);
}
