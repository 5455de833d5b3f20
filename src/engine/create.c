/*
 * The body of POST /containers/create, made from the canonical form of a service.
 *
 * Most keys are one row of a table: key, where it goes, how its value is written there. Keys whose
 * form differs between file and engine (ports, mounts, networks, resources ...) have a function
 * each, in create_*.c. API reference: ContainerCreate, HostConfig.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/create_private.h"
#include "model/labels.h"

enum part { CONFIG, HOST };

enum form {
    TEXT, /* string */
    BOOL,
    INT,
    REAL_NANO, /* 0.5 -> 500000000 */
    BYTES,     /* "64m" -> 67108864 */
    MICROS,    /* "50ms" or 50000 -> microseconds */
    SECONDS,   /* "10s" -> 10 */
    TEXTS,     /* list of strings */
    TEXT_MAP,  /* map of strings */
};

struct row {
    const char *key; /* dotted below the service */
    enum part part;
    const char *field;
    enum form form;
};

static const struct row rows[] = {
    { "annotations", HOST, "Annotations", TEXT_MAP },
    { "blkio_config.weight", HOST, "BlkioWeight", INT },
    { "cap_add", HOST, "CapAdd", TEXTS },
    { "cap_drop", HOST, "CapDrop", TEXTS },
    { "cgroup", HOST, "CgroupnsMode", TEXT },
    { "cgroup_parent", HOST, "CgroupParent", TEXT },
    { "command", CONFIG, "Cmd", TEXTS },
    { "cpu_count", HOST, "CpuCount", INT },
    { "cpu_percent", HOST, "CpuPercent", INT },
    { "cpu_period", HOST, "CpuPeriod", MICROS },
    { "cpu_quota", HOST, "CpuQuota", MICROS },
    { "cpu_rt_period", HOST, "CpuRealtimePeriod", MICROS },
    { "cpu_rt_runtime", HOST, "CpuRealtimeRuntime", MICROS },
    { "cpu_shares", HOST, "CpuShares", INT },
    { "cpus", HOST, "NanoCpus", REAL_NANO },
    { "cpuset", HOST, "CpusetCpus", TEXT },
    { "deploy.resources.limits.cpus", HOST, "NanoCpus", REAL_NANO },
    { "deploy.resources.limits.memory", HOST, "Memory", BYTES },
    { "deploy.resources.limits.pids", HOST, "PidsLimit", INT },
    { "deploy.resources.reservations.memory", HOST, "MemoryReservation", BYTES },
    { "device_cgroup_rules", HOST, "DeviceCgroupRules", TEXTS },
    { "dns", HOST, "Dns", TEXTS },
    { "dns_opt", HOST, "DnsOptions", TEXTS },
    { "dns_search", HOST, "DnsSearch", TEXTS },
    { "domainname", CONFIG, "Domainname", TEXT },
    { "entrypoint", CONFIG, "Entrypoint", TEXTS },
    { "group_add", HOST, "GroupAdd", TEXTS },
    { "hostname", CONFIG, "Hostname", TEXT },
    { "init", HOST, "Init", BOOL },
    { "isolation", HOST, "Isolation", TEXT },
    { "mem_limit", HOST, "Memory", BYTES },
    { "mem_reservation", HOST, "MemoryReservation", BYTES },
    { "mem_swappiness", HOST, "MemorySwappiness", INT },
    { "memswap_limit", HOST, "MemorySwap", BYTES },
    { "oom_kill_disable", HOST, "OomKillDisable", BOOL },
    { "oom_score_adj", HOST, "OomScoreAdj", INT },
    { "pids_limit", HOST, "PidsLimit", INT },
    { "privileged", HOST, "Privileged", BOOL },
    { "read_only", HOST, "ReadonlyRootfs", BOOL },
    { "runtime", HOST, "Runtime", TEXT },
    { "shm_size", HOST, "ShmSize", BYTES },
    { "stdin_open", CONFIG, "OpenStdin", BOOL },
    { "stop_grace_period", CONFIG, "StopTimeout", SECONDS },
    { "stop_signal", CONFIG, "StopSignal", TEXT },
    { "storage_opt", HOST, "StorageOpt", TEXT_MAP },
    { "sysctls", HOST, "Sysctls", TEXT_MAP },
    { "tty", CONFIG, "Tty", BOOL },
    { "user", CONFIG, "User", TEXT },
    { "userns_mode", HOST, "UsernsMode", TEXT },
    { "uts", HOST, "UTSMode", TEXT },
    { "working_dir", CONFIG, "WorkingDir", TEXT },
};

json_t *create_texts(const struct node *list)
{
    json_t *out = json_array();
    node_each (i, list) {
        const char *text = node_text(list->items[i]);
        json_array_append_new(out, json_string_nocheck(text ? text : ""));
    }
    return out;
}

json_t *create_text_map(const struct node *map)
{
    json_t *out = json_object();
    node_each (i, map) {
        const char *text = node_text(map->items[i]);
        json_object_set_new_nocheck(out, map->keys[i], json_string_nocheck(text ? text : ""));
    }
    return out;
}

bool create_bytes(int64_t *out, const struct node *value)
{
    const char *text = node_text(value);
    if (!text)
        return false;
    return num_int(out, text) == 0 || num_bytes(out, text) == 0;
}

bool create_nanos(int64_t *out, const struct node *value)
{
    const char *text = node_text(value);
    return text && num_duration(out, text) == 0;
}

static json_t *convert(const struct row *row, const struct node *value)
{
    const char *text = node_text(value);
    int64_t number;
    double real;
    switch (row->form) {
    case TEXT:
        return text ? json_string_nocheck(text) : NULL;
    case BOOL:
        return text ? json_boolean(value->kind == NODE_BOOL ? value->boolean : str_eq(text, "true"))
                    : NULL;
    case INT:
        return text && num_int(&number, text) == 0 ? json_integer(number) : NULL;
    case REAL_NANO:
        return text && num_double(&real, text) == 0 ? json_integer((json_int_t)(real * 1e9 + 0.5))
                                                    : NULL;
    case BYTES:
        return create_bytes(&number, value) ? json_integer(number) : NULL;
    case MICROS:
        if (text && num_int(&number, text) == 0)
            return json_integer(number);
        return create_nanos(&number, value) ? json_integer(number / 1000) : NULL;
    case SECONDS:
        return create_nanos(&number, value) ? json_integer((number + 999999999) / 1000000000)
                                            : NULL;
    case TEXTS:
        return value->kind == NODE_LIST ? create_texts(value) : NULL;
    case TEXT_MAP:
        return value->kind == NODE_MAP ? create_text_map(value) : NULL;
    }
    return NULL;
}

static void apply_rows(json_t *config, json_t *host, const struct node *service)
{
    for (size_t i = 0; i < countof(rows); i++) {
        const struct node *value = node_at(service, rows[i].key);
        json_t *converted = value ? convert(&rows[i], value) : NULL;
        if (converted)
            json_object_set_new(rows[i].part == CONFIG ? config : host, rows[i].field, converted);
    }
}

static void add_label(json_t *labels, const char *key, const char *value)
{
    json_object_set_new_nocheck(labels, key, json_string_nocheck(value));
}

static const char *condition_text(enum condition c)
{
    switch (c) {
    case COND_HEALTHY:
        return "service_healthy";
    case COND_COMPLETED:
        return "service_completed_successfully";
    case COND_STARTED:
    case COND_READY:
        break;
    }
    return "service_started";
}

/* What makes the container findable: docker compose's labels and ours. */
static void add_labels(json_t *config, const struct create_input *in)
{
    const struct service *s = in->service;
    json_t *labels = create_text_map(node_get(s->config, "labels"));
    auto_str struct str files = STR_INIT, env_files = STR_INIT, deps = STR_INIT;
    for (const char *const *f = in->stack->files; f && *f; f++)
        str_addf(&files, "%s%s", files.len ? "," : "", *f);
    for (const char *const *f = in->stack->env_files; f && *f; f++)
        str_addf(&env_files, "%s%s", env_files.len ? "," : "", *f);
    for (size_t i = 0; i < s->ndeps; i++)
        str_addf(&deps, "%s%s:%s:%s", deps.len ? "," : "", s->deps[i].service->name,
                 condition_text(s->deps[i].condition), s->deps[i].restart ? "true" : "false");
    char number[16], block[16];
    snprintf(number, sizeof(number), "%d", in->number);
    snprintf(block, sizeof(block), "%d", in->stack->port_block);
    add_label(labels, LABEL_STACK, in->stack->name);
    add_label(labels, LABEL_SERVICE, s->name);
    add_label(labels, LABEL_NUMBER, number);
    add_label(labels, LABEL_ONEOFF, "False");
    add_label(labels, LABEL_CONFIG_HASH, s->hash);
    add_label(labels, LABEL_DEPENDS_ON, deps.buf);
    add_label(labels, LABEL_WORKING_DIR, in->stack->dir);
    add_label(labels, LABEL_CONFIG_FILES, files.buf);
    if (env_files.len)
        add_label(labels, LABEL_ENV_FILE, env_files.buf);
    add_label(labels, LABEL_VERSION, STACK_VERSION);
    add_label(labels, LABEL_HASH, s->hash);
    if (in->stack->files && in->stack->files[0])
        add_label(labels, LABEL_FILE, in->stack->files[0]);
    if (in->stack->instance)
        add_label(labels, LABEL_INSTANCE, in->stack->instance);
    if (in->stack->port_block)
        add_label(labels, LABEL_PORT_BLOCK, block);
    for (const char *const *l = in->labels; l && l[0]; l += 2)
        add_label(labels, l[0], l[1]);
    json_object_set_new(config, "Labels", labels);
}

/* `environment` of the file over the extra variables; a null value was not set anywhere. */
static void add_environment(json_t *config, const struct create_input *in)
{
    json_t *list = json_array();
    const struct node *environment = node_get(in->service->config, "environment");
    for (const char *const *e = in->extra_environment; e && *e; e++) {
        auto_free char *name = xstrndup(*e, strcspn(*e, "="));
        if (!node_get(environment, name))
            json_array_append_new(list, json_string_nocheck(*e));
    }
    node_each (i, environment) {
        const char *text = node_text(environment->items[i]);
        auto_free char *pair =
            text ? xasprintf("%s=%s", environment->keys[i], text) : xstrdup(environment->keys[i]);
        json_array_append_new(list, json_string_nocheck(pair));
    }
    json_object_set_new(config, "Env", list);
}

int create_container_body(json_t **out, const struct create_input *in, struct error *err)
{
    const struct node *service = in->service->config;
    auto_json json_t *config = json_object();
    json_t *host = json_object();
    json_object_set_new(config, "Image", json_string_nocheck(in->image));
    json_object_set_new(config, "HostConfig", host);
    apply_rows(config, host, service);
    add_environment(config, in);
    add_labels(config, in);
    create_healthcheck(config, in);
    create_ports(config, host, in);
    create_resources(host, service);
    create_devices(host, service);
    if (create_security(host, in, err) < 0 || create_namespaces(host, in, err) < 0 ||
        create_mounts(config, host, in, err) < 0 || create_endpoints(config, host, in, err) < 0)
        return error_wrap(err, "service %s", in->service->name);
    *out = take(config);
    return 0;
}

json_t *create_hook_body(const struct node *hook)
{
    json_t *body = json_object();
    const struct node *command = node_get(hook, "command");
    const char *user = node_text_at(hook, "user"), *dir = node_text_at(hook, "working_dir");
    json_object_set_new(body, "AttachStdout", json_true());
    json_object_set_new(body, "AttachStderr", json_true());
    json_object_set_new(body, "Cmd", create_texts(command));
    if (user)
        json_object_set_new(body, "User", json_string_nocheck(user));
    if (dir)
        json_object_set_new(body, "WorkingDir", json_string_nocheck(dir));
    if (node_bool_at(hook, "privileged", false))
        json_object_set_new(body, "Privileged", json_true());
    const struct node *environment = node_get(hook, "environment");
    json_t *list = json_array();
    node_each (i, environment) {
        const char *text = node_text(environment->items[i]);
        auto_free char *pair =
            text ? xasprintf("%s=%s", environment->keys[i], text) : xstrdup(environment->keys[i]);
        json_array_append_new(list, json_string_nocheck(pair));
    }
    json_object_set_new(body, "Env", list);
    return body;
}
