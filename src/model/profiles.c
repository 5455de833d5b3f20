/* Which services take part. */
#include <string.h>

#include "model/loader.h"

/*
 * A service without profiles always does. One with profiles does when one of them is active: by
 * --profile, else by STACK_PROFILES / COMPOSE_PROFILES, and always the profiles of services that
 * the command line names. The others leave the document, but messages still know them.
 */

static void add_profiles_of(struct strv *active, const struct node *service)
{
    const struct node *list = node_get(service, "profiles");
    node_each (i, list) {
        const char *name = node_text(list->items[i]);
        if (name && !strv_has(active, name))
            strv_add(active, name);
    }
}

/* NAME,NAME. An empty part is a name as well, and nothing is one empty part: `profiles: ["", gpu]`
 * is how files say that a service takes part unless other profiles are asked for. */
static void add_setting(struct strv *active, const char *setting)
{
    static const char blank[] = " \t";
    for (const char *at = setting;; at++) {
        const char *end = at + strcspn(at, ",");
        at += strspn(at, blank);
        size_t n = (size_t)(end - at);
        while (n && strchr(blank, at[n - 1]))
            n--;
        strv_addn(active, at, n);
        at = end;
        if (!*at)
            break;
    }
}

static void add_active(struct loader *ld, struct strv *active, const struct node *services)
{
    const struct load_options *opt = ld->opt;
    if (opt->all_profiles)
        strv_add(active, "*");
    if (opt->profiles && *opt->profiles) {
        for (const char *const *p = opt->profiles; *p; p++)
            strv_add(active, *p);
    } else {
        const char *setting = env_setting(&ld->env, "COMPOSE_PROFILES");
        add_setting(active, setting ? setting : "");
    }
    if (opt->services)
        for (const char *const *p = opt->services; *p; p++)
            add_profiles_of(active, node_get(services, *p));
}

static bool is_enabled(const struct node *service, const struct strv *active)
{
    const struct node *list = node_get(service, "profiles");
    if (!list || list->kind != NODE_LIST || !list->len || strv_has(active, "*"))
        return true;
    node_each (i, list) {
        const char *name = node_text(list->items[i]);
        if (name && strv_has(active, name))
            return true;
    }
    return false;
}

void profiles_apply(struct loader *ld, struct node *doc)
{
    struct node *services = node_get(doc, "services");
    auto_strv struct strv active = STRV_INIT;
    add_active(ld, &active, services);
    struct node *disabled = node_new(ld->a, NODE_MAP, doc->span);
    struct node *enabled = node_new(ld->a, NODE_MAP, services ? services->span : doc->span);
    node_each (i, services) {
        struct node *to = is_enabled(services->items[i], &active) ? enabled : disabled;
        node_set(ld->a, to, services->keys[i], services->items[i]);
        to->key_spans[to->len - 1] = services->key_spans[i];
    }
    node_set(ld->a, doc, "services", enabled);
    ld->st->disabled = disabled;
    const char **profiles = arena_alloc(ld->a, (active.len + 1) * sizeof(*profiles));
    for (size_t i = 0; i < active.len; i++)
        profiles[i] = arena_strdup(ld->a, active.items[i]);
    ld->st->profiles = profiles;
}
