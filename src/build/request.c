/* POST /build: what the file says about a build, as the engine's parameters. */
#include "build/request.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "model/labels.h"

static const struct node *config(const struct build_request *in, const char *key)
{
    return node_get(in->recipe->image->config, key);
}

static bool is_set(const struct node *n)
{
    if (!n || n->kind == NODE_NULL)
        return false;
    return n->kind == NODE_BOOL ? n->boolean : node_is_scalar(n) ? *n->text : n->len > 0;
}

static int check_cache_to(const struct build_request *in, struct error *err)
{
    const struct node *list = config(in, "cache_to");
    node_each (i, list) {
        const char *to = node_text(list->items[i]);
        if (to && !strstr(to, "type=inline"))
            return error_set(err, ERR_INPUT, 0,
                             "build.cache_to: the engine's build request knows only 'type=inline'");
    }
    return 0;
}

static int check_contexts(const struct recipe *r, struct error *err)
{
    for (size_t i = 0; i < r->dockerfile.nuses; i++)
        if (r->sources[i].context)
            return error_set(err, ERR_INPUT, 0,
                             "build.additional_contexts: '%s' is '%s': folders, "
                             "'docker-image://REF' and 'service:NAME' can be used",
                             r->dockerfile.uses[i].ref, r->sources[i].context);
    return 0;
}

/* What BuildKit alone does. */
static int check_classic(const struct build_request *in, struct error *err)
{
    const struct dockerfile *df = &in->recipe->dockerfile;
    if (is_set(config(in, "secrets")))
        error_set(err, ERR_INPUT, 0, "build.secrets: the classic builder has no secrets");
    else if (is_set(config(in, "ssh")))
        error_set(err, ERR_INPUT, 0, "build.ssh: the classic builder has no SSH agents");
    else if (df->session_mounts)
        error_set(
            err, ERR_INPUT, 0,
            "the Dockerfile mounts a secret or an SSH agent, which the classic builder cannot");
    else if (df->heredocs)
        error_set(err, ERR_INPUT, 0,
                  "the Dockerfile has here-documents, which the classic builder does not run");
    else
        return 0;
    return error_hint(err, "build it with BuildKit: unset DOCKER_BUILDKIT");
}

int build_request_check(const struct build_request *in, struct error *err)
{
    static const struct {
        const char *key, *what;
    } unsupported[] = {
        { "entitlements", "the engine's build request cannot grant entitlements" },
        { "privileged", "the engine's build request cannot grant privileges" },
    };
    const struct recipe *r = in->recipe;
    for (size_t i = 0; i < countof(unsupported); i++)
        if (is_set(config(in, unsupported[i].key)))
            return error_set(err, ERR_INPUT, 0, "build.%s: %s", unsupported[i].key,
                             unsupported[i].what);
    if (r->image->remote_context && r->image->dockerfile_inline)
        return error_set(err, ERR_INPUT, 0,
                         "build.dockerfile_inline cannot be used with a context that the engine "
                         "fetches");
    if (check_contexts(r, err) < 0 || check_cache_to(in, err) < 0)
        return -1;
    return in->buildkit ? 0 : check_classic(in, err);
}

static void add_json(struct str *path, const char *key, json_t *value)
{
    bool empty = json_is_array(value) ? json_array_size(value) == 0 : json_object_size(value) == 0;
    auto_free char *text = json_canonical(value);
    if (!empty)
        engine_query(path, key, text);
    json_decref(value);
}

/* Names without a value were not found in the environment: the builder must not see them. */
static void set_args(json_t *args, const struct node *map)
{
    node_each (i, map) {
        const char *value = node_text(map->items[i]);
        if (value)
            json_object_set_new(args, map->keys[i], json_string(value));
    }
}

static json_t *build_args(const struct build_request *in)
{
    json_t *args = json_object();
    const struct node *cache_to = config(in, "cache_to");
    if (cache_to && cache_to->len) /* inline, as was checked */
        json_object_set_new(args, "BUILDKIT_INLINE_CACHE", json_string("1"));
    set_args(args, in->recipe->image->args);
    set_args(args, in->options->args);
    return args;
}

static json_t *labels(const struct build_request *in)
{
    const struct node *map = in->recipe->image->labels;
    json_t *out = json_object();
    node_each (i, map) {
        const char *value = node_text(map->items[i]);
        json_object_set_new(out, map->keys[i], json_string(value ? value : ""));
    }
    if (in->fingerprint)
        json_object_set_new(out, LABEL_FINGERPRINT, json_string(in->fingerprint));
    if (in->source)
        json_object_set_new(out, LABEL_SOURCE, json_string(in->source));
    return out;
}

/* The engine takes images only: "x", or "type=registry,ref=x". Other kinds of cache make a build
 * faster elsewhere; without them it is the same build. */
static json_t *cache_from(const struct build_request *in)
{
    json_t *out = json_array();
    const struct node *list = config(in, "cache_from");
    node_each (i, list) {
        const char *text = node_text(list->items[i]);
        const char *ref = text ? strstr(text, "ref=") : NULL;
        if (text && !strchr(text, '='))
            json_array_append_new(out, json_string(text));
        else if (ref && str_starts(text, "type=registry"))
            json_array_append_new(out, json_stringn(ref + 4, strcspn(ref + 4, ",")));
    }
    return out;
}

static int ulimit_value(int64_t *out, const struct node *n, const char *key)
{
    const char *text = node_text(n && n->kind == NODE_MAP ? node_get(n, key) : n);
    return text ? num_int(out, text) : -1;
}

static json_t *ulimits(const struct build_request *in)
{
    json_t *out = json_array();
    const struct node *map = config(in, "ulimits");
    node_each (i, map) {
        int64_t soft, hard;
        if (ulimit_value(&soft, map->items[i], "soft") == 0 &&
            ulimit_value(&hard, map->items[i], "hard") == 0)
            json_array_append_new(out, json_pack("{s:s,s:I,s:I}", "Name", map->keys[i], "Soft",
                                                 (json_int_t)soft, "Hard", (json_int_t)hard));
    }
    return out;
}

/* "host=address", as the file has it, for the engine: "host:address". */
static void add_hosts(struct str *path, const struct node *hosts)
{
    node_each (i, hosts) {
        auto_free char *text = xstrdup(node_text(hosts->items[i]));
        char *equals = text ? strchr(text, '=') : NULL;
        if (equals)
            *equals = ':';
        engine_query(path, "extrahosts", text);
    }
}

/* The service's; else the one that the build names. Of several the engine builds its own. */
static const char *platform(const struct build_request *in)
{
    const struct node *list = config(in, "platforms");
    if (in->recipe->image->platform || !list || list->len != 1)
        return in->recipe->image->platform;
    return node_text(list->items[0]);
}

int build_request(struct engine_request *rq, const struct build_request *in, struct error *err)
{
    if (build_request_check(in, err) < 0)
        return -1;
    const struct image *image = in->recipe->image;
    struct str path = STR_INIT;
    str_add(&path, "/build");
    if (in->buildkit)
        engine_query(&path, "version", "2");
    engine_query(&path, "session", in->session);
    if (image->remote_context || in->dockerfile)
        engine_query(&path, "remote", in->dockerfile ? "client-session" : image->context);
    engine_query(&path, "dockerfile",
                 in->dockerfile ? in->dockerfile : in->recipe->place.dockerfile_name);
    engine_query(&path, "t", image->ref);
    const struct node *tags = config(in, "tags");
    node_each (i, tags) {
        engine_query(&path, "t", node_text(tags->items[i]));
    }
    engine_query(&path, "target", image->target);
    engine_query(&path, "platform", platform(in));
    engine_query(&path, "networkmode", node_text(config(in, "network")));
    engine_query(&path, "isolation", node_text(config(in, "isolation")));
    int64_t shm_size;
    const char *shm_text = node_text(config(in, "shm_size"));
    if (shm_text && num_bytes(&shm_size, shm_text) == 0)
        engine_query_int(&path, "shmsize", shm_size);
    if (in->options->memory && !in->buildkit)
        engine_query_int(&path, "memory", in->options->memory);
    if (in->options->no_cache || is_set(config(in, "no_cache")))
        engine_query(&path, "nocache", "1");
    /* Intermediate containers of the classic builder go, whatever happens. */
    engine_query(&path, "rm", "1");
    engine_query(&path, "forcerm", "1");
    add_hosts(&path, config(in, "extra_hosts"));
    add_json(&path, "buildargs", build_args(in));
    add_json(&path, "labels", labels(in));
    add_json(&path, "cachefrom", cache_from(in));
    add_json(&path, "ulimits", ulimits(in));
    *rq = (struct engine_request){
        .method = "POST",
        .path = str_detach(&path),
        .answer = ENGINE_STREAM,
        .quiet_ok = true,
    };
    return 0;
}
