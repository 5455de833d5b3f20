/* Bytes from outside, made harmless for a terminal. */
#include "base/safe.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/width.h"

/*
 * One scanner cuts the input into atoms: a character, a colour sequence, or something harmful with
 * the text that is shown in its place. Neutralising, measuring and cutting all walk over the same
 * atoms, so they cannot disagree. An atom is appended whole or not at all: half a colour sequence
 * would swallow what the caller prints next.
 */

enum {
    SGR_MAX = 64, /* bytes of one colour sequence; longer ones are shown */
};

struct atom {
    const char *text; /* what to show: in the input, or in `shown` */
    size_t len;
    size_t columns;
    bool sgr;
    char shown[16];
};

/* Decodes one strictly valid UTF-8 character of at most n bytes; its length, or 0. */
static size_t decode(uint32_t *out, const unsigned char *s, size_t n)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t min;
    } forms[] = {
        { 0x80, 0x00, 0 },
        { 0xe0, 0xc0, 0x80 },
        { 0xf0, 0xe0, 0x800 },
        { 0xf8, 0xf0, 0x10000 },
    };
    for (size_t i = 0; i < countof(forms); i++) {
        if ((s[0] & forms[i].mask) != forms[i].lead)
            continue;
        if (n < i + 1)
            return 0;
        uint32_t c = s[0] & (unsigned char)~forms[i].mask;
        for (size_t k = 1; k <= i; k++) {
            if ((s[k] & 0xc0) != 0x80)
                return 0;
            c = c << 6 | (s[k] & 0x3f);
        }
        if (c < forms[i].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return 0;
        *out = c;
        return i + 1;
    }
    return 0;
}

/* The length of the colour sequence ESC [ digits ; : ... m at s, or 0. */
static size_t sgr_len(const char *s, size_t n)
{
    if (n < 3 || s[0] != '\x1b' || s[1] != '[')
        return 0;
    for (size_t i = 2; i < n && i < SGR_MAX; i++) {
        if (s[i] == 'm')
            return i + 1;
        if (!((s[i] >= '0' && s[i] <= '9') || s[i] == ';' || s[i] == ':'))
            return 0;
    }
    return 0;
}

static bool in_table(const struct width_range *table, size_t n, uint32_t c)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c > table[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && c >= table[low].first;
}

static size_t columns_of(uint32_t c)
{
    if (c < 0x300)
        return 1;
    if (in_table(width_none, countof(width_none), c))
        return 0;
    return in_table(width_two, countof(width_two), c) ? 2 : 1;
}

/* Characters that reorder what surrounds them, and so can make a line read as another. */
static bool is_bidi_control(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Fills *a with the atom at s (n > 0); the number of input bytes it stands for. */
static size_t next_atom(struct atom *a, const char *s, size_t n, unsigned flags)
{
    *a = (struct atom){ .text = s };
    size_t used = (flags & SAFE_SGR) ? sgr_len(s, n) : 0;
    if (used) {
        a->len = used;
        a->sgr = true;
        return used;
    }
    uint32_t c;
    used = decode(&c, (const unsigned char *)s, n);
    if (!used) {
        c = (unsigned char)s[0];
        used = 1;
    } else if ((c >= 0x20 && c != 0x7f && !(c >= 0x80 && c <= 0x9f) && !is_bidi_control(c)) ||
               c == '\t' || (c == '\n' && (flags & SAFE_NEWLINES))) {
        a->len = used;
        a->columns = columns_of(c);
        return used;
    }
    int shown = c == '\n'            ? snprintf(a->shown, sizeof(a->shown), "\\n")
                : is_bidi_control(c) ? snprintf(a->shown, sizeof(a->shown), "\\u{%x}", c)
                                     : snprintf(a->shown, sizeof(a->shown), "\\x%02x", c);
    a->len = a->columns = (size_t)shown;
    a->text = a->shown;
    return used;
}

/* Appends the atom as a whole; false when the string has no room left. */
static bool add_atom(struct str *out, const struct atom *a)
{
    if (a->len > out->max - out->len) {
        out->overflow = true;
        return false;
    }
    str_addn(out, a->text, a->len);
    return true;
}

void safe_add(struct str *out, const char *text, size_t len, enum safe_flags flags)
{
    for (size_t i = 0; i < len;) {
        /* Nearly all text is plain: append it in runs. */
        size_t run = i;
        while (run < len && text[run] >= 0x20 && text[run] < 0x7f)
            run++;
        if (run > i) {
            str_addn(out, text + i, run - i);
            if (out->overflow)
                return;
            i = run;
            continue;
        }
        struct atom a;
        i += next_atom(&a, text + i, len - i, flags);
        if (!add_atom(out, &a))
            return;
    }
}

char *safe_text(const char *text, enum safe_flags flags)
{
    struct str out = STR_INIT;
    safe_add(&out, text, strlen(text), flags);
    return str_detach(&out);
}

size_t safe_width(const char *text)
{
    size_t columns = 0;
    for (size_t i = 0, len = strlen(text); i < len;) {
        struct atom a;
        i += next_atom(&a, text + i, len - i, SAFE_SGR);
        columns += a.columns;
    }
    return columns;
}

void safe_add_cut(struct str *out, const char *text, size_t columns)
{
    size_t len = strlen(text);
    bool cut = safe_width(text) > columns;
    size_t left = cut && columns ? columns - 1 : columns;
    bool ended = false;
    for (size_t i = 0; i < len;) {
        struct atom a;
        size_t used = next_atom(&a, text + i, len - i, SAFE_SGR);
        if (text[i] == '\t') /* a tab takes as many columns as it likes */
            a.text = " ";
        i += used;
        if (!a.sgr && !ended && a.columns > left) {
            static const struct atom ellipsis = { .text = "\xe2\x80\xa6", .len = 3 };
            ended = true;
            if (columns && !add_atom(out, &ellipsis))
                return;
        }
        /* Past the cut, colours still go on, so that what was switched on is switched off. */
        if (ended && !a.sgr)
            continue;
        left -= a.columns;
        if (!add_atom(out, &a))
            return;
    }
}

bool safe_is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t c;
    for (size_t left = strlen(text), n; left > 0; s += n, left -= n)
        if ((n = decode(&c, s, left)) == 0)
            return false;
    return true;
}
