/* What only the whole shows: references, cycles, names and ports that are taken twice. */
#include <string.h>

#include "base/num.h"
#include "model/loader.h"

/*
 * Every mistake is reported where the reference stands. The checks that concern one value or one
 * object alone are the schema's; here are those that need two places of the document.
 */

struct validation {
    struct loader *ld;
    const struct node *doc;
    struct strmap services; /* name -> struct node *, enabled ones */
};

static struct span span_at(const struct node *map, const char *key)
{
    const struct node *n = node_get(map, key);
    return n ? n->span : map->span;
}

/* `name` must be an entry of the top-level section. */
static void need(struct validation *v, const char *service, struct span at, const char *section,
                 const char *kind, const char *name)
{
    const struct node *entries = node_get(v->doc, section);
    if (node_get(entries, name))
        return;
    diag_error(v->ld->d, at, "service '%s' uses %s '%s', which is not defined", service, kind,
               name);
    diag_hint(v->ld->d, "define it at the top level: %s: { %s: {} }", section, name);
    suggest_key(v->ld, name, entries);
}

static void check_uses(struct validation *v, const char *name, const struct node *s,
                       const char *list_path, const char *section, const char *kind)
{
    const struct node *list = node_at(s, list_path);
    node_each (i, list) {
        const struct node *item = list->items[i];
        const char *source = list->kind == NODE_MAP ? list->keys[i] : node_text_at(item, "source");
        if (!source)
            continue;
        need(v, name, list->kind == NODE_MAP ? list->key_spans[i] : item->span, section, kind,
             source);
    }
}

static void check_volumes(struct validation *v, const char *name, const struct node *s)
{
    const struct node *list = node_get(s, "volumes"), *tmpfs = node_get(s, "tmpfs");
    struct strmap targets = STRMAP_INIT;
    node_each (i, tmpfs) {
        const char *text = node_text(tmpfs->items[i]);
        if (!text)
            continue;
        const char *target = arena_strndup(v->ld->a, text, strcspn(text, ":"));
        if (strmap_set(&targets, target, tmpfs->items[i]))
            diag_error(v->ld->d, tmpfs->items[i]->span,
                       "service '%s' mounts two things at the same place", name);
    }
    node_each (i, list) {
        const struct node *item = list->items[i];
        const char *type = node_text_at(item, "type"), *source = node_text_at(item, "source");
        const char *target = node_text_at(item, "target");
        if (type && !strcmp(type, "volume") && source && *source)
            need(v, name, item->span, "volumes", "volume", source);
        if (target && strmap_set(&targets, target, list->items[i]))
            diag_error(v->ld->d, item->span, "service '%s' mounts two things at the same place",
                       name);
    }
    strmap_clear(&targets, NULL);
}

/* A service that something refers to must be there. */
static bool need_service(struct validation *v, const char *name, const char *how, const char *other,
                         struct span at, bool required)
{
    if (strmap_has(&v->services, other))
        return true;
    const struct node *disabled = node_get(v->ld->st->disabled, other);
    if (disabled && !required)
        return false;
    if (disabled) {
        const struct node *profile = node_get(disabled, "profiles");
        const char *first = profile && profile->len ? node_text(profile->items[0]) : NULL;
        diag_error(v->ld->d, at, "service '%s' %s '%s', which no active profile enables", name, how,
                   other);
        if (first)
            diag_hint(v->ld->d, "--profile %s, or 'required: false' in depends_on", first);
        return false;
    }
    diag_error(v->ld->d, at, "service '%s' %s '%s', which is not defined", name, how, other);
    suggest_key(v->ld, other, node_get(v->doc, "services"));
    return false;
}

static void check_dependencies(struct validation *v, const char *name, const struct node *s)
{
    const struct node *deps = node_get(s, "depends_on");
    node_each (i, deps)
        if (deps->kind == NODE_MAP)
            need_service(v, name, "depends on", deps->keys[i],
                         deps->key_spans[i].source ? deps->key_spans[i] : deps->items[i]->span,
                         node_bool_at(deps->items[i], "required", true));
}

static void check_build(struct validation *v, const char *name, const struct node *s)
{
    const struct node *build = node_get(s, "build");
    if (!build || build->kind != NODE_MAP)
        return;
    check_uses(v, name, s, "build.secrets", "secrets", "secret");
    const struct node *contexts = node_get(build, "additional_contexts");
    node_each (i, contexts) {
        const char *text = node_text(contexts->items[i]);
        if (!text || !str_starts(text, "service:"))
            continue;
        const char *other = text + strlen("service:");
        if (need_service(v, name, "builds with", other, contexts->items[i]->span, true) &&
            !node_get(strmap_get(&v->services, other), "build"))
            diag_error(v->ld->d, contexts->items[i]->span,
                       "service '%s' builds with '%s', which is not built here", name, other);
    }
    const char *platform = node_text_at(s, "platform");
    const struct node *platforms = node_get(build, "platforms");
    if (!platform || !*platform || !platforms || !platforms->len)
        return;
    node_each (i, platforms)
        if (str_eq(node_text(platforms->items[i]), platform))
            return;
    diag_error(v->ld->d, platforms->span, "build.platforms of service '%s' lacks its platform",
               name);
}

/* The same said in two places must be the same. */
static void check_twice_said(struct validation *v, const char *name, const struct node *s)
{
    static const struct {
        const char *key, *deploy;
    } pairs[] = {
        { "scale", "deploy.replicas" },
        { "cpus", "deploy.resources.limits.cpus" },
        { "mem_limit", "deploy.resources.limits.memory" },
        { "mem_reservation", "deploy.resources.reservations.memory" },
        { "pids_limit", "deploy.resources.limits.pids" },
    };
    for (size_t i = 0; i < countof(pairs); i++) {
        const struct node *a = node_get(s, pairs[i].key), *b = node_at(s, pairs[i].deploy);
        if (!node_text(a) || !node_text(b))
            continue;
        double x, y;
        bool same = num_double(&x, node_text(a)) == 0 && num_double(&y, node_text(b)) == 0
                        ? x == y
                        : str_eq(node_text(a), node_text(b));
        if (!same)
            diag_error(v->ld->d, a->span, "service '%s': '%s' and '%s' say different things", name,
                       pairs[i].key, pairs[i].deploy);
    }
}

static void check_health(struct validation *v, const char *name, const struct node *s)
{
    const struct node *test = node_at(s, "healthcheck.test");
    if (!test || test->kind != NODE_LIST || !test->len)
        return;
    const char *first = node_text(test->items[0]);
    if (first && strcmp(first, "CMD") != 0 && strcmp(first, "CMD-SHELL") != 0 &&
        strcmp(first, "NONE") != 0)
        diag_error(v->ld->d, test->items[0]->span,
                   "healthcheck.test of service '%s' begins with CMD, CMD-SHELL or NONE", name);
}

static void check_watch(struct validation *v, const char *name, const struct node *s)
{
    const struct node *watch = node_at(s, "develop.watch");
    node_each (i, watch) {
        const char *action = node_text_at(watch->items[i], "action");
        const char *target = node_text_at(watch->items[i], "target");
        if (action && (!target || !*target) && strcmp(action, "rebuild") != 0 &&
            strcmp(action, "restart") != 0)
            diag_error(v->ld->d, watch->items[i]->span,
                       "develop.watch of service '%s' needs a target for this action", name);
    }
}

static void check_service(struct validation *v, const char *name, const struct node *s)
{
    struct span at = node_key_span(node_get(v->doc, "services"), name);
    if (!at.source)
        at = s->span;
    const char *image = node_text_at(s, "image");
    if (!node_get(s, "build") && (!image || !*image) && !node_get(s, "provider")) {
        diag_error(v->ld->d, at, "service '%s' has neither an image nor a build", name);
    }
    const struct node *networks = node_get(s, "networks");
    if (node_text_at(s, "network_mode") && *node_text_at(s, "network_mode") && networks &&
        networks->len)
        diag_error(v->ld->d, span_at(s, "network_mode"),
                   "service '%s' has both network_mode and networks", name);
    check_uses(v, name, s, "networks", "networks", "network");
    check_uses(v, name, s, "configs", "configs", "config");
    check_uses(v, name, s, "secrets", "secrets", "secret");
    check_uses(v, name, s, "models", "models", "model");
    check_volumes(v, name, s);
    check_dependencies(v, name, s);
    check_build(v, name, s);
    check_twice_said(v, name, s);
    check_health(v, name, s);
    check_watch(v, name, s);
    int64_t replicas = node_int_at(s, "scale", node_int_at(s, "deploy.replicas", 1));
    if (replicas < 0)
        diag_error(v->ld->d, at, "service '%s' cannot run less than 0 times", name);
    if (replicas > 1 && node_text_at(s, "container_name"))
        diag_error(v->ld->d, span_at(s, "container_name"),
                   "service '%s' runs %lld times, so its containers cannot all have one name", name,
                   (long long)replicas);
}

/* Over all. */

/* A config without a source is found by the schema, a secret only where its use is checked. */
static void check_secrets(struct validation *v)
{
    const struct node *secrets = node_get(v->doc, "secrets");
    node_each (i, secrets) {
        const struct node *s = secrets->items[i];
        if (!node_bool_at(s, "external", false) && !node_get(s, "file") &&
            !node_get(s, "environment"))
            diag_error(v->ld->d, s->span, "secrets.%s: one of 'file', 'environment' must be set",
                       secrets->keys[i]);
    }
}

static void check_container_names(struct validation *v)
{
    struct strmap names = STRMAP_INIT;
    strmap_each (it, &v->services) {
        const struct node *s = it->value;
        const char *name = node_text_at(s, "container_name");
        if (!name || !*name)
            continue;
        const char *other = strmap_set(&names, name, it->key);
        if (other)
            loader_fault(v->ld, &(struct fault){
                                    .service = arena_strdup(v->ld->a, it->key),
                                    .other = arena_strdup(v->ld->a, other),
                                    .text = arena_printf(v->ld->a,
                                                         "service '%s': container name \"%s\" is "
                                                         "already in use by service '%s'",
                                                         it->key, name, other),
                                    .span = span_at(s, "container_name"),
                                });
    }
    strmap_clear(&names, NULL);
}

/* Two services cannot have one port of the host. Compose finds out when the engine refuses. */
static void check_ports(struct validation *v)
{
    struct strmap taken = STRMAP_INIT;
    strmap_each (it, &v->services) {
        const struct node *ports = node_get(it->value, "ports");
        node_each (i, ports) {
            const struct node *p = ports->items[i];
            const char *published = node_text_at(p, "published");
            if (!published || !*published || strchr(published, '-'))
                continue;
            const char *ip = node_text_at(p, "host_ip"), *proto = node_text_at(p, "protocol");
            const char *key =
                arena_printf(v->ld->a, "%s:%s/%s", ip ? ip : "", published, proto ? proto : "tcp");
            const char *other = strmap_set(&taken, key, it->key);
            if (other && strcmp(other, it->key) != 0)
                diag_warning(v->ld->d, p->span, "services '%s' and '%s' publish the same port %s",
                             other, it->key, published);
        }
    }
    strmap_clear(&taken, NULL);
}

/* Cycles of dependencies: depth first, with the path that is being followed. */

enum color { WHITE, GREY, BLACK };

struct visit {
    struct validation *v;
    struct strmap colors; /* service -> (void *)(uintptr_t)color */
    struct strv path;
};

static void report_cycle(struct visit *w, const char *again, struct span at)
{
    auto_str struct str text = STR_INIT;
    bool inside = false;
    strv_each (it, &w->path) {
        inside |= !strcmp(*it, again);
        if (inside)
            str_addf(&text, "%s -> ", *it);
    }
    str_add(&text, again);
    diag_error(w->v->ld->d, at, "services depend on each other in a cycle: %s", text.buf);
}

static void walk_dependencies(struct visit *w, const char *name)
{
    const struct node *deps = node_get(strmap_get(&w->v->services, name), "depends_on");
    strmap_set(&w->colors, name, (void *)(uintptr_t)GREY);
    strv_add(&w->path, name);
    node_each (i, deps) {
        const char *other = deps->keys[i];
        if (deps->kind != NODE_MAP || !strmap_has(&w->v->services, other))
            continue;
        enum color color = (enum color)(uintptr_t)strmap_get(&w->colors, other);
        if (color == GREY)
            report_cycle(w, other,
                         deps->key_spans[i].source ? deps->key_spans[i] : deps->items[i]->span);
        else if (color == WHITE)
            walk_dependencies(w, other);
    }
    free(w->path.items[--w->path.len]);
    w->path.items[w->path.len] = NULL;
    strmap_set(&w->colors, name, (void *)(uintptr_t)BLACK);
}

static void check_cycles(struct validation *v)
{
    struct visit w = { .v = v };
    strmap_each (it, &v->services)
        if (!strmap_has(&w.colors, it->key))
            walk_dependencies(&w, it->key);
    strmap_clear(&w.colors, NULL);
    strv_clear(&w.path);
}

void validate(struct loader *ld, const struct node *doc)
{
    struct validation v = { .ld = ld, .doc = doc };
    const struct node *services = node_get(doc, "services");
    node_each (i, services)
        if (services->kind == NODE_MAP && services->items[i]->kind == NODE_MAP)
            strmap_set(&v.services, services->keys[i], services->items[i]);
    strmap_each (it, &v.services)
        check_service(&v, it->key, it->value);
    check_secrets(&v);
    check_container_names(&v);
    check_ports(&v);
    check_cycles(&v);
    strmap_clear(&v.services, NULL);
}
