/*
 * libyaml speaks of tokens and contexts ("did not find expected key"); people who wrote a stack
 * file want to know what to change. The table maps one to the other; what it lacks passes through.
 */
#include "text/yaml_error.h"

#include <string.h>

#include "base/cleanup.h"

static const char quote_it[] = "put text with special characters in quotes";
static const char check_indent[] = "check the indentation of this line and of those above it";

static const struct complaint {
    const char *problem; /* libyaml's text */
    const char *said;
    const char *hint;
    bool at_start; /* the place to look at is where the unfinished thing began */
    bool opened;   /* the message ends with that place */
} complaints[] = {
    { "found a tab character that violates indentation", "a tab cannot be used for indentation",
      "indent with spaces", false, false },
    { "found a tab character where an indentation space is expected",
      "a tab cannot be used for indentation", "indent with spaces", false, false },
    { "mapping values are not allowed in this context", "unexpected ':', no key can stand here",
      "check the indentation, or put text that contains ': ' in quotes", false, false },
    { "mapping keys are not allowed in this context", "unexpected '?', no key can stand here",
      quote_it, false, false },
    { "block sequence entries are not allowed in this context",
      "unexpected '- ', no list item can stand here", "start the list on a line of its own", false,
      false },
    { "did not find expected key", "expected a key of the map", check_indent, false, true },
    { "did not find expected '-' indicator", "expected '- ', an item of the list", check_indent,
      false, true },
    { "did not find expected ',' or ']'", "expected ',' or ']', to go on or end the list", NULL,
      false, true },
    { "did not find expected ',' or '}'", "expected ',' or '}', to go on or end the map", NULL,
      false, true },
    { "could not find expected ':'", "expected ':' after the key that starts here", check_indent,
      true, false },
    { "found unexpected end of stream", "the quotes that open here are never closed", NULL, true,
      false },
    { "found unexpected document indicator", "the quotes that open here are never closed", NULL,
      true, false },
    { "found unknown escape character", "unknown escape sequence in double quotes",
      "write \\\\ for a backslash, or use single quotes", false, false },
    { "did not find expected hexdecimal number", "expected hexadecimal digits in the escape",
      "write \\\\ for a backslash, or use single quotes", false, false },
    { "found invalid Unicode character escape code", "the escape is no Unicode character", NULL,
      false, false },
    { "did not find expected alphabetic or numeric character", "expected a name after '*' or '&'",
      "text that starts with '*' or '&' must be quoted", true, false },
    { "did not find expected comment or line break", "expected the end of the line here", NULL,
      false, false },
    { "found an indentation indicator equal to 0",
      "expected an indentation of 1 to 9 after '|' or '>'", NULL, false, false },
    { "did not find expected <document start>", "unexpected text after the end of the document",
      check_indent, false, false },
    { "did not find expected node content", "expected a value", quote_it, false, false },
    { "could not find expected directive name", "unexpected '%' at the start of a line", quote_it,
      true, false },
    { "found unknown directive name", "unexpected '%' at the start of a line", quote_it, true,
      false },
    { "found undefined tag handle", "unknown tag", "text that starts with '!' must be quoted", true,
      false },
    { "did not find expected whitespace or line break", "expected a space after the tag", NULL,
      false, false },
    { "found unexpected ':'", "unexpected ':' in text without quotes", quote_it, false, false },
    { "control characters are not allowed", "control characters are not allowed",
      "is this a text file?", false, false },
};

static struct span span_of(const struct source *src, yaml_mark_t mark)
{
    return (
        struct span){ .source = src, .line = (int)mark.line + 1, .column = (int)mark.column + 1 };
}

/* The byte at a mark, whose index counts characters. */
static char char_at(const struct source *src, yaml_mark_t mark)
{
    size_t i = 0;

    for (size_t seen = 0; i < src->len; i++)
        if (((unsigned char)src->text[i] & 0xC0) != 0x80 && seen++ == mark.index)
            break;
    return src->text[i];
}

/* A character that starts no token: a tab, or one that YAML keeps for itself. */
static void report_character(struct diag *d, const struct source *src, yaml_mark_t mark)
{
    struct span at = span_of(src, mark);

    if (char_at(src, mark) == '\t') {
        diag_error(d, at, "a tab cannot be used for indentation");
        diag_hint(d, "indent with spaces");
    } else {
        diag_error(d, at, "text without quotes cannot start with this character");
        diag_hint(d, "%s", quote_it);
    }
}

/* A key was expected where a value had ended, and the line goes on. */
static bool is_behind_value(const struct source *src, struct span at)
{
    const char *s = src->text;

    for (int line = 1; line < at.line; line++) {
        s = strchr(s, '\n');
        if (!s)
            return false; /* libyaml also counts other ends of lines */
        s++;
    }
    return (int)strspn(s, " -?") + 1 < at.column;
}

void yaml_error_report(struct diag *d, const struct source *src, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "unreadable";
    struct span at = span_of(src, parser->problem_mark);
    bool has_start = parser->context && parser->error != YAML_READER_ERROR;
    struct span start = span_of(src, parser->context_mark);

    if (parser->error == YAML_READER_ERROR)
        at = source_span(src, parser->problem_offset);
    if (strcmp(problem, "found character that cannot start any token") == 0) {
        report_character(d, src, parser->problem_mark);
        return;
    }
    if (strcmp(problem, "did not find expected key") == 0 && is_behind_value(src, at)) {
        diag_error(d, at, "unexpected text behind a value, expected the end of the line");
        diag_hint(d, "check the quotes and brackets of this line and of those above it");
        return;
    }
    for (size_t i = 0; i < countof(complaints); i++) {
        const struct complaint *c = &complaints[i];

        if (strcmp(problem, c->problem) != 0)
            continue;
        if (c->at_start && has_start)
            at = start;
        if (c->opened && has_start)
            diag_error(d, at, "%s that starts at line %d, column %d", c->said, start.line,
                       start.column);
        else
            diag_error(d, at, "%s", c->said);
        if (c->hint)
            diag_hint(d, "%s", c->hint);
        return;
    }
    diag_error(d, at, "%s", strstr(problem, "octet") ? "not UTF-8 text" : problem);
}
