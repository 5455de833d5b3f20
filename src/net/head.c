/* The beginning of an HTTP answer. */
#include "net/head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int digit(const char *p)
{
    return isdigit((unsigned char)*p) ? *p - '0' : -1;
}

/* The status in "HTTP/1.x NNN ...", or -1. */
static int parse_status(const char *data, size_t len)
{
    if (len < strlen("HTTP/1.1 200") || memcmp(data, "HTTP/1.", 7) != 0 || data[8] != ' ')
        return -1;
    const char *p = data + 9;
    if (digit(p) < 1 || digit(p + 1) < 0 || digit(p + 2) < 0)
        return -1;
    return digit(p) * 100 + digit(p + 1) * 10 + digit(p + 2);
}

/* The value where the line is of that header, else NULL. */
static const char *value_of(const char *line, const char *end, const char *name)
{
    size_t n = strlen(name);
    if ((size_t)(end - line) <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    for (line += n + 1; line < end && (*line == ' ' || *line == '\t'); line++)
        ;
    return line;
}

static void read_header(struct head *h, const char *line, const char *end)
{
    const char *value;
    if ((value = value_of(line, end, "Content-Length"))) {
        h->body_len = 0;
        for (; value < end && digit(value) >= 0 && h->body_len < HEAD_MAX_BODY; value++)
            h->body_len = h->body_len * 10 + digit(value);
        if (h->body_len > HEAD_MAX_BODY)
            h->body_len = HEAD_MAX_BODY;
    } else if ((value = value_of(line, end, "Transfer-Encoding"))) {
        size_t n = strlen("chunked");
        h->chunked = (size_t)(end - value) >= n && strncasecmp(value, "chunked", n) == 0;
    }
}

int head_parse(struct head *out, const char *data, size_t len)
{
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    struct head h = { .body_len = -1, .len = (size_t)(end - data) + 4 };
    const char *line = memchr(data, '\n', len); /* there is one */
    h.status = parse_status(data, (size_t)(line - data));
    if (h.status < 0)
        return -1;
    while (line < end) {
        line++;
        const char *next = memchr(line, '\n', (size_t)(end + 2 - line));
        read_header(&h, line, next);
        line = next;
    }
    *out = h;
    return 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int head_unchunk(struct str *out, const char *data, size_t len)
{
    const char *p = data, *end = data + len;
    for (;;) {
        size_t size = 0;
        const char *start = p;
        for (; p < end && hex_digit(*p) >= 0 && size <= out->max; p++)
            size = size * 16 + (size_t)hex_digit(*p);
        const char *line = memchr(p, '\n', (size_t)(end - p));
        if (!line)
            return 0;
        if (p == start || size > out->max - out->len)
            return -1;
        if (size == 0)
            return 1;
        p = line + 1;
        if ((size_t)(end - p) < size + strlen("\r\n"))
            return 0;
        str_addn(out, p, size);
        p += size + strlen("\r\n");
    }
}
