/* Which lines are wanted: those that one of some regular expressions matches, and none of others.
 */
#ifndef LIVE_LOG_FILTER_H
#define LIVE_LOG_FILTER_H

#include "base/str.h"
#include "base/strv.h"
#include "base/vec.h"
#include "text/pattern.h"

struct log_filter {
    struct {
        VEC(struct regex *);
    } wanted, unwanted;
    struct str plain; /* a line without escapes */
    size_t gave_up;   /* searches that a limit ended */
};

/* Compiles both lists. ERR_USAGE names the option and points at the place that is wrong. */
int log_filter_open(struct log_filter *out, const struct strv *grep, const struct strv *not_,
                    struct error *err);
void log_filter_close(struct log_filter *f);

/* Looks at the text without escape sequences (colours, titles) and other control characters. Lines
 * for which a search took too long are shown. */
bool log_filter_wants(struct log_filter *f, const char *text, size_t len);

#endif
