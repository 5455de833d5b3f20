/* Networks and volumes of the engine made of JSON, and the summary of all that is there. */
#include "fake_private.h"

#include <stdio.h>
#include <string.h>

#include "base/strv.h"

/* --- networks --- */

static bool is_default(const char *name)
{
    return str_eq(name, "bridge") || str_eq(name, "host") || str_eq(name, "none");
}

/* Those that every engine has. */
void fake_network_defaults(struct fake *f)
{
    static const char *const names[] = { "bridge", "host", "none" };
    for (size_t i = 0; i < countof(names); i++) {
        auto_free char *id = fake_new_id(f);
        json_object_set_new(fake_part(f, "networks"), id,
                            json_pack("{s:s, s:s, s:s, s:s, s:{}}", "Id", id, "Name", names[i],
                                      "Driver", names[i], "Scope", "local", "Labels"));
    }
}

json_t *fake_find_network(struct fake *f, const char *ref)
{
    json_t *networks = fake_part(f, "networks"), *n;
    json_t *by_id = json_object_get(networks, ref);
    const char *key;
    if (by_id)
        return by_id;
    json_object_foreach (networks, key, n) {
        if (str_eq(json_str(n, "Name"), ref))
            return n;
    }
    return NULL;
}

bool fake_network_in_use(struct fake *f, const json_t *network)
{
    const char *key, *name;
    json_t *container, *endpoint;
    json_object_foreach (fake_part(f, "containers"), key, container) {
        if (!json_bool(container, "State.Running", false))
            continue;
        json_object_foreach (json_at(container, "NetworkSettings.Networks"), name, endpoint) {
            if (str_eq(json_str(endpoint, "NetworkID"), json_str(network, "Id")))
                return true;
        }
    }
    return false;
}

static json_t *named_network(struct exchange *x)
{
    json_t *network = fake_find_network(x->f, x->name);
    if (!network)
        fake_answer_error(x, 404, "network %s not found", x->name);
    return network;
}

void fake_network_list(struct exchange *x)
{
    auto_json json_t *filters = fake_query_filters(x);
    const char *key;
    json_t *n;
    x->json = json_array();
    json_object_foreach (fake_part(x->f, "networks"), key, n) {
        if (fake_fits_filters(filters, json_object_get(n, "Labels"), json_str(n, "Name")))
            json_array_append(x->json, n);
    }
}

void fake_network_inspect(struct exchange *x)
{
    json_t *network = named_network(x);
    x->json = network ? json_incref(network) : x->json;
}

void fake_network_create(struct exchange *x)
{
    const char *name = json_str(x->rq->body, "Name");
    if (!name) {
        fake_answer_error(x, 400, "network name cannot be blank");
        return;
    }
    if (fake_find_network(x->f, name)) {
        fake_answer_error(x, 409, "network with name %s already exists", name);
        return;
    }
    auto_free char *id = fake_new_id(x->f);
    json_t *network = json_deep_copy(x->rq->body);
    fake_set_text(network, "Id", id);
    fake_set_text(network, "Scope", "local");
    if (!json_object_get(network, "Labels"))
        json_object_set_new(network, "Labels", json_object());
    json_object_set_new(fake_part(x->f, "networks"), id, network);
    x->status = 201;
    x->json = json_pack("{s:s, s:s}", "Id", id, "Warning", "");
}

void fake_network_remove(struct exchange *x)
{
    json_t *network = named_network(x);
    if (!network)
        return;
    if (fake_network_in_use(x->f, network)) {
        fake_answer_error(x, 403,
                          "error while removing network: network %s id %s has active endpoints",
                          json_str(network, "Name"), json_str(network, "Id"));
        return;
    }
    json_object_del(fake_part(x->f, "networks"), json_str(network, "Id"));
    x->status = 204;
}

void fake_network_connect(struct exchange *x)
{
    json_t *network = named_network(x);
    const char *ref = json_str_or(x->rq->body, "Container", "");
    json_t *container = network ? fake_find_container(x->f, ref) : NULL;
    if (!network)
        return;
    if (!container) {
        fake_answer_error(x, 404, "No such container: %s", ref);
        return;
    }
    json_t *networks = json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
    const char *name = json_str(network, "Name");
    if (json_object_get(networks, name)) {
        fake_answer_error(x, 403, "endpoint with name %s already exists in network %s",
                          json_str(container, "Name") + 1, name);
        return;
    }
    json_t *config = json_object_get(x->rq->body, "EndpointConfig");
    json_t *endpoint = json_is_object(config) ? json_deep_copy(config) : json_object();
    fake_set_text(endpoint, "NetworkID", json_str(network, "Id"));
    fake_set_text(endpoint, "IPAddress",
                  json_bool(container, "State.Running", false) ? "127.0.0.1" : "");
    json_object_set_new(networks, name, endpoint);
}

void fake_network_disconnect(struct exchange *x)
{
    json_t *network = named_network(x);
    const char *ref = json_str_or(x->rq->body, "Container", "");
    json_t *container = network ? fake_find_container(x->f, ref) : NULL;
    if (!network)
        return;
    json_t *networks = json_object_get(json_object_get(container, "NetworkSettings"), "Networks");
    if (json_object_del(networks, json_str(network, "Name")) < 0)
        fake_answer_error(x, 500, "container %s is not connected to network %s", ref,
                          json_str(network, "Name"));
}

/* --- volumes --- */

json_t *fake_make_volume(struct fake *f, const char *name, const char *driver, json_t *labels)
{
    json_t *volumes = fake_part(f, "volumes");
    json_t *volume = json_object_get(volumes, name);
    if (volume)
        return volume;
    auto_free char *mountpoint = xasprintf("/var/lib/docker/volumes/%s/_data", name);
    volume = json_pack("{s:s, s:s, s:s, s:s, s:{s:i, s:b}}", "Name", name, "Driver",
                       driver ? driver : "local", "Scope", "local", "Mountpoint", mountpoint,
                       "Fake", "age", f->age, "anonymous", labels == NULL && strlen(name) == 64);
    json_object_set_new(volume, "Labels", labels ? json_deep_copy(labels) : json_null());
    json_object_set_new(volumes, name, volume);
    return volume;
}

static bool volume_in_use(struct fake *f, const char *name)
{
    const char *key;
    json_t *container, *m;
    size_t i;
    json_object_foreach (fake_part(f, "containers"), key, container) {
        json_array_foreach (json_object_get(container, "Mounts"), i, m) {
            if (str_eq(json_str(m, "Name"), name))
                return true;
        }
    }
    return false;
}

static json_t *named_volume(struct exchange *x)
{
    json_t *volume = json_object_get(fake_part(x->f, "volumes"), x->name);
    if (!volume)
        fake_answer_error(x, 404, "get %s: no such volume", x->name);
    return volume;
}

void fake_volume_list(struct exchange *x)
{
    auto_json json_t *filters = fake_query_filters(x);
    const char *key;
    json_t *v, *list = json_array();
    json_object_foreach (fake_part(x->f, "volumes"), key, v) {
        if (fake_fits_filters(filters, json_object_get(v, "Labels"), key))
            json_array_append(list, v);
    }
    x->json = json_pack("{s:o, s:n}", "Volumes", list, "Warnings");
}

void fake_volume_inspect(struct exchange *x)
{
    json_t *volume = named_volume(x);
    x->json = volume ? json_incref(volume) : x->json;
}

void fake_volume_create(struct exchange *x)
{
    const char *name = json_str(x->rq->body, "Name");
    auto_free char *id = name && *name ? NULL : fake_new_id(x->f);
    json_t *labels = json_object_get(x->rq->body, "Labels");
    auto_json json_t *none = json_object();
    x->status = 201;
    x->json = json_incref(fake_make_volume(x->f, id ? id : name, json_str(x->rq->body, "Driver"),
                                           json_is_object(labels) ? labels : none));
    if (json_object_get(x->rq->body, "DriverOpts"))
        json_object_set(x->json, "Options", json_object_get(x->rq->body, "DriverOpts"));
}

void fake_volume_remove(struct exchange *x)
{
    if (!named_volume(x))
        return;
    if (volume_in_use(x->f, x->name)) {
        fake_answer_error(x, 409, "remove %s: volume is in use", x->name);
        return;
    }
    json_object_del(fake_part(x->f, "volumes"), x->name);
    x->status = 204;
}

/* --- summary --- */

/* Ids in a text stand for names: whole ones, and the twelve digits that labels hold. */
static void replace(struct str *text, const char *from, const char *to)
{
    auto_free char *old = str_detach(text);
    const char *at = old, *hit;
    *text = STR_INIT;
    while ((hit = strstr(at, from))) {
        str_addn(text, at, (size_t)(hit - at));
        str_add(text, to);
        at = hit + strlen(from);
    }
    str_add(text, at);
}

static void replace_ids(struct str *text, const struct fake *f)
{
    static const char *const parts[] = { "containers", "networks" };
    const char *key;
    json_t *object;
    for (size_t p = 0; p < countof(parts); p++)
        json_object_foreach (fake_part(f, parts[p]), key, object) {
            auto_free char *name = xasprintf("<%s>", json_str_or(object, "Name", ""));
            auto_free char *start = xstrndup(key, 12);
            replace(text, key, name);
            replace(text, start, name);
        }
    json_object_foreach (fake_part(f, "volumes"), key, object) {
        if (!json_bool(object, "Fake.anonymous", false))
            continue;
        auto_free char *name =
            xasprintf("<anonymous, age %d>", (int)json_int(object, "Fake.age", 0));
        replace(text, key, name);
    }
}

/* What a summary shows of a container: everything that was asked for, and what became of it. */
static json_t *digest_of(const json_t *container)
{
    json_t *copy = json_deep_copy(container);
    json_t *state = json_object_get(copy, "State"), *endpoint;
    const char *key;
    json_object_del(copy, "Id");
    json_object_del(json_object_get(copy, "Fake"), "created");
    json_object_del(json_object_get(copy, "Fake"), "starts");
    json_object_del(json_object_get(copy, "Fake"), "logs");
    json_object_del(json_object_get(copy, "NetworkSettings"), "Ports");
    json_object_del(state, "Health");
    json_object_del(json_object_get(json_object_get(copy, "Config"), "Labels"),
                    "com.docker.compose.replace");
    json_object_foreach (json_at(copy, "NetworkSettings.Networks"), key, endpoint)
        json_object_del(endpoint, "IPAddress");
    return copy;
}

static void add_part(struct strv *lines, const struct fake *f, const char *part)
{
    const char *key;
    json_t *object;
    json_object_foreach (fake_part(f, part), key, object) {
        if (str_eq(part, "networks") && is_default(json_str(object, "Name")))
            continue;
        auto_json json_t *shown =
            str_eq(part, "containers") ? digest_of(object) : json_deep_copy(object);
        json_object_del(shown, "Id");
        auto_free char *text = json_canonical(shown);
        strv_addf(lines, "%s %s", part, text);
    }
}

char *fake_summary(const struct fake *f)
{
    static const char *const parts[] = { "containers", "networks", "volumes", "images" };
    auto_strv struct strv lines = STRV_INIT, clean = STRV_INIT;
    for (size_t i = 0; i < countof(parts); i++)
        add_part(&lines, f, parts[i]);
    strv_each (line, &lines) {
        auto_str struct str text = STR_INIT;
        str_add(&text, *line);
        replace_ids(&text, f);
        strv_add(&clean, text.buf);
    }
    strv_sort(&clean);
    return strv_join(&clean, "\n");
}

char *fake_names(const struct fake *f, const char *kind)
{
    auto_strv struct strv names = STRV_INIT;
    const char *key;
    json_t *object;
    json_object_foreach (fake_part(f, kind), key, object) {
        const char *name = json_str_or(object, "Name", key);
        strv_add(&names, name + (name[0] == '/'));
    }
    strv_sort(&names);
    return strv_join(&names, "\n");
}

char *fake_id_of(const struct fake *f, const char *name)
{
    static const char *const parts[] = { "containers", "networks" };
    auto_free char *container = xasprintf("/t-%s-1", name);
    auto_free char *network = xasprintf("t_%s", name);
    const char *key;
    json_t *object;
    for (size_t p = 0; p < countof(parts); p++)
        json_object_foreach (fake_part(f, parts[p]), key, object) {
            const char *own = json_str_or(object, "Name", "");
            if (str_eq(own, container) || str_eq(own, network) || str_eq(own, name))
                return xstrdup(key);
        }
    return NULL;
}

const json_t *fake_file_in(const struct fake *f, const char *container, const char *path)
{
    const char *key;
    json_t *object, *file;
    size_t i;
    json_object_foreach (fake_part(f, "containers"), key, object) {
        if (!str_eq(json_str_or(object, "Name", "/") + 1, container))
            continue;
        json_array_foreach (json_at(object, "Fake.files"), i, file) {
            if (str_eq(json_str(file, "path"), path))
                return file;
        }
    }
    return NULL;
}
