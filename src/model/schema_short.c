/* Short forms of the smaller keys. Each takes any node and returns what is not its short form. */
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "model/schema_run.h"

/* { key: v } */
static struct node *map_of(struct arena *a, const char *key, struct node *v)
{
    struct node *map = node_new(a, NODE_MAP, v->span);

    node_set(a, map, key, v);
    return map;
}

/* A string as the value of one key. */
static struct node *string_as(const struct schema_run *run, const char *key, struct node *v)
{
    return v->kind == NODE_STRING ? map_of(run->arena, key, v) : v;
}

struct node *expand_build(const struct schema_run *run, struct node *v)
{
    return string_as(run, "context", v);
}

struct node *expand_extends(const struct schema_run *run, struct node *v)
{
    return string_as(run, "service", v);
}

struct node *expand_include(const struct schema_run *run, struct node *v)
{
    return string_as(run, "path", v);
}

struct node *expand_file_use(const struct schema_run *run, struct node *v)
{
    return string_as(run, "source", v);
}

struct node *expand_project(const struct schema_run *run, struct node *v)
{
    return string_as(run, "path", v);
}

struct node *expand_infrastructure(const struct schema_run *run, struct node *v)
{
    return string_as(run, "image", v);
}

struct node *expand_image(const struct schema_run *run, struct node *v)
{
    return string_as(run, "dockerfile", v);
}

struct node *expand_env_file(const struct schema_run *run, struct node *v)
{
    if (v->kind == NODE_STRING) {
        struct node *list = node_new(run->arena, NODE_LIST, v->span);
        node_append(run->arena, list, v);
        v = list;
    }
    node_each (i, v->kind == NODE_LIST ? v : NULL)
        v->items[i] = string_as(run, "path", v->items[i]);
    return v;
}

/* A list of names as the keys of a map; `make` gives their values. */
static struct node *names_to_map(const struct schema_run *run, struct node *v,
                                 struct node *(*make)(const struct schema_run *, struct span))
{
    if (v->kind != NODE_LIST)
        return v;
    struct node *map = node_new(run->arena, NODE_MAP, v->span);
    node_each (i, v) {
        const struct node *item = v->items[i];
        if (item->kind != NODE_STRING || item->mark == MARK_RESET)
            continue;
        if (node_get(map, item->text))
            run_error(run, item->span, "the same name is listed twice");
        node_set(run->arena, map, item->text, make(run, item->span));
    }
    return map;
}

static struct node *make_null(const struct schema_run *run, struct span span)
{
    return node_new(run->arena, NODE_NULL, span);
}

struct node *expand_names(const struct schema_run *run, struct node *v)
{
    return names_to_map(run, v, make_null);
}

static struct node *make_dependency(const struct schema_run *run, struct span span)
{
    bool compose = run->form == FORM_COMPOSE;
    struct node *map = node_new(run->arena, NODE_MAP, span);

    node_set_string(run->arena, map, "condition", compose ? "service_started" : "service_ready");
    node_set(run->arena, map, "required", node_bool(run->arena, true, span));
    return map;
}

struct node *expand_depends_on(const struct schema_run *run, struct node *v)
{
    return names_to_map(run, v, make_dependency);
}

struct node *expand_gpus(const struct schema_run *run, struct node *v)
{
    if (v->kind != NODE_STRING)
        return v;
    struct node *list = node_new(run->arena, NODE_LIST, v->span);
    node_append(run->arena, list, map_of(run->arena, "count", v));
    return list;
}

/* No servers, as an unset variable leaves it: nothing is said. */
struct node *expand_dns(const struct schema_run *run, struct node *v)
{
    if (v->kind == NODE_STRING && !v->text[0])
        return node_new(run->arena, NODE_LIST, v->span);
    for (size_t i = 0; v->kind == NODE_LIST && i < v->len;) {
        const struct node *item = v->items[i];
        if (item->kind == NODE_STRING && !item->text[0])
            node_remove_at(v, i);
        else
            i++;
    }
    return v;
}

/* Pools of two files are compared each with each. */
struct node *expand_pools(const struct schema_run *run, struct node *v)
{
    enum { POOLS_MAX = 256 };

    if (v->len <= POOLS_MAX)
        return v;
    run_error(run, v->span, "more than %d pools", POOLS_MAX);
    return NULL;
}

struct node *expand_count(const struct schema_run *run, struct node *v)
{
    bool all = v->kind == NODE_STRING && strcasecmp(v->text, "all") == 0;

    return all ? node_int(run->arena, -1, v->span) : v;
}

struct node *expand_switch(const struct schema_run *run, struct node *v)
{
    return v->kind == NODE_BOOL ? node_string(run->arena, v->value, v->span) : v;
}

/* ["CMD-SHELL", v] or the like. */
static struct node *words_and(const struct schema_run *run, const char *const *words,
                              struct node *v)
{
    if (v->kind != NODE_STRING)
        return v;
    struct node *list = node_new(run->arena, NODE_LIST, v->span);
    for (; *words; words++)
        node_append(run->arena, list, node_string(run->arena, *words, v->span));
    node_append(run->arena, list, v);
    return list;
}

struct node *expand_test(const struct schema_run *run, struct node *v)
{
    static const char *const words[] = { "CMD-SHELL", NULL };
    return words_and(run, words, v);
}

struct node *expand_ready_exec(const struct schema_run *run, struct node *v)
{
    static const char *const words[] = { "/bin/sh", "-c", NULL };
    return words_and(run, words, v);
}

/* [HOST][:PORT][/PATH], "http://" before it allowed. */
struct node *expand_ready_http(const struct schema_run *run, struct node *v)
{
    if (v->kind != NODE_STRING || run_is_open(run, v))
        return v;
    struct arena *a = run->arena;
    struct node *map = node_new(a, NODE_MAP, v->span);
    const char *text = v->text + (str_starts(v->text, "http://") ? strlen("http://") : 0);
    size_t authority = strcspn(text, "/");
    const char *colon = memchr(text, ':', authority);
    size_t host = colon ? (size_t)(colon - text) : authority;

    if (host)
        node_set(a, map, "host", node_string(a, arena_strndup(a, text, host), v->span));
    if (colon) {
        int64_t port;
        if (num_range(&port, arena_strndup(a, colon + 1, authority - host - 1), 1, 65535) < 0) {
            run_error(run, v->span, "must be of the form [HOST][:PORT][/PATH]");
            return NULL;
        }
        node_set(a, map, "port", node_int(a, port, v->span));
    }
    if (text[authority])
        node_set(a, map, "path", node_string(a, text + authority, v->span));
    return map;
}

/* Each option may be repeated: a scalar becomes a list of one. */
struct node *expand_provider_options(const struct schema_run *run, struct node *v)
{
    node_each (i, v->kind == NODE_MAP ? v : NULL) {
        struct node *item = v->items[i];
        if (!node_is_scalar(item) || item->kind == NODE_NULL || item->mark == MARK_RESET)
            continue;
        v->items[i] = node_new(run->arena, NODE_LIST, item->span);
        v->items[i]->mark = item->mark;
        node_append(run->arena, v->items[i], item);
    }
    node_each (i, v->kind == NODE_MAP ? v : NULL) {
        struct node *list = v->items[i];
        node_each (k, list->kind == NODE_LIST ? list : NULL) {
            if (node_text(list->items[k]))
                list->items[k] =
                    node_string(run->arena, list->items[k]->value, list->items[k]->span);
        }
    }
    return v;
}

/* `external: { name: x }` of a network, volume, config or secret: the name moves up. */
struct node *expand_resource(const struct schema_run *run, struct node *v)
{
    struct node *external = node_get(v, "external");

    if (!external || external->kind != NODE_MAP || external->mark == MARK_RESET)
        return v;
    struct node *inner = node_get(external, "name");
    const char *name = node_text(inner), *outer = node_text_at(v, "name");
    if (name) {
        run_warning(run, external->span, "'external.name' is deprecated");
        diag_hint(run->d, "write 'external: true' and 'name' beside it");
    }
    if (name && outer && strcmp(name, outer) != 0)
        run_error(run, inner->span, "'name' and 'external.name' differ");
    if (name && !outer)
        node_set(run->arena, v, "name", inner);
    node_set(run->arena, v, "external", node_bool(run->arena, true, external->span));
    return v;
}

/* One "host=address" line for each address; brackets around IPv6 addresses go. */
static void add_host(const struct schema_run *run, struct node *list, const char *host,
                     const char *address, size_t len, struct span span)
{
    if (!*host || host[strcspn(host, ":=")]) {
        run_error(run, span, "the host name is missing or not one");
        return;
    }
    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    auto_str struct str line = STR_INIT;
    str_addf(&line, "%s=", host);
    str_addn(&line, address, len);
    node_append(run->arena, list, node_string(run->arena, line.buf, span));
}

/* "HOST=ADDRESS[,ADDRESS]" or with ':' after the host. */
static void add_host_line(const struct schema_run *run, struct node *list, struct node *item)
{
    if (run_is_open(run, item)) {
        node_append(run->arena, list, item);
        return;
    }
    const char *sep = strchr(item->text, '=');
    if (!sep)
        sep = strchr(item->text, ':');
    if (!sep) {
        run_error(run, item->span, "the address is missing: HOST=ADDRESS");
        return;
    }
    const char *host = arena_strndup(run->arena, item->text, (size_t)(sep - item->text));
    const char *p = sep + 1;
    for (;; p++) {
        size_t len = strcspn(p, ",");
        add_host(run, list, host, p, len, item->span);
        p += len;
        if (!*p)
            break;
    }
}

struct node *expand_hosts(const struct schema_run *run, struct node *v)
{
    struct node *list = node_new(run->arena, NODE_LIST, v->span);

    if (v->kind != NODE_LIST && v->kind != NODE_MAP)
        return v;
    node_each (i, v) {
        struct node *item = v->items[i];
        size_t mark = v->kind == NODE_MAP ? run_enter(run, v->keys[i]) : run_enter_item(run, i);
        bool several = v->kind == NODE_MAP && item->kind == NODE_LIST;
        if (item->mark == MARK_RESET || (!node_is_scalar(item) && !several))
            ;
        else if (v->kind == NODE_LIST && item->kind == NODE_STRING)
            add_host_line(run, list, item);
        else if (v->kind == NODE_MAP && !several)
            add_host(run, list, v->keys[i], item->value, strlen(item->value), item->span);
        node_each (k, several ? item : NULL) {
            const char *address = node_text(item->items[k]);
            if (address)
                add_host(run, list, v->keys[i], address, strlen(address), item->items[k]->span);
        }
        run_leave(run, mark);
    }
    return list;
}
