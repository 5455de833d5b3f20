/* The requests of the Engine API, one builder each. */
#include "engine/requests.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/strmap.h"
#include "model/labels.h"

/*
 * Every builder is the same three steps: a path with the object's name in it, the query, and
 * make(). What lasts long inside an engine gets a longer limit of silence than the usual minute:
 * an engine under load, a stop that waits for its grace period, an image that is unpacked without
 * a word.
 */

enum { SLOW_MS = 180 * 1000, LONG_MS = 900 * 1000 };

static void make(request_out rq, const char *method, struct str *path)
{
    *rq = (struct engine_request){ .method = method, .path = str_detach(path) };
}

static void add_encoded(struct str *out, const char *text, const char *keep)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || strchr("-_.~", c) || strchr(keep, c))
            str_addc(out, (char)c);
        else
            str_addf(out, "%%%02X", c);
    }
}

/* "/containers/" + id + "/start"; image names keep the bytes that engines route by. */
static struct str path_of(const char *before, const char *name, const char *after)
{
    struct str path = STR_INIT;
    str_add(&path, before);
    add_encoded(&path, name, strcmp(before, "/images/") == 0 ? "/:@" : "");
    str_add(&path, after);
    return path;
}

static struct str path_plain(const char *text)
{
    return path_of(text, "", "");
}

/* --- queries --- */

void engine_query(struct str *path, const char *key, const char *value)
{
    if (!value)
        return;
    str_addc(path, strchr(path->buf, '?') ? '&' : '?');
    str_add(path, key);
    str_addc(path, '=');
    add_encoded(path, value, "");
}

void engine_query_int(struct str *path, const char *key, int64_t value)
{
    auto_free char *text = xasprintf("%lld", (long long)value);
    engine_query(path, key, text);
}

static void query_flag(struct str *path, const char *key, bool on)
{
    if (on)
        engine_query(path, key, "1");
}

/* A value that is no UTF-8, which JSON cannot hold, becomes text that matches nothing: a filter
 * that is left out would match everything. */
static json_t *filter_value(const char *value)
{
    json_t *j = json_string(value);
    auto_free char *shown = j ? NULL : safe_text(value, SAFE_LINE);
    return j ? j : json_string(shown);
}

static void add_filter(json_t *filters, const char *kind, const char *value)
{
    json_t *values = json_object_get(filters, kind);
    if (!values) {
        values = json_array();
        json_object_set_new(filters, kind, values);
    }
    json_array_append_new(values, filter_value(value));
}

static void query_json(struct str *path, const char *key, const json_t *value)
{
    auto_free char *text = json_dumps(value, JSON_COMPACT);
    engine_query(path, key, text);
}

void engine_query_filters(struct str *path, const char *kind, ...)
{
    auto_json json_t *filters = json_object();
    va_list ap;
    va_start(ap, kind);
    for (const char *k = kind; k; k = va_arg(ap, const char *))
        add_filter(filters, k, va_arg(ap, const char *));
    va_end(ap);
    query_json(path, "filters", filters);
}

/* Objects of one stack, or of any. */
static char *stack_label(const char *stack)
{
    return stack ? xasprintf(LABEL_STACK "=%s", stack) : xstrdup(LABEL_STACK);
}

static void list_of_stack(request_out rq, const char *what, const char *stack, bool all)
{
    struct str path = path_plain(what);
    auto_free char *label = stack_label(stack);
    query_flag(&path, "all", all);
    engine_query_filters(&path, "label", label, NULL);
    make(rq, "GET", &path);
}

/* --- containers --- */

static void container(request_out rq, const char *method, const char *id, const char *after)
{
    struct str path = path_of("/containers/", id, after);
    make(rq, method, &path);
}

void rq_containers(request_out rq, const char *stack, bool all)
{
    list_of_stack(rq, "/containers/json", stack, all);
}

void rq_containers_any(request_out rq, const char *filter_kind, const char *filter_value)
{
    struct str path = path_plain("/containers/json?all=1");
    engine_query_filters(&path, filter_kind, filter_value, NULL);
    make(rq, "GET", &path);
}

void rq_container_inspect(request_out rq, const char *id)
{
    container(rq, "GET", id, "/json");
}

void rq_container_create(request_out rq, const char *name, const char *platform, json_t *body)
{
    struct str path = path_plain("/containers/create");
    engine_query(&path, "name", name);
    engine_query(&path, "platform", platform);
    make(rq, "POST", &path);
    rq->body = body;
    rq->silence_ms = SLOW_MS;
}

void rq_container_start(request_out rq, const char *id)
{
    container(rq, "POST", id, "/start");
    rq->silence_ms = SLOW_MS;
}

/* Without a timeout of ours the engine waits as long as the container was made to be waited for. */
static int64_t grace_ms(int timeout_s)
{
    return timeout_s < 0 ? LONG_MS : SLOW_MS + (int64_t)timeout_s * 1000;
}

static void stop_or_restart(request_out rq, const char *id, const char *verb, const char *signal,
                            int timeout_s)
{
    struct str path = path_of("/containers/", id, verb);
    engine_query(&path, "signal", signal);
    if (timeout_s >= 0)
        engine_query_int(&path, "t", timeout_s);
    make(rq, "POST", &path);
    rq->silence_ms = grace_ms(timeout_s);
}

void rq_container_stop(request_out rq, const char *id, const char *signal, int timeout_s)
{
    stop_or_restart(rq, id, "/stop", signal, timeout_s);
}

void rq_container_restart(request_out rq, const char *id, int timeout_s)
{
    stop_or_restart(rq, id, "/restart", NULL, timeout_s);
}

void rq_container_kill(request_out rq, const char *id, const char *signal)
{
    struct str path = path_of("/containers/", id, "/kill");
    engine_query(&path, "signal", signal);
    make(rq, "POST", &path);
}

void rq_container_pause(request_out rq, const char *id)
{
    container(rq, "POST", id, "/pause");
}

void rq_container_unpause(request_out rq, const char *id)
{
    container(rq, "POST", id, "/unpause");
}

void rq_container_remove(request_out rq, const char *id, bool force, bool volumes)
{
    struct str path = path_of("/containers/", id, "");
    query_flag(&path, "force", force);
    query_flag(&path, "v", volumes);
    make(rq, "DELETE", &path);
    rq->missing_ok = true;
    rq->silence_ms = SLOW_MS;
}

void rq_container_rename(request_out rq, const char *id, const char *name)
{
    struct str path = path_of("/containers/", id, "/rename");
    engine_query(&path, "name", name);
    make(rq, "POST", &path);
}

void rq_container_wait(request_out rq, const char *id, const char *condition)
{
    struct str path = path_of("/containers/", id, "/wait");
    engine_query(&path, "condition", condition);
    make(rq, "POST", &path);
    rq->quiet_ok = true;
}

void rq_container_top(request_out rq, const char *id, const char *ps_args)
{
    struct str path = path_of("/containers/", id, "/top");
    engine_query(&path, "ps_args", ps_args);
    make(rq, "GET", &path);
}

void rq_container_stats(request_out rq, const char *id, bool stream)
{
    struct str path = path_of("/containers/", id, "/stats");
    engine_query(&path, "stream", stream ? "1" : "0");
    make(rq, "GET", &path);
    rq->answer = stream ? ENGINE_STREAM : ENGINE_JSON;
    rq->quiet_ok = stream;
}

void rq_container_update(request_out rq, const char *id, json_t *body)
{
    container(rq, "POST", id, "/update");
    rq->body = body;
}

static void resize(request_out rq, struct str path, int rows, int cols)
{
    engine_query_int(&path, "h", rows);
    engine_query_int(&path, "w", cols);
    make(rq, "POST", &path);
}

void rq_container_resize(request_out rq, const char *id, int rows, int cols)
{
    resize(rq, path_of("/containers/", id, "/resize"), rows, cols);
}

void rq_container_export(request_out rq, const char *id)
{
    container(rq, "GET", id, "/export");
    rq->answer = ENGINE_BYTES;
    rq->silence_ms = LONG_MS;
}

void rq_container_commit(request_out rq, const char *id, const char *repo, const char *tag,
                         const char *author, const char *message, bool pause, json_t *config)
{
    struct str path = path_plain("/commit");
    engine_query(&path, "container", id);
    engine_query(&path, "repo", repo);
    engine_query(&path, "tag", tag);
    engine_query(&path, "author", author);
    engine_query(&path, "comment", message);
    engine_query(&path, "pause", pause ? "1" : "0");
    make(rq, "POST", &path);
    rq->body = config;
    rq->silence_ms = LONG_MS;
}

void rq_container_logs(request_out rq, const char *id, const struct logs_options *opt)
{
    struct str path = path_of("/containers/", id, "/logs");
    query_flag(&path, "stdout", !opt->no_stdout);
    query_flag(&path, "stderr", !opt->no_stderr);
    query_flag(&path, "follow", opt->follow);
    query_flag(&path, "timestamps", opt->timestamps);
    if (opt->tail >= 0)
        engine_query_int(&path, "tail", opt->tail);
    engine_query(&path, "since", opt->since);
    engine_query(&path, "until", opt->until);
    make(rq, "GET", &path);
    rq->answer = ENGINE_BYTES;
    rq->quiet_ok = opt->follow;
}

static void archive(request_out rq, const char *method, const char *id, const char *where,
                    bool copy_uid_gid)
{
    struct str path = path_of("/containers/", id, "/archive");
    engine_query(&path, "path", where);
    query_flag(&path, "copyUIDGID", copy_uid_gid);
    make(rq, method, &path);
}

void rq_container_archive_get(request_out rq, const char *id, const char *path)
{
    archive(rq, "GET", id, path, false);
    rq->answer = ENGINE_BYTES;
    rq->silence_ms = LONG_MS;
}

void rq_container_archive_stat(request_out rq, const char *id, const char *path)
{
    archive(rq, "HEAD", id, path, false);
}

void rq_container_archive_put(request_out rq, const char *id, const char *path,
                              const struct http_upload *tar, bool copy_uid_gid)
{
    archive(rq, "PUT", id, path, copy_uid_gid);
    rq->upload = tar;
    rq->silence_ms = LONG_MS;
}

/* --- exec --- */

void rq_exec_create(request_out rq, const char *container_id, json_t *body)
{
    container(rq, "POST", container_id, "/exec");
    rq->body = body;
}

static void exec_start(request_out rq, const char *id, bool detach, bool tty)
{
    struct str path = path_of("/exec/", id, "/start");
    make(rq, "POST", &path);
    rq->body = json_pack("{s:b, s:b}", "Detach", detach, "Tty", tty);
}

void rq_exec_start_detached(request_out rq, const char *id, bool tty)
{
    exec_start(rq, id, true, tty);
}

void rq_exec_start(request_out rq, const char *id)
{
    exec_start(rq, id, false, false);
    rq->answer = ENGINE_BYTES;
    rq->quiet_ok = true;
}

void rq_exec_inspect(request_out rq, const char *id)
{
    struct str path = path_of("/exec/", id, "/json");
    make(rq, "GET", &path);
}

void rq_exec_resize(request_out rq, const char *id, int rows, int cols)
{
    resize(rq, path_of("/exec/", id, "/resize"), rows, cols);
}

/* --- images --- */

static void image(request_out rq, const char *method, const char *ref, const char *after)
{
    struct str path = path_of("/images/", ref, after);
    make(rq, method, &path);
}

void rq_images(request_out rq, const char *const *refs, size_t n)
{
    struct str path = path_plain("/images/json");
    auto_json json_t *filters = json_object();
    struct strmap seen = STRMAP_INIT; /* many services are of one image */
    for (size_t i = 0; i < n; i++) {
        if (!strmap_has(&seen, refs[i]))
            add_filter(filters, "reference", refs[i]);
        strmap_set(&seen, refs[i], NULL);
    }
    strmap_clear(&seen, NULL);
    if (n > 0)
        query_json(&path, "filters", filters);
    make(rq, "GET", &path);
}

void rq_images_label(request_out rq, const char *label)
{
    struct str path = path_plain("/images/json");
    engine_query_filters(&path, "label", label, NULL);
    make(rq, "GET", &path);
}

void rq_image_inspect(request_out rq, const char *ref)
{
    image(rq, "GET", ref, "/json");
}

void rq_image_pull(request_out rq, const char *name, const char *tag_or_digest,
                   const char *platform, const char *auth)
{
    struct str path = path_plain("/images/create");
    engine_query(&path, "fromImage", name);
    /* Without a tag an engine pulls every tag there is. */
    engine_query(&path, "tag", tag_or_digest && *tag_or_digest ? tag_or_digest : "latest");
    engine_query(&path, "platform", platform);
    make(rq, "POST", &path);
    rq->registry_auth = xstrdup(auth);
    rq->answer = ENGINE_STREAM;
    rq->silence_ms = LONG_MS;
}

void rq_image_push(request_out rq, const char *name, const char *tag, const char *auth)
{
    struct str path = path_of("/images/", name, "/push");
    engine_query(&path, "tag", tag);
    make(rq, "POST", &path);
    rq->registry_auth = xstrdup(auth ? auth : "e30="); /* {}: Engine 20.10 wants the header */
    rq->answer = ENGINE_STREAM;
    rq->silence_ms = LONG_MS;
}

void rq_image_tag(request_out rq, const char *ref, const char *repo, const char *tag)
{
    struct str path = path_of("/images/", ref, "/tag");
    engine_query(&path, "repo", repo);
    engine_query(&path, "tag", tag);
    make(rq, "POST", &path);
}

void rq_image_remove(request_out rq, const char *ref, bool force)
{
    struct str path = path_of("/images/", ref, "");
    query_flag(&path, "force", force);
    make(rq, "DELETE", &path);
    rq->missing_ok = true;
    rq->silence_ms = SLOW_MS;
}

void rq_image_history(request_out rq, const char *ref)
{
    image(rq, "GET", ref, "/history");
}

void rq_distribution(request_out rq, const char *ref, const char *auth)
{
    struct str path = path_of("/distribution/", "", "");
    add_encoded(&path, ref, "/:@");
    str_add(&path, "/json");
    make(rq, "GET", &path);
    rq->registry_auth = xstrdup(auth);
}

/* --- networks and volumes --- */

void rq_networks(request_out rq, const char *stack)
{
    list_of_stack(rq, "/networks", stack, false);
}

/* The name filter is a regular expression. */
static char *exactly(const char *name)
{
    struct str out = STR_INIT;
    str_addc(&out, '^');
    for (const char *p = name; *p; p++) {
        if (strchr(".*+?()[]{}|^$\\", *p))
            str_addc(&out, '\\');
        str_addc(&out, *p);
    }
    str_addc(&out, '$');
    return str_detach(&out);
}

static void list_named(request_out rq, const char *resource, const char *const *names, size_t n)
{
    struct str path = path_plain(resource);
    auto_json json_t *filters = json_object();
    for (size_t i = 0; i < n; i++) {
        auto_free char *pattern = exactly(names[i]);
        add_filter(filters, "name", pattern);
    }
    if (n > 0)
        query_json(&path, "filters", filters);
    make(rq, "GET", &path);
}

void rq_networks_named(request_out rq, const char *const *names, size_t n)
{
    list_named(rq, "/networks", names, n);
}

static void network(request_out rq, const char *method, const char *id, const char *after)
{
    struct str path = path_of("/networks/", id, after);
    make(rq, method, &path);
}

void rq_network_inspect(request_out rq, const char *id)
{
    network(rq, "GET", id, "");
}

void rq_network_create(request_out rq, json_t *body)
{
    struct str path = path_plain("/networks/create");
    make(rq, "POST", &path);
    rq->body = body;
    rq->silence_ms = SLOW_MS;
}

void rq_network_remove(request_out rq, const char *id)
{
    network(rq, "DELETE", id, "");
    rq->missing_ok = true;
    rq->silence_ms = SLOW_MS;
}

void rq_network_connect(request_out rq, const char *id, json_t *body)
{
    network(rq, "POST", id, "/connect");
    rq->body = body;
    rq->silence_ms = SLOW_MS;
}

void rq_network_disconnect(request_out rq, const char *id, const char *container_id, bool force)
{
    network(rq, "POST", id, "/disconnect");
    rq->body = json_pack("{s:s, s:b}", "Container", container_id, "Force", force);
    rq->silence_ms = SLOW_MS;
}

void rq_volumes(request_out rq, const char *stack)
{
    list_of_stack(rq, "/volumes", stack, false);
}

void rq_volumes_named(request_out rq, const char *const *names, size_t n)
{
    list_named(rq, "/volumes", names, n);
}

static void volume(request_out rq, const char *method, const char *name)
{
    struct str path = path_of("/volumes/", name, "");
    make(rq, method, &path);
}

void rq_volume_inspect(request_out rq, const char *name)
{
    volume(rq, "GET", name);
}

void rq_volume_create(request_out rq, json_t *body)
{
    struct str path = path_plain("/volumes/create");
    make(rq, "POST", &path);
    rq->body = body;
}

void rq_volume_remove(request_out rq, const char *name, bool force)
{
    struct str path = path_of("/volumes/", name, "");
    query_flag(&path, "force", force);
    make(rq, "DELETE", &path);
    rq->missing_ok = true;
}

/* --- system --- */

void rq_ping(request_out rq)
{
    struct str path = path_plain("/_ping");
    make(rq, "GET", &path);
    rq->no_version = true;
    rq->answer = ENGINE_TEXT;
}

static void system_get(request_out rq, const char *what)
{
    struct str path = path_plain(what);
    make(rq, "GET", &path);
}

void rq_version(request_out rq)
{
    system_get(rq, "/version");
}

void rq_info(request_out rq)
{
    system_get(rq, "/info");
}

void rq_disk_usage(request_out rq)
{
    system_get(rq, "/system/df");
    rq->silence_ms = LONG_MS;
}

void rq_events(request_out rq, const char *stack, const char *since, const char *until,
               const char *const *actions, size_t n)
{
    struct str path = path_plain("/events");
    auto_free char *label = stack_label(stack);
    auto_json json_t *filters = json_object();
    engine_query(&path, "since", since);
    engine_query(&path, "until", until);
    add_filter(filters, "type", "container");
    add_filter(filters, "label", label);
    for (size_t i = 0; i < n; i++)
        add_filter(filters, "event", actions[i]);
    query_json(&path, "filters", filters);
    make(rq, "GET", &path);
    rq->answer = ENGINE_STREAM;
    rq->quiet_ok = true;
}
