/* Collected mistakes. See diag.h. */
#include "text/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/safe.h"

void diag_init(struct diag *d, struct arena *arena)
{
    *d = (struct diag){ .arena = arena };
}

void diag_clear(struct diag *d)
{
    vec_free(d);
}

/* Names from files stand in messages: nothing of them may reach the terminal as it is. */
static const char *safe_copy(struct diag *d, const struct str *text)
{
    auto_str struct str safe = STR_INIT_MAX(4096);

    safe_add(&safe, text->buf, text->len, SAFE_LINE);
    return arena_strdup(d->arena, safe.buf);
}

static void __attribute__((format(printf, 4, 0)))
add(struct diag *d, enum diag_level level, struct span at, const char *fmt, va_list ap)
{
    size_t count = level == DIAG_ERROR ? ++d->errors : ++d->warnings;
    auto_str struct str text = STR_INIT_MAX(4096);

    d->dropped = count > DIAG_MAX;
    if (d->dropped)
        return;
    if (d->context)
        str_addf(&text, "%s: ", d->context);
    str_vaddf(&text, fmt, ap);
    *vec_push(d) =
        (struct diag_entry){ .level = level, .span = at, .message = safe_copy(d, &text) };
}

void diag_error(struct diag *d, struct span at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(d, DIAG_ERROR, at, fmt, ap);
    va_end(ap);
}

void diag_warning(struct diag *d, struct span at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(d, DIAG_WARNING, at, fmt, ap);
    va_end(ap);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
    auto_str struct str text = STR_INIT_MAX(4096);
    va_list ap;

    if (d->dropped || d->len == 0)
        return;
    va_start(ap, fmt);
    str_vaddf(&text, fmt, ap);
    va_end(ap);
    d->items[d->len - 1].hint = safe_copy(d, &text);
}

void diag_suggest(struct diag *d, const char *found, const char *const *known, size_t n)
{
    size_t limit = strlen(found) < 4 ? 1 : strlen(found) / 3;
    size_t nearest = limit + 1;
    const char *best = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t distance = str_distance(found, known[i], limit);
        if (distance < nearest) {
            nearest = distance;
            best = known[i];
        }
    }
    if (best)
        diag_hint(d, "did you mean '%s'?", best);
}

/* Where an entry goes in the printed list: files in the order in which they came up. */
struct rank {
    const struct diag_entry *entry;
    size_t file;
    size_t index;
};

static int by_place(const void *left, const void *right)
{
    const struct rank *a = left;
    const struct rank *b = right;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->entry->span.line != b->entry->span.line)
        return a->entry->span.line < b->entry->span.line ? -1 : 1;
    if (a->entry->span.column != b->entry->span.column)
        return a->entry->span.column < b->entry->span.column ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static void print_entry(struct str *out, const struct diag_entry *e)
{
    auto_str struct str place = STR_INIT;

    if (e->span.source) {
        str_add(&place, e->span.source->shown);
        if (e->span.line > 0)
            str_addf(&place, ":%d:%d", e->span.line, e->span.column);
        str_add(&place, ": ");
        safe_add(out, place.buf, place.len, SAFE_LINE);
    }
    str_addf(out, "%s: %s", e->level == DIAG_ERROR ? "error" : "warning", e->message);
    if (e->hint)
        str_addf(out, "; %s", e->hint);
    str_addc(out, '\n');
}

void diag_print(struct str *out, const struct diag *d, bool warnings)
{
    struct rank *ranks = xcalloc(d->len + 1, sizeof(*ranks));

    for (size_t i = 0; i < d->len; i++) {
        size_t first = 0;
        while (d->items[first].span.source != d->items[i].span.source)
            first++;
        if (!d->items[i].span.source)
            first = d->len;
        ranks[i] = (struct rank){ .entry = &d->items[i], .file = first, .index = i };
    }
    qsort(ranks, d->len, sizeof(*ranks), by_place);
    for (size_t i = 0; i < d->len; i++)
        if (warnings || ranks[i].entry->level == DIAG_ERROR)
            print_entry(out, ranks[i].entry);
    free(ranks);

    if (d->errors > DIAG_MAX)
        str_addf(out, "error: %zu more errors\n", d->errors - DIAG_MAX);
    if (warnings && d->warnings > DIAG_MAX)
        str_addf(out, "warning: %zu more warnings\n", d->warnings - DIAG_MAX);
}
