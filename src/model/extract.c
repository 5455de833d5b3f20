/* The structs of model.h from the finished document: what planning works with. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/extract.h"
#include "model/loader.h"

/*
 * Nothing is decided here that a document does not say: by now every default is in the tree and
 * every reference is known to resolve (validate.c). Services come first as an array, so that what
 * refers to them can hold pointers into it.
 */

struct extraction {
    struct loader *ld;
    struct arena *a;
    struct stack *st;
    const struct node *doc;
    struct service *services;
    struct network *networks;
    struct volume *volumes;
    struct file_object *configs, *secrets;
    struct {
        VEC(struct image);
    } images;
};

static struct span entry_span(const struct node *map, size_t i)
{
    return map->key_spans[i].source ? map->key_spans[i] : map->items[i]->span;
}

/* Networks, volumes, configs, secrets. */

static void take_networks(struct extraction *x)
{
    const struct node *map = node_get(x->doc, "networks");
    /* One more for the network that services of the fig form share. */
    x->networks = arena_alloc(x->a, (map_len(map) + 1) * sizeof(*x->networks));
    for (size_t i = 0; i < map_len(map); i++) {
        const char *name = said(map->items[i], "name");
        x->networks[i] = (struct network){
            .key = map->keys[i],
            .name = name ? name : map->keys[i],
            .external = node_bool_at(map->items[i], "external", false),
            .config = map->items[i],
            .span = entry_span(map, i),
        };
    }
    x->st->networks = x->networks;
    x->st->nnetworks = map_len(map);
}

static struct network *network_of(struct extraction *x, const char *key)
{
    for (size_t i = 0; i < x->st->nnetworks; i++)
        if (!strcmp(x->networks[i].key, key))
            return &x->networks[i];
    return NULL;
}

/* The stack's default network, for services that the document puts on the engine's bridge. */
static struct network *implied_network(struct extraction *x, struct span at)
{
    struct network *n = network_of(x, "default");
    if (n)
        return n;
    struct node *config = node_new(x->a, NODE_MAP, at);
    const char *name = arena_printf(x->a, "%s_default", x->st->name);
    node_set_string(x->a, config, "name", name);
    n = &x->networks[x->st->nnetworks++];
    *n = (struct network){ .key = "default", .name = name, .config = config, .span = at };
    return n;
}

static void take_volumes(struct extraction *x)
{
    const struct node *map = node_get(x->doc, "volumes");
    x->volumes = arena_alloc(x->a, map_len(map) * sizeof(*x->volumes));
    for (size_t i = 0; i < map_len(map); i++) {
        const char *name = said(map->items[i], "name");
        x->volumes[i] = (struct volume){
            .key = map->keys[i],
            .name = name ? name : map->keys[i],
            .external = node_bool_at(map->items[i], "external", false),
            .config = map->items[i],
            .span = entry_span(map, i),
        };
    }
    x->st->volumes = x->volumes;
    x->st->nvolumes = map_len(map);
}

static struct file_object *take_objects(struct extraction *x, const char *section, bool secret,
                                        size_t *len)
{
    const struct node *map = node_get(x->doc, section);
    struct file_object *out = arena_alloc(x->a, map_len(map) * sizeof(*out));
    for (size_t i = 0; i < map_len(map); i++) {
        struct node *n = map->items[i];
        const char *name = said(n, "name");
        out[i] = (struct file_object){
            .key = map->keys[i],
            .name = name ? name : map->keys[i],
            .external = node_bool_at(n, "external", false),
            .secret = secret,
            .file = said(n, "file"),
            .environment = said(n, "environment"),
            .content = secret ? strmap_get(&x->ld->secret_values, map->keys[i])
                              : node_text_at(n, "content"),
            .config = n,
            .span = entry_span(map, i),
        };
    }
    *len = map_len(map);
    return out;
}

/* Images. */

static struct image image_of(struct extraction *x, const char *name, const char *project,
                             const char *ref, const struct node *build, struct span span)
{
    const char *context = said(build, "context");
    const char *inlined = node_text_at(build, "dockerfile_inline");
    const char *dockerfile = said(build, "dockerfile");
    const struct node *platforms = node_get(build, "platforms");
    return (struct image){
        .name = name,
        .project = project,
        .ref = ref,
        .locked = x->ld->opt->locked ? locked_ref(x->ld, name) : NULL,
        .context = context ? context : x->st->dir,
        .remote_context = context && paths_is_remote(context),
        .dockerfile = inlined      ? NULL
                      : dockerfile ? dockerfile
                                   : "Dockerfile",
        .dockerfile_inline = inlined,
        .target = said(build, "target"),
        .args = node_get(build, "args"),
        .labels = node_get(build, "labels"),
        .config = build,
        .platform = list_len(platforms) == 1 ? node_text(platforms->items[0]) : NULL,
        .span = span,
    };
}

static const char *default_ref(struct extraction *x, const char *name)
{
    return arena_printf(x->a, "%s%c%s", x->st->name, x->st->separator, name);
}

static void take_images(struct extraction *x)
{
    vec_each (it, &x->ld->images)
        *vec_push(&x->images) =
            image_of(x, it->name, it->project, it->ref ? it->ref : default_ref(x, it->name),
                     it->build, it->span);
    for (size_t i = 0; i < x->st->nservices; i++) {
        struct service *s = &x->services[i];
        const struct node *build = node_get(s->config, "build");
        const char *image = said(s->config, "image");
        s->image = image ? image : build ? default_ref(x, s->name) : NULL;
        if (!build || build->kind != NODE_MAP)
            continue;
        struct image *im = vec_push(&x->images);
        *im = image_of(x, s->name, s->project, s->image, build, s->span);
        if (s->platform)
            im->platform = s->platform;
    }
    struct image *images = arena_alloc(x->a, x->images.len * sizeof(*images));
    if (x->images.len)
        memcpy(images, x->images.items, x->images.len * sizeof(*images));
    x->st->images = images;
    x->st->nimages = x->images.len;
    vec_free(&x->images);
    /* A service is built by its own `build:`, else by the `images:` entry that it names, else by
     * another service's `build:` of the same image, unless it asks for what a registry has. */
    for (size_t i = 0; i < x->st->nservices; i++) {
        struct service *s = &x->services[i];
        bool own = node_get(s->config, "build") != NULL;
        const char *policy = said(s->config, "pull_policy");
        bool shared = !policy || !strcmp(policy, "missing") || !strcmp(policy, "never");
        for (size_t k = 0; k < x->st->nimages && !s->build && s->image; k++) {
            const struct image *im = &images[k];
            bool declared = k < x->ld->images.len;
            bool named = declared && !strcmp(im->name, s->image);
            bool same = (declared || shared) && !strcmp(im->ref, s->image);
            if (own ? !declared && !strcmp(im->name, s->name) : named || same)
                s->build = im;
        }
        if (s->build)
            s->image = s->build->ref;
    }
}

/* Parts of a service. */

static struct service *service_of(struct extraction *x, const char *name)
{
    return (struct service *)(uintptr_t)stack_service(x->st, name);
}

/* Whether "other" or "other:..." is in the list. */
static bool list_names(const struct node *list, const char *other)
{
    size_t n = strlen(other);
    for (size_t i = 0; i < list_len(list); i++) {
        const char *text = node_text(list->items[i]);
        if (text && !strncmp(text, other, n) && (!text[n] || text[n] == ':'))
            return true;
    }
    return false;
}

/* Whether the container of `s` cannot be made without naming the container of `other`. */
static bool names_container_of(const struct node *config, const char *other)
{
    static const char *const keys[] = { "network_mode", "ipc", "pid", "uts", "cgroup" };
    for (size_t i = 0; i < countof(keys); i++) {
        const char *text = node_text_at(config, keys[i]);
        if (text && str_starts(text, "service:") && !strcmp(text + strlen("service:"), other))
            return true;
    }
    if (list_names(node_get(config, "volumes_from"), other))
        return true;
    /* The engine's own bridge has no names but those of links, which containers are made with. */
    const char *mode = node_text_at(config, "network_mode");
    return mode && !strcmp(mode, "bridge") && list_names(node_get(config, "links"), other);
}

static enum condition condition_of(const struct node *entry)
{
    const char *own = node_text_at(entry, "x-condition");
    const char *text = node_text_at(entry, "condition");
    if (own && !strcmp(own, "ready"))
        return COND_READY;
    if (text && !strcmp(text, "service_healthy"))
        return COND_HEALTHY;
    if (text && !strcmp(text, "service_completed_successfully"))
        return COND_COMPLETED;
    return COND_STARTED;
}

static void take_dependencies(struct extraction *x, struct service *s)
{
    const struct node *map = node_get(s->config, "depends_on");
    struct dependency *deps = arena_alloc(x->a, map_len(map) * sizeof(*deps));
    for (size_t i = 0; i < map_len(map); i++) {
        struct service *other = service_of(x, map->keys[i]);
        if (!other)
            continue; /* disabled, and not required */
        const struct node *entry = map->items[i];
        struct dependency *d = &deps[s->ndeps++];
        *d = (struct dependency){
            .service = other,
            .condition = condition_of(entry),
            .required = node_bool_at(entry, "required", true),
            .restart = node_bool_at(entry, "restart", false),
            .identity = names_container_of(s->config, other->name),
            .span = entry_span(map, i),
        };
        if (d->condition == COND_COMPLETED)
            other->job = true;
    }
    s->deps = deps;
}

static void take_links(struct extraction *x, struct service *s)
{
    const struct node *list = node_get(s->config, "links");
    struct link *links = arena_alloc(x->a, list_len(list) * sizeof(*links));
    for (size_t i = 0; i < list_len(list); i++) {
        const char *text = node_text(list->items[i]);
        if (!text)
            continue;
        const char *colon = strchr(text, ':');
        const char *name = colon ? arena_strndup(x->a, text, (size_t)(colon - text)) : text;
        struct service *other = service_of(x, name);
        if (other)
            links[s->nlinks++] = (struct link){ other, colon && colon[1] ? colon + 1 : name };
    }
    s->links = links;
}

static int by_priority(const void *a, const void *b)
{
    const struct endpoint *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return strcmp(x->network->key, y->network->key);
}

static void take_endpoints(struct extraction *x, struct service *s)
{
    const struct node *map = node_get(s->config, "networks");
    struct endpoint *ends = arena_alloc(x->a, (map_len(map) + 1) * sizeof(*ends));
    for (size_t i = 0; i < map_len(map); i++) {
        struct network *n = network_of(x, map->keys[i]);
        if (!n)
            continue;
        n->used = true;
        const struct node *config = map->items[i]->kind == NODE_MAP ? map->items[i] : NULL;
        ends[s->nendpoints++] =
            (struct endpoint){ n, config, (int)node_int_at(config, "priority", 0) };
    }
    qsort(ends, s->nendpoints, sizeof(*ends), by_priority);
    s->endpoints = ends;
}

static void take_ports(struct extraction *x, struct service *s)
{
    const struct node *list = node_get(s->config, "ports");
    struct port *ports = arena_alloc(x->a, list_len(list) * sizeof(*ports));
    for (size_t i = 0; i < list_len(list); i++) {
        const struct node *n = list->items[i];
        ports[s->nports++] = (struct port){
            .host_ip = said(n, "host_ip") ? said(n, "host_ip") : "",
            .published = said(n, "published") ? said(n, "published") : "",
            .target = (int)node_int_at(n, "target", 0),
            .protocol = said(n, "protocol") ? said(n, "protocol") : "tcp",
            .mode = said(n, "mode") ? said(n, "mode") : "ingress",
            .span = n->span,
        };
    }
    s->ports = ports;
}

static void take_mounts(struct extraction *x, struct service *s)
{
    const struct node *list = node_get(s->config, "volumes");
    const struct node *declared = node_get(x->doc, "volumes"); /* as x->volumes */
    struct mount *mounts = arena_alloc(x->a, list_len(list) * sizeof(*mounts));
    for (size_t i = 0; i < list_len(list); i++) {
        const struct node *n = list->items[i];
        const char *source = said(n, "source"), *type = said(n, "type");
        struct mount *m = &mounts[s->nmounts++];
        *m = (struct mount){
            .type = type ? type : "volume",
            .source = source ? source : "",
            .target = said(n, "target") ? said(n, "target") : "",
            .read_only = node_bool_at(n, "read_only", false),
            .config = n,
        };
        long k = source && !strcmp(m->type, "volume") ? node_index(declared, source) : -1;
        if (k >= 0) {
            x->volumes[k].used = true;
            m->volume = &x->volumes[k];
            m->source = x->volumes[k].name;
        }
    }
    s->mounts = mounts;
}

/* An octal text ("0440"), or a number. */
static int mode_of(const struct node *n)
{
    if (n->kind == NODE_INT)
        return (int)n->integer;
    int mode = 0;
    for (const char *p = node_text(n); p && *p >= '0' && *p <= '7' && mode < 07777; p++)
        mode = mode * 8 + (*p - '0');
    return mode;
}

static void take_uses(struct extraction *x, struct service *s, const char *key,
                      const struct file_object *objects, size_t n, const char *folder)
{
    const struct node *list = node_get(s->config, key);
    struct file_use *uses = (struct file_use *)(uintptr_t)s->files;
    for (size_t i = 0; i < list_len(list); i++) {
        const struct node *item = list->items[i];
        const char *source = said(item, "source"), *target = said(item, "target");
        const struct node *mode = node_get(item, "mode");
        for (size_t k = 0; source && k < n; k++) {
            if (strcmp(objects[k].key, source) != 0)
                continue;
            auto_free char *path = path_join(folder, target ? target : source);
            uses[s->nfiles++] = (struct file_use){
                .object = &objects[k],
                .target = arena_strdup(x->a, path),
                .uid = said(item, "uid") ? said(item, "uid") : "0",
                .gid = said(item, "gid") ? said(item, "gid") : "0",
                .mode = mode && mode->kind != NODE_NULL ? mode_of(mode) : 0444,
                .plain =
                    !said(item, "uid") && !said(item, "gid") && (!mode || mode->kind == NODE_NULL),
            };
        }
    }
}

static void take_files(struct extraction *x, struct service *s)
{
    size_t n = list_len(node_get(s->config, "configs")) + list_len(node_get(s->config, "secrets"));
    s->files = arena_alloc(x->a, n * sizeof(*s->files));
    take_uses(x, s, "configs", x->configs, x->st->nconfigs, "/");
    take_uses(x, s, "secrets", x->secrets, x->st->nsecrets, "/run/secrets");
}

/* What runs, where it differs from what `config` prints: see place_fig_service(). */
static struct node *running_config(struct extraction *x, struct node *printed)
{
    const char *network = node_text_at(printed, "x-network");
    if (!network || strcmp(network, "default") != 0)
        return printed;
    struct node *config = node_copy(x->a, printed);
    node_remove(config, "network_mode");
    node_remove(config, "x-network");
    struct node *networks = node_new(x->a, NODE_MAP, printed->span);
    node_set(x->a, networks, "default", node_new(x->a, NODE_NULL, printed->span));
    node_set(x->a, config, "networks", networks);
    implied_network(x, printed->span);
    return config;
}

static void begin_services(struct extraction *x)
{
    struct node *map = node_get(x->doc, "services");
    node_sort_keys(map);
    x->services = arena_alloc(x->a, map_len(map) * sizeof(*x->services));
    for (size_t i = 0; i < map_len(map); i++) {
        struct node *config = running_config(x, map->items[i]);
        x->services[i] = (struct service){
            .name = map->keys[i],
            .index = i,
            .config = config,
            .span = entry_span(map, i),
            .project = strmap_get(&x->ld->projects, map->keys[i]),
            .link_numbers = config != map->items[i],
        };
    }
    x->st->services = x->services;
    x->st->nservices = map_len(map);
}

static void take_service(struct extraction *x, struct service *s)
{
    extract_running(x->a, s);
    take_dependencies(x, s);
    take_links(x, s);
    take_endpoints(x, s);
    take_ports(x, s);
    take_mounts(x, s);
    take_files(x, s);
}

void extract(struct loader *ld, struct node *doc)
{
    struct extraction x = { .ld = ld, .a = ld->a, .st = ld->st, .doc = doc };
    take_networks(&x);
    take_volumes(&x);
    x.st->configs = x.configs = take_objects(&x, "configs", false, &x.st->nconfigs);
    x.st->secrets = x.secrets = take_objects(&x, "secrets", true, &x.st->nsecrets);
    begin_services(&x);
    const char *platform = env_get(&ld->env, "DOCKER_DEFAULT_PLATFORM");
    for (size_t i = 0; i < x.st->nservices; i++) {
        const char *own = said(x.services[i].config, "platform");
        x.services[i].platform = own ? own : platform && *platform ? platform : NULL;
    }
    take_images(&x);
    for (size_t i = 0; i < x.st->nservices; i++)
        take_service(&x, &x.services[i]);
}
