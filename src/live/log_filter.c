/* Lines that are wanted. */
#include "live/log_filter.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"

static int add(struct log_filter *f, bool wanted, const char *option, const char *pattern,
               struct error *err)
{
    struct regex *re;
    struct error why = ERROR_INIT;
    if (regex_compile(&re, pattern, &why) < 0) {
        error_set(err, ERR_USAGE, 0, "%s: %s", option, why.msg);
        if (why.hint)
            error_hint(err, "%s", why.hint);
        error_clear(&why);
        return -1;
    }
    if (wanted)
        *vec_push(&f->wanted) = re;
    else
        *vec_push(&f->unwanted) = re;
    return 0;
}

int log_filter_open(struct log_filter *out, const struct strv *grep, const struct strv *not_,
                    struct error *err)
{
    struct log_filter f = { .plain = STR_INIT };
    int rc = 0;
    for (size_t i = 0; i < grep->len && rc == 0; i++)
        rc = add(&f, true, "--grep", grep->items[i], err);
    for (size_t i = 0; i < not_->len && rc == 0; i++)
        rc = add(&f, false, "--not", not_->items[i], err);
    if (rc < 0)
        log_filter_close(&f);
    else
        *out = f;
    return rc;
}

void log_filter_close(struct log_filter *f)
{
    vec_each (re, &f->wanted)
        regex_free(*re);
    vec_each (re, &f->unwanted)
        regex_free(*re);
    vec_free(&f->wanted);
    vec_free(&f->unwanted);
    str_clear(&f->plain);
}

/* The length of the escape sequence at s, which begins with ESC: ECMA-48's control sequences,
 * strings (titles, links) up to their end, and the short ones. */
static size_t escape_len(const char *s, size_t len)
{
    size_t n = 2;
    if (len < 2)
        return len;
    if (s[1] == '[') {
        while (n < len && s[n] >= 0x20 && s[n] <= 0x3f)
            n++;
        return n < len ? n + 1 : len;
    }
    if (s[1] && strchr("]PX^_", s[1])) {
        for (; n < len; n++) {
            if (s[n] == '\a')
                return n + 1;
            if (s[n] == '\x1b')
                return n + 1 < len && s[n + 1] == '\\' ? n + 2 : n;
        }
        return len;
    }
    while (n < len && s[n - 1] >= 0x20 && s[n - 1] <= 0x2f) /* intermediate bytes */
        n++;
    return n;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The text as a reader sees it. */
static void remove_escapes(struct str *out, const char *text, size_t len)
{
    str_truncate(out, 0);
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && !is_control(text[run]))
            run++;
        str_addn(out, text + i, run - i);
        i = run;
        if (i < len)
            i += text[i] == '\x1b' ? escape_len(text + i, len - i) : 1;
    }
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (is_control(text[i]))
            return true;
    return false;
}

bool log_filter_wants(struct log_filter *f, const char *text, size_t len)
{
    if (!f->wanted.len && !f->unwanted.len)
        return true;
    if (has_control(text, len)) {
        remove_escapes(&f->plain, text, len);
        text = f->plain.buf;
        len = f->plain.len;
    }
    bool gave_up = false, wanted = f->wanted.len == 0;
    for (size_t i = 0; i < f->unwanted.len; i++) {
        enum regex_found found = regex_search(f->unwanted.items[i], text, len);
        if (found == REGEX_MATCH)
            return false;
        gave_up |= found == REGEX_GAVE_UP;
    }
    for (size_t i = 0; i < f->wanted.len && !wanted; i++) {
        enum regex_found found = regex_search(f->wanted.items[i], text, len);
        wanted = found == REGEX_MATCH;
        gave_up |= found == REGEX_GAVE_UP;
    }
    f->gave_up += gave_up;
    return wanted || gave_up;
}
