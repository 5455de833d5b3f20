/* jansson with manners. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/safe.h"
#include "base/str.h"

/*
 * Go writes uint64 counters, such as the 18446744073709551615 that stands for "no limit of
 * processes" in container statistics. jansson refuses the whole text for one integer beyond
 * int64_t; ".0" behind such a number makes it a real. Only a text that was refused for its numbers
 * is rewritten.
 */
static char *widen_integers(const char *text, size_t len, size_t *out_len)
{
    struct str out = STR_INIT_MAX(SIZE_MAX);
    bool quoted = false;
    for (size_t i = 0; i < len;) {
        size_t n = 1;
        bool widen = false;
        if (quoted && text[i] == '\\' && i + 1 < len) {
            n = 2;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && strchr("+-.0123456789", text[i]) && text[i]) {
            while (i + n < len && text[i + n] && strchr("+-.eE0123456789", text[i + n]))
                n++;
            auto_free char *number = xstrndup(text + i, n);
            int64_t ignored;
            widen = !strpbrk(number, ".eE") && num_int(&ignored, number) < 0;
        }
        str_addn(&out, text + i, n);
        if (widen)
            str_add(&out, ".0");
        i += n;
    }
    *out_len = out.len;
    return str_detach(&out);
}

json_t *json_parse(const char *text, size_t len, const char *what, struct error *err)
{
    /* Engines put what programs print into strings: \u0000 is no mistake. */
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t e;
    json_t *j = json_loadb(text, len, flags, &e);
    if (!j && json_error_code(&e) == json_error_numeric_overflow) {
        size_t wide_len;
        auto_free char *wide = widen_integers(text, len, &wide_len);
        j = json_loadb(wide, wide_len, flags, &e);
    }
    if (j)
        return j;
    /* jansson quotes the text near the mistake, which may be a secret. */
    char *near = strstr(e.text, " near ");
    if (near)
        *near = '\0';
    error_set(err, ERR_PROTOCOL, 0, "%s is not JSON: %s at byte %d", what, e.text, e.position);
    return NULL;
}

json_t *json_at(const json_t *j, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, ".");
        json_t *value = json_object_getn(j, path, n);
        if (!value || !path[n])
            return value;
        j = value;
        path += n + 1;
    }
}

const char *json_str(const json_t *j, const char *path)
{
    return json_string_value(json_at(j, path));
}

const char *json_str_or(const json_t *j, const char *path, const char *fallback)
{
    const char *s = json_str(j, path);
    return s ? s : fallback;
}

int64_t json_int(const json_t *j, const char *path, int64_t fallback)
{
    const json_t *value = json_at(j, path);
    if (json_is_integer(value))
        return json_integer_value(value);
    if (!json_is_real(value))
        return fallback;
    double real = json_real_value(value);
    if (real >= 0x1p63)
        return INT64_MAX;
    return real < -0x1p63 ? INT64_MIN : (int64_t)real;
}

bool json_bool(const json_t *j, const char *path, bool fallback)
{
    const json_t *value = json_at(j, path);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *json_safe(const char *text)
{
    if (!text)
        return json_null();
    auto_free char *safe = safe_text(text, SAFE_NEWLINES);
    return json_string(safe);
}

json_t *json_safe_list(const struct strv *list)
{
    json_t *out = json_array();
    strv_each (it, list)
        json_array_append_new(out, json_safe(*it));
    return out;
}

char *json_canonical(const json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    /* Without memory; or a string that is not UTF-8, which jansson lets nobody make. */
    if (!text)
        abort();
    return text;
}
