/* The fig form and Compose v1: services at the root, before there were networks. */
#include <string.h>

#include "base/path.h"
#include "model/loader.h"

/*
 * Keys that Compose renamed get their new names, and what was implied is said: link variables, and
 * volumes that nobody had to declare. Services that say nothing of their network were on the
 * engine's own bridge, where only --link gave names; `x-form: fig` marks them, see normalise.c.
 */

static const char *const service_keys[] = {
    "build",
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "command",
    "container_name",
    "cpu_quota",
    "cpu_shares",
    "cpuset",
    "devices",
    "dns",
    "dns_search",
    "dockerfile",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "group_add",
    "hostname",
    "image",
    "ipc",
    "labels",
    "links",
    "log_driver",
    "log_opt",
    "mac_address",
    "mem_limit",
    "mem_swappiness",
    "memswap_limit",
    "net",
    "oom_kill_disable",
    "pid",
    "ports",
    "privileged",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_signal",
    "tty",
    "ulimits",
    "user",
    "volume_driver",
    "volumes",
    "volumes_from",
    "working_dir",
};

static bool known_key(const char *key)
{
    for (size_t i = 0; i < countof(service_keys); i++)
        if (!strcmp(key, service_keys[i]))
            return true;
    return false;
}

bool fig_is_service(const struct node *n)
{
    if (!n || n->kind != NODE_MAP)
        return false;
    static const char *const telling[] = { "image", "build", "extends" };
    for (size_t i = 0; i < countof(telling); i++) {
        const struct node *value = node_get(n, telling[i]);
        if (value && (value->kind == NODE_STRING || !strcmp(telling[i], "extends")))
            return true;
    }
    node_each (i, n)
        if (!known_key(n->keys[i]))
            return false;
    return true;
}

/* The part of "db:ro" or "db:alias" before the colon. */
static const char *first_part(struct loader *ld, const char *text)
{
    return arena_strndup(ld->a, text, strcspn(text, ":"));
}

static void convert_build(struct loader *ld, const char *name, struct node *s)
{
    struct node *build = node_get(s, "build"), *dockerfile = node_get(s, "dockerfile");
    const struct node *image = node_get(s, "image");
    if (build ? build->kind != NODE_STRING : !dockerfile)
        return;
    if (image) {
        diag_error(ld->d, (build ? build : dockerfile)->span,
                   "service '%s' has both 'image' and '%s'", name, build ? "build" : "dockerfile");
        diag_hint(ld->d, "a file with 'services:' may say both");
    }
    struct node *longer = node_new(ld->a, NODE_MAP, (build ? build : dockerfile)->span);
    if (build)
        node_set(ld->a, longer, "context", build);
    if (dockerfile)
        node_set(ld->a, longer, "dockerfile", dockerfile);
    node_remove(s, "dockerfile");
    node_set(ld->a, s, "build", longer);
}

static void convert_logging(struct loader *ld, struct node *s)
{
    struct node *driver = node_get(s, "log_driver"), *options = node_get(s, "log_opt");
    if (!driver && !options)
        return;
    struct node *logging = node_new(ld->a, NODE_MAP, (driver ? driver : options)->span);
    if (driver)
        node_set(ld->a, logging, "driver", driver);
    if (options)
        node_set(ld->a, logging, "options", options);
    node_remove(s, "log_driver");
    node_remove(s, "log_opt");
    node_set(ld->a, s, "logging", logging);
}

/* "name:/path" made the volume `name` on the engine, under just that name. */
static void declare_volumes(struct loader *ld, struct node *volumes, struct node *s)
{
    struct node *list = node_get(s, "volumes"), *driver = node_get(s, "volume_driver");
    node_each (i, list) {
        const char *text = node_text(list->items[i]);
        if (list->kind != NODE_LIST || !text || !strchr(text, ':') || strchr("./~$", text[0]))
            continue;
        const char *name = first_part(ld, text);
        struct span at = list->items[i]->span;
        if (strchr(name, '/')) {
            list->items[i] = node_string(ld->a, arena_printf(ld->a, "./%s", text), at);
            continue;
        }
        if (node_get(volumes, name))
            continue;
        struct node *volume = node_new(ld->a, NODE_MAP, at);
        node_set_string(ld->a, volume, "name", name);
        if (driver)
            node_set(ld->a, volume, "driver", driver);
        node_set(ld->a, volumes, name, volume);
    }
    node_remove(s, "volume_driver");
}

struct node *fig_convert(struct loader *ld, struct node *doc)
{
    struct node *out = node_new(ld->a, NODE_MAP, doc->span);
    struct node *services = node_new(ld->a, NODE_MAP, doc->span);
    struct node *volumes = node_new(ld->a, NODE_MAP, doc->span);
    node_each (i, doc) {
        const char *name = doc->keys[i];
        struct node *s = doc->items[i];
        if (!strncmp(name, "x-", 2))
            continue;
        node_set(ld->a, services, name, s);
        services->key_spans[services->len - 1] = doc->key_spans[i];
        if (s->kind != NODE_MAP)
            continue; /* reported by the check */
        convert_build(ld, name, s);
        node_rename(ld->a, s, "net", "network_mode");
        convert_logging(ld, s);
        declare_volumes(ld, volumes, s);
        if (!node_get(s, "x-link-environment"))
            node_set(ld->a, s, "x-link-environment", node_bool(ld->a, true, s->span));
        node_set_string(ld->a, s, "x-form", "fig");
    }
    node_set(ld->a, out, "services", services);
    if (volumes->len)
        node_set(ld->a, out, "volumes", volumes);
    return out;
}

bool fig_give_way(struct loader *ld, const char *name, struct node *base, const struct node *over)
{
    const struct node *form = node_get(base, "x-form");
    if (!form != !node_get(over, "x-form")) {
        diag_error(ld->d, over->span,
                   "service '%s' is made of services of two forms: below 'services:', and without",
                   name);
        return false;
    }
    if (form && node_get(over, "image"))
        node_remove(base, "build");
    else if (form && node_at(over, "build.context"))
        node_remove(base, "image");
    return true;
}

void fig_give_way_all(struct loader *ld, const struct node *base, const struct node *over)
{
    const struct node *ours = node_get(base, "services"), *theirs = node_get(over, "services");
    node_each (i, theirs) {
        struct node *service = node_get(ours, theirs->keys[i]);
        if (service && service->kind == NODE_MAP && theirs->items[i]->kind == NODE_MAP)
            fig_give_way(ld, theirs->keys[i], service, theirs->items[i]);
    }
}

/* `net` and `volumes_from` name services and containers alike: what is no service is a container
 * outside. */
static void resolve_service_names(struct loader *ld, const struct node *services, struct node *s)
{
    const struct node *net = node_get(s, "network_mode");
    const char *mode = node_text(net);
    if (mode && str_starts(mode, "container:") && node_get(services, mode + strlen("container:")))
        node_set(ld->a, s, "network_mode",
                 node_string(ld->a, arena_printf(ld->a, "service:%s", mode + strlen("container:")),
                             net->span));
    struct node *list = node_get(s, "volumes_from");
    node_each (i, list) {
        const char *text = node_text(list->items[i]);
        if (list->kind != NODE_LIST || !text || str_starts(text, "container:"))
            continue;
        const char *colon = strchr(text, ':');
        if (colon && strchr(colon + 1, ':'))
            diag_error(ld->d, list->items[i]->span, "must be NAME or NAME:MODE");
        else if (!node_get(services, first_part(ld, text)))
            list->items[i] =
                node_string(ld->a, arena_printf(ld->a, "container:%s", text), list->items[i]->span);
    }
}

void fig_resolve(struct loader *ld, struct node *doc)
{
    struct node *services = node_get(doc, "services");
    node_each (i, services)
        if (node_get(services->items[i], "x-form"))
            resolve_service_names(ld, services, services->items[i]);
}

/* `x-condition: ready` beside Compose's condition: the printed form stays one that docker compose
 * understands. */
static struct node *ready_entry(struct loader *ld, struct span at, bool restart)
{
    struct node *entry = node_new(ld->a, NODE_MAP, at);
    node_set_string(ld->a, entry, "condition", "service_started");
    node_set(ld->a, entry, "required", node_bool(ld->a, true, at));
    if (restart)
        node_set(ld->a, entry, "restart", node_bool(ld->a, true, at));
    node_set_string(ld->a, entry, "x-condition", "ready");
    return entry;
}

static void wait_in_service(struct loader *ld, struct node *s)
{
    struct node *deps = node_get(s, "depends_on"), *links = node_get(s, "links");
    struct node *out = node_new(ld->a, NODE_MAP, deps ? deps->span : s->span);
    if (deps && deps->mark != MARK_NONE)
        return;
    if (deps && deps->kind == NODE_LIST) {
        node_each (i, deps) {
            const char *name = node_text(deps->items[i]);
            if (!name)
                return; /* reported by the check */
            node_set(ld->a, out, name, ready_entry(ld, deps->items[i]->span, false));
        }
    } else if (deps && deps->kind == NODE_MAP) {
        node_each (i, deps) {
            struct node *entry = deps->items[i];
            if (entry->kind == NODE_NULL)
                entry = ready_entry(ld, entry->span, false);
            else if (entry->kind == NODE_MAP && !node_get(entry, "condition"))
                node_set_string(ld->a, entry, "x-condition", "ready");
            node_set(ld->a, out, deps->keys[i], entry);
            out->key_spans[out->len - 1] = deps->key_spans[i];
        }
    } else if (deps) {
        return;
    }
    node_each (i, links) {
        const char *text = node_text(links->items[i]);
        const char *name = text ? first_part(ld, text) : NULL;
        if (name && links->kind == NODE_LIST && !node_get(out, name))
            node_set(ld->a, out, name, ready_entry(ld, links->items[i]->span, true));
    }
    if (out->len)
        node_set(ld->a, s, "depends_on", out);
}

void wait_for_ready(struct loader *ld, struct node *services)
{
    node_each (i, services)
        if (services->kind == NODE_MAP && services->items[i]->kind == NODE_MAP)
            wait_in_service(ld, services->items[i]);
}
