/*
 * Scalars: what YAML typed, and text that reads as the same, as variables leave behind. Used by the
 * check, which only asks, and by the end, which replaces the node.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "model/schema_run.h"
#include "text/scalar.h"

int value_bool(bool *out, const struct node *n)
{
    static const char *const yes[] = { "true", "yes", "on", "y" };
    static const char *const no[] = { "false", "no", "off", "n" };

    if (n->kind == NODE_BOOL) {
        *out = n->boolean;
        return 0;
    }
    if (n->kind != NODE_STRING)
        return -1;
    for (size_t i = 0; i < countof(yes); i++) {
        bool is_yes = strcasecmp(n->text, yes[i]) == 0;
        if (is_yes || strcasecmp(n->text, no[i]) == 0) {
            *out = is_yes;
            return 0;
        }
    }
    return -1;
}

/* A float that is a whole number of int64_t's range. */
static int whole_number(int64_t *out, double v)
{
    if (!(v >= -0x1p63 && v < 0x1p63) || v != floor(v))
        return -1;
    *out = (int64_t)v;
    return 0;
}

int value_int(int64_t *out, const struct node *n)
{
    switch (n->kind) {
    case NODE_INT:
        *out = n->integer;
        return 0;
    case NODE_FLOAT:
        return whole_number(out, n->real);
    case NODE_STRING:
        return num_int(out, n->text);
    default:
        return -1;
    }
}

int value_number(double *out, const struct node *n)
{
    switch (n->kind) {
    case NODE_INT:
        *out = (double)n->integer;
        return 0;
    case NODE_FLOAT:
        *out = n->real;
        return isfinite(n->real) ? 0 : -1;
    case NODE_STRING:
        return num_double(out, n->text);
    default:
        return -1;
    }
}

int value_bytes(int64_t *out, const struct node *n)
{
    switch (n->kind) {
    case NODE_INT:
        *out = n->integer;
        return 0;
    case NODE_FLOAT:
        return whole_number(out, n->real);
    case NODE_STRING:
        return num_bytes(out, n->text);
    default:
        return -1;
    }
}

int value_duration(int64_t *out_ns, const struct node *n)
{
    return n->kind == NODE_STRING ? num_duration(out_ns, n->text) : -1;
}

int value_mode(int64_t *out, const struct node *n)
{
    if (n->kind != NODE_STRING)
        return value_int(out, n);

    int64_t mode = 0;
    const char *p = n->text;
    for (; *p >= '0' && *p <= '7' && mode <= INT64_MAX >> 3; p++)
        mode = mode << 3 | (*p - '0');
    if (*p || p == n->text)
        return -1;
    *out = mode;
    return 0;
}

/* Compose keeps these numbers with single precision and prints as few digits as that needs. */
struct node *value_float_node(struct arena *a, double value, struct span span)
{
    char text[SCALAR_FLOAT_MAX];
    int64_t whole;

    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)(float)value);
        if (strtof(text, NULL) == (float)value)
            break;
    }
    double shortest = strtod(text, NULL);
    if (whole_number(&whole, shortest) == 0)
        return node_int(a, whole, span);

    struct node *n = node_new(a, NODE_FLOAT, span);
    n->real = shortest;
    n->text = n->value = arena_strdup(a, scalar_float_text(text, shortest));
    return n;
}
