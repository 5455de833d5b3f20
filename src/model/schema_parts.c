/* The keys of the parts of a service: mounts, ports, health checks, hooks and the like. */
#include "model/schema_run.h"

static const char *const conditions[] = { "service_started", "service_healthy",
                                          "service_completed_successfully", "service_ready", NULL };
static const char *const mount_types[] = { "bind",  "volume", "tmpfs", "cluster",
                                           "npipe", "image",  NULL };
static const char *const recursions[] = { "enabled", "disabled", "writable", "readonly", NULL };
static const char *const selinux[] = { "z", "Z", NULL };

static const struct schema_key extends_rows[] = {
    { "file", SHAPE_STRING, MERGE_REPLACE,
      .doc = "The file of that service; this one by default." },
    { "service", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED | KEY_AT_ONCE,
      .doc = "The service to start from." },
};
const struct schema_keys schema_extends = SCHEMA_KEYS(extends_rows);

static const struct schema_key dependency_rows[] = {
    { "condition", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED, .values = conditions,
      .doc =
          "What to wait for; `service_ready` (native form): its `ready`, else its health, else its start." },
    { "restart", SHAPE_BOOL, MERGE_REPLACE,
      .doc = "Restart this service when the other one is restarted." },
    { "required", SHAPE_BOOL, MERGE_REPLACE, .flags = KEY_ZERO | KEY_TYPED,
      .doc = "Whether this service cannot go without the other one; true by default." },
};
const struct schema_keys schema_dependency = SCHEMA_KEYS_FINISH(dependency_rows, finish_dependency);

static const struct schema_key endpoint_rows[] = {
    { "aliases", SHAPE_STRINGS, MERGE_UNIQUE,
      .doc = "Further names of the service on this network." },
    { "driver_opts", SHAPE_OPTIONS, MERGE_DEEP, .flags = KEY_NUMBERS,
      .doc = "Options of the network's driver." },
    { "gw_priority", SHAPE_INT, MERGE_REPLACE, .flags = KEY_TYPED,
      .doc = "The network with the highest one gives the default gateway." },
    { "interface_name", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Name of the interface in the container." },
    { "ipv4_address", SHAPE_STRING, MERGE_REPLACE, .doc = "Fixed IPv4 address." },
    { "ipv6_address", SHAPE_STRING, MERGE_REPLACE, .doc = "Fixed IPv6 address." },
    { "link_local_ips", SHAPE_STRINGS, MERGE_UNIQUE, .doc = "Link-local addresses." },
    { "mac_address", SHAPE_STRING, MERGE_REPLACE, .doc = "MAC address on this network." },
    { "priority", SHAPE_INT, MERGE_REPLACE, .flags = KEY_TYPED,
      .doc = "Networks are joined in the order of their priorities, the highest first." },
};
const struct schema_keys schema_endpoint = SCHEMA_KEYS(endpoint_rows);

static const struct schema_key model_use_rows[] = {
    { "endpoint_var", SHAPE_STRING, MERGE_REPLACE, EFFECT_REFUSED,
      .doc = "Variable that holds the address of the model.", .why = NO_MODELS },
    { "model_var", SHAPE_STRING, MERGE_REPLACE, EFFECT_REFUSED,
      .doc = "Variable that holds the name of the model.", .why = NO_MODELS },
};
const struct schema_keys schema_model_use = SCHEMA_KEYS(model_use_rows);

static const struct schema_key env_file_rows[] = {
    { "path", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED, .doc = "The file." },
    { "required", SHAPE_BOOL, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Whether it must exist; true by default." },
    { "format", SHAPE_STRING, MERGE_REPLACE,
      .doc = "`raw`: values are taken as they stand, without quotes and variables." },
};
const struct schema_keys schema_env_file = SCHEMA_KEYS_FINISH(env_file_rows, finish_env_file);

static const struct schema_key port_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED, .doc = "A name for people.",
      .why = "the engine has no place for it" },
    { "mode", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "`ingress` (default) or `host`; the same on one engine.",
      .why = "on one engine both are the same" },
    { "host_ip", SHAPE_STRING, MERGE_REPLACE, .check = check_host_ip,
      .doc = "Address of the host to listen on; all by default." },
    { "target", SHAPE_INT, MERGE_REPLACE, .flags = KEY_REQUIRED, .check = check_port_number,
      .doc = "The port inside the container." },
    { "published", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_NUMBERS, .check = check_port_published,
      .doc = "The port on the host, or a range to choose from; without it the engine chooses." },
    { "protocol", SHAPE_STRING, MERGE_REPLACE, .doc = "`tcp` (default), `udp` or `sctp`." },
    { "app_protocol", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "What is spoken on the port, for people and tools.",
      .why = "the engine has no place for it" },
};
const struct schema_keys schema_port = SCHEMA_KEYS_FINISH(port_rows, finish_port);

static const struct schema_key bind_rows[] = {
    { "selinux", SHAPE_STRING, MERGE_REPLACE, .values = selinux,
      .doc = "Relabelling: `z` shared, `Z` private." },
    { "propagation", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Propagation of mounts: `rprivate`, `rshared` ..." },
    { "create_host_path", SHAPE_BOOL, MERGE_REPLACE,
      .doc = "Makes a missing directory on the host; the short form does." },
    { "recursive", SHAPE_STRING, MERGE_REPLACE, .values = recursions,
      .doc = "Whether mounts below the source come along." },
};
static const struct schema_keys bind = SCHEMA_KEYS(bind_rows);

static const struct schema_key mount_volume_rows[] = {
    { "labels", SHAPE_MAPPING, MERGE_ENTRIES,
      .doc = "Labels of a volume that is made for this mount." },
    { "nocopy", SHAPE_BOOL, MERGE_REPLACE,
      .doc = "Leaves a new volume empty instead of filling it from the image." },
    { "subpath", SHAPE_STRING, MERGE_REPLACE, .doc = "A path within the volume." },
};
static const struct schema_keys mount_volume = SCHEMA_KEYS(mount_volume_rows);

static const struct schema_key mount_tmpfs_rows[] = {
    { "size", SHAPE_BYTES, MERGE_REPLACE, .max = INT64_MAX,
      .doc = "The most memory that it may use." },
    { "mode", SHAPE_INT, MERGE_REPLACE, .flags = KEY_TYPED,
      .doc = "Permission bits, octal: `0755`." },
};
static const struct schema_keys mount_tmpfs = SCHEMA_KEYS(mount_tmpfs_rows);

static const struct schema_key mount_image_rows[] = {
    { "subpath", SHAPE_STRING, MERGE_REPLACE, .doc = "A path within the image." },
};
static const struct schema_keys mount_image = SCHEMA_KEYS(mount_image_rows);

static const struct schema_key mount_rows[] = {
    { "type", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED, .values = mount_types,
      .doc = "What is mounted." },
    { "source", SHAPE_STRING, MERGE_REPLACE,
      .doc = "A path of the host, a volume of the stack, or an image." },
    { "target", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED,
      .doc = "Where, in the container." },
    { "read_only", SHAPE_BOOL, MERGE_REPLACE, .doc = "Whether it cannot be written to." },
    { "consistency", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "`consistent`, `cached` or `delegated`.", .why = "Linux keeps all mounts consistent" },
    { "bind", SHAPE_OBJECT, MERGE_DEEP, .keys = &bind, .doc = "Options of a bind mount." },
    { "volume", SHAPE_OBJECT, MERGE_DEEP, .keys = &mount_volume, .doc = "Options of a volume." },
    { "tmpfs", SHAPE_OBJECT, MERGE_DEEP, .keys = &mount_tmpfs,
      .doc = "Options of a file system in memory." },
    { "image", SHAPE_OBJECT, MERGE_DEEP, .keys = &mount_image,
      .doc = "Options of an image mount." },
};
const struct schema_keys schema_mount = SCHEMA_KEYS_FINISH(mount_rows, finish_mount);

static const struct schema_key device_rows[] = {
    { "source", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED, .doc = "Path on the host." },
    { "target", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED,
      .doc = "Path in the container." },
    { "permissions", SHAPE_STRING, MERGE_REPLACE,
      .doc = "`r`, `w`, `m`: read, write, make nodes." },
};
const struct schema_keys schema_device = SCHEMA_KEYS(device_rows);

static const struct schema_key file_use_rows[] = {
    { "source", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_REQUIRED,
      .doc = "Name at the top level." },
    { "target", SHAPE_STRING, MERGE_REPLACE, .doc = "Path in the container." },
    { "uid", SHAPE_STRING, MERGE_REPLACE, .doc = "Owner of the file; 0 by default." },
    { "gid", SHAPE_STRING, MERGE_REPLACE, .doc = "Group of the file; 0 by default." },
    { "mode", SHAPE_MODE, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Permission bits, octal: `0440`." },
};
const struct schema_keys schema_file_use = SCHEMA_KEYS(file_use_rows);
const struct schema_keys schema_secret_use = SCHEMA_KEYS_FINISH(file_use_rows, finish_secret_use);

static const struct schema_key ulimit_rows[] = {
    { "soft", SHAPE_INT, MERGE_REPLACE, .flags = KEY_REQUIRED | KEY_ZERO,
      .doc = "The limit that holds; processes may raise it." },
    { "hard", SHAPE_INT, MERGE_REPLACE, .flags = KEY_REQUIRED | KEY_ZERO,
      .doc = "How far they may raise it." },
};
const struct schema_keys schema_ulimit = SCHEMA_KEYS(ulimit_rows);

static const struct schema_key healthcheck_rows[] = {
    { "test", SHAPE_STRING_OR_STRINGS, MERGE_REPLACE, .expand = expand_test,
      .doc = "A shell command, or a list that starts with `CMD`, `CMD-SHELL` or `NONE`." },
    { "timeout", SHAPE_DURATION, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "How long one check may take; 30s by default." },
    { "interval", SHAPE_DURATION, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Pause between two checks; 30s by default." },
    { "retries", SHAPE_INT, MERGE_REPLACE, .flags = KEY_ZERO, .max = INT64_MAX,
      .doc = "Failures in a row that make it unhealthy; 3 by default." },
    { "start_period", SHAPE_DURATION, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Time at the start in which failures do not count." },
    { "start_interval", SHAPE_DURATION, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Pause between checks in that time." },
    { "disable", SHAPE_BOOL, MERGE_REPLACE,
      .doc = "Switches off the check that the image brings." },
};
const struct schema_keys schema_healthcheck = SCHEMA_KEYS(healthcheck_rows);

static const struct schema_key logging_rows[] = {
    { "driver", SHAPE_STRING, MERGE_REPLACE,
      .doc = "`json-file`, `local`, `journald`, `none` ..." },
    { "options", SHAPE_OPTIONS, MERGE_DEEP, .flags = KEY_NUMBERS | KEY_ITEM_NULL,
      .doc = "Options of the driver." },
};
const struct schema_keys schema_logging = SCHEMA_KEYS(logging_rows);

static const struct schema_key hook_rows[] = {
    { "command", SHAPE_COMMAND, MERGE_REPLACE, .flags = KEY_REQUIRED | KEY_NULL | KEY_ZERO,
      .doc = "The command." },
    { "user", SHAPE_STRING, MERGE_REPLACE, .doc = "The user who runs it." },
    { "privileged", SHAPE_BOOL, MERGE_REPLACE, .doc = "Gives it all rights." },
    { "working_dir", SHAPE_STRING, MERGE_REPLACE, .doc = "Directory that it starts in." },
    { "environment", SHAPE_MAPPING, MERGE_ENTRIES, .flags = KEY_KEEP_NULL,
      .doc = "Further environment variables." },
};
const struct schema_keys schema_hook = SCHEMA_KEYS(hook_rows);

static const struct schema_key throttle_rows[] = {
    { "path", SHAPE_STRING, MERGE_REPLACE, .doc = "The device." },
    { "rate", SHAPE_BYTES, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Bytes or operations in a second." },
};
const struct schema_keys schema_throttle = SCHEMA_KEYS(throttle_rows);

static const struct schema_key weight_rows[] = {
    { "path", SHAPE_STRING, MERGE_REPLACE, .doc = "The device." },
    { "weight", SHAPE_INT, MERGE_REPLACE, .flags = KEY_ZERO, .max = 65535,
      .doc = "Weight of the device, 10 to 1000." },
};
const struct schema_keys schema_weight = SCHEMA_KEYS(weight_rows);

static const struct schema_key blkio_rows[] = {
    { "weight", SHAPE_INT, MERGE_REPLACE, .max = 65535,
      .doc = "Weight against other containers, 10 to 1000." },
    { "weight_device", SHAPE_LIST, MERGE_APPEND, .keys = &schema_weight,
      .doc = "Weights of single devices." },
    { "device_read_bps", SHAPE_LIST, MERGE_APPEND, .keys = &schema_throttle,
      .doc = "Bytes read in a second." },
    { "device_read_iops", SHAPE_LIST, MERGE_APPEND, .keys = &schema_throttle,
      .doc = "Reads in a second." },
    { "device_write_bps", SHAPE_LIST, MERGE_APPEND, .keys = &schema_throttle,
      .doc = "Bytes written in a second." },
    { "device_write_iops", SHAPE_LIST, MERGE_APPEND, .keys = &schema_throttle,
      .doc = "Writes in a second." },
};
const struct schema_keys schema_blkio = SCHEMA_KEYS(blkio_rows);

static const struct schema_key credential_rows[] = {
    { "config", SHAPE_STRING, MERGE_REPLACE, .doc = "A config that holds it." },
    { "file", SHAPE_STRING, MERGE_REPLACE,
      .doc = "A file in the engine's directory of credentials." },
    { "registry", SHAPE_STRING, MERGE_REPLACE, .doc = "A value in the engine host's registry." },
};
const struct schema_keys schema_credential_spec = SCHEMA_KEYS(credential_rows);

static const struct schema_key provider_rows[] = {
    { "type", SHAPE_STRING, MERGE_REPLACE, EFFECT_REFUSED, .flags = KEY_REQUIRED,
      .doc = "The program.", .why = NO_PROVIDERS },
    { "options", SHAPE_ANY, MERGE_DEEP, EFFECT_REFUSED, .check = check_provider_options,
      .expand = expand_provider_options,
      .doc = "Options for it: a value, or a list of values, for each name.", .why = NO_PROVIDERS },
};
const struct schema_keys schema_provider = SCHEMA_KEYS(provider_rows);
