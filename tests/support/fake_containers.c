/* Containers of the engine made of JSON. Each is what inspect shows, plus "Fake": logs and files.
 */
#include "fake_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"

static const char *name_of(const json_t *container)
{
    return json_str_or(container, "Name", "/") + 1;
}

static bool running(const json_t *container)
{
    return json_bool(container, "State.Running", false);
}

static json_t *state_of(json_t *container)
{
    return json_object_get(container, "State");
}

static void set_state(json_t *container, const char *status, bool is_running, bool paused)
{
    json_t *state = state_of(container);
    fake_set_text(state, "Status", status);
    json_object_set_new(state, "Running", json_boolean(is_running));
    json_object_set_new(state, "Paused", json_boolean(paused));
}

json_t *fake_find_container(struct fake *f, const char *ref)
{
    const char *key;
    json_t *container, *found = NULL;
    if (ref[0] == '/')
        ref++;
    json_object_foreach (fake_part(f, "containers"), key, container) {
        if (str_eq(key, ref) || str_eq(name_of(container), ref))
            return container;
        if (strlen(ref) >= 12 && str_starts(key, ref))
            found = container;
    }
    return found;
}

/* The one that the path names, or NULL with the answer filled. */
static json_t *named(struct exchange *x)
{
    json_t *container = fake_find_container(x->f, x->name);
    if (!container)
        fake_answer_error(x, 404, "No such container: %s", x->name);
    return container;
}

/* --- list and inspect --- */

static char *status_text(const json_t *container)
{
    const char *status = json_str_or(container, "State.Status", "");
    const char *health = json_str(container, "State.Health.Status");
    if (str_eq(status, "exited"))
        return xasprintf("Exited (%d) 1 second ago", (int)json_int(container, "State.ExitCode", 0));
    if (str_eq(status, "paused"))
        return xstrdup("Up 1 second (Paused)");
    if (!running(container))
        return xstrdup("Created");
    if (!health)
        return xstrdup("Up 1 second");
    return str_eq(health, "starting") ? xstrdup("Up 1 second (health: starting)")
                                      : xasprintf("Up 1 second (%s)", health);
}

/* "8080/tcp" and its bindings as the list shows them. */
static json_t *ports_of(const json_t *container)
{
    json_t *out = json_array(), *list;
    const char *key;
    json_object_foreach (json_at(container, "NetworkSettings.Ports"), key, list) {
        int64_t port = 0;
        auto_free char *digits = xstrndup(key, strcspn(key, "/"));
        num_int(&port, digits);
        const char *protocol = strchr(key, '/') ? strchr(key, '/') + 1 : "tcp";
        size_t i;
        json_t *binding;
        json_array_foreach (list, i, binding) {
            int64_t public = 0;
            num_int(&public, json_str_or(binding, "HostPort", "0"));
            json_array_append_new(out, json_pack("{s:s, s:I, s:I, s:s}", "IP",
                                                 json_str_or(binding, "HostIp", ""), "PrivatePort",
                                                 (json_int_t)port, "PublicPort",
                                                 (json_int_t) public, "Type", protocol));
        }
        if (!json_array_size(list))
            json_array_append_new(
                out, json_pack("{s:I, s:s}", "PrivatePort", (json_int_t)port, "Type", protocol));
    }
    return out;
}

static bool fits_state(const json_t *filters, const json_t *container)
{
    const json_t *wanted = json_object_get(filters, "status");
    size_t i;
    json_t *value;
    if (!json_array_size(wanted))
        return true;
    json_array_foreach (wanted, i, value) {
        if (str_eq(json_string_value(value), json_str(container, "State.Status")))
            return true;
    }
    return false;
}

void fake_container_list(struct exchange *x)
{
    auto_json json_t *filters = fake_query_filters(x);
    const char *key;
    json_t *c;
    bool all = fake_query_flag(x, "all") || json_object_get(filters, "status");
    x->json = json_array();
    json_object_foreach (fake_part(x->f, "containers"), key, c) {
        auto_free char *name = xasprintf("/%s", name_of(c));
        auto_free char *status = status_text(c);
        if ((!all && !running(c)) || !fits_state(filters, c) ||
            !fake_fits_filters(filters, json_at(c, "Config.Labels"), name))
            continue;
        json_t *entry =
            json_pack("{s:s, s:[s], s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:O, s:O, "
                      "s:{s:s}, s:{s:O}}",
                      "Id", key, "Names", name, "Image", json_str(c, "Config.Image"), "ImageID",
                      json_str(c, "Image"), "Command", "/fake", "Created",
                      (json_int_t)json_int(c, "Fake.created", 0), "State",
                      json_str(c, "State.Status"), "Status", status, "Ports", ports_of(c), "Labels",
                      json_at(c, "Config.Labels"), "Mounts", json_at(c, "Mounts"), "HostConfig",
                      "NetworkMode", json_str_or(c, "HostConfig.NetworkMode", "default"),
                      "NetworkSettings", "Networks", json_at(c, "NetworkSettings.Networks"));
        json_array_insert_new(x->json, 0, entry); /* the newest first */
    }
}

void fake_container_inspect(struct exchange *x)
{
    json_t *c = named(x);
    if (!c)
        return;
    x->json = json_deep_copy(c);
    json_object_del(x->json, "Fake");
}

/* --- create --- */

static bool is_mounted(const json_t *mounts, const char *target)
{
    size_t i;
    json_t *m;
    json_array_foreach (mounts, i, m) {
        if (str_eq(json_str(m, "Destination"), target))
            return true;
    }
    return false;
}

static void add_mount(struct exchange *x, json_t *mounts, const char *type, const char *source,
                      const char *target, bool writable)
{
    json_t *mount = json_pack("{s:s, s:s, s:s, s:b}", "Type", type, "Source", source ? source : "",
                              "Destination", target, "RW", writable);
    if (str_eq(type, "volume")) {
        auto_free char *anonymous = source && *source ? NULL : fake_new_id(x->f);
        const char *name = anonymous ? anonymous : source;
        auto_free char *path = xasprintf("/var/lib/docker/volumes/%s/_data", name);
        fake_make_volume(x->f, name, "local", NULL);
        fake_set_text(mount, "Name", name);
        fake_set_text(mount, "Source", path);
        fake_set_text(mount, "Driver", "local");
    }
    json_array_append_new(mounts, mount);
}

static int add_mounts(struct exchange *x, json_t *mounts, const json_t *host, const json_t *image)
{
    size_t i;
    json_t *value;
    const char *key;
    json_array_foreach (json_object_get(host, "Mounts"), i, value) {
        const char *type = json_str_or(value, "Type", ""), *source = json_str(value, "Source");
        if (str_eq(type, "bind") && access(source ? source : "", F_OK) < 0) {
            fake_answer_error(x, 400,
                              "invalid mount config for type \"bind\": bind source path does not "
                              "exist: %s",
                              source ? source : "");
            return -1;
        }
        add_mount(x, mounts, type, source, json_str_or(value, "Target", ""),
                  !json_bool(value, "ReadOnly", false));
    }
    json_array_foreach (json_object_get(host, "Binds"), i, value) {
        const char *text = json_string_value(value);
        size_t source = strcspn(text, ":");
        auto_free char *from = xstrndup(text, source);
        const char *rest = text[source] ? text + source + 1 : text;
        auto_free char *to = xstrndup(rest, strcspn(rest, ":"));
        add_mount(x, mounts, from[0] == '/' ? "bind" : "volume", from, to,
                  !strstr(rest + strlen(to), "ro"));
    }
    json_object_foreach (json_at(image, "Config.Volumes"), key, value) {
        if (!is_mounted(mounts, key))
            add_mount(x, mounts, "volume", NULL, key, true);
    }
    return 0;
}

/* What the image brings where the request says nothing. */
static void inherit(json_t *config, const json_t *image)
{
    static const char *const keys[] = { "Cmd", "Entrypoint", "Healthcheck", "WorkingDir", "User" };
    const json_t *from = json_object_get(image, "Config");
    const char *key;
    json_t *value;
    for (size_t i = 0; i < countof(keys); i++) {
        json_t *given = json_object_get(from, keys[i]);
        json_t *own = json_object_get(config, keys[i]);
        if (given && (!own || json_is_null(own)))
            json_object_set(config, keys[i], given);
    }
    if (!json_object_get(config, "Labels"))
        json_object_set_new(config, "Labels", json_object());
    json_object_foreach (json_object_get(from, "Labels"), key, value) {
        if (!json_object_get(json_object_get(config, "Labels"), key))
            json_object_set(json_object_get(config, "Labels"), key, value);
    }
}

static json_t *endpoint_of(struct fake *f, const json_t *config, const char *network)
{
    json_t *endpoint = json_is_object(config) ? json_deep_copy(config) : json_object();
    const json_t *seen = fake_find_network(f, network);
    fake_set_text(endpoint, "NetworkID", seen ? json_str(seen, "Id") : "");
    fake_set_text(endpoint, "IPAddress", "");
    return endpoint;
}

static int add_networks(struct exchange *x, json_t *networks, const json_t *body,
                        const json_t *host)
{
    const json_t *endpoints = json_at(body, "NetworkingConfig.EndpointsConfig");
    const char *mode = json_str_or(host, "NetworkMode", "default"), *key;
    json_t *value;
    if (json_object_size(endpoints) > 1 && (x->rq->api && x->rq->api < 44)) {
        fake_answer_error(x, 400, "Container cannot be connected to network endpoints: too many");
        return -1;
    }
    if (str_starts(mode, "container:")) {
        if (!fake_find_container(x->f, mode + strlen("container:"))) {
            fake_answer_error(x, 404, "No such container: %s", mode + strlen("container:"));
            return -1;
        }
        return 0;
    }
    json_object_foreach ((json_t *)(uintptr_t)endpoints, key, value) {
        const json_t *seen = fake_find_network(x->f, key);
        json_object_set_new(networks, seen ? json_str(seen, "Name") : key,
                            endpoint_of(x->f, value, key));
    }
    if (!json_object_size(networks)) {
        const char *wanted = str_eq(mode, "default") ? "bridge" : mode;
        const json_t *seen = fake_find_network(x->f, wanted);
        json_object_set_new(networks, seen ? json_str(seen, "Name") : wanted,
                            endpoint_of(x->f, NULL, wanted));
    }
    return 0;
}

void fake_container_create(struct exchange *x)
{
    const json_t *body = x->rq->body;
    const char *given = fake_query_text(x, "name"), *ref = json_str_or(body, "Image", "");
    const json_t *image = fake_find_image(x->f, ref);
    auto_free char *id = fake_new_id(x->f);
    auto_free char *name = given ? xasprintf("/%s", given) : xasprintf("/fake_%.12s", id);
    const json_t *taken = fake_find_container(x->f, name);
    if (!json_is_object(body)) {
        fake_answer_error(x, 400, "invalid JSON");
        return;
    }
    if (x->f->kind.podman && json_at(body, "HostConfig.Links")) {
        fake_answer_error(x, 400, "bad parameter: link is not supported");
        return;
    }
    if (!image) {
        fake_answer_error(x, 404,
                          strchr(ref, ':') ? "No such image: %s" : "No such image: %s:latest", ref);
        return;
    }
    if (!fake_fits_pattern("^/[a-zA-Z0-9][a-zA-Z0-9_.-]+$", name)) {
        fake_answer_error(x, 400,
                          "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
                          name + 1);
        return;
    }
    if (taken) {
        fake_answer_error(
            x, 409,
            "Conflict. The container name \"%s\" is already in use by container \"%s\". "
            "You have to remove (or rename) that container to be able to reuse that name.",
            name, json_str(taken, "Id"));
        return;
    }
    auto_json json_t *config = json_deep_copy(body);
    auto_json json_t *networks = json_object();
    auto_json json_t *mounts = json_array();
    json_t *host = json_object_get(config, "HostConfig");
    host = host ? json_incref(host) : json_object();
    json_object_del(config, "HostConfig");
    json_object_del(config, "NetworkingConfig");
    inherit(config, image);
    if (add_networks(x, networks, body, host) < 0 || add_mounts(x, mounts, host, image) < 0) {
        json_decref(host);
        return;
    }
    json_t *container =
        json_pack("{s:s, s:s, s:s, s:O, s:o, s:O, s:{s:O, s:{}}, s:i, "
                  "s:{s:s, s:b, s:b, s:b, s:i, s:s}, s:{s:[], s:[], s:I, s:i}}",
                  "Id", id, "Name", name, "Image", json_str(image, "Id"), "Config", config,
                  "HostConfig", host, "Mounts", mounts, "NetworkSettings", "Networks", networks,
                  "Ports", "RestartCount", 0, "State", "Status", "created", "Running", 0, "Paused",
                  0, "Restarting", 0, "ExitCode", 0, "Error", "", "Fake", "logs", "files",
                  "created", (json_int_t)(clock_unix_ns() / 1000000000), "starts", 0);
    json_object_set_new(fake_part(x->f, "containers"), id, container);
    fake_emit(x->f, "create", container, NULL);
    x->status = 201;
    x->json = json_pack("{s:s, s:[]}", "Id", id, "Warnings");
}

/* --- life --- */

/* The container whose published port is the same, or NULL. */
static const json_t *port_holder(struct fake *f, const json_t *container, const char **port)
{
    const char *key, *own, *other_key;
    json_t *other, *list, *other_list;
    json_object_foreach (fake_part(f, "containers"), key, other) {
        if (other == container || !running(other))
            continue;
        json_object_foreach (json_at(container, "HostConfig.PortBindings"), own, list) {
            json_object_foreach (json_at(other, "HostConfig.PortBindings"), other_key, other_list) {
                const char *a = json_str_or(json_array_get(list, 0), "HostPort", "");
                const char *b = json_str_or(json_array_get(other_list, 0), "HostPort", "");
                *port = a;
                if (*a && str_eq(a, b) && str_eq(strchr(own, '/'), strchr(other_key, '/')))
                    return other;
            }
        }
    }
    return NULL;
}

static void publish(struct fake *f, json_t *container)
{
    json_t *ports = json_object(), *list;
    const char *key;
    json_object_foreach (json_at(container, "Config.ExposedPorts"), key, list)
        json_object_set_new(ports, key, json_array());
    json_object_foreach (json_at(container, "HostConfig.PortBindings"), key, list) {
        size_t i;
        json_t *binding, *out = json_array();
        json_array_foreach (list, i, binding) {
            const char *port = json_str_or(binding, "HostPort", "");
            auto_free char *chosen =
                *port ? xstrdup(port) : xasprintf("%d", 49152 + (int)(fake_serial(f) % 1000));
            const char *ip = json_str_or(binding, "HostIp", "");
            json_array_append_new(
                out, json_pack("{s:s, s:s}", "HostIp", *ip ? ip : "0.0.0.0", "HostPort", chosen));
        }
        json_object_set_new(ports, key, out);
    }
    json_object_set_new(json_object_get(container, "NetworkSettings"), "Ports", ports);
}

/* 0, or -1 with the answer filled. */
static int start(struct exchange *x, json_t *container)
{
    struct fake *f = x->f;
    const char *mode = json_str_or(container, "HostConfig.NetworkMode", ""), *key, *port;
    json_t *endpoint;
    if (str_starts(mode, "container:")) {
        const json_t *other = fake_find_container(f, mode + strlen("container:"));
        if (!other || !running(other)) {
            fake_answer_error(x, other ? 409 : 404,
                              "cannot join network of a non running container: %s",
                              mode + strlen("container:"));
            return -1;
        }
    }
    json_object_foreach (json_at(container, "NetworkSettings.Networks"), key, endpoint) {
        const json_t *network = fake_find_network(f, json_str_or(endpoint, "NetworkID", key));
        network = network ? network : fake_find_network(f, key);
        if (!network) {
            fake_answer_error(x, 404, "network %s not found", key);
            return -1;
        }
        auto_free char *address = xasprintf("127.0.0.%d", (int)(fake_serial(f) % 250) + 2);
        fake_set_text(endpoint, "NetworkID", json_str(network, "Id"));
        fake_set_text(endpoint, "IPAddress", address);
    }
    const json_t *holder = port_holder(f, container, &port);
    if (holder) {
        fake_answer_error(
            x, 500,
            "driver failed programming external connectivity on endpoint %s: Bind for "
            "0.0.0.0:%s failed: port is already allocated",
            name_of(container), port);
        return -1;
    }
    const json_t *words = json_at(container, "Config.Cmd");
    if (!json_array_size(words))
        words = json_at(container, "Config.Entrypoint");
    auto_free char *script = fake_script_of(words, true);
    if (strstr(script, "no-such-program")) {
        fake_answer_error(
            x, 400,
            "OCI runtime create failed: exec: \"no-such-program\": executable file not "
            "found in $PATH: unknown");
        json_object_set_new(state_of(container), "ExitCode", json_integer(127));
        return -1;
    }
    json_t *fake = json_object_get(container, "Fake");
    json_object_set_new(fake, "starts", json_integer(json_int(fake, "starts", 0) + 1));
    set_state(container, "running", true, false);
    json_object_set_new(state_of(container), "ExitCode", json_integer(0));
    publish(f, container);
    fake_emit(f, "start", container, NULL);
    const char *form =
        json_string_value(json_array_get(json_at(container, "Config.Healthcheck.Test"), 0));
    if (form && !str_eq(form, "NONE")) {
        int64_t interval = json_int(container, "Config.Healthcheck.Interval", 0) / 1000000;
        json_object_set_new(state_of(container), "Health",
                            json_pack("{s:s, s:i}", "Status", "starting", "FailingStreak", 0));
        fake_timer_add(f, TIMER_HEALTH, json_str(container, "Id"), "", interval ? interval : 30000);
    }
    fake_main_run(f, container, script);
    return 0;
}

void fake_container_start(struct exchange *x)
{
    json_t *container = named(x);
    if (!container)
        return;
    if (running(container))
        x->status = 304;
    else if (start(x, container) == 0)
        x->status = 204;
}

void fake_container_ended(struct fake *f, json_t *container, int code)
{
    char text[12];
    const char *key;
    json_t *endpoint;
    const char *id = json_str(container, "Id");
    if (!running(container))
        return;
    fake_timers_drop(f, id);
    set_state(container, "exited", false, false);
    json_object_set_new(state_of(container), "ExitCode", json_integer(code));
    json_object_del(state_of(container), "Health");
    json_object_foreach (json_at(container, "NetworkSettings.Networks"), key, endpoint)
        fake_set_text(endpoint, "IPAddress", "");
    json_object_set_new(json_object_get(container, "NetworkSettings"), "Ports", json_object());
    snprintf(text, sizeof(text), "%d", code);
    fake_emit(f, "die", container, text);
    struct connection *c;
    for (c = f->connections; c; c = c->next) {
        if (!str_eq(c->id, id))
            continue;
        auto_free char *answer = xasprintf("{\"StatusCode\":%d}\n", code);
        if (c->stream == STREAM_WAIT)
            fake_stream_write(c, answer, strlen(answer));
        if (c->stream == STREAM_WAIT || c->stream == STREAM_LOGS)
            fake_stream_end(c);
    }
}

/* Whether the signal ends it; the exit code is 128 and the signal's number. */
static int signal_code(const char *signal)
{
    if (str_eq(signal, "SIGKILL") || str_eq(signal, "KILL") || str_eq(signal, "9"))
        return 137;
    if (str_eq(signal, "SIGINT") || str_eq(signal, "INT") || str_eq(signal, "2"))
        return 130;
    return 143;
}

static void stop(struct exchange *x, json_t *container)
{
    const char *signal = fake_query_text(x, "signal");
    if (!signal)
        signal = json_str_or(container, "Config.StopSignal", "SIGTERM");
    fake_emit(x->f, "kill", container, NULL);
    fake_container_ended(x->f, container, signal_code(signal));
    fake_emit(x->f, "stop", container, NULL);
}

void fake_container_stop(struct exchange *x)
{
    json_t *container = named(x);
    if (!container)
        return;
    x->status = running(container) ? 204 : 304;
    if (x->status == 204)
        stop(x, container);
}

void fake_container_restart(struct exchange *x)
{
    json_t *container = named(x);
    if (!container)
        return;
    if (running(container))
        stop(x, container);
    if (start(x, container) == 0)
        x->status = 204;
}

void fake_container_kill(struct exchange *x)
{
    json_t *container = named(x);
    const char *signal = fake_query_text(x, "signal");
    if (!container)
        return;
    if (!running(container)) {
        fake_answer_error(x, 409, "Cannot kill container: %s: Container %s is not running", x->name,
                          json_str(container, "Id"));
        return;
    }
    x->status = 204;
    fake_emit(x->f, "kill", container, NULL);
    if (!str_eq(signal, "SIGHUP") && !str_eq(signal, "HUP"))
        fake_container_ended(x->f, container, signal ? signal_code(signal) : 137);
}

static void set_paused(struct exchange *x, bool paused)
{
    json_t *container = named(x);
    if (!container)
        return;
    if (!running(container) || json_bool(container, "State.Paused", false) == paused) {
        fake_answer_error(x, 409, "Container %s is %s", x->name,
                          paused ? "not running or already paused" : "not paused");
        return;
    }
    set_state(container, paused ? "paused" : "running", true, paused);
    fake_emit(x->f, paused ? "pause" : "unpause", container, NULL);
    x->status = 204;
}

void fake_container_pause(struct exchange *x)
{
    set_paused(x, true);
}

void fake_container_unpause(struct exchange *x)
{
    set_paused(x, false);
}

void fake_container_rename(struct exchange *x)
{
    json_t *container = named(x);
    const char *to = fake_query_text(x, "name");
    const json_t *other = to ? fake_find_container(x->f, to) : NULL;
    if (!container)
        return;
    if (!to || other) {
        fake_answer_error(
            x, other ? 409 : 400,
            "Conflict. The container name \"/%s\" is already in use by container \"%s\".",
            to ? to : "", other ? json_str(other, "Id") : "");
        return;
    }
    auto_free char *name = xasprintf("/%s", to);
    fake_set_text(container, "Name", name);
    fake_emit(x->f, "rename", container, NULL);
    x->status = 204;
}

static void remove_anonymous(struct fake *f, const json_t *container)
{
    size_t i;
    json_t *m;
    json_array_foreach (json_object_get(container, "Mounts"), i, m) {
        const char *name = json_str(m, "Name");
        /* Only what the engine named itself, as real engines do since 1.0. */
        if (name &&
            json_bool(json_object_get(fake_part(f, "volumes"), name), "Fake.anonymous", false))
            json_object_del(fake_part(f, "volumes"), name);
    }
}

void fake_container_remove(struct exchange *x)
{
    json_t *container = named(x);
    if (!container)
        return;
    if (running(container) && !fake_query_flag(x, "force")) {
        fake_answer_error(x, 409,
                          "You cannot remove a running container %s. Stop the container before "
                          "attempting removal or force remove",
                          json_str(container, "Id"));
        return;
    }
    json_incref(container);
    fake_container_ended(x->f, container, 137);
    json_object_del(fake_part(x->f, "containers"), json_str(container, "Id"));
    if (fake_query_flag(x, "v"))
        remove_anonymous(x->f, container);
    fake_emit(x->f, "destroy", container, NULL);
    json_decref(container);
    x->status = 204;
}

/* --- files --- */

void fake_stranger(struct fake *f, const char *name)
{
    auto_free char *id = fake_new_id(f);
    auto_free char *path = xasprintf("/%s", name);
    json_object_set_new(fake_part(f, "containers"), id,
                        json_pack("{s:s, s:s, s:s, s:{s:{}, s:s}, s:{}, s:[], s:{s:{}, s:{}}, "
                                  "s:{s:s, s:b, s:b, s:i}, s:{s:[], s:[], s:i, s:i}}",
                                  "Id", id, "Name", path, "Image", "sha256:stranger", "Config",
                                  "Labels", "Image", "stranger", "HostConfig", "Mounts",
                                  "NetworkSettings", "Networks", "Ports", "State", "Status",
                                  "running", "Running", 1, "Paused", 0, "ExitCode", 0, "Fake",
                                  "logs", "files", "created", 0, "starts", 1));
}
