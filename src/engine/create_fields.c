/* Keys of a service whose form differs from the engine's: health, ports, resources, devices. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/create_private.h"

static void set_nanos(json_t *object, const char *field, const struct node *value)
{
    int64_t ns;
    if (value && create_nanos(&ns, value))
        json_object_set_new(object, field, json_integer(ns));
}

void create_healthcheck(json_t *config, const struct create_input *in)
{
    const struct node *check = node_get(in->service->config, "healthcheck");
    if (!check || check->kind != NODE_MAP)
        return;
    json_t *health = json_object();
    if (node_bool_at(check, "disable", false)) {
        json_object_set_new(health, "Test", json_pack("[s]", "NONE"));
        json_object_set_new(config, "Healthcheck", health);
        return;
    }
    const struct node *test = node_get(check, "test");
    if (test && test->kind == NODE_LIST)
        json_object_set_new(health, "Test", create_texts(test));
    set_nanos(health, "Interval", node_get(check, "interval"));
    set_nanos(health, "Timeout", node_get(check, "timeout"));
    set_nanos(health, "StartPeriod", node_get(check, "start_period"));
    if (node_get(check, "retries"))
        json_object_set_new(health, "Retries", json_integer(node_int_at(check, "retries", 0)));
    if (in->api >= 44) {
        /* Engines from 25 on probe every 5 s during the start period unless told; the interval of
         * the file is what older ones did. */
        const struct node *start = node_get(check, "start_interval");
        int64_t interval = 0;
        if (start)
            set_nanos(health, "StartInterval", start);
        else if (node_get(check, "start_period") && node_get(check, "interval") &&
                 create_nanos(&interval, node_get(check, "interval")) && interval < 5000000000)
            json_object_set_new(health, "StartInterval", json_integer(interval));
    }
    json_object_set_new(config, "Healthcheck", health);
}

/* A port may be written twice; the engine would take it once and then find it taken. */
static void add_binding(json_t *list, const struct port *p)
{
    auto_json json_t *binding =
        json_pack("{s:s, s:s}", "HostIp", p->host_ip, "HostPort", p->published);
    size_t i;
    json_t *other;
    json_array_foreach (list, i, other)
        if (*p->published && json_equal(other, binding))
            return;
    json_array_append(list, binding);
}

/* The replica's own port where a range is published for a scaled service, as docker compose: the
 * engine chooses from the range. */
void create_ports(json_t *config, json_t *host, const struct create_input *in)
{
    json_t *exposed = json_object(), *bindings = json_object();
    const struct node *expose = node_get(in->service->config, "expose");
    node_each (i, expose) {
        const char *text = node_text(expose->items[i]);
        if (!text)
            continue;
        auto_free char *number = xstrndup(text, strcspn(text, "/"));
        const char *protocol = strchr(text, '/');
        int first, last;
        if (!port_numbers(&first, &last, number))
            continue;
        for (int p = first; p <= last; p++) {
            auto_free char *key = xasprintf("%d%s", p, protocol ? protocol : "/tcp");
            json_object_set_new(exposed, key, json_object());
        }
    }
    for (size_t i = 0; i < in->service->nports; i++) {
        const struct port *p = &in->service->ports[i];
        auto_free char *key = xasprintf("%d/%s", p->target, p->protocol);
        json_object_set_new(exposed, key, json_object());
        json_t *list = json_object_get(bindings, key);
        if (!list) {
            list = json_array();
            json_object_set_new(bindings, key, list);
        }
        add_binding(list, p);
    }
    json_object_set_new(config, "ExposedPorts", exposed);
    json_object_set_new(host, "PortBindings", bindings);
}

static void add_ulimits(json_t *host, const struct node *ulimits)
{
    if (!ulimits)
        return;
    json_t *list = json_array();
    node_each (i, ulimits) {
        const struct node *u = ulimits->items[i];
        int64_t soft, hard;
        if (u->kind == NODE_MAP) {
            soft = node_int_at(u, "soft", 0);
            hard = node_int_at(u, "hard", soft);
        } else if (node_text(u) && num_int(&soft, node_text(u)) == 0) {
            hard = soft;
        } else {
            continue;
        }
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Name", ulimits->keys[i], "Soft",
                                              (json_int_t)soft, "Hard", (json_int_t)hard));
    }
    json_object_set_new(host, "Ulimits", list);
}

/* device_read_bps and its kind: [{path, rate}]. */
static void add_throttle(json_t *host, const struct node *blkio, const char *key, const char *field)
{
    const struct node *list = node_get(blkio, key);
    if (!list)
        return;
    bool weights = str_eq(key, "weight_device");
    json_t *out = json_array();
    node_each (i, list) {
        const struct node *entry = list->items[i];
        const char *path = node_text_at(entry, "path");
        int64_t amount = 0;
        const struct node *value = node_get(entry, weights ? "weight" : "rate");
        if (value)
            create_bytes(&amount, value);
        json_array_append_new(out, json_pack("{s:s, s:I}", "Path", path ? path : "",
                                             weights ? "Weight" : "Rate", (json_int_t)amount));
    }
    json_object_set_new(host, field, out);
}

static void add_restart(json_t *host, const struct node *service)
{
    const char *restart = node_text_at(service, "restart");
    const struct node *policy = node_at(service, "deploy.restart_policy");
    if (restart) {
        const char *colon = strchr(restart, ':');
        auto_free char *name =
            colon ? xstrndup(restart, (size_t)(colon - restart)) : xstrdup(restart);
        int64_t count = 0;
        if (colon)
            num_int(&count, colon + 1);
        json_object_set_new(
            host, "RestartPolicy",
            json_pack("{s:s, s:I}", "Name", name, "MaximumRetryCount", (json_int_t)count));
    } else if (policy) {
        const char *condition = node_text_at(policy, "condition");
        const char *name = str_eq(condition, "none")         ? "no"
                           : str_eq(condition, "on-failure") ? "on-failure"
                                                             : "always";
        json_object_set_new(host, "RestartPolicy",
                            json_pack("{s:s, s:I}", "Name", name, "MaximumRetryCount",
                                      (json_int_t)(str_eq(name, "on-failure")
                                                       ? node_int_at(policy, "max_attempts", 0)
                                                       : 0)));
    }
}

void create_resources(json_t *host, const struct node *service)
{
    static const char *const throttles[][2] = {
        { "device_read_bps", "BlkioDeviceReadBps" },
        { "device_write_bps", "BlkioDeviceWriteBps" },
        { "device_read_iops", "BlkioDeviceReadIOps" },
        { "device_write_iops", "BlkioDeviceWriteIOps" },
        { "weight_device", "BlkioWeightDevice" },
    };
    const struct node *blkio = node_get(service, "blkio_config");
    for (size_t i = 0; i < countof(throttles); i++)
        add_throttle(host, blkio, throttles[i][0], throttles[i][1]);
    add_ulimits(host, node_get(service, "ulimits"));
    add_restart(host, service);

    const struct node *logging = node_get(service, "logging");
    const char *driver = node_text_at(logging, "driver");
    if (logging)
        json_object_set_new(host, "LogConfig",
                            json_pack("{s:s, s:o}", "Type", driver ? driver : "", "Config",
                                      create_text_map(node_get(logging, "options"))));

    const struct node *hosts = node_get(service, "extra_hosts");
    if (hosts) {
        /* Canonical "name=address"; the engine takes "name:address". */
        json_t *list = json_array();
        node_each (i, hosts) {
            const char *text = node_text(hosts->items[i]);
            auto_free char *copy = xstrdup(text ? text : "");
            char *equals = strchr(copy, '=');
            if (equals)
                *equals = ':';
            json_array_append_new(list, json_string_nocheck(copy));
        }
        json_object_set_new(host, "ExtraHosts", list);
    }

    const struct node *tmpfs = node_get(service, "tmpfs");
    if (tmpfs) {
        json_t *map = json_object();
        node_each (i, tmpfs) {
            const char *text = node_text(tmpfs->items[i]);
            size_t len = text ? strcspn(text, ":") : 0;
            auto_free char *path = xstrndup(text ? text : "", len);
            json_object_set_new_nocheck(
                map, path, json_string_nocheck(text && text[len] ? text + len + 1 : ""));
        }
        json_object_set_new(host, "Tmpfs", map);
    }
}

/* {driver, count, device_ids, capabilities, options} of deploy...devices and gpus. */
static json_t *device_request(const struct node *entry, bool gpu)
{
    json_t *request = json_object();
    const char *driver = node_text_at(entry, "driver");
    const struct node *count = node_get(entry, "count");
    const struct node *ids = node_get(entry, "device_ids");
    const struct node *capabilities = node_get(entry, "capabilities");
    const char *count_text = node_text(count);
    int64_t number = -1;
    if (count_text && !str_eq(count_text, "all"))
        num_int(&number, count_text);
    json_object_set_new(request, "Driver", json_string_nocheck(driver ? driver : ""));
    if (ids)
        json_object_set_new(request, "DeviceIDs", create_texts(ids));
    if (!ids || count)
        json_object_set_new(request, "Count", json_integer(number));
    json_t *set = capabilities ? create_texts(capabilities) : json_array();
    if (gpu && json_array_size(set) == 0)
        json_array_append_new(set, json_string("gpu"));
    json_t *sets = json_array();
    json_array_append_new(sets, set);
    json_object_set_new(request, "Capabilities", sets);
    json_object_set_new(request, "Options", create_text_map(node_get(entry, "options")));
    return request;
}

void create_devices(json_t *host, const struct node *service)
{
    const struct node *devices = node_get(service, "devices");
    json_t *list = json_array(), *requests = json_array();
    node_each (i, devices) {
        const struct node *d = devices->items[i];
        const char *source = node_text_at(d, "source"), *target = node_text_at(d, "target");
        const char *permissions = node_text_at(d, "permissions");
        if (!source)
            continue;
        /* "vendor.com/class=name": a CDI device, not a file. */
        if (source[0] != '/' && strchr(source, '=')) {
            json_array_append_new(requests,
                                  json_pack("{s:s, s:[s]}", "Driver", "cdi", "DeviceIDs", source));
            continue;
        }
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "PathOnHost", source, "PathInContainer",
                                        target ? target : source, "CgroupPermissions",
                                        permissions ? permissions : "rwm"));
    }
    json_object_set_new(host, "Devices", list);

    const struct node *gpus = node_get(service, "gpus");
    node_each (i, gpus)
        json_array_append_new(requests, device_request(gpus->items[i], true));
    const struct node *reserved = node_at(service, "deploy.resources.reservations.devices");
    node_each (i, reserved)
        json_array_append_new(requests, device_request(reserved->items[i], false));
    if (json_array_size(requests))
        json_object_set_new(host, "DeviceRequests", requests);
    else
        json_decref(requests);
}

/* "service:x" -> "container:<id of x>"; other modes as they are. */
static int namespace_mode(json_t *host, const char *field, const char *mode,
                          const struct create_input *in, struct error *err)
{
    if (!mode)
        return 0;
    if (!str_starts(mode, "service:")) {
        json_object_set_new(host, field, json_string_nocheck(mode));
        return 0;
    }
    const char *service = mode + strlen("service:");
    const char *id = in->container_id ? in->container_id(in->ctx, service) : NULL;
    if (!id)
        return error_set(err, ERR_NOTFOUND, 0, "no container of service '%s' to share %s with",
                         service, field);
    auto_free char *text = xasprintf("container:%s", id);
    json_object_set_new(host, field, json_string_nocheck(text));
    return 0;
}

int create_namespaces(json_t *host, const struct create_input *in, struct error *err)
{
    const struct node *service = in->service->config;
    if (namespace_mode(host, "IpcMode", node_text_at(service, "ipc"), in, err) < 0 ||
        namespace_mode(host, "PidMode", node_text_at(service, "pid"), in, err) < 0)
        return -1;
    const struct node *from = node_get(service, "volumes_from");
    json_t *list = json_array();
    json_object_set_new(host, "VolumesFrom", list);
    node_each (i, from) {
        const char *text = node_text(from->items[i]);
        if (!text)
            continue;
        if (str_starts(text, "container:")) {
            json_array_append_new(list, json_string_nocheck(text + strlen("container:")));
            continue;
        }
        size_t len = strcspn(text, ":");
        auto_free char *name = xstrndup(text, len);
        const char *id = in->container_id ? in->container_id(in->ctx, name) : NULL;
        if (!id)
            return error_set(err, ERR_NOTFOUND, 0, "no container of service '%s' for volumes_from",
                             name);
        auto_free char *entry = xasprintf("%s%s", id, text[len] ? text + len : ":rw");
        json_array_append_new(list, json_string_nocheck(entry));
    }
    return 0;
}
