/*
 * Inside the schema: the walk over a document that check, expand and finish share, the functions
 * that the rows of the table name, and the tables of parts.
 */
#ifndef MODEL_SCHEMA_RUN_H
#define MODEL_SCHEMA_RUN_H

#include "model/schema.h"

/* One walk. `path` is where it stands ("services.web.ports[0]"), for messages. */
struct schema_run {
    struct arena *arena; /* NULL in schema_check() */
    struct diag *d;
    struct str *path;
    enum schema_form form;
    bool raw;
};

/* Goes down to a key or to an item of a list; the result is what run_leave() takes back. */
size_t run_enter(const struct schema_run *run, const char *key);
size_t run_enter_item(const struct schema_run *run, size_t index);
void run_leave(const struct schema_run *run, size_t mark);

/* An error or warning about the place where the walk stands: "PATH: message". */
void run_error(const struct schema_run *run, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void run_warning(const struct schema_run *run, struct span at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the text still has variables in it: it is then left as it stands. */
bool run_is_open(const struct schema_run *run, const struct node *n);

/* Whether the row stands for the key that is written `name`: "ready", or "x-ready" in a Compose
 * file for a native row. NULL where no row does. */
const struct schema_key *run_find(const struct schema_run *run, const struct schema_keys *keys,
                                  const char *name);

static inline bool is_extension(const char *key)
{
    return key[0] == 'x' && key[1] == '-';
}

/* What a value must be, for messages: "a string or a list". */
const char *schema_shape_text(const struct schema_key *row);

/* Scalars of every type, or text that reads as one. 0, or -1 when the node is neither. */
int value_bool(bool *out, const struct node *n);
int value_int(int64_t *out, const struct node *n);
int value_number(double *out, const struct node *n);
int value_bytes(int64_t *out, const struct node *n);
int value_duration(int64_t *out_ns, const struct node *n);
int value_mode(int64_t *out, const struct node *n);
struct node *value_float_node(struct arena *a, double value, struct span span);

/* Splits text as a shell would, without its expansions (words.c). 0, or -1: quotes or brackets that
 * do not close. */
int words_split(struct arena *a, struct node *list, const char *text, struct span span);

/* Drops earlier entries that a later one with the same identity replaces, keeping their place. */
void merge_unique(const struct schema_key *row, struct node *list);

/* Short forms of values (schema_short.c) and of entries. */
schema_expander expand_build, expand_depends_on, expand_names, expand_env_file, expand_extends,
    expand_gpus, expand_hosts, expand_include, expand_provider_options, expand_switch, expand_test,
    expand_resource, expand_count, expand_dns, expand_pools;
schema_expander expand_ports, expand_mount, expand_device, expand_file_use;
schema_expander expand_project, expand_infrastructure, expand_image, expand_ready_http,
    expand_ready_exec;

/* Checks beyond the type (schema_rules.c, schema_ports.c). */
schema_checker check_container_name, check_pull_policy, check_restart, check_not_blank, check_regex,
    check_ssh, check_provider_options, check_port_published, check_host_ip, check_port_number;

/* What makes entries of lists equal. */
schema_identity identity_text, identity_path, identity_port, identity_target, identity_config_use,
    identity_secret_use;

/* Defaults and rules of objects. */
schema_finisher finish_service, finish_build, finish_dependency, finish_device_request,
    finish_env_file, finish_port, finish_mount, finish_secret_use, finish_volume, finish_config,
    finish_secret;

/* Tables of parts, where another file needs them. */
extern const struct schema_keys schema_deploy, schema_develop, schema_hook, schema_device_request,
    schema_healthcheck, schema_logging, schema_port, schema_mount, schema_file_use,
    schema_secret_use, schema_ulimit, schema_dependency, schema_ready, schema_project, schema_model,
    schema_include, schema_blkio, schema_device, schema_env_file, schema_endpoint, schema_provider,
    schema_credential_spec, schema_extends, schema_watch, schema_throttle, schema_ipam,
    schema_weight, schema_model_use, schema_external;

/* Reasons that rows of several files give. */
#define NO_MODELS "language models need Docker Model Runner, which is no part of the engine"
#define NO_PROVIDERS "outside providers are programs that docker compose starts"

#define SCHEMA_KEYS(rows)                            \
    {                                                \
        rows, sizeof(rows) / sizeof((rows)[0]), NULL \
    }
#define SCHEMA_KEYS_FINISH(rows, fn)               \
    {                                              \
        rows, sizeof(rows) / sizeof((rows)[0]), fn \
    }

#endif
