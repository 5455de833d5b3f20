/* Numbers with units. The one file where text becomes a number. */
#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * The parsers read digits themselves: strto*() skip blanks, know hexadecimal and "inf", and report
 * overflow in a way that is easy to miss. Only a decimal that was checked goes to strtod().
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int num_int(int64_t *out, const char *text)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    if (!*text)
        return -1;
    int64_t value = 0;
    for (; *text; text++) {
        if (!is_digit(*text) || __builtin_mul_overflow(value, 10, &value))
            return -1;
        int digit = *text - '0';
        /* Downwards for negative ones, so that the least value fits. */
        if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
            return -1;
    }
    *out = value;
    return 0;
}

int num_range(int64_t *out, const char *text, int64_t min, int64_t max)
{
    int64_t value;
    if (num_int(&value, text) < 0 || value < min || value > max)
        return -1;
    *out = value;
    return 0;
}

/* Whether text[0..n) is digits with an optional sign, fraction and exponent. */
static bool is_decimal(const char *text, size_t n, bool plain)
{
    size_t i = 0, digits = 0;
    if (!plain && i < n && (text[i] == '-' || text[i] == '+'))
        i++;
    for (; i < n && is_digit(text[i]); i++)
        digits++;
    if (i < n && text[i] == '.')
        for (i++; i < n && is_digit(text[i]); i++)
            digits++;
    if (digits == 0)
        return false;
    if (!plain && i < n && lower(text[i]) == 'e') {
        i++;
        if (i < n && (text[i] == '-' || text[i] == '+'))
            i++;
        size_t from = i;
        while (i < n && is_digit(text[i]))
            i++;
        if (i == from)
            return false;
    }
    return i == n;
}

int num_double(double *out, const char *text)
{
    if (!is_decimal(text, strlen(text), false))
        return -1;
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return -1;
    *out = value;
    return 0;
}

/* "b", "k", "kb", "kib" and so on; the factor, or 0. */
static int64_t byte_unit(const char *suffix)
{
    static const char units[] = "bkmgtp";
    const char *unit = *suffix ? strchr(units, lower(*suffix)) : units;
    if (!unit)
        return 0;
    const char *rest = *suffix ? suffix + 1 : suffix;
    bool plain = !rest[0];
    bool b = lower(rest[0]) == 'b' && !rest[1];
    bool ib = lower(rest[0]) == 'i' && lower(rest[1]) == 'b' && !rest[2];
    if (!plain && (unit == units || !(b || ib)))
        return 0;
    return (int64_t)1 << (10 * (unit - units));
}

int num_bytes(int64_t *out, const char *text)
{
    char number[64];
    size_t n = strspn(text, "0123456789.");
    if (n >= sizeof(number) || !is_decimal(text, n, true))
        return -1;
    size_t space = text[n] == ' ' && text[n + 1];
    int64_t factor = byte_unit(text + n + space);
    if (!factor)
        return -1;
    memcpy(number, text, n);
    number[n] = '\0';

    int64_t whole;
    if (num_int(&whole, number) == 0) {
        if (__builtin_mul_overflow(whole, factor, &whole))
            return -1;
    } else {
        double value = strtod(number, NULL) * (double)factor;
        if (!(value < 0x1p63))
            return -1;
        whole = (int64_t)value;
    }
    *out = whole;
    return 0;
}

static const struct duration_unit {
    const char *name;
    int64_t ns;
} duration_units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "\xc2\xb5s", 1000 }, /* micro sign */
    { "\xce\xbcs", 1000 }, /* Greek mu */
    { "ms", 1000 * 1000 },
    { "s", 1000LL * 1000 * 1000 },
    { "m", 60LL * 1000 * 1000 * 1000 },
    { "h", 3600LL * 1000 * 1000 * 1000 },
    { "d", 24 * 3600LL * 1000 * 1000 * 1000 },
    { "w", 7 * 24 * 3600LL * 1000 * 1000 * 1000 },
};

int num_duration(int64_t *out_ns, const char *text)
{
    const char *s = text + (*text == '+');
    if (strcmp(s, "0") == 0) {
        *out_ns = 0;
        return 0;
    }
    if (!*s)
        return -1;
    int64_t total = 0;
    while (*s) {
        int64_t whole = 0;
        bool digits = is_digit(*s);
        for (; is_digit(*s); s++)
            if (__builtin_mul_overflow(whole, 10, &whole) ||
                __builtin_add_overflow(whole, *s - '0', &whole))
                return -1;
        double fraction = 0, scale = 1;
        if (*s == '.')
            for (s++; is_digit(*s); s++) {
                digits = true;
                if (scale < 1e15) { /* digits below are far below a nanosecond */
                    fraction = fraction * 10 + (*s - '0');
                    scale *= 10;
                }
            }
        if (!digits)
            return -1;

        size_t n = strcspn(s, "0123456789.");
        const struct duration_unit *unit = NULL;
        for (size_t i = 0; i < countof(duration_units); i++)
            if (strlen(duration_units[i].name) == n && memcmp(duration_units[i].name, s, n) == 0)
                unit = &duration_units[i];
        if (!unit || __builtin_mul_overflow(whole, unit->ns, &whole) ||
            __builtin_add_overflow(whole, (int64_t)(fraction * ((double)unit->ns / scale)),
                                   &whole) ||
            __builtin_add_overflow(total, whole, &total))
            return -1;
        s += n;
    }
    *out_ns = total;
    return 0;
}

/* Writes value / unit with at most `digits` decimals and without trailing zeros. */
static void print_decimal(char *buf, size_t size, uint64_t value, uint64_t unit, int digits)
{
    int n = snprintf(buf, size, "%llu.%0*llu", (unsigned long long)(value / unit), digits,
                     (unsigned long long)(value % unit));
    while (buf[n - 1] == '0')
        n--;
    if (buf[n - 1] == '.')
        n--;
    buf[n] = '\0';
}

const char *num_duration_text(char buf[NUM_TEXT_MAX], int64_t ns)
{
    enum { US = 1000, MS = 1000 * US, S = 1000 * MS };
    uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    const char *sign = ns < 0 ? "-" : "";
    char seconds[32];

    if (left < S) {
        const char *unit = left == 0 ? "s" : left < US ? "ns" : left < MS ? "\xc2\xb5s" : "ms";
        if (left < US)
            snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)left);
        else if (left < MS)
            print_decimal(seconds, sizeof(seconds), left, US, 3);
        else
            print_decimal(seconds, sizeof(seconds), left, MS, 6);
        snprintf(buf, NUM_TEXT_MAX, "%s%s%s", sign, seconds, unit);
        return buf;
    }
    unsigned long long minutes = left / S / 60;
    print_decimal(seconds, sizeof(seconds), left % (60ULL * S), S, 9);
    if (minutes >= 60)
        snprintf(buf, NUM_TEXT_MAX, "%s%lluh%llum%ss", sign, minutes / 60, minutes % 60, seconds);
    else if (minutes)
        snprintf(buf, NUM_TEXT_MAX, "%s%llum%ss", sign, minutes, seconds);
    else
        snprintf(buf, NUM_TEXT_MAX, "%s%ss", sign, seconds);
    return buf;
}

const char *num_elapsed_text(char buf[NUM_TEXT_MAX], int64_t ms)
{
    long long tenths = ms < 0 ? 0 : ms / 100, s = tenths / 10;
    if (s < 60)
        snprintf(buf, NUM_TEXT_MAX, "%lld.%lld s", s, tenths % 10);
    else if (s < 3600)
        snprintf(buf, NUM_TEXT_MAX, "%lldm %02llds", s / 60, s % 60);
    else
        snprintf(buf, NUM_TEXT_MAX, "%lldh %02lldm", s / 3600, s / 60 % 60);
    return buf;
}

const char *num_size_text(char buf[NUM_TEXT_MAX], int64_t bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
    double value = (double)bytes;
    size_t i = 0;
    /* From 999.5 on, three digits would round to 1000. */
    while (i + 1 < countof(units) && fabs(value) >= 999.5) {
        value /= 1000;
        i++;
    }
    snprintf(buf, NUM_TEXT_MAX, "%.3g %s", value, units[i]);
    return buf;
}
