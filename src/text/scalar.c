/*
 * Plain scalars, typed as Compose's YAML library does it: YAML 1.2's core schema, and from 1.1
 * octals with a bare leading zero, binary, digits grouped by '_'. "yes", "on" and 22:22 are
 * strings; so are dates here, since nothing in a stack file takes one.
 */
#include "text/scalar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* Texts with a meaning of their own. */
static const struct word {
    const char *text;
    enum node_kind kind;
    double value;
} words[] = {
    { "", NODE_NULL, 0 },
    { "~", NODE_NULL, 0 },
    { "null", NODE_NULL, 0 },
    { "Null", NODE_NULL, 0 },
    { "NULL", NODE_NULL, 0 },
    { "true", NODE_BOOL, 1 },
    { "True", NODE_BOOL, 1 },
    { "TRUE", NODE_BOOL, 1 },
    { "false", NODE_BOOL, 0 },
    { "False", NODE_BOOL, 0 },
    { "FALSE", NODE_BOOL, 0 },
    { ".nan", NODE_FLOAT, NAN },
    { ".NaN", NODE_FLOAT, NAN },
    { ".NAN", NODE_FLOAT, NAN },
    { ".inf", NODE_FLOAT, INFINITY },
    { ".Inf", NODE_FLOAT, INFINITY },
    { ".INF", NODE_FLOAT, INFINITY },
    { "+.inf", NODE_FLOAT, INFINITY },
    { "+.Inf", NODE_FLOAT, INFINITY },
    { "+.INF", NODE_FLOAT, INFINITY },
    { "-.inf", NODE_FLOAT, -INFINITY },
    { "-.Inf", NODE_FLOAT, -INFINITY },
    { "-.INF", NODE_FLOAT, -INFINITY },
};

/* A typed scalar before it becomes a node. */
struct typed {
    enum node_kind kind;
    bool boolean;
    int64_t integer;
    double real;
    bool is_unsigned; /* a NODE_FLOAT that is the whole number in `whole` */
    uint64_t whole;
};

/* Longer ones are no number that anybody writes: "1e999..." is a string in Go as well. */
#define NUMBER_MAX 350

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool parse_digits(uint64_t *out, const char *s, unsigned base)
{
    uint64_t v = 0;

    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned digit = (unsigned)digit_value(*s);
        if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *out = v;
    return true;
}

/* [sign] 0x.. | 0o.. | 0b.. | 0.. | decimal */
static bool parse_integer(struct typed *out, const char *s)
{
    char sign = *s == '-' || *s == '+' ? *s++ : 0;
    unsigned base = 10;
    uint64_t v;

    if (s[0] == '0' && s[1]) {
        char prefix = s[1] | 0x20;
        base = prefix == 'x' ? 16 : prefix == 'b' ? 2 : 8;
        s += prefix == 'x' || prefix == 'b' || prefix == 'o' ? 2 : 1;
    }
    if (!parse_digits(&v, s, base))
        return false;

    uint64_t limit = (uint64_t)INT64_MAX + (sign == '-');
    if (v <= limit) {
        *out = (struct typed){ .kind = NODE_INT,
                               .integer = sign == '-' ? (int64_t)(0 - v) : (int64_t)v };
        return true;
    }
    if (sign)
        return false;
    *out = (struct typed){ .kind = NODE_FLOAT, .real = (double)v, .is_unsigned = true, .whole = v };
    return true;
}

/* [sign] (.digits | digits[.[digits]]) [e[sign]digits] */
static bool parse_float(struct typed *out, const char *text)
{
    const char *s = text + (*text == '-' || *text == '+');
    size_t whole = strspn(s, "0123456789");
    size_t fraction = 0;
    double v;

    s += whole;
    if (*s == '.') {
        fraction = strspn(s + 1, "0123456789");
        s += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s += 1 + (s[1] == '-' || s[1] == '+');
        size_t digits = strspn(s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    if (*s)
        return false;
    v = strtod(text, NULL);
    if (isinf(v))
        return false;
    *out = (struct typed){ .kind = NODE_FLOAT, .real = v };
    return true;
}

static bool parse_number(struct typed *out, const char *text)
{
    char plain[NUMBER_MAX + 1];
    size_t len = 0;

    if (strlen(text) > NUMBER_MAX)
        return false;
    if (*text == '.')
        return parse_float(out, text);
    for (const char *s = text; *s; s++)
        if (*s != '_')
            plain[len++] = *s;
    plain[len] = '\0';
    return parse_integer(out, plain) || parse_float(out, plain);
}

static struct typed resolve(const char *text)
{
    struct typed out = { .kind = NODE_STRING };

    /* Every word and number starts with one of these; most text does not. */
    if (*text && !strchr("+-.0123456789~nNtTfF", *text))
        return out;
    for (size_t i = 0; i < countof(words); i++)
        if (strcmp(words[i].text, text) == 0)
            return (struct typed){ .kind = words[i].kind,
                                   .boolean = words[i].value == 1,
                                   .real = words[i].value };
    if (strchr("+-.0123456789", *text))
        parse_number(&out, text);
    return out;
}

enum node_kind scalar_kind(const char *text)
{
    return resolve(text).kind;
}

void scalar_resolve(struct arena *a, struct node *n)
{
    struct typed t = resolve(n->text);
    char buf[SCALAR_FLOAT_MAX];
    const char *value = n->text;

    n->kind = t.kind;
    n->boolean = t.boolean;
    n->integer = t.integer;
    n->real = t.real;
    switch (t.kind) {
    case NODE_NULL:
        value = "";
        break;
    case NODE_BOOL:
        value = t.boolean ? "true" : "false";
        break;
    case NODE_INT:
        snprintf(buf, sizeof(buf), "%lld", (long long)t.integer);
        value = buf;
        break;
    case NODE_FLOAT:
        if (t.is_unsigned)
            snprintf(buf, sizeof(buf), "%llu", (unsigned long long)t.whole);
        else
            scalar_float_text(buf, t.real);
        value = buf;
        break;
    default:
        break;
    }
    if (strcmp(value, n->text) == 0)
        n->value = n->text;
    else
        n->value = value == buf ? arena_strdup(a, buf) : value;
}

/* The shortest decimal that reads back as v: its digits, and the exponent of the first one. */
static int shortest_digits(char digits[24], double v)
{
    char text[40];

    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, fabs(v));
        if (strtod(text, NULL) == fabs(v))
            break;
    }

    size_t n = 0;
    const char *s = text;
    for (; *s != 'e'; s++)
        if (*s != '.')
            digits[n++] = *s;
    digits[n] = '\0';
    return (int)strtod(s + 1, NULL);
}

static void add_exponent_form(struct str *out, const char *digits, int exponent, int width)
{
    str_addc(out, digits[0]);
    if (digits[1])
        str_addf(out, ".%s", digits + 1);
    str_addf(out, "e%c%0*d", exponent < 0 ? '-' : '+', width, abs(exponent));
}

static void add_plain_form(struct str *out, const char *digits, int exponent)
{
    int n = (int)strlen(digits);

    if (exponent < 0)
        str_addf(out, "0.%.*s%s", -exponent - 1, "0000000000000000000000000000000000000000",
                 digits);
    else if (exponent >= n - 1)
        str_addf(out, "%s%.*s", digits, exponent - n + 1,
                 "0000000000000000000000000000000000000000");
    else
        str_addf(out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

static const char *float_text(char buf[SCALAR_FLOAT_MAX], double v, int low, int high, int width)
{
    char digits[24];
    auto_str struct str out = STR_INIT_MAX(SCALAR_FLOAT_MAX - 1);

    if (isnan(v) || isinf(v)) {
        str_add(&out, isnan(v) ? ".nan" : v < 0 ? "-.inf" : ".inf");
    } else {
        int exponent = v == 0 ? 0 : shortest_digits(digits, v);
        if (v == 0)
            memcpy(digits, "0", 2);
        if (signbit(v))
            str_addc(&out, '-');
        if (exponent < low || exponent >= high)
            add_exponent_form(&out, digits, exponent, width);
        else
            add_plain_form(&out, digits, exponent);
    }
    memcpy(buf, out.buf, out.len + 1);
    return buf;
}

const char *scalar_float_text(char buf[SCALAR_FLOAT_MAX], double v)
{
    return float_text(buf, v, -4, 6, 2);
}

const char *scalar_float_json(char buf[SCALAR_FLOAT_MAX], double v)
{
    return float_text(buf, v, -6, 21, 1);
}
