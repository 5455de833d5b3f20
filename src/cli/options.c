/*
 * Option tables: each row says where its value goes, so that reading is one loop. getopt_long(3) is
 * not used because it reports mistakes itself, keeps its state in globals, and knows no
 * suggestions.
 */
#include "cli/options.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"

static const struct option *find_long(const struct option *table, size_t n, const char *name,
                                      size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    return NULL;
}

static const struct option *find_letter(const struct option *table, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].letter == letter)
            return &table[i];
    return NULL;
}

static int unknown_long(const struct option *table, size_t n, const char *name, size_t len,
                        struct error *err)
{
    auto_free char *found = xstrndup(name, len);
    const char *near = NULL;
    size_t best = 3;
    for (size_t i = 0; i < n; i++) {
        size_t distance = table[i].hidden ? best : str_distance(found, table[i].name, best);
        if (distance < best) {
            best = distance;
            near = table[i].name;
        }
    }
    error_set(err, ERR_USAGE, 0, "unknown option '--%s'", found);
    if (near)
        error_hint(err, "did you mean '--%s'?", near);
    return -1;
}

/* Puts one value where the row says. `shown` is the option as the user wrote it. */
static int store(const struct option *o, void *values, const char *text, const char *shown,
                 struct error *err)
{
    char *slot = (char *)values + o->offset;
    switch (o->kind) {
    case OPT_FLAG: {
        bool on = !text || str_eq(text, "true") || str_eq(text, "1");
        if (!on && !str_eq(text, "false") && !str_eq(text, "0"))
            return error_set(err, ERR_USAGE, 0, "option '%s' takes true or false", shown);
        *(bool *)slot = on;
        return 0;
    }
    case OPT_STRING:
        *(const char **)slot = text;
        return 0;
    case OPT_STRINGS:
        strv_add((struct strv *)slot, text);
        return 0;
    case OPT_INT: {
        int64_t number;
        if (num_range(&number, text, -1, 1000000000) < 0)
            return error_set(err, ERR_USAGE, 0, "option '%s' takes a whole number", shown);
        *(int *)slot = (int)number;
        return 0;
    }
    case OPT_CHOICE: {
        struct str known = STR_INIT;
        for (const char *const *v = o->values; *v; v++) {
            if (str_eq(*v, text)) {
                *(const char **)slot = *v;
                str_clear(&known);
                return 0;
            }
            str_addf(&known, "%s%s", v == o->values ? "" : ", ", *v);
        }
        error_set(err, ERR_USAGE, 0, "option '%s' takes one of: %s", shown, known.buf);
        str_clear(&known);
        return -1;
    }
    }
    return 0;
}

static int read_long(const struct option *table, size_t n, void *values, int argc, char **argv,
                     int *at, struct error *err)
{
    const char *word = argv[*at] + 2;
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct option *o = find_long(table, n, word, len);
    if (!o)
        return unknown_long(table, n, word, len, err);
    auto_free char *shown = xasprintf("--%s", o->name);
    const char *value = equals ? equals + 1 : NULL;
    if (!value && o->kind != OPT_FLAG && !o->optional_arg) {
        if (*at + 1 >= argc)
            return error_set(err, ERR_USAGE, 0, "option '%s' needs a value: %s %s", shown, shown,
                             o->arg ? o->arg : "VALUE");
        value = argv[++*at];
    }
    if (!value && o->optional_arg)
        value = "";
    return store(o, values, value, shown, err);
}

static int read_letters(const struct option *table, size_t n, void *values, int argc, char **argv,
                        int *at, struct error *err)
{
    for (const char *p = argv[*at] + 1; *p; p++) {
        const struct option *o = find_letter(table, n, *p);
        char shown[3] = { '-', *p, 0 };
        if (!o)
            return error_set(err, ERR_USAGE, 0, "unknown option '%s'", shown);
        if (o->kind == OPT_FLAG) {
            if (store(o, values, NULL, shown, err) < 0)
                return -1;
            continue;
        }
        const char *value = p[1] == '=' ? p + 2 : p + 1;
        if (!*value) {
            if (*at + 1 >= argc)
                return error_set(err, ERR_USAGE, 0, "option '%s' needs a value: %s %s", shown,
                                 shown, o->arg ? o->arg : "VALUE");
            value = argv[++*at];
        }
        return store(o, values, value, shown, err);
    }
    return 0;
}

int options_read(const struct option *table, size_t n, void *values, int argc, char **argv, int *at,
                 bool stop_at_arg, struct strv *args, struct error *err)
{
    for (; *at < argc; ++*at) {
        const char *word = argv[*at];
        if (str_eq(word, "--")) {
            for (++*at; *at < argc; ++*at)
                strv_add(args, argv[*at]);
            return 0;
        }
        if (word[0] != '-' || !word[1]) {
            if (stop_at_arg)
                return 0;
            strv_add(args, word);
            continue;
        }
        int rc = word[1] == '-' ? read_long(table, n, values, argc, argv, at, err)
                                : read_letters(table, n, values, argc, argv, at, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

void options_clear(const struct option *table, size_t n, void *values)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].kind == OPT_STRINGS)
            strv_clear((struct strv *)((char *)values + table[i].offset));
}
