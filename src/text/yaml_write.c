/*
 * A tree as YAML, with the layout and the quoting of the encoder that `docker compose config`
 * uses, so that the two can be compared: two spaces, lists indented under their key, no folding,
 * quotes only where a reader would otherwise see another type or other text.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/scalar.h"
#include "text/yaml.h"

/* Longer keys, and keys of several lines, take the form "? key" with ": value" below. */
#define SIMPLE_KEY_MAX 128

enum style { PLAIN, SINGLE_QUOTED, DOUBLE_QUOTED, LITERAL };

/* One UTF-8 character; a byte that starts none counts as itself. */
static size_t decode(uint32_t *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0xC0 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7Fu >> n);

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            *out = s[0];
            return 1;
        }
        c = c << 6 | (s[i] & 0x3F);
    }
    *out = c;
    return n;
}

/* What the encoder writes as it is; it escapes everything past the basic plane. */
static bool is_printable(uint32_t c)
{
    return c == '\n' || (c >= 0x20 && c <= 0x7E) ||
           (c >= 0xA0 && c <= 0xD7FF && c != 0x2028 && c != 0x2029) ||
           (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Which styles would change or break a text. */
struct traits {
    bool multiline;
    bool no_plain;
    bool no_single;
    bool no_literal;
};

/* Whether the character at s (the first one of `text` or a later one) has a meaning for YAML. */
static bool is_indicator(const char *text, const char *s)
{
    bool blank_after = !s[1] || is_blank(s[1]);

    if (s == text && strchr("#,[]{}&*!|>'\"%@`", *s))
        return true;
    if (s == text && (*s == '?' || *s == '-') && blank_after)
        return true;
    if (*s == ':' && blank_after)
        return true;
    return *s == '#' && s > text && strchr(" \t\n\r", s[-1]);
}

static struct traits examine(const char *text)
{
    struct traits t = { .no_plain = strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0 };
    size_t len = strlen(text);
    char previous = '\0';
    uint32_t c;

    for (size_t i = 0, n; i < len; i += n) {
        n = decode(&c, text + i);
        t.no_plain |= is_indicator(text, text + i);
        if (!is_printable(c) && c != '\t')
            t.no_plain = t.no_single = t.no_literal = true;
        if (c == '\t' || (c == ' ' && previous == '\n'))
            t.no_plain = t.no_single = true;
        if (c == '\n') {
            t.multiline = t.no_plain = true;
            if (previous == ' ')
                t.no_single = t.no_literal = true;
        }
        previous = (char)c;
    }
    if (len && (text[0] == ' ' || text[len - 1] == ' '))
        t.no_plain = true;
    if (len && text[len - 1] == ' ')
        t.no_literal = true;
    return t;
}

/* 22:22 was the number 1342 in YAML 1.1; readers of that time are still around. */
static bool is_base60(const char *s)
{
    s += *s == '-' || *s == '+';
    size_t n = isdigit((unsigned char)*s) ? strspn(s, "0123456789_") : 0;
    int groups = 0;

    if (n == 0)
        return false;
    for (s += n; *s == ':'; s += n, groups++) {
        n = 1 + strspn(s + 1, "0123456789");
        if (n < 2 || n > 3 || (n == 3 && s[1] > '5'))
            return false;
    }
    if (*s == '.')
        s += 1 + strspn(s + 1, "0123456789_");
    return groups && !*s;
}

static bool is_old_bool(const char *s)
{
    static const char *const words[] = { "y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
                                         "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF" };

    for (size_t i = 0; i < countof(words); i++)
        if (strcmp(words[i], s) == 0)
            return true;
    return false;
}

/* 2026-11-21, alone or with a time after it. */
static bool is_date(const char *s)
{
    size_t month, day;

    if (strspn(s, "0123456789") != 4 || s[4] != '-')
        return false;
    month = strspn(s + 5, "0123456789");
    if (month < 1 || month > 2 || s[5 + month] != '-')
        return false;
    day = strspn(s + 6 + month, "0123456789");
    s += 6 + month + day;
    return day >= 1 && day <= 2 && (!*s || (strchr("Tt ", *s) && isdigit((unsigned char)s[1])));
}

static enum style style_of(const char *text, bool is_key)
{
    struct traits t = examine(text);

    if (t.multiline)
        return is_key || t.no_literal ? DOUBLE_QUOTED : LITERAL;
    if (scalar_kind(text) != NODE_STRING || is_base60(text) || is_old_bool(text) || is_date(text))
        return DOUBLE_QUOTED;
    if (!t.no_plain)
        return PLAIN;
    return t.no_single ? DOUBLE_QUOTED : SINGLE_QUOTED;
}

static void write_double_quoted(struct str *out, const char *text)
{
    static const struct {
        uint32_t c;
        char name;
    } escapes[] = { { 0x07, 'a' }, { 0x08, 'b' },   { '\t', 't' },  { '\n', 'n' }, { 0x0B, 'v' },
                    { 0x0C, 'f' }, { '\r', 'r' },   { 0x1B, 'e' },  { '"', '"' },  { '\\', '\\' },
                    { 0x85, 'N' }, { 0x2028, 'L' }, { 0x2029, 'P' } };
    uint32_t c;

    str_addc(out, '"');
    for (size_t n; *text; text += n) {
        char name = '\0';

        n = decode(&c, text);
        for (size_t i = 0; i < countof(escapes); i++)
            if (escapes[i].c == c)
                name = escapes[i].name;
        if (name)
            str_addf(out, "\\%c", name);
        else if (is_printable(c))
            str_addn(out, text, n);
        else
            str_addf(out, c <= 0xFF ? "\\x%02X" : c <= 0xFFFF ? "\\u%04X" : "\\U%08X", c);
    }
    str_addc(out, '"');
}

static void write_single_quoted(struct str *out, const char *text)
{
    str_addc(out, '\'');
    for (; *text; text++)
        str_add(out, *text == '\'' ? "''" : (char[]){ *text, '\0' });
    str_addc(out, '\'');
}

/* The lines of the text at `indent`; the last line's end is left to what follows. */
static void write_literal(struct str *out, const char *text, int indent)
{
    size_t len = strlen(text);
    bool ends = text[len - 1] == '\n';
    bool ends_twice = ends && (len == 1 || text[len - 2] == '\n');

    str_addc(out, '|');
    if (strchr(" \n\t", *text))
        str_addc(out, '2');
    str_add(out, !ends ? "-" : ends_twice ? "+" : "");
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");

        str_addc(out, '\n');
        if (n)
            str_addf(out, "%*s", indent, "");
        str_addn(out, line, n);
        line += n + (line[n] == '\n');
    }
}

static void write_string(struct str *out, const char *text, int indent, bool is_key)
{
    switch (style_of(text, is_key)) {
    case PLAIN:
        str_add(out, text);
        break;
    case SINGLE_QUOTED:
        write_single_quoted(out, text);
        break;
    case DOUBLE_QUOTED:
        write_double_quoted(out, text);
        break;
    case LITERAL:
        write_literal(out, text, indent);
        break;
    }
}

static void write_block(struct str *out, const struct node *n, int indent);

/* A value after "key:" or "-"; `compact` when a block may start on the same line. */
static void write_value(struct str *out, const struct node *n, int indent, bool compact)
{
    if (n->len) {
        if (compact)
            str_addc(out, ' ');
        else
            str_addf(out, "\n%*s", indent, "");
        write_block(out, n, indent);
        return;
    }
    str_addc(out, ' ');
    if (n->kind == NODE_STRING)
        write_string(out, n->value, indent, false);
    else
        str_add(out, n->kind == NODE_NULL   ? "null"
                     : n->kind == NODE_MAP  ? "{}"
                     : n->kind == NODE_LIST ? "[]"
                                            : n->value);
}

/* A list or a map that is not empty; the cursor stands where its first line begins. */
static void write_block(struct str *out, const struct node *n, int indent)
{
    node_each (i, n) {
        if (i)
            str_addf(out, "\n%*s", indent, "");
        if (n->kind == NODE_LIST) {
            str_addc(out, '-');
            write_value(out, n->items[i], indent + 2, true);
            continue;
        }
        bool simple = strlen(n->keys[i]) <= SIMPLE_KEY_MAX && !strchr(n->keys[i], '\n');
        if (!simple)
            str_add(out, "? ");
        write_string(out, n->keys[i], indent, true);
        if (!simple)
            str_addf(out, "\n%*s", indent, "");
        str_addc(out, ':');
        write_value(out, n->items[i], indent + 2, !simple);
    }
}

void yaml_write(struct str *out, const struct node *n)
{
    if (n->len) {
        write_block(out, n, 0);
    } else {
        auto_str struct str value = STR_INIT;
        write_value(&value, n, 2, true);
        str_add(out, value.buf + 1);
    }
    str_addc(out, '\n');
}
