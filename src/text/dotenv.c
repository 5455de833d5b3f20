/*
 * Environment files, read as Compose reads them, quirks included: "K=a #b" has a comment and
 * "K=a#b" has none, text after a closing quote begins another statement, and \0123 is octal. After
 * a mistake reading goes on with the next line.
 */
#include "text/dotenv.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strmap.h"

struct parser {
    struct arena *arena;
    const struct source *src;
    const struct variables *vars;
    struct diag *diag;
    size_t pos;
    struct dotenv entries;
    struct strmap values; /* of earlier entries, for substitution */
    /* Where the last span was asked for; spans only move forward. */
    size_t mark;
    int line;
    int column;
};

static struct span span_at(struct parser *p, size_t offset)
{
    for (; p->mark < offset; p->mark++) {
        unsigned char c = (unsigned char)p->src->text[p->mark];

        if (c == '\n') {
            p->line++;
            p->column = 1;
        } else if ((c & 0xC0) != 0x80) {
            p->column++;
        }
    }
    return (struct span){ .source = p->src, .line = p->line, .column = p->column };
}

/* Bytes of a white character at s, or 0. NEL and NBSP count, as in Go. */
static size_t white(const char *s)
{
    if (*s == '\xC2' && (s[1] == '\x85' || s[1] == '\xA0'))
        return 2;
    return *s && strchr(" \t\v\f\r\n", *s) ? 1 : 0;
}

static size_t blank(const char *s)
{
    return *s == '\n' ? 0 : white(s);
}

static const char *rest(const struct parser *p)
{
    return p->src->text + p->pos;
}

static void skip_blanks(struct parser *p)
{
    for (size_t n; (n = blank(rest(p)));)
        p->pos += n;
}

static void skip_line(struct parser *p)
{
    p->pos += strcspn(rest(p), "\n");
}

/* The length of the text without the white characters at its end. */
static size_t trimmed(const char *text, size_t len)
{
    size_t end = 0;

    for (size_t i = 0; i < len;) {
        size_t n = white(text + i);
        i += n ? n : 1;
        if (!n)
            end = i;
    }
    return end;
}

static void add_entry(struct parser *p, const char *name, const char *value, struct span at)
{
    *vec_push(&p->entries) = (struct dotenv_entry){ .name = name, .value = value, .span = at };
    if (value)
        strmap_set(&p->values, name, (void *)(uintptr_t)value);
}

static const char *lookup(void *ctx, const char *name)
{
    const struct parser *p = ctx;
    const char *value = p->vars ? p->vars->get(p->vars->ctx, name) : NULL;

    return value ? value : strmap_get(&p->values, name);
}

/* The value with its variables replaced, in the arena; NULL after an error. */
static const char *substitute(struct parser *p, const char *text, struct span at)
{
    auto_str struct str out = STR_INIT;
    struct variables vars = {
        .get = lookup,
        .ctx = p,
        .unset_is_error = p->vars && p->vars->unset_is_error,
    };

    if (!strchr(text, '$'))
        return arena_strdup(p->arena, text);
    if (interpolate(&out, text, at, &vars, p->diag) < 0)
        return NULL;
    return arena_strdup(p->arena, out.buf);
}

/* \0 and three octal digits are a character; with others, Compose only drops the 0. */
static size_t add_octal(struct str *out, const char *s)
{
    size_t digits = strspn(s, "0123456789");
    unsigned code = 0;

    digits = digits > 3 ? 3 : digits;
    for (size_t i = 0; i < digits; i++)
        code = code * 8 + (unsigned)(s[i] - '0');
    if (digits < 3 || strspn(s, "01234567") < 3 || code > 0xFF) {
        str_addc(out, '\\');
        str_addn(out, s, digits);
    } else if (code >= 0x80) {
        str_addc(out, (char)(0xC0 | code >> 6));
        str_addc(out, (char)(0x80 | (code & 0x3F)));
    } else {
        str_addc(out, (char)code);
    }
    return digits;
}

/* The text between double quotes without its escapes; "\$" stays hidden from substitution. */
static void unescape(struct str *out, const char *s)
{
    static const char names[] = "abfnrtv\"\\";
    static const char values[] = "\a\b\f\n\r\t\v\"\\";

    while (*s) {
        const char *name = *s == '\\' && s[1] ? strchr(names, s[1]) : NULL;

        if (name) {
            str_addc(out, values[name - names]);
            s += 2;
        } else if (*s == '\\' && s[1] == '$') {
            str_add(out, "$$");
            s += 2;
        } else if (*s == '\\' && s[1] == '0') {
            s += 2 + add_octal(out, s + 2);
        } else {
            str_addc(out, *s++);
        }
    }
}

/* A value in quotes, the cursor at the opening one. */
static int read_quoted(struct parser *p, const char **out)
{
    struct span at = span_at(p, p->pos);
    char quote = *rest(p);
    const char *s = rest(p) + 1;
    auto_str struct str text = STR_INIT;
    auto_str struct str value = STR_INIT;

    for (; *s && *s != quote; s++) {
        if (*s == '\\' && s[1] == quote)
            s++;
        else if (*s == '\\' && s[1])
            str_addc(&text, *s++);
        str_addc(&text, *s);
    }
    if (!*s) {
        diag_error(p->diag, at, "the quotes that open here are never closed");
        p->pos = p->src->len;
        return -1;
    }
    p->pos = (size_t)(s + 1 - p->src->text);
    if (quote == '\'') {
        *out = arena_strdup(p->arena, text.buf);
        return 0;
    }
    unescape(&value, text.buf);
    if (strlen(value.buf) != value.len) {
        diag_error(p->diag, at, "a value must not contain the character NUL");
        return -1;
    }
    *out = substitute(p, value.buf, at);
    return *out ? 0 : -1;
}

static int read_plain(struct parser *p, const char **out)
{
    struct span at = span_at(p, p->pos);
    size_t len = strcspn(rest(p), "\n");
    const char *comment = memmem(rest(p), len, " #", 2);
    const char *text;

    text = arena_strndup(p->arena, rest(p),
                         trimmed(rest(p), comment ? (size_t)(comment - rest(p)) : len));
    p->pos += len;
    *out = substitute(p, text, at);
    return *out ? 0 : -1;
}

/* Whether a statement's name may hold this byte; those of other scripts are letters. */
static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.-[]", c)) || (c & 0x80);
}

/* "NAME=", "NAME:" or a bare "NAME" (*ends_with is then '\n'). */
static int read_name(struct parser *p, const char **out, char *ends_with)
{
    const char *name = rest(p);
    size_t len = 0;
    const char *inner;

    while (is_name(name[len]) || blank(name + len))
        len += is_name(name[len]) ? 1 : blank(name + len);
    *ends_with = name[len] ? name[len] : '\n';
    if (!strchr("=:\n", *ends_with)) {
        diag_error(p->diag, span_at(p, p->pos + len),
                   "unexpected character in a variable name, expected '=' after the name");
        return -1;
    }
    p->pos += len + (*ends_with != '\n');
    len = trimmed(name, len);
    inner = memchr(name, ' ', len);
    if (inner) {
        diag_error(p->diag, span_at(p, (size_t)(inner - p->src->text)),
                   "a variable name cannot contain a space");
        return -1;
    }
    *out = arena_strndup(p->arena, name, len);
    return 0;
}

static int read_statement(struct parser *p)
{
    struct span at;
    const char *name;
    const char *value = NULL;
    char ends_with;

    if (str_starts(rest(p), "export") && blank(rest(p) + strlen("export"))) {
        p->pos += strlen("export");
        skip_blanks(p);
    }
    at = span_at(p, p->pos);
    if (read_name(p, &name, &ends_with) < 0)
        return -1;
    if (ends_with != '\n') {
        skip_blanks(p);
        bool quoted = *rest(p) == '"' || *rest(p) == '\'';
        if ((quoted ? read_quoted(p, &value) : read_plain(p, &value)) < 0)
            return -1;
    }
    add_entry(p, name, value, at);
    return 0;
}

static void parse_compose(struct parser *p)
{
    while (p->pos < p->src->len && p->diag->errors <= DIAG_MAX) {
        size_t n = white(rest(p));

        if (n)
            p->pos += n;
        else if (*rest(p) == '#' || read_statement(p) < 0)
            skip_line(p);
    }
}

/* One line: what is after '=' is the value. */
static int read_raw_line(struct parser *p, size_t len)
{
    const char *line = rest(p);
    const char *equals = memchr(line, '=', len);
    size_t name_len = equals ? (size_t)(equals - line) : len;
    struct span at = span_at(p, p->pos);
    size_t bad = 0;
    const char *value;

    while (bad < name_len && line[bad] != ' ' && line[bad] != '\t')
        bad++;
    if (name_len == 0 || bad < name_len) {
        diag_error(p->diag, span_at(p, p->pos + bad), "%s",
                   name_len ? "a variable name cannot contain a space"
                            : "expected a variable name before '='");
        return -1;
    }
    value = equals ? arena_strndup(p->arena, equals + 1, len - name_len - 1) : NULL;
    add_entry(p, arena_strndup(p->arena, line, name_len), value, at);
    return 0;
}

static void parse_raw(struct parser *p)
{
    while (p->pos < p->src->len && p->diag->errors <= DIAG_MAX) {
        size_t n = white(rest(p));
        size_t len = strcspn(rest(p), "\n");

        if (n) {
            p->pos += n;
            continue;
        }
        if (*rest(p) != '#')
            read_raw_line(p, len - (len && rest(p)[len - 1] == '\r'));
        p->pos += len;
    }
}

int dotenv_parse(struct dotenv *out, struct arena *a, const struct source *src,
                 enum dotenv_format format, const struct variables *vars, struct diag *d)
{
    struct parser p = { .arena = a, .src = src, .vars = vars, .diag = d, .line = 1, .column = 1 };
    size_t errors = d->errors;
    const char *nul = memchr(src->text, 0, src->len);

    vec_each (it, out)
        if (it->value)
            strmap_set(&p.values, it->name, (void *)(uintptr_t)it->value);
    if (nul)
        diag_error(d, span_at(&p, (size_t)(nul - src->text)),
                   "the file contains the character NUL");
    else if (format == DOTENV_RAW)
        parse_raw(&p);
    else
        parse_compose(&p);
    strmap_clear(&p.values, NULL);
    vec_each (it, &p.entries)
        if (d->errors == errors)
            *vec_push(out) = *it;
    vec_free(&p.entries);
    return d->errors == errors ? 0 : -1;
}
