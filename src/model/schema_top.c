/* The keys at the top level of a Compose file, and of networks, volumes, configs, secrets. */
#include "model/schema_run.h"

static const struct schema_key external_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Its name; write `name` beside `external: true` instead." },
};
const struct schema_keys schema_external = SCHEMA_KEYS(external_rows);

#define EXTERNAL(what)                                                                      \
    {                                                                                       \
        "external", SHAPE_BOOL, MERGE_REPLACE,                                              \
            .keys = &schema_external,                                                       \
            .doc = "The " what " is there already; the stack neither makes nor removes it." \
    }

static const struct schema_key pool_rows[] = {
    { "subnet", SHAPE_STRING, MERGE_REPLACE, .doc = "The subnet: `172.28.0.0/16`." },
    { "gateway", SHAPE_STRING, MERGE_REPLACE, .doc = "Address of the gateway." },
    { "ip_range", SHAPE_STRING, MERGE_REPLACE,
      .doc = "The part of the subnet that containers get addresses from." },
    { "aux_addresses", SHAPE_OPTIONS, MERGE_DEEP,
      .doc = "Addresses that are taken: a map of names." },
};
static const struct schema_keys pool = SCHEMA_KEYS(pool_rows);

static const struct schema_key ipam_rows[] = {
    { "driver", SHAPE_STRING, MERGE_REPLACE, .doc = "Driver of the address management." },
    { "config", SHAPE_LIST, MERGE_POOLS, .expand = expand_pools, .keys = &pool,
      .doc = "Address pools." },
    { "options", SHAPE_OPTIONS, MERGE_DEEP, .doc = "Options of that driver." },
};
const struct schema_keys schema_ipam = SCHEMA_KEYS(ipam_rows);

static const struct schema_key network_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Name on the engine instead of `<stack>_<key>`." },
    { "driver", SHAPE_STRING, MERGE_REPLACE, .doc = "The driver; `bridge` by default." },
    { "driver_opts", SHAPE_OPTIONS, MERGE_DEEP, .flags = KEY_NUMBERS,
      .doc = "Options of the driver." },
    { "ipam", SHAPE_OBJECT, MERGE_DEEP, .keys = &schema_ipam, .doc = "Where addresses come from." },
    EXTERNAL("network"),
    { "internal", SHAPE_BOOL, MERGE_REPLACE, .doc = "Without a way to the outside." },
    { "attachable", SHAPE_BOOL, MERGE_REPLACE,
      .doc = "Whether containers outside the stack may join." },
    { "labels", SHAPE_MAPPING, MERGE_ENTRIES, .doc = "Labels of the network." },
    { "enable_ipv4", SHAPE_BOOL, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Whether it has IPv4 addresses." },
    { "enable_ipv6", SHAPE_BOOL, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Whether it has IPv6 addresses." },
};
const struct schema_keys schema_network = SCHEMA_KEYS(network_rows);

static const struct schema_key volume_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "Name on the engine instead of `<stack>_<key>`." },
    { "driver", SHAPE_STRING, MERGE_REPLACE, .doc = "The driver; `local` by default." },
    { "driver_opts", SHAPE_OPTIONS, MERGE_DEEP, .flags = KEY_NUMBERS,
      .doc = "Options of the driver." },
    EXTERNAL("volume"),
    { "labels", SHAPE_MAPPING, MERGE_ENTRIES, .doc = "Labels of the volume." },
};
const struct schema_keys schema_volume = SCHEMA_KEYS_FINISH(volume_rows, finish_volume);

static const struct schema_key config_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_ZERO, .doc = "Its name." },
    { "file", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "File that holds the content." },
    { "environment", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Environment variable that holds the content." },
    { "content", SHAPE_STRING, MERGE_REPLACE, .doc = "The content itself." },
    EXTERNAL("config"),
    { "labels", SHAPE_MAPPING, MERGE_ENTRIES, EFFECT_ACCEPTED, .doc = "Labels of the config.",
      .why = "a single engine keeps no configs; the content goes into the container" },
    { "template_driver", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "Driver that fills in the content.", .why = "only a cluster fills in templates" },
};
const struct schema_keys schema_config = SCHEMA_KEYS_FINISH(config_rows, finish_config);

static const struct schema_key secret_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_ZERO, .doc = "Its name." },
    { "file", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_ZERO,
      .doc = "File that holds the content." },
    { "environment", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Environment variable that holds the content." },
    EXTERNAL("secret"),
    { "labels", SHAPE_MAPPING, MERGE_ENTRIES, EFFECT_ACCEPTED, .doc = "Labels of the secret.",
      .why = "a single engine keeps no secrets; the content goes into the container" },
    { "driver", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "Driver that keeps the secret.", .why = "only a cluster has drivers for secrets" },
    { "driver_opts", SHAPE_OPTIONS, MERGE_DEEP, EFFECT_ACCEPTED, .flags = KEY_NUMBERS,
      .doc = "Options of that driver.", .why = "only a cluster has drivers for secrets" },
    { "template_driver", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED,
      .doc = "Driver that fills in the content.", .why = "only a cluster fills in templates" },
};
const struct schema_keys schema_secret = SCHEMA_KEYS_FINISH(secret_rows, finish_secret);

static const struct schema_key model_rows[] = {
    { "name", SHAPE_STRING, MERGE_REPLACE, EFFECT_REFUSED, .flags = KEY_ZERO, .doc = "Its name.",
      .why = NO_MODELS },
    { "model", SHAPE_STRING, MERGE_REPLACE, EFFECT_REFUSED, .flags = KEY_REQUIRED,
      .doc = "The model as an OCI artifact.", .why = NO_MODELS },
    { "context_size", SHAPE_INT, MERGE_REPLACE, EFFECT_REFUSED, .flags = KEY_TYPED,
      .doc = "The most tokens of a context.", .why = NO_MODELS },
    { "runtime_flags", SHAPE_STRINGS, MERGE_APPEND, EFFECT_REFUSED,
      .doc = "Flags of the inference engine.", .why = NO_MODELS },
};
const struct schema_keys schema_model = SCHEMA_KEYS(model_rows);

static const struct schema_key include_rows[] = {
    { "path", SHAPE_STRING_OR_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT,
      .doc = "The file; further ones are merged over it." },
    { "project_directory", SHAPE_STRING, MERGE_REPLACE,
      .doc = "What its relative paths start from; its own directory by default." },
    { "env_file", SHAPE_STRING_OR_STRINGS, MERGE_APPEND, .flags = KEY_DISTINCT,
      .doc = "Files of variables for it; `.env` beside it by default." },
};
const struct schema_keys schema_include = SCHEMA_KEYS(include_rows);

static const struct schema_key top_rows[] = {
    { "version", SHAPE_STRING, MERGE_REPLACE, EFFECT_ACCEPTED, .doc = "Version of an older format.",
      .why = "there is one Compose Specification since 2020" },
    { "name", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Name of the stack; the directory's by default." },
    { "include", SHAPE_LIST, MERGE_APPEND, .flags = KEY_ITEM_STRING, .keys = &schema_include,
      .expand_item = expand_include,
      .doc = "Other Compose files whose services and resources join this stack." },
    { "services", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ZERO, .keys = &schema_service,
      .doc = "The services." },
    { "networks", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ITEM_NULL, .keys = &schema_network,
      .expand_item = expand_resource, .doc = "The networks." },
    { "volumes", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ITEM_NULL, .keys = &schema_volume,
      .expand_item = expand_resource, .doc = "The named volumes." },
    { "secrets", SHAPE_MAP, MERGE_DEEP, .keys = &schema_secret, .expand_item = expand_resource,
      .doc = "The secrets." },
    { "configs", SHAPE_MAP, MERGE_DEEP, .keys = &schema_config, .expand_item = expand_resource,
      .doc = "The configs." },
    { "models", SHAPE_MAP, MERGE_DEEP, EFFECT_REFUSED, .keys = &schema_model,
      .doc = "Language models.", .why = NO_MODELS },
    { "projects", SHAPE_MAP, MERGE_DEEP, .flags = KEY_NATIVE | KEY_ITEM_STRING,
      .keys = &schema_project, .expand_item = expand_project,
      .doc = "Source projects; each owns a `docstack/` directory. Short form: its path." },
    { "infrastructure", SHAPE_MAP, MERGE_DEEP, .flags = KEY_NATIVE | KEY_ITEM_STRING,
      .keys = &schema_service, .expand_item = expand_infrastructure,
      .doc = "Services that are taken as they are. Short form: an image." },
    { "registry", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_NATIVE,
      .doc = "Where images of projects are pushed and found." },
    { "track", SHAPE_STRING, MERGE_REPLACE, .flags = KEY_NATIVE,
      .doc =
          "Branch or tag of projects from git that name no `ref`: `main`, a milestone, a release." },
};
const struct schema_keys schema_top = SCHEMA_KEYS(top_rows);
