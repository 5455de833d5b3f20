/* The keys that detach. */
#include "live/detach.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "base/strv.h"

/* The byte that a terminal sends for a key; -1: there is no such key. */
static int key_byte(const char *name)
{
    if (str_eq(name, "DEL"))
        return 0x7f;
    if (name[0] && !name[1])
        return (unsigned char)name[0];
    if (!str_starts(name, "ctrl-") || !name[5] || name[6])
        return -1;
    int c = tolower((unsigned char)name[5]);
    return (c >= 'a' && c <= 'z') || strchr("@[\\]^_", c) ? c & 0x1f : -1;
}

int detach_parse(struct detach *out, const char *text, struct error *err)
{
    auto_strv struct strv names = STRV_INIT;
    struct detach d = { .nkeys = 0 };
    strv_split(&names, text && *text ? text : DETACH_DEFAULT, ",");
    if (names.len == 0 || names.len > DETACH_MOST)
        return error_set(err, ERR_USAGE, 0, "they are 1 to %d keys, not %zu", DETACH_MOST,
                         names.len);
    for (size_t i = 0; i < names.len; i++) {
        int byte = key_byte(names.items[i]);
        if (byte < 0) {
            error_set(err, ERR_USAGE, 0, "there is no key '%s'", names.items[i]);
            return error_hint(err, "such as 'ctrl-p,ctrl-q', 'ctrl-]' or 'ctrl-x,d'");
        }
        d.keys[d.nkeys++] = (unsigned char)byte;
    }
    *out = d;
    return 0;
}

size_t detach_filter(struct detach *d, bool *complete, unsigned char *out,
                     const unsigned char *typed, size_t len)
{
    size_t n = 0;
    *complete = false;
    for (size_t i = 0; i < len && !*complete; i++) {
        d->held[d->nheld++] = typed[i];
        while (d->nheld && memcmp(d->held, d->keys, d->nheld) != 0) {
            out[n++] = d->held[0];
            memmove(d->held, d->held + 1, --d->nheld);
        }
        *complete = d->nheld == d->nkeys;
    }
    return n;
}
