/* Errors: built from the inside out, safe to print from the moment they exist. */
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/safe.h"

/*
 * Every text is formatted before the old one is released, so that a caller may build the new
 * message from err->msg. Formatting is skipped when nobody asks for the message.
 */

static char *__attribute__((format(printf, 1, 0))) format_line(const char *fmt, va_list ap)
{
    auto_free char *raw = xvasprintf(fmt, ap);
    return safe_text(raw, SAFE_LINE);
}

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

int error_set(struct error *err, enum error_kind kind, int code, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    char *msg = format_line(fmt, ap);
    va_end(ap);
    error_clear(err);
    *err = (struct error){ .kind = kind, .code = code, .msg = msg };
    return -1;
}

int error_errno(struct error *err, const char *fmt, ...)
{
    int number = errno;
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    auto_free char *tried = xvasprintf(fmt, ap);
    va_end(ap);
    error_set(err, ERR_SYSTEM, number, "%s: %s", tried, strerror(number));
    errno = number;
    return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    auto_free char *context = format_line(fmt, ap);
    va_end(ap);
    replace(&err->msg, err->msg ? xasprintf("%s: %s", context, err->msg) : take(context));
    return -1;
}

int error_hint(struct error *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    char *hint = format_line(fmt, ap);
    va_end(ap);
    replace(&err->hint, hint);
    return -1;
}

int error_move(struct error *to, struct error *from)
{
    if (to == from)
        return -1;
    if (to) {
        error_clear(to);
        *to = *from;
        *from = ERROR_INIT;
    } else {
        error_clear(from);
    }
    return -1;
}

void error_copy(struct error *to, const struct error *from)
{
    if (!to || to == from)
        return;
    error_clear(to);
    *to = (struct error){
        .kind = from->kind,
        .code = from->code,
        .msg = xstrdup(from->msg),
        .hint = xstrdup(from->hint),
    };
}

void error_clear(struct error *err)
{
    if (!err)
        return;
    free(err->msg);
    free(err->hint);
    *err = ERROR_INIT;
}
