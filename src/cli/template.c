/* The part of Go's templates that scripts use with docker's --format. */
#include "cli/template.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/strv.h"

struct template
{
    struct str *out;
    const json_t *row;
    const char *(*title)(void *ctx, const char *field);
    void *ctx;
};

static int refuse(const char *action, size_t len, struct error *err)
{
    error_set(err, ERR_USAGE, 0, "--format: '{{%.*s}}' is not understood", (int)len, action);
    return error_hint(err, "there are {{.Field}}, {{json .Field}}, {{json .}}, {{upper .Field}}, "
                           "{{lower .Field}}, {{.Label \"name\"}}");
}

static void add_text(struct str *out, const char *text)
{
    safe_add(out, text, strlen(text), SAFE_LINE);
}

static void add_json(struct str *out, const json_t *value)
{
    auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    add_text(out, text ? text : "null");
}

static void add_value(struct str *out, const json_t *value)
{
    if (json_is_string(value))
        add_text(out, json_string_value(value));
    else if (json_is_integer(value))
        str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        add_json(out, value);
}

/* The value of a label, from "a=b,c=d". */
static void add_label(struct str *out, const char *labels, const char *name)
{
    auto_strv struct strv pairs = STRV_INIT;
    size_t len = strlen(name);
    strv_split(&pairs, labels ? labels : "", ",");
    for (size_t i = 0; i < pairs.len; i++)
        if (!strncmp(pairs.items[i], name, len) && pairs.items[i][len] == '=')
            add_text(out, pairs.items[i] + len + 1);
}

static int add_field(struct template *t, const char *function, const char *field, struct error *err)
{
    const json_t *value = *field ? json_object_get(t->row, field) : t->row;
    if (t->title) {
        str_add(t->out, t->title(t->ctx, field));
        return 0;
    }
    if (!value) {
        error_set(err, ERR_USAGE, 0, "--format: there is no field '.%s'", field);
        return error_hint(err, "'--format json' shows the fields");
    }
    size_t start = t->out->len;
    if (str_eq(function, "json"))
        add_json(t->out, value);
    else
        add_value(t->out, value);
    for (size_t i = start; i < t->out->len; i++) {
        if (str_eq(function, "upper"))
            t->out->buf[i] = (char)toupper((unsigned char)t->out->buf[i]);
        else if (str_eq(function, "lower"))
            t->out->buf[i] = (char)tolower((unsigned char)t->out->buf[i]);
    }
    return 0;
}

/* What stands between {{ and }}. */
static int add_action(struct template *t, const char *action, size_t len, struct error *err)
{
    auto_free char *text = xstrndup(action, len);
    auto_strv struct strv words = STRV_INIT;
    strv_split(&words, text, " \t\"");
    const char *first = words.len ? words.items[0] : "";
    if (words.len == 2 && str_eq(first, ".Label")) {
        if (t->title)
            str_add(t->out, t->title(t->ctx, words.items[1]));
        else
            add_label(t->out, json_string_value(json_object_get(t->row, "Labels")), words.items[1]);
        return 0;
    }
    bool function = str_eq(first, "json") || str_eq(first, "upper") || str_eq(first, "lower");
    const char *field = words.items ? words.items[function && words.len > 1] : "";
    if (words.len != 1 + (size_t)function || *field != '.' || strpbrk(field + 1, ".()|"))
        return refuse(action, len, err);
    return add_field(t, function ? first : "", field + 1, err);
}

int template_render(struct str *out, const char *template, const json_t *row,
                    const char *(*title)(void *ctx, const char *field), void *ctx,
                    struct error *err)
{
    struct template t = { out, row, title, ctx };
    for (const char *p = template; *p;) {
        if (p[0] == '{' && p[1] == '{') {
            const char *end = strstr(p, "}}");
            if (!end)
                return error_set(err, ERR_USAGE, 0, "--format: '{{' without '}}'");
            if (add_action(&t, p + 2, (size_t)(end - p) - 2, err) < 0)
                return -1;
            p = end + 2;
        } else if (p[0] == '\\' && (p[1] == 't' || p[1] == 'n')) {
            str_addc(out, p[1] == 't' ? '\t' : '\n');
            p += 2;
        } else {
            str_addc(out, *p++);
        }
    }
    return 0;
}
