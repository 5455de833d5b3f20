/*
 * A Dockerfile as instructions, by the rules of BuildKit's parser: a comment or an empty line
 * inside a continued instruction is dropped; a doubled escape character at the end of a line is
 * itself and continues nothing; RUN, COPY and ADD may be followed by here-documents.
 */
#include "build/dockerfile_lines.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

struct piece {
    const char *s;
    size_t len;
};

/* The next physical line without its end. */
static bool next_physical(struct dockerfile_lines *dl, struct piece *out)
{
    if (dl->pos >= dl->len)
        return false;
    const char *start = dl->text + dl->pos;
    size_t left = dl->len - dl->pos;
    const char *end = memchr(start, '\n', left);
    size_t len = end ? (size_t)(end - start) : left;
    dl->pos += end ? len + 1 : len;
    if (len && start[len - 1] == '\r')
        len--;
    *out = (struct piece){ start, len };
    return true;
}

static struct piece trim_left(struct piece p)
{
    while (p.len && isspace((unsigned char)*p.s)) {
        p.s++;
        p.len--;
    }
    return p;
}

static struct piece trim_right(struct piece p)
{
    while (p.len && isspace((unsigned char)p.s[p.len - 1]))
        p.len--;
    return p;
}

static bool is_comment(struct piece p)
{
    p = trim_left(p);
    return p.len && *p.s == '#';
}

/* "# key = value" */
static bool directive(struct piece line, struct piece *key, struct piece *value)
{
    line = trim_right(trim_left(line));
    if (!line.len || *line.s != '#')
        return false;
    line = trim_left((struct piece){ line.s + 1, line.len - 1 });
    const char *equals = line.len ? memchr(line.s, '=', line.len) : NULL;
    if (!equals)
        return false;
    size_t at = (size_t)(equals - line.s);
    *key = trim_right((struct piece){ line.s, at });
    *value = trim_left((struct piece){ equals + 1, line.len - at - 1 });
    if (!key->len || !value->len)
        return false;
    for (size_t i = 0; i < key->len; i++)
        if (!isalnum((unsigned char)key->s[i]))
            return false;
    return true;
}

static bool is(struct piece p, const char *word)
{
    return p.len == strlen(word) && strncasecmp(p.s, word, p.len) == 0;
}

void dockerfile_lines_open(struct dockerfile_lines *dl, const char *text, size_t len,
                           const char **syntax, size_t *syntax_len)
{
    *dl = (struct dockerfile_lines){ .text = text, .len = len, .escape = '\\', .line = STR_INIT };
    *syntax = NULL;
    *syntax_len = 0;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        dl->pos = 3;
    for (;;) {
        size_t before = dl->pos;
        struct piece line, key, value;
        if (!next_physical(dl, &line))
            return;
        if (!directive(line, &key, &value)) {
            dl->pos = before;
            return;
        }
        if (is(key, "escape") && value.len == 1 && (*value.s == '\\' || *value.s == '`')) {
            dl->escape = *value.s;
        } else if (is(key, "syntax") && !*syntax) {
            *syntax = value.s;
            *syntax_len = value.len;
        }
    }
}

/* Cuts the escape character off the end of a line that goes on in the next one. */
static bool continued(const struct dockerfile_lines *dl, struct piece *p)
{
    size_t n = p->len;
    while (n && blank(p->s[n - 1]))
        n--;
    if (!n || p->s[n - 1] != dl->escape || (n > 1 && p->s[n - 2] == dl->escape))
        return false;
    p->len = n - 1;
    return true;
}

static void append(struct dockerfile_lines *dl, struct piece p)
{
    str_addn(&dl->line, p.s, p.len);
    size_t from = (size_t)(p.s - dl->text);
    vec_reserve(&dl->offsets, dl->offsets.len + p.len);
    for (size_t i = 0; i < p.len; i++)
        dl->offsets.items[dl->offsets.len++] = from + i;
}

static void split_words(struct dockerfile_lines *dl)
{
    const char *s = dl->line.buf;
    size_t n = dl->line.len;
    for (size_t i = 0; i < n;) {
        while (i < n && isspace((unsigned char)s[i]))
            i++;
        size_t start = i;
        char quote = 0;
        for (; i < n && (quote || !isspace((unsigned char)s[i])); i++) {
            if (s[i] == dl->escape && quote != '\'' && i + 1 < n)
                i++;
            else if (quote)
                quote = s[i] == quote ? 0 : quote;
            else if (s[i] == '"' || s[i] == '\'')
                quote = s[i];
        }
        if (i > start)
            *vec_push(&dl->words) = (struct dockerfile_word){ start, i };
    }
}

static struct piece word(const struct dockerfile_lines *dl, size_t i)
{
    const struct dockerfile_word *w = &dl->words.items[i];
    return (struct piece){ dl->line.buf + w->start, w->end - w->start };
}

/* "3<<-'EOF'": the name without quotes into out; false when the word is nothing such. */
static bool heredoc(struct piece w, struct str *name, bool *tabs)
{
    size_t i = 0;
    while (i < w.len && isdigit((unsigned char)w.s[i]))
        i++;
    if (w.len - i < 3 || w.s[i] != '<' || w.s[i + 1] != '<')
        return false;
    i += 2;
    *tabs = w.s[i] == '-';
    i += *tabs ? 1 : 0;
    for (; i < w.len; i++) {
        if (w.s[i] == '<')
            return false;
        if (w.s[i] != '"' && w.s[i] != '\'')
            str_addc(name, w.s[i]);
    }
    return name->len > 0;
}

static void skip_heredoc(struct dockerfile_lines *dl, const struct str *name, bool tabs)
{
    struct piece line;
    while (next_physical(dl, &line)) {
        while (tabs && line.len && *line.s == '\t') {
            line.s++;
            line.len--;
        }
        if (line.len == name->len && memcmp(line.s, name->buf, line.len) == 0)
            return;
    }
}

static void skip_heredocs(struct dockerfile_lines *dl)
{
    size_t first = dl->words.len && is(word(dl, 0), "ONBUILD") ? 1 : 0;
    if (dl->words.len <= first)
        return;
    struct piece instruction = word(dl, first);
    if (!is(instruction, "RUN") && !is(instruction, "COPY") && !is(instruction, "ADD"))
        return;
    for (size_t i = first + 1; i < dl->words.len; i++) {
        auto_str struct str name = STR_INIT;
        bool tabs;
        if (heredoc(word(dl, i), &name, &tabs)) {
            dl->heredocs = true;
            skip_heredoc(dl, &name, tabs);
        }
    }
}

bool dockerfile_lines_next(struct dockerfile_lines *dl)
{
    str_truncate(&dl->line, 0);
    dl->offsets.len = 0;
    dl->words.len = 0;
    struct piece p;
    bool inside = false;
    while (next_physical(dl, &p)) {
        if (is_comment(p) || trim_left(p).len == 0)
            continue;
        if (!inside)
            p = trim_left(p);
        bool more = continued(dl, &p);
        append(dl, p);
        inside = inside || p.len > 0;
        if (!more && inside)
            break;
    }
    if (!inside)
        return false;
    split_words(dl);
    skip_heredocs(dl);
    return true;
}

void dockerfile_lines_close(struct dockerfile_lines *dl)
{
    str_clear(&dl->line);
    vec_free(&dl->offsets);
    vec_free(&dl->words);
}
