/* HTTP/1 answers, taken apart line by line and piece by piece. */
#include "net/answer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"

void answer_begin(struct answer *a, bool no_body)
{
    *a = (struct answer){ .no_body = no_body, .line = STR_INIT_MAX(ANSWER_MAX_HEAD) };
}

void answer_clear(struct answer *a)
{
    strv_clear(&a->headers);
    str_clear(&a->line);
}

static enum answer_part bad(struct answer *a, const char *why)
{
    a->why = why;
    return ANSWER_BAD;
}

/* Completes a->line, without its end, "\r\n" or "\n": whether there is one. */
static bool take_line(struct answer *a, const char **data, size_t *len)
{
    const char *end = memchr(*data, '\n', *len);
    size_t n = end ? (size_t)(end - *data) + 1 : *len;
    str_addn(&a->line, *data, n);
    *data += n;
    *len -= n;
    a->taken += n;
    if (!end)
        return false;
    size_t keep = a->line.len - 1;
    if (keep > 0 && a->line.buf[keep - 1] == '\r')
        keep--;
    str_truncate(&a->line, keep);
    return true;
}

/* "HTTP/1.1 200 OK" */
static int parse_status(const char *line)
{
    static const char form[] = "HTTP/1.x 000";
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'x' || form[i] == '0' ? !isdigit((unsigned char)line[i])
                                             : line[i] != form[i])
            return -1;
    return (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
}

/* As far as it came it may become one. */
static bool may_be_status(const struct str *line)
{
    size_t n = strlen("HTTP/1.");
    return strncmp(line->buf, "HTTP/1.", line->len < n ? line->len : n) == 0;
}

static enum answer_part take_status(struct answer *a)
{
    a->status = parse_status(a->line.buf);
    if (a->status < 100)
        return bad(a, "no status line");
    a->reusable = a->line.buf[strlen("HTTP/1.")] != '0';
    a->chunked = a->has_length = false;
    strv_clear(&a->headers);
    a->step = ANSWER_HEADERS;
    return ANSWER_MORE;
}

static int read_length(struct answer *a, const char *value)
{
    int64_t length;
    auto_free char *digits = xstrndup(value, strcspn(value, " \t"));
    if (num_range(&length, digits, 0, INT64_MAX) < 0 ||
        (a->has_length && a->left != (uint64_t)length))
        return -1;
    a->left = (uint64_t)length;
    a->has_length = true;
    return 0;
}

static enum answer_part take_header(struct answer *a)
{
    char *name = a->line.buf, *colon = strchr(name, ':');
    const char *value = colon ? colon + 1 : name + a->line.len;
    if (*name == ' ' || *name == '\t') /* the rest of a folded one, which nobody sends any more */
        return ANSWER_MORE;
    if (colon)
        *colon = '\0';
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    while (*value == ' ' || *value == '\t')
        value++;
    strv_addf(&a->headers, "%s: %s", name, value);
    if (strcmp(name, "content-length") == 0 && read_length(a, value) < 0)
        return bad(a, "a bad Content-Length");
    if (strcmp(name, "transfer-encoding") == 0)
        a->chunked = strncasecmp(value, "chunked", strlen("chunked")) == 0;
    if (strcmp(name, "connection") == 0 && strcasestr(value, "close"))
        a->reusable = false;
    return ANSWER_MORE;
}

/* The empty line after the headers. */
static enum answer_part end_head(struct answer *a)
{
    if (a->status < 200 && a->status != 101) {
        a->step = ANSWER_STATUS; /* all of them count together: there might be no end of them */
        return ANSWER_MORE;
    }
    a->taken = 0;
    if (a->no_body || a->status == 204 || a->status == 304)
        a->step = ANSWER_OVER;
    else if (a->chunked)
        a->step = ANSWER_CHUNK_SIZE;
    else if (a->has_length)
        a->step = ANSWER_LENGTH;
    else
        a->step = ANSWER_UNTIL_END;
    a->reusable &= a->step != ANSWER_UNTIL_END;
    return ANSWER_HEAD;
}

static enum answer_part take_size(struct answer *a)
{
    const char *c = a->line.buf;
    a->left = 0;
    for (; isxdigit((unsigned char)*c); c++) {
        if (a->left >> 59)
            return bad(a, "a chunk that is too long");
        int digit = isdigit((unsigned char)*c) ? *c - '0' : (*c | 0x20) - 'a' + 10;
        a->left = a->left * 16 + (uint64_t)digit;
    }
    if (c == a->line.buf || !strchr("; \t", *c))
        return bad(a, "a bad chunk");
    a->step = a->left ? ANSWER_CHUNK : ANSWER_TRAILERS;
    a->taken = 0;
    return ANSWER_MORE;
}

static enum answer_part take_whole_line(struct answer *a)
{
    switch (a->step) {
    case ANSWER_STATUS:
        return take_status(a);
    case ANSWER_HEADERS:
        return a->line.len ? take_header(a) : end_head(a);
    case ANSWER_CHUNK_SIZE:
        return take_size(a);
    case ANSWER_CHUNK_END:
        if (a->line.len)
            return bad(a, "a bad chunk");
        a->step = ANSWER_CHUNK_SIZE;
        return ANSWER_MORE;
    default: /* a trailer */
        if (!a->line.len)
            a->step = ANSWER_OVER;
        return ANSWER_MORE;
    }
}

static enum answer_part take_data(struct answer *a, const char **data, size_t *len,
                                  const char **piece, size_t *n)
{
    *piece = *data;
    *n = *len;
    if (a->step != ANSWER_UNTIL_END) {
        if (a->left < *n)
            *n = (size_t)a->left;
        a->left -= *n;
    }
    *data += *n;
    *len -= *n;
    if (a->step == ANSWER_CHUNK && a->left == 0)
        a->step = ANSWER_CHUNK_END;
    return ANSWER_DATA;
}

enum answer_part answer_next(struct answer *a, const char **data, size_t *len, const char **piece,
                             size_t *n)
{
    a->begun |= *len > 0;
    for (;;) {
        if (a->step == ANSWER_LENGTH && a->left == 0)
            a->step = ANSWER_OVER;
        if (a->step == ANSWER_OVER)
            return ANSWER_END;
        if (*len == 0)
            return ANSWER_MORE;
        if (a->step == ANSWER_LENGTH || a->step == ANSWER_CHUNK || a->step == ANSWER_UNTIL_END)
            return take_data(a, data, len, piece, n);
        bool whole = take_line(a, data, len);
        if (a->taken > ANSWER_MAX_HEAD)
            return bad(a, "headers of more than 256 KiB");
        if (a->step == ANSWER_STATUS && !may_be_status(&a->line))
            return bad(a, "no status line");
        if (!whole)
            continue;
        enum answer_part part = take_whole_line(a);
        str_truncate(&a->line, 0);
        if (part != ANSWER_MORE)
            return part;
    }
}

bool answer_ended(const struct answer *a)
{
    return a->step == ANSWER_UNTIL_END || a->step == ANSWER_OVER;
}
