/* The keys of the native form and of a project's manifest, docstack/docstack.yaml. */
#include "model/schema_run.h"

static const struct schema_key project_rows[] = {
    { "path", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Directory of the project's checkout; with `git`, the folder in the repository." },
    { "git", SHAPE_STRING, MERGE_REPLACE, .doc = "Repository to clone." },
    { "ref", SHAPE_STRING, MERGE_REPLACE,
      .doc = "Branch, tag or commit; what it meant is kept in `stack.lock`." },
    { "submodules", SHAPE_BOOL, MERGE_REPLACE,
      .doc = "Check out the repository's submodules, too; no by default." },
    { "services", SHAPE_MAP, MERGE_DEEP, .keys = &schema_service,
      .doc = "Overrides, merged over the services of the project's own manifest." },
};
const struct schema_keys schema_project = SCHEMA_KEYS(project_rows);

static const struct schema_key http_rows[] = {
    { "host", SHAPE_STRING, MERGE_REPLACE, .doc = "Name in the Host header." },
    { "port", SHAPE_INT, MERGE_REPLACE, .check = check_port_number,
      .doc = "Port inside the container; 80 by default." },
    { "path", SHAPE_STRING, MERGE_REPLACE, .doc = "Path to ask for; `/` by default." },
    { "status", SHAPE_INT, MERGE_REPLACE, .min = 100, .max = 599,
      .doc = "The status to expect; any 2xx or 3xx by default." },
};
static const struct schema_keys http = SCHEMA_KEYS(http_rows);

static const struct schema_key ready_rows[] = {
    { "log", SHAPE_STRING, MERGE_REPLACE, .check = check_regex,
      .doc = "Regular expression that a line of its output matches." },
    { "tcp", SHAPE_INT, MERGE_REPLACE, .check = check_port_number,
      .doc = "Port in the container that accepts connections." },
    { "http", SHAPE_OBJECT, MERGE_DEEP, .flags = KEY_OR_STRING, .keys = &http,
      .expand = expand_ready_http,
      .doc = "A request that is answered; short form `[HOST][:PORT][/PATH]`." },
    { "exec", SHAPE_STRING_OR_STRINGS, MERGE_REPLACE, .expand = expand_ready_exec,
      .doc = "A command in the container that ends well; a string runs in a shell." },
    { "healthy", SHAPE_BOOL, MERGE_REPLACE, .doc = "The container's health check passes." },
    { "timeout", SHAPE_DURATION, MERGE_REPLACE, .doc = "How long it may take; 60s by default." },
    { "interval", SHAPE_DURATION, MERGE_REPLACE, .doc = "Pause between two attempts." },
};
const struct schema_keys schema_ready = SCHEMA_KEYS(ready_rows);

static const struct schema_key manifest_rows[] = {
    { "services", SHAPE_MAP, MERGE_DEEP, .keys = &schema_service,
      .doc =
          "Services of the project; `build` is implied. One named like the project without this key." },
    { "images", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ITEM_STRING, .keys = &schema_build,
      .expand_item = expand_image,
      .doc =
          "Further images of the project, which others may build FROM. Short form: the Dockerfile." },
    { "requires", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ITEM_STRING | KEY_ITEM_NULL,
      .keys = &schema_service, .expand_item = expand_infrastructure,
      .doc =
          "Infrastructure that the project needs, with a default. Short form: an image; empty: the stack says what it is." },
    { "networks", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ITEM_NULL, .keys = &schema_network,
      .expand_item = expand_resource, .doc = "Networks." },
    { "volumes", SHAPE_MAP, MERGE_DEEP, .flags = KEY_ITEM_NULL, .keys = &schema_volume,
      .expand_item = expand_resource, .doc = "Named volumes." },
    { "secrets", SHAPE_MAP, MERGE_DEEP, .keys = &schema_secret, .expand_item = expand_resource,
      .doc = "Secrets." },
    { "configs", SHAPE_MAP, MERGE_DEEP, .keys = &schema_config, .expand_item = expand_resource,
      .doc = "Configs." },
};
const struct schema_keys schema_manifest = SCHEMA_KEYS(manifest_rows);
