/* Paths and queries of requests. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "engine/requests_private.h"
#include "model/labels.h"

void request_make(request_out rq, const char *method, struct str *path)
{
    *rq = (struct engine_request){ .method = method, .path = str_detach(path) };
}

void request_encode(struct str *out, const char *text, const char *keep)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || strchr("-_.~", c) || strchr(keep, c))
            str_addc(out, (char)c);
        else
            str_addf(out, "%%%02X", c);
    }
}

struct str request_path(const char *before, const char *name, const char *after)
{
    struct str path = STR_INIT;
    str_add(&path, before);
    request_encode(&path, name, strcmp(before, "/images/") == 0 ? "/:@" : "");
    str_add(&path, after);
    return path;
}

struct str request_plain(const char *text)
{
    return request_path(text, "", "");
}

/* --- queries --- */

void engine_query(struct str *path, const char *key, const char *value)
{
    if (!value)
        return;
    str_addc(path, strchr(path->buf, '?') ? '&' : '?');
    str_add(path, key);
    str_addc(path, '=');
    request_encode(path, value, "");
}

void engine_query_int(struct str *path, const char *key, int64_t value)
{
    auto_free char *text = xasprintf("%lld", (long long)value);
    engine_query(path, key, text);
}

void request_flag(struct str *path, const char *key, bool on)
{
    if (on)
        engine_query(path, key, "1");
}

/* The form {"kind": {"value": true}}, which the docker command sends: Podman before 4.6 makes one
 * value of a list. What is no UTF-8, and so cannot stand in JSON, becomes text that matches
 * nothing: a filter that is left out would match everything. */
void request_filter(json_t *filters, const char *kind, const char *value)
{
    json_t *values = json_object_get(filters, kind);
    if (!values) {
        values = json_object();
        json_object_set_new(filters, kind, values);
    }
    if (json_object_set_new(values, value, json_true()) == 0)
        return;
    auto_free char *shown = safe_text(value, SAFE_LINE);
    json_object_set_new(values, shown, json_true());
}

void request_json(struct str *path, const char *key, const json_t *value)
{
    auto_free char *text = json_dumps(value, JSON_COMPACT);
    engine_query(path, key, text);
}

void engine_query_filters(struct str *path, const char *kind, ...)
{
    auto_json json_t *filters = json_object();
    va_list ap;
    va_start(ap, kind);
    for (const char *k = kind; k; k = va_arg(ap, const char *))
        request_filter(filters, k, va_arg(ap, const char *));
    va_end(ap);
    request_json(path, "filters", filters);
}

char *request_stack_label(const char *stack)
{
    return stack ? xasprintf(LABEL_STACK "=%s", stack) : xstrdup(LABEL_STACK);
}

void request_list(request_out rq, const char *what, const char *stack, bool all)
{
    struct str path = request_plain(what);
    auto_free char *label = request_stack_label(stack);
    request_flag(&path, "all", all);
    engine_query_filters(&path, "label", label, NULL);
    request_make(rq, "GET", &path);
}
