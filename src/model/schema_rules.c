/* Rules of single keys beyond their type, and what the keys of one object mean together. */
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/path.h"
#include "model/schema_run.h"
#include "text/pattern.h"

static bool all_of(const char *s, const char *more)
{
    for (; *s; s++) {
        bool plain =
            (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');
        if (!plain && !strchr(more, *s))
            return false;
    }
    return true;
}

/* Compose takes any name that has two such characters in a row somewhere; the engine does not. */
void check_container_name(const struct schema_run *run, const struct node *v)
{
    const char *p = v->text;

    if (strlen(p) >= 2 && all_of(p, "_.-") && !strchr("_.-", p[0]))
        return;
    bool found = false;
    for (; *p && !found; p++) {
        char two[3] = { p[0], p[1], '\0' };
        found = p[1] && all_of(two, "_.-") && !strchr("_.-", p[0]);
    }
    if (found)
        run_warning(run, v->span,
                    "the engine wants a letter or digit, then letters, digits, '_', '.', '-'");
    else
        run_error(
            run, v->span,
            "must be two or more letters, digits, '_', '.', '-', the first a letter or digit");
}

void check_pull_policy(const struct schema_run *run, const struct node *v)
{
    static const char *const words[] = { "always",  "never",   "build", "if_not_present",
                                         "missing", "refresh", "daily", "weekly" };
    int64_t ns;

    for (size_t i = 0; i < countof(words); i++)
        if (strcmp(v->text, words[i]) == 0)
            return;
    if (str_starts(v->text, "every_") && num_duration(&ns, v->text + strlen("every_")) == 0)
        return;
    run_error(run, v->span,
              "must be one of 'always', 'missing', 'never', 'build', 'daily', 'weekly', "
              "'every_<duration>'");
}

/* Compose leaves this to the engine; so `config` shows it, with a warning. */
void check_restart(const struct schema_run *run, const struct node *v)
{
    static const char *const words[] = { "", "no", "always", "on-failure", "unless-stopped" };
    int64_t tries;

    for (size_t i = 0; i < countof(words); i++)
        if (strcmp(v->text, words[i]) == 0)
            return;
    if (str_starts(v->text, "on-failure:") &&
        num_range(&tries, v->text + strlen("on-failure:"), 0, INT32_MAX) == 0)
        return;
    run_warning(run, v->span,
                "the engine knows 'no', 'always', 'on-failure[:N]' and 'unless-stopped'");
}

void check_not_blank(const struct schema_run *run, const struct node *v)
{
    if (!v->text[0])
        run_error(run, v->span, "must not be empty");
}

void check_regex(const struct schema_run *run, const struct node *v)
{
    auto_(regex_freep) struct regex *re = NULL;
    auto_error struct error err = ERROR_INIT;

    if (regex_compile(&re, v->text, &err) < 0)
        run_error(run, v->span, "is no regular expression");
}

void check_ssh(const struct schema_run *run, const struct node *v)
{
    node_each (i, v->kind == NODE_LIST ? v : NULL) {
        const struct node *item = v->items[i];
        if (item->kind == NODE_STRING && !run_is_open(run, item) && !strchr(item->text, '=') &&
            strcmp(item->text, "default") != 0)
            run_error(run, item->span, "must be 'default' or of the form ID=PATH");
    }
}

void check_provider_options(const struct schema_run *run, const struct node *v)
{
    if (v->kind != NODE_MAP)
        run_error(run, v->span, "must be a mapping");
    node_each (i, v->kind == NODE_MAP ? v : NULL) {
        const struct node *item = v->items[i];
        bool ok = item->mark == MARK_RESET || (item->kind != NODE_MAP && item->kind != NODE_NULL);
        node_each (k, item->kind == NODE_LIST ? item : NULL)
            ok &= node_is_scalar(item->items[k]);
        if (!ok)
            run_error(run, item->span, "must be a string, number, true, false, or a list of those");
    }
}

void schema_refuse(const struct node *service, const char *name, struct diag *d)
{
    node_each (i, service) {
        const struct schema_key *row = schema_find(&schema_service, service->keys[i]);
        if (row && row->effect == EFFECT_REFUSED)
            diag_error(d, service->key_spans[i], "services.%s.%s: cannot run here: %s", name,
                       row->name, row->why);
    }
}

/* Whether a key has a value; null says nothing. */
static bool has(const struct node *map, const char *key)
{
    const struct node *v = node_get(map, key);
    return v && v->kind != NODE_NULL;
}

static void set_default(const struct schema_run *run, struct node *map, const char *key,
                        const char *text)
{
    if (!has(map, key))
        node_set_string(run->arena, map, key, text);
}

static void set_default_true(const struct schema_run *run, struct node *map, const char *key)
{
    if (!has(map, key))
        node_set(run->arena, map, key, node_bool(run->arena, true, map->span));
}

void finish_service(const struct schema_run *run, struct node *map)
{
    if (str_eq(node_text_at(map, "pull_policy"), "if_not_present"))
        node_set_string(run->arena, map, "pull_policy", "missing");
    node_remove(map, "pull_refresh_after"); /* the reference does not print it */
}

void finish_build(const struct schema_run *run, struct node *map)
{
    const char *file = node_text_at(map, "dockerfile");
    const char *text = node_text_at(map, "dockerfile_inline");

    if (file && *file && text && *text)
        run_error(run, node_key_span(map, "dockerfile"),
                  "'dockerfile' excludes 'dockerfile_inline'");
    set_default(run, map, "context", ".");
}

void finish_dependency(const struct schema_run *run, struct node *map)
{
    if (run->form != FORM_COMPOSE)
        set_default(run, map, "condition", "service_ready");
    set_default_true(run, map, "required");
}

void finish_env_file(const struct schema_run *run, struct node *map)
{
    set_default_true(run, map, "required");
}

void finish_port(const struct schema_run *run, struct node *map)
{
    set_default(run, map, "mode", "ingress");
    set_default(run, map, "protocol", "tcp");
}

void finish_mount(const struct schema_run *run, struct node *map)
{
    const char *target = node_text_at(map, "target");

    if (target && *target) {
        auto_free char *clean = path_clean(target);
        node_set_string(run->arena, map, "target", clean);
    }
    if (str_eq(node_text_at(map, "type"), "bind") && !has(map, "source"))
        run_error(run, map->span, "'source' is missing: a bind mount needs a path");
}

void finish_secret_use(const struct schema_run *run, struct node *map)
{
    const char *source = node_text_at(map, "source");

    if (source)
        set_default(run, map, "target", arena_printf(run->arena, "/run/secrets/%s", source));
}

void finish_device_request(const struct schema_run *run, struct node *map)
{
    bool count = has(map, "count"), ids = has(map, "device_ids");

    if (count && ids)
        run_error(run, node_get(map, "device_ids")->span, "excludes 'count'");
    if (!count && !ids)
        node_set(run->arena, map, "count", node_int(run->arena, -1, map->span));
}

void finish_volume(const struct schema_run *run, struct node *map)
{
    const struct node *external = node_get(map, "external");
    bool is_external;

    if (!external || value_bool(&is_external, external) < 0 || !is_external)
        return;
    node_each (i, map) {
        const char *key = map->keys[i];
        if (strcmp(key, "name") != 0 && strcmp(key, "external") != 0 && !is_extension(key))
            run_error(run, map->key_spans[i], "'%s' says nothing about an external volume", key);
    }
}

/* A config or secret has its content from one of the sources. Whether it has one. */
static bool has_source(const struct schema_run *run, const struct node *map,
                       const char *const *sources)
{
    const char *found = NULL;

    for (; *sources; sources++) {
        if (!has(map, *sources))
            continue;
        if (found)
            run_error(run, node_key_span(map, *sources), "'%s' excludes '%s'", *sources, found);
        found = *sources;
    }
    return found;
}

void finish_config(const struct schema_run *run, struct node *map)
{
    static const char *const sources[] = { "file", "environment", "content", NULL };

    if (!has_source(run, map, sources) && !has(map, "external"))
        run_error(run, map->span, "one of 'file', 'environment', 'content' must be set");
}

void finish_secret(const struct schema_run *run, struct node *map)
{
    static const char *const sources[] = { "file", "environment", NULL };
    const struct node *external = node_get(map, "external");
    const char *environment = node_text_at(map, "environment");
    bool elsewhere = false;

    if (external)
        value_bool(&elsewhere, external);
    has_source(run, map, sources);
    if (environment && !*environment && !elsewhere)
        run_error(run, node_get(map, "environment")->span, "must not be empty");
}
