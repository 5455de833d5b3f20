/* The keys of `deploy:`, `develop:` and of device requests. */
#include "model/schema_run.h"

#define CLUSTER "only a cluster's scheduler acts on it"

static const char *const all[] = { "all", NULL };
static const char *const orders[] = { "start-first", "stop-first", NULL };
static const char *const actions[] = { "rebuild",      "sync",      "restart",
                                       "sync+restart", "sync+exec", NULL };

static const struct schema_key update_rows[] = {
    { "parallelism", SHAPE_INT, MERGE_REPLACE, EFFECT_ACCEPTED, .flags = KEY_ZERO, .max = INT64_MAX,
      .doc = "How many containers at a time; 0: all.", .why = CLUSTER },
    { "delay", SHAPE_DURATION, MERGE_REPLACE, EFFECT_ACCEPTED, .doc = "Pause between two groups.",
      .why = CLUSTER },
    { "failure_action", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "What follows a failure: `continue`, `pause`, `rollback`.", .why = CLUSTER },
    { "monitor", SHAPE_DURATION, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "How long a new task is watched.", .why = CLUSTER },
    { "max_failure_ratio", SHAPE_NUMBER, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "The rate of failures that is accepted.", .why = CLUSTER },
    { "order", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED, .values = orders,
      .doc = "Whether the new task starts before the old one stops.", .why = CLUSTER },
};
static const struct schema_keys update = SCHEMA_KEYS(update_rows);

static const struct schema_key request_rows[] = {
    { "capabilities", SHAPE_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT,
      .doc = "What the device must be able to do: `gpu`, `compute` ..." },
    { "driver", SHAPE_STRING, MERGE_REPLACE, .doc = "The driver, such as `nvidia`." },
    { "count", SHAPE_INT, MERGE_REPLACE, .values = all, .expand = expand_count,
      .doc = "How many devices, or `all` (the default without `device_ids`)." },
    { "device_ids", SHAPE_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT, .doc = "These devices." },
    { "options", SHAPE_MAPPING, MERGE_ENTRIES, .doc = "Options of the driver." },
};
const struct schema_keys schema_device_request =
    SCHEMA_KEYS_FINISH(request_rows, finish_device_request);

/* The same where `capabilities` must be given. */
static const struct schema_key reservation_rows[] = {
    { "capabilities", SHAPE_STRINGS, MERGE_APPEND, .flags = KEY_REQUIRED | KEY_DISTINCT,
      .doc = "What the device must be able to do: `gpu`, `compute` ..." },
    { "driver", SHAPE_STRING, MERGE_REPLACE, .doc = "The driver, such as `nvidia`." },
    { "count", SHAPE_INT, MERGE_REPLACE, .values = all, .expand = expand_count,
      .doc = "How many devices, or `all` (the default without `device_ids`)." },
    { "device_ids", SHAPE_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT, .doc = "These devices." },
    { "options", SHAPE_MAPPING, MERGE_ENTRIES, .doc = "Options of the driver." },
};
static const struct schema_keys reservation =
    SCHEMA_KEYS_FINISH(reservation_rows, finish_device_request);

static const struct schema_key discrete_rows[] = {
    { "kind", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED, .doc = "Kind of the resource.",
      .why = CLUSTER },
    { "value", SHAPE_NUMBER, MERGE_REPLACE, EFFECT_ACCEPTED, .flags = KEY_ZERO,
      .doc = "How much of it.", .why = CLUSTER },
};
static const struct schema_keys discrete = SCHEMA_KEYS(discrete_rows);

static const struct schema_key generic_rows[] = {
    { "discrete_resource_spec", SHAPE_OBJECT, MERGE_DEEP, EFFECT_ACCEPTED, .keys = &discrete,
      .doc = "A resource that is counted.", .why = CLUSTER },
};
static const struct schema_keys generic = SCHEMA_KEYS(generic_rows);

static const struct schema_key limit_rows[] = {
    { "cpus", SHAPE_NUMBER, MERGE_REPLACE, .doc = "How many CPUs the container may use." },
    { "memory", SHAPE_BYTES, MERGE_REPLACE, .flags = KEY_TYPED,
      .doc = "The most memory that it may use." },
    { "pids", SHAPE_INT, MERGE_REPLACE, .doc = "The most processes." },
};
static const struct schema_keys limits = SCHEMA_KEYS(limit_rows);

static const struct schema_key reserve_rows[] = {
    { "cpus", SHAPE_NUMBER, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "CPUs that are kept for the container.", .why = CLUSTER },
    { "memory", SHAPE_BYTES, MERGE_REPLACE, .flags = KEY_TYPED,
      .doc = "Memory that the container keeps when it is short." },
    { "devices", SHAPE_LIST, MERGE_APPEND, .keys = &reservation, .doc = "Devices, such as GPUs." },
    { "generic_resources", SHAPE_LIST, MERGE_APPEND, EFFECT_ACCEPTED, .keys = &generic,
      .doc = "Resources that a cluster's administrator defined.", .why = CLUSTER },
};
static const struct schema_keys reservations = SCHEMA_KEYS(reserve_rows);

static const struct schema_key resource_rows[] = {
    { "limits", SHAPE_OBJECT, MERGE_DEEP, .keys = &limits,
      .doc = "The most that the container may use." },
    { "reservations", SHAPE_OBJECT, MERGE_DEEP, .keys = &reservations,
      .doc = "What is kept for the container." },
};
static const struct schema_keys resources = SCHEMA_KEYS(resource_rows);

static const struct schema_key restart_rows[] = {
    { "condition", SHAPE_STRING, MERGE_REPLACE, .doc = "`none`, `on-failure` or `any`." },
    { "delay", SHAPE_DURATION, MERGE_REPLACE, EFFECT_ACCEPTED, .flags = KEY_ZERO,
      .doc = "Pause between two attempts.", .why = "the engine chooses the pause itself" },
    { "max_attempts", SHAPE_INT, MERGE_REPLACE, .flags = KEY_ZERO, .max = INT64_MAX,
      .doc = "How many attempts are made." },
    { "window", SHAPE_DURATION, MERGE_REPLACE, EFFECT_ACCEPTED, .flags = KEY_ZERO,
      .doc = "How long a start must last to count.", .why = CLUSTER },
};
static const struct schema_keys restart_policy = SCHEMA_KEYS(restart_rows);

static const struct schema_key preference_rows[] = {
    { "spread", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "The node label to spread over.", .why = CLUSTER },
};
static const struct schema_keys preference = SCHEMA_KEYS(preference_rows);

static const struct schema_key placement_rows[] = {
    { "constraints", SHAPE_STRINGS, MERGE_APPEND, EFFECT_ACCEPTED,
      .doc = "What a node must be like.", .why = CLUSTER },
    { "preferences", SHAPE_LIST, MERGE_APPEND, EFFECT_ACCEPTED, .keys = &preference,
      .doc = "What a node had better be like.", .why = CLUSTER },
    { "max_replicas_per_node", SHAPE_INT, MERGE_REPLACE, EFFECT_ACCEPTED, .max = INT64_MAX,
      .doc = "The most containers on one node.", .why = CLUSTER },
};
static const struct schema_keys placement = SCHEMA_KEYS(placement_rows);

static const struct schema_key deploy_rows[] = {
    { "mode", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "`replicated`, `global` and their jobs.",
      .why = "with one engine, global and replicated are the same" },
    { "replicas", SHAPE_INT, MERGE_REPLACE, .flags = KEY_ZERO, .doc = "Number of containers." },
    { "labels", SHAPE_MAPPING, MERGE_ENTRIES, EFFECT_ACCEPTED,
      .doc = "Labels of the service in a cluster.",
      .why = "only a cluster has services that carry labels; `labels` goes to the container" },
    { "update_config", SHAPE_OBJECT, MERGE_DEEP, EFFECT_ACCEPTED, .keys = &update,
      .doc = "How an update is rolled out.", .why = CLUSTER },
    { "rollback_config", SHAPE_OBJECT, MERGE_DEEP, EFFECT_ACCEPTED, .keys = &update,
      .doc = "How an update is rolled back.", .why = CLUSTER },
    { "resources", SHAPE_OBJECT, MERGE_DEEP, .keys = &resources,
      .doc = "Limits and reservations." },
    { "restart_policy", SHAPE_OBJECT, MERGE_DEEP, .keys = &restart_policy,
      .doc = "When the engine restarts the container." },
    { "placement", SHAPE_OBJECT, MERGE_DEEP, EFFECT_ACCEPTED, .keys = &placement,
      .doc = "Which nodes may run the service.", .why = CLUSTER },
    { "endpoint_mode", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED, .doc = "`vip` or `dnsrr`.",
      .why = CLUSTER },
};
const struct schema_keys schema_deploy = SCHEMA_KEYS(deploy_rows);

static const struct schema_key watch_rows[] = {
    { "path", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED, .check = check_not_blank,
      .doc = "The file or directory that is watched." },
    { "action", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED, .values = actions,
      .doc = "What a change leads to." },
    { "target", SHAPE_STRING, MERGE_REPLACE, .doc = "Where files are copied to in the container." },
    { "exec", SHAPE_OBJECT, MERGE_DEEP, .keys = &schema_hook,
      .doc = "The command that runs after files were copied." },
    { "include", SHAPE_STRING_OR_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT,
      .doc = "Patterns of the files that count." },
    { "ignore", SHAPE_STRING_OR_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT,
      .doc = "Patterns of files that do not count." },
    { "initial_sync", SHAPE_BOOL, MERGE_REPLACE, .flags = KEY_TYPED,
      .doc =
          "Brings the containers up to date when watching begins: copies what has another size or time there, or is not there." },
};
const struct schema_keys schema_watch = SCHEMA_KEYS(watch_rows);

static const struct schema_key develop_rows[] = {
    { "watch", SHAPE_LIST, MERGE_APPEND, .keys = &schema_watch,
      .doc = "Paths to watch and what their changes lead to." },
};
const struct schema_keys schema_develop = SCHEMA_KEYS(develop_rows);
