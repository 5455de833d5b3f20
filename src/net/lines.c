/* Lines and JSON values out of a byte stream that is cut anywhere. */
#include "net/lines.h"

#include <string.h>

#include "base/json.h"

void lines_clear(struct lines *s)
{
    str_clear(&s->rest);
    *s = LINES_INIT;
}

/* Whole lines of `data` are handed on where they are; only a part is ever copied. */
int lines_feed(struct lines *s, const char *data, size_t len,
               void (*fn)(void *ctx, const char *line, size_t len), void *ctx, struct error *err)
{
    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t n = end ? (size_t)(end - data) : len;
        bool whole = end && s->rest.len == 0;
        if (!whole)
            str_addn(&s->rest, data, n);
        if (s->rest.overflow || n > LINES_MAX)
            return error_set(err, ERR_PROTOCOL, 0, "a line of more than %zu MiB came",
                             LINES_MAX >> 20);
        if (!end)
            return 0;

        const char *line = whole ? data : s->rest.buf;
        size_t line_len = whole ? n : s->rest.len;
        if (line_len > 0 && line[line_len - 1] == '\r')
            line_len--;
        fn(ctx, line, line_len);
        str_truncate(&s->rest, 0);
        data += n + 1;
        len -= n + 1;
    }
    return 0;
}

/* Goes on through rest from where it stopped; the length of the first value once it is whole, else
 * 0. Brackets and strings are all that must be understood to find the end of a value. */
static size_t scan(struct lines *s)
{
    for (; s->scanned < s->rest.len; s->scanned++) {
        char c = s->rest.buf[s->scanned];
        if (s->in_escape) {
            s->in_escape = false;
        } else if (s->in_string) {
            s->in_escape = c == '\\';
            s->in_string = c != '"';
        } else if (c == '"') {
            s->in_string = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if (c == '}' || c == ']') {
            if (s->depth <= 1)
                return s->scanned + 1;
            s->depth--;
        }
    }
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int lines_feed_json(struct lines *s, const char *data, size_t len,
                    void (*fn)(void *ctx, json_t *value), void *ctx, struct error *err)
{
    str_addn(&s->rest, data, len);
    if (s->rest.overflow)
        return error_set(err, ERR_PROTOCOL, 0, "a JSON value of more than %zu MiB came",
                         LINES_MAX >> 20);
    size_t used = 0; /* of rest, by whole values */
    int rc = 0;
    while (rc == 0) {
        /* rest begins with a value, or with the space before it, or is empty */
        size_t space = used;
        while (s->depth == 0 && space < s->rest.len && is_space(s->rest.buf[space]))
            space++;
        if (s->depth == 0) {
            used = space;
            s->scanned = used;
            if (used == s->rest.len)
                break;
            if (s->rest.buf[used] != '{' && s->rest.buf[used] != '[') {
                rc = error_set(err, ERR_PROTOCOL, 0, "no JSON, but '%.40s' came",
                               s->rest.buf + used);
                break;
            }
        }
        size_t end = scan(s);
        if (end == 0)
            break;
        auto_json json_t *value = json_parse(s->rest.buf + used, end - used, "a stream", err);
        if (value)
            fn(ctx, value);
        else
            rc = -1;
        used = end;
        s->scanned = end;
        s->depth = 0;
    }
    str_consume(&s->rest, used);
    s->scanned -= used;
    return rc;
}
