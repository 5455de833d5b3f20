/* Time: clocks, and the forms that engines and users write. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/num.h"

#define NS_PER_S INT64_C(1000000000)

static int64_t read_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_unix_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

/* Reads exactly n digits, n <= 9. */
static bool digits(int *out, const char **s, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        char c = (*s)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *s += n;
    *out = value;
    return true;
}

/* Reads ".digits" as nanoseconds where there is one; digits past the ninth are dropped. */
static bool fraction(int *out_ns, const char **s)
{
    *out_ns = 0;
    if (**s != '.')
        return true;
    const char *p = *s + 1;
    int ns = 0, unit = 100000000;
    for (; *p >= '0' && *p <= '9'; p++, unit /= 10)
        ns += (*p - '0') * unit;
    if (p == *s + 1)
        return false;
    *s = p;
    *out_ns = ns;
    return true;
}

static bool skip(const char **s, char c)
{
    if (**s != c)
        return false;
    ++*s;
    return true;
}

struct moment {
    int year, month, day, hour, minute, second, ns;
    bool zoned;
    int offset; /* seconds east of UTC, when zoned */
};

static bool parse_date(struct moment *t, const char **s)
{
    static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (!digits(&t->year, s, 4) || !skip(s, '-') || !digits(&t->month, s, 2) || !skip(s, '-') ||
        !digits(&t->day, s, 2))
        return false;
    if (t->month < 1 || t->month > 12 || t->day < 1 || t->day > lengths[t->month - 1])
        return false;
    bool leap = (t->year % 4 == 0 && t->year % 100 != 0) || t->year % 400 == 0;
    return t->month != 2 || t->day < 29 || leap;
}

static bool parse_zone(struct moment *t, const char **s)
{
    if (skip(s, 'Z')) {
        t->zoned = true;
        return true;
    }
    int sign = **s == '-' ? -1 : 1, hours, minutes;
    if (!skip(s, '+') && !skip(s, '-'))
        return false;
    if (!digits(&hours, s, 2) || !skip(s, ':') || !digits(&minutes, s, 2) || hours > 23 ||
        minutes > 59)
        return false;
    t->zoned = true;
    t->offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; years count from March, so that the leap day
 * ends them. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int unix_ns(int64_t *out, int64_t seconds, int ns)
{
    int64_t value;
    if (__builtin_mul_overflow(seconds, NS_PER_S, &value) ||
        __builtin_add_overflow(value, ns, &value))
        return -1;
    *out = value;
    return 0;
}

static int moment_ns(int64_t *out, const struct moment *t)
{
    if (t->zoned) {
        int64_t seconds = days_since_1970(t->year, t->month, t->day) * 86400 + t->hour * 3600 +
                          t->minute * 60 + t->second - t->offset;
        if (t->year == 1) { /* Go's zero time: never */
            *out = 0;
            return 0;
        }
        return unix_ns(out, seconds, t->ns);
    }
    struct tm local = {
        .tm_year = t->year - 1900,
        .tm_mon = t->month - 1,
        .tm_mday = t->day,
        .tm_hour = t->hour,
        .tm_min = t->minute,
        .tm_sec = t->second,
        .tm_isdst = -1,
    };
    return unix_ns(out, mktime(&local), t->ns);
}

int clock_parse_rfc3339(int64_t *out_ns, const char *text)
{
    struct moment t = { 0 };
    const char *s = text;
    if (!parse_date(&t, &s) || !skip(&s, 'T') || !digits(&t.hour, &s, 2) || !skip(&s, ':') ||
        !digits(&t.minute, &s, 2) || !skip(&s, ':') || !digits(&t.second, &s, 2) ||
        !fraction(&t.ns, &s) || !parse_zone(&t, &s) || *s)
        return -1;
    if (t.hour > 23 || t.minute > 59 || t.second > 59)
        return -1;
    return moment_ns(out_ns, &t);
}

/* A date, or a date and time to the hour, minute or second; local time without a zone. */
static int parse_calendar(int64_t *out_ns, const char *s)
{
    struct moment t = { 0 };
    if (!parse_date(&t, &s))
        return -1;
    if (skip(&s, 'T')) {
        if (!digits(&t.hour, &s, 2) || (skip(&s, ':') && !digits(&t.minute, &s, 2)) ||
            (skip(&s, ':') && (!digits(&t.second, &s, 2) || !fraction(&t.ns, &s))))
            return -1;
        if (t.hour > 23 || t.minute > 59 || t.second > 59)
            return -1;
    }
    if (*s && (!parse_zone(&t, &s) || *s))
        return -1;
    return moment_ns(out_ns, &t);
}

static int parse_seconds(int64_t *out_ns, const char *text)
{
    char whole[24];
    size_t n = strspn(text, "0123456789");
    const char *s = text + n;
    int64_t seconds;
    int ns;
    if (n == 0 || n >= sizeof(whole))
        return -1;
    memcpy(whole, text, n);
    whole[n] = '\0';
    if (num_int(&seconds, whole) < 0 || !fraction(&ns, &s) || *s)
        return -1;
    return unix_ns(out_ns, seconds, ns);
}

int clock_parse_when(int64_t *out_ns, const char *text)
{
    int64_t before;
    if (num_duration(&before, text) == 0) {
        *out_ns = clock_unix_ns() - before;
        return 0;
    }
    if (parse_seconds(out_ns, text) == 0)
        return 0;
    return parse_calendar(out_ns, text);
}

const char *clock_rfc3339(char buf[40], int64_t at_ns)
{
    int64_t seconds = at_ns / NS_PER_S, ns = at_ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm utc;
    gmtime_r(&t, &utc);
    size_t n = strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(buf + n, 40 - n, ".%09dZ", (int)ns);
    return buf;
}
