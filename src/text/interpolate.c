/*
 * Variable substitution, one pass from left to right. A default is looked at only when it is
 * needed, so that a required variable in an unused default is no mistake; the caller's `seen` is
 * told of those variables all the same.
 */
#include "text/interpolate.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct walk {
    struct str *out;
    const char *text;
    struct span at;
    const struct variables *vars;
    struct diag *diag;
    bool live; /* false: in an unused default; only `seen` is told */
};

enum form { PLAIN, DEFAULT, REQUIRED, ALTERNATIVE };

/* One $NAME or ${NAME...}; offsets into the text. */
struct reference {
    char *name;
    enum form form;
    bool empty_counts; /* the ':' of ":-": an empty value is like none */
    size_t from, to;   /* what follows the operator */
    size_t end;        /* the first byte after all of it */
};

static void reference_clear(struct reference *r)
{
    free(r->name);
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

/* The span of text[i] where the file has the text as it is: a plain or quoted scalar on one line.
 * Elsewhere, and once nobody will see it any more, the scalar's own. */
static struct span span_inside(const struct walk *w, size_t i)
{
    struct span at = w->at;
    bool shown = w->diag->errors < DIAG_MAX && at.source && at.line > 0;
    const char *s = shown ? at.source->text : NULL;

    for (int line = 1; s && line < at.line; line++) {
        s = strchr(s, '\n');
        s = s ? s + 1 : NULL;
    }
    for (int column = 1; s && *s && column < at.column; column++)
        for (s++; ((unsigned char)*s & 0xC0) == 0x80;)
            s++;
    if (!s || memchr(w->text, '\n', i))
        return at;
    if ((*s == '"' || *s == '\'') && *s != *w->text) {
        s++;
        at.column++;
    }
    if (strncmp(s, w->text, i) != 0)
        return w->at;
    for (size_t k = 0; k < i; k++)
        at.column += ((unsigned char)w->text[k] & 0xC0) != 0x80;
    return at;
}

static int malformed(struct walk *w, size_t i, const char *expected)
{
    if (w->live) {
        diag_error(w->diag, span_inside(w, i), "malformed substitution, expected %s", expected);
        diag_hint(w->diag, "write $$ for a dollar sign");
    }
    return -1;
}

/* The brace that closes the one at `open`. As in Compose, any '{' counts; where they do not add
 * up, the last '}' of the line does it. */
static bool find_close(size_t *out, const char *text, size_t open, size_t to)
{
    bool found = false;
    size_t depth = 0;

    for (size_t i = open; i < to; i++) {
        if (text[i] == '{') {
            depth++;
        } else if (text[i] == '}' && --depth == 0) {
            *out = i;
            return true;
        }
    }
    for (size_t i = open; i < to && text[i] != '\n'; i++)
        if (text[i] == '}') {
            *out = i;
            found = true;
        }
    return found;
}

/* What stands behind "${" at text[i]. */
static int parse_braced(struct walk *w, struct reference *r, size_t i, size_t to)
{
    const char *s = w->text;
    size_t start = i;
    size_t close;

    if (i >= to || !is_name_start(s[i]))
        return malformed(w, i, "a variable name after '${'");
    while (i < to && is_name(s[i]))
        i++;
    r->name = xstrndup(s + start, i - start);
    if (i < to && s[i] == '}') {
        r->end = i + 1;
        return 0;
    }
    if (i >= to || !find_close(&close, s, start - 1, to))
        return malformed(w, start - 2, "a '}' for this '${'");
    r->empty_counts = s[i] == ':';
    i += r->empty_counts;
    if (s[i] != '-' && s[i] != '?' && s[i] != '+')
        return malformed(w, i, "'}', ':-', '-', ':?', '?', ':+' or '+' after the variable name");
    r->form = s[i] == '-' ? DEFAULT : s[i] == '?' ? REQUIRED : ALTERNATIVE;
    r->from = i + 1;
    r->to = close;
    r->end = close + 1;
    return 0;
}

static void tell_seen(const struct walk *w, const struct reference *r)
{
    auto_free char *text = NULL;

    if (!w->vars->seen)
        return;
    text = xstrndup(w->text + r->from, r->to - r->from);
    w->vars->seen(w->vars->ctx, r->name, r->form == DEFAULT ? text : NULL, r->form == REQUIRED,
                  r->form == ALTERNATIVE ? text : NULL);
}

static void warn_once(struct walk *w, const char *name, size_t i)
{
    auto_str struct str text = STR_INIT_MAX(4096);

    str_addf(&text, "variable '%s' is not set, an empty string is used", name);
    vec_each (e, w->diag)
        if (e->level == DIAG_WARNING && str_ends(e->message, text.buf))
            return;
    diag_warning(w->diag, span_inside(w, i), "%s", text.buf);
}

static int unset(struct walk *w, const struct reference *r, size_t i)
{
    if (!w->vars->unset_is_error) {
        warn_once(w, r->name, i);
        return 0;
    }
    diag_error(w->diag, span_inside(w, i), "variable '%s' is not set", r->name);
    diag_hint(w->diag, "set it in the environment or in an env file, or give a default: ${%s:-...}",
              r->name);
    return -1;
}

static int expand(struct walk *w, size_t from, size_t to, int depth);

static int missing(struct walk *w, const struct reference *r, size_t i, int depth)
{
    auto_str struct str message = STR_INIT_MAX(1024);
    struct walk inner = *w;

    inner.out = &message;
    if (expand(&inner, r->from, r->to, depth + 1) < 0)
        return -1;
    diag_error(w->diag, span_inside(w, i), "required variable '%s' is missing a value%s%s", r->name,
               message.len ? ": " : "", message.buf);
    return -1;
}

/* Appends what the reference at text[i] stands for. */
static int resolve(struct walk *w, const struct reference *r, size_t i, int depth)
{
    tell_seen(w, r);

    const char *value = w->live ? w->vars->get(w->vars->ctx, r->name) : NULL;
    bool present = value && (*value || !r->empty_counts);
    bool use_text = r->form == ALTERNATIVE ? present : r->form == DEFAULT && !present;

    if (w->live && use_text)
        return expand(w, r->from, r->to, depth + 1);
    if (w->live && r->form == REQUIRED && !present)
        return missing(w, r, i, depth);
    if (w->live && r->form == PLAIN && !value)
        return unset(w, r, i);
    if (value && r->form != ALTERNATIVE)
        str_add(w->out, value);
    if (w->vars->seen && r->form != PLAIN) {
        struct walk unused = *w;
        unused.live = false;
        expand(&unused, r->from, r->to, depth + 1);
    }
    return 0;
}

/* text[from..to) with its references replaced. */
static int expand(struct walk *w, size_t from, size_t to, int depth)
{
    const char *s = w->text;

    if (depth > INTERPOLATE_MAX_DEPTH) {
        if (w->live)
            diag_error(w->diag, w->at, "substitution nested deeper than %d levels",
                       INTERPOLATE_MAX_DEPTH);
        return -1;
    }
    for (size_t i = from; i < to;) {
        const char *dollar = memchr(s + i, '$', to - i);
        size_t plain = dollar ? (size_t)(dollar - s) - i : to - i;
        auto_(reference_clear) struct reference r = { 0 };

        if (w->live)
            str_addn(w->out, s + i, plain);
        i += plain;
        if (i == to)
            break;
        if (i + 1 < to && s[i + 1] == '{') {
            if (parse_braced(w, &r, i + 2, to) < 0)
                return -1;
        } else if (i + 1 < to && is_name_start(s[i + 1])) {
            for (r.end = i + 1; r.end < to && is_name(s[r.end]);)
                r.end++;
            r.name = xstrndup(s + i + 1, r.end - i - 1);
        } else {
            /* "$$" is a dollar sign, and so is one before anything else. */
            if (w->live)
                str_addc(w->out, '$');
            i += i + 1 < to && s[i + 1] == '$' ? 2 : 1;
            continue;
        }
        if (resolve(w, &r, i, depth) < 0)
            return -1;
        i = r.end;
    }
    return 0;
}

int interpolate(struct str *out, const char *text, struct span at, const struct variables *vars,
                struct diag *d)
{
    auto_str struct str result = STR_INIT_MAX(INTERPOLATE_MAX_BYTES);
    struct walk w = {
        .out = &result, .text = text, .at = at, .vars = vars, .diag = d, .live = true
    };

    if (expand(&w, 0, strlen(text), 0) < 0)
        return -1;
    if (result.overflow) {
        diag_error(d, at, "longer than %zu bytes after substitution", INTERPOLATE_MAX_BYTES);
        return -1;
    }
    str_addn(out, result.buf, result.len);
    return 0;
}
