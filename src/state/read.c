/*
 * From the answers of the engine's list calls to the snapshot.
 *
 * The list calls say all that planning needs; nothing is inspected. Two facts stand in a sentence
 * meant for people, `Status`: the health of a running container, "Up 2 seconds (healthy)", and the
 * exit code of a stopped one, "Exited (1) 5 seconds ago".
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "model/labels.h"
#include "state/private.h"

/* The text at `path`, in the arena; "" when it is absent. */
static const char *text_at(struct snapshot *s, const json_t *j, const char *path)
{
    const char *text = json_str(j, path);
    return text && *text ? arena_strdup(s->arena, text) : "";
}

static int label_order(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static const struct label *read_labels(size_t *n, struct snapshot *s, json_t *map)
{
    struct label *labels = arena_alloc(s->arena, json_object_size(map) * sizeof(*labels));
    const char *key;
    json_t *value;
    *n = 0;
    json_object_foreach ((json_t *)map, key, value) {
        const char *text = json_string_value(value);
        labels[(*n)++] = (struct label){ arena_strdup(s->arena, key),
                                         text && *text ? arena_strdup(s->arena, text) : "" };
    }
    if (*n)
        qsort(labels, *n, sizeof(*labels), label_order);
    return labels;
}

/* Checks that `list` is a list of objects, each known by the text `key`: what could not be asked
 * for must not be taken for something that is not there. */
static int check_list(const json_t *list, const char *what, const char *key, struct error *err)
{
    if (!json_is_array(list))
        return error_set(err, ERR_PROTOCOL, 0, "the engine's list of %s is not a list", what);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!*json_str_or(json_array_get(list, i), key, ""))
            return error_set(err, ERR_PROTOCOL, 0,
                             "the engine's list of %s holds something without %s", what, key);
    return 0;
}

/* A container has one name, and one more for each link that points to it: "/web/db". */
static const char *read_name(struct snapshot *s, const json_t *j)
{
    const json_t *names = json_object_get(j, "Names");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name && *name == '/')
            name++;
        if (name && *name && !strchr(name, '/'))
            return arena_strdup(s->arena, name);
    }
    return "";
}

static enum container_state read_state(const json_t *j)
{
    static const struct {
        const char *name;
        enum container_state state;
    } others[] = { /* Podman's */
                   { "configured", CONTAINER_CREATED },
                   { "initialized", CONTAINER_CREATED },
                   { "stopping", CONTAINER_RUNNING }
    };
    const char *name = json_str_or(j, "State", "");
    for (size_t i = 0; i <= CONTAINER_DEAD; i++)
        if (str_eq(name, container_state_names[i]))
            return (enum container_state)i;
    for (size_t i = 0; i < countof(others); i++)
        if (str_eq(name, others[i].name))
            return others[i].state;
    return CONTAINER_EXITED;
}

static enum health_state read_health(const json_t *j, const char *status)
{
    static const struct {
        const char *name, *sentence;
        enum health_state health;
    } known[] = {
        { "healthy", "(healthy)", HEALTH_HEALTHY },
        { "unhealthy", "(unhealthy)", HEALTH_UNHEALTHY },
        { "starting", "(health: starting)", HEALTH_STARTING },
    };
    const char *said = json_str(j, "Health.Status"); /* since API 1.52 */
    for (size_t i = 0; i < countof(known); i++)
        if (said ? str_eq(said, known[i].name) : str_ends(status, known[i].sentence))
            return known[i].health;
    return HEALTH_NONE;
}

static int read_exit_code(const json_t *j, const char *status)
{
    const char *open = str_starts(status, "Exited (") ? status + strlen("Exited (") : NULL;
    const char *close = open ? strchr(open, ')') : NULL;
    if (!close)
        return (int)json_int(j, "ExitCode", -1); /* Podman's */
    auto_free char *code = xstrndup(open, (size_t)(close - open));
    int64_t value = -1;
    if (num_range(&value, code, INT_MIN, INT_MAX) < 0)
        return -1;
    return (int)value;
}

static void read_networks_of(struct seen_container *c, struct snapshot *s, const json_t *j)
{
    json_t *map = json_at(j, "NetworkSettings.Networks");
    struct seen_network_use *uses = arena_alloc(s->arena, json_object_size(map) * sizeof(*uses));
    const char *name;
    json_t *use;
    json_object_foreach ((json_t *)map, name, use) {
        const char *id = text_at(s, use, "NetworkID");
        uses[c->nnetworks++] = (struct seen_network_use){
            arena_strdup(s->arena, name), str_eq(id, name) ? "" : id /* Podman 4 repeats the name */
        };
    }
    c->networks = uses;
}

static void read_mounts_of(struct seen_container *c, struct snapshot *s, const json_t *j)
{
    const json_t *list = json_object_get(j, "Mounts");
    struct seen_mount *mounts = arena_alloc(s->arena, json_array_size(list) * sizeof(*mounts));
    for (; c->nmounts < json_array_size(list); c->nmounts++) {
        const json_t *mount = json_array_get(list, c->nmounts);
        mounts[c->nmounts] =
            (struct seen_mount){ text_at(s, mount, "Type"), text_at(s, mount, "Name"),
                                 text_at(s, mount, "Source"), text_at(s, mount, "Destination") };
    }
    c->mounts = mounts;
}

static void read_ports_of(struct seen_container *c, struct snapshot *s, const json_t *j)
{
    const json_t *list = json_object_get(j, "Ports");
    struct seen_port *ports = arena_alloc(s->arena, json_array_size(list) * sizeof(*ports));
    for (; c->nports < json_array_size(list); c->nports++) {
        const json_t *port = json_array_get(list, c->nports);
        ports[c->nports] =
            (struct seen_port){ text_at(s, port, "IP"), (int)json_int(port, "PublicPort", 0),
                                (int)json_int(port, "PrivatePort", 0), text_at(s, port, "Type") };
    }
    c->ports = ports;
}

static void read_container(struct seen_container *c, struct snapshot *s, const json_t *j)
{
    int64_t number = 0;
    c->labels = read_labels(&c->nlabels, s, json_object_get(j, "Labels"));
    num_range(&number, label_get(c->labels, c->nlabels, LABEL_NUMBER), 1, INT_MAX);
    c->id = text_at(s, j, "Id");
    c->name = read_name(s, j);
    c->service = label_get(c->labels, c->nlabels, LABEL_SERVICE);
    c->number = (int)number;
    c->oneoff = str_eq(label_get(c->labels, c->nlabels, LABEL_ONEOFF), "True");
    c->image = text_at(s, j, "Image");
    c->image_id = text_at(s, j, "ImageID");
    c->command = text_at(s, j, "Command");
    c->network_mode = text_at(s, j, "HostConfig.NetworkMode");
    c->created = json_int(j, "Created", 0);
    c->state = read_state(j);
    c->status = text_at(s, j, "Status");
    c->health = read_health(j, c->status);
    c->exit_code = c->state == CONTAINER_EXITED ? read_exit_code(j, c->status) : -1;
    read_networks_of(c, s, j);
    read_mounts_of(c, s, j);
    read_ports_of(c, s, j);
}

static int container_order(const void *pa, const void *pb)
{
    const struct seen_container *a = pa, *b = pb;
    int order = strcmp(a->service, b->service);
    if (order == 0)
        order = (a->number > b->number) - (a->number < b->number);
    return order ? order : strcmp(a->name, b->name);
}

int snapshot_read_containers(struct snapshot *s, const json_t *list, struct error *err)
{
    if (check_list(list, "containers", "Id", err) < 0)
        return -1;
    size_t n = json_array_size(list);
    struct seen_container *containers = arena_alloc(s->arena, n * sizeof(*containers));
    for (size_t i = 0; i < n; i++)
        read_container(&containers[i], s, json_array_get(list, i));
    if (n)
        qsort(containers, n, sizeof(*containers), container_order);
    s->containers = containers;
    s->ncontainers = n;
    s->seen |= OBSERVE_CONTAINERS;
    return 0;
}

static int network_order(const void *a, const void *b)
{
    return strcmp(((const struct seen_network *)a)->name, ((const struct seen_network *)b)->name);
}

int snapshot_read_networks(struct snapshot *s, const json_t *list, struct error *err)
{
    if (check_list(list, "networks", "Id", err) < 0)
        return -1;
    size_t n = json_array_size(list);
    struct seen_network *networks = arena_alloc(s->arena, n * sizeof(*networks));
    for (size_t i = 0; i < n; i++) {
        const json_t *j = json_array_get(list, i);
        networks[i].id = text_at(s, j, "Id");
        networks[i].name = text_at(s, j, "Name");
        networks[i].driver = text_at(s, j, "Driver");
        networks[i].labels = read_labels(&networks[i].nlabels, s, json_object_get(j, "Labels"));
    }
    if (n)
        qsort(networks, n, sizeof(*networks), network_order);
    s->networks = networks;
    s->nnetworks = n;
    s->seen |= OBSERVE_NETWORKS;
    return 0;
}

static int volume_order(const void *a, const void *b)
{
    return strcmp(((const struct seen_volume *)a)->name, ((const struct seen_volume *)b)->name);
}

int snapshot_read_volumes(struct snapshot *s, const json_t *answer, struct error *err)
{
    /* {"Volumes": [...]}, null instead of an empty list on some engines */
    const json_t *list = json_object_get(answer, "Volumes");
    if (!json_is_object(answer) ||
        (list && !json_is_null(list) && check_list(list, "volumes", "Name", NULL) < 0))
        return error_set(err, ERR_PROTOCOL, 0, "the engine's answer about volumes is not a list");
    size_t n = json_array_size(list);
    struct seen_volume *volumes = arena_alloc(s->arena, n * sizeof(*volumes));
    for (size_t i = 0; i < n; i++) {
        const json_t *j = json_array_get(list, i);
        volumes[i].name = text_at(s, j, "Name");
        volumes[i].driver = text_at(s, j, "Driver");
        volumes[i].mountpoint = text_at(s, j, "Mountpoint");
        volumes[i].scope = text_at(s, j, "Scope");
        volumes[i].labels = read_labels(&volumes[i].nlabels, s, json_object_get(j, "Labels"));
    }
    if (n)
        qsort(volumes, n, sizeof(*volumes), volume_order);
    s->volumes = volumes;
    s->nvolumes = n;
    s->seen |= OBSERVE_VOLUMES;
    return 0;
}

static bool is_name(const char *ref)
{
    return ref && !str_starts(ref, "<none>");
}

static bool has_digest(const char *ref, const char *digest)
{
    const char *at = strchr(ref, '@');
    return at && str_eq(at + 1, digest);
}

/* RepoTags and RepoDigests; an image without a name is listed as "<none>:<none>".
 *
 * With the containerd image store the id of an image is its digest in every registry, and of the
 * names that go with it only one is listed: the others follow from the tags. */
static void read_refs(struct seen_image *image, struct snapshot *s, const json_t *j)
{
    json_t *tags = json_object_get(j, "RepoTags"), *digests = json_object_get(j, "RepoDigests");
    const char **refs = arena_alloc(
        s->arena, (2 * json_array_size(tags) + json_array_size(digests)) * sizeof(*refs));
    bool id_is_digest = false;
    size_t i;
    json_t *ref;
    json_array_foreach (digests, i, ref) {
        const char *text = json_string_value(ref);
        if (!is_name(text))
            continue;
        refs[image->nrefs++] = arena_strdup(s->arena, text);
        id_is_digest |= has_digest(text, image->id);
    }
    json_array_foreach (tags, i, ref) {
        const char *text = json_string_value(ref);
        if (!is_name(text))
            continue;
        refs[image->nrefs++] = arena_strdup(s->arena, text);
        const char *colon = strrchr(text, ':');
        if (id_is_digest && colon)
            refs[image->nrefs++] =
                arena_printf(s->arena, "%.*s@%s", (int)(colon - text), text, image->id);
    }
    image->refs = refs;
}

static int image_order(const void *pa, const void *pb)
{
    const struct seen_image *a = pa, *b = pb;
    int order = (a->created < b->created) - (a->created > b->created);
    return order ? order : strcmp(a->id, b->id);
}

static int ref_order(const void *a, const void *b)
{
    return strcmp(((const struct snapshot_ref *)a)->text, ((const struct snapshot_ref *)b)->text);
}

static void index_images(struct snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->nimages; i++)
        n += 1 + s->images[i].nrefs;
    struct snapshot_ref *refs = arena_alloc(s->arena, n * sizeof(*refs));
    s->refs = refs;
    s->nrefs = n;
    for (size_t i = 0; i < s->nimages; i++) {
        const struct seen_image *image = &s->images[i];
        *refs++ = (struct snapshot_ref){ image->id, image };
        for (size_t k = 0; k < image->nrefs; k++) {
            auto_free char *text = ref_normal(image->refs[k]);
            *refs++ = (struct snapshot_ref){ arena_strdup(s->arena, text), image };
        }
    }
    if (n)
        qsort(refs - n, n, sizeof(*refs), ref_order);
}

int snapshot_read_images(struct snapshot *s, const json_t *list, struct error *err)
{
    if (check_list(list, "images", "Id", err) < 0)
        return -1;
    size_t n = json_array_size(list);
    struct seen_image *images = arena_alloc(s->arena, n * sizeof(*images));
    for (size_t i = 0; i < n; i++) {
        const json_t *j = json_array_get(list, i);
        images[i].id = text_at(s, j, "Id");
        images[i].created = json_int(j, "Created", 0);
        images[i].size = json_int(j, "Size", 0);
        images[i].labels = read_labels(&images[i].nlabels, s, json_object_get(j, "Labels"));
        read_refs(&images[i], s, j);
    }
    if (n)
        qsort(images, n, sizeof(*images), image_order);
    s->images = images;
    s->nimages = n;
    index_images(s);
    s->seen |= OBSERVE_IMAGES;
    return 0;
}
