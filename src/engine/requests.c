/* Requests on images, networks, volumes, and the engine itself. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"
#include "engine/requests_private.h"
#include "text/imageref.h"

/* --- images --- */

static void image(request_out rq, const char *method, const char *ref, const char *after)
{
    struct str path = request_path("/images/", ref, after);
    request_make(rq, method, &path);
}

void rq_images(request_out rq, const char *const *refs, size_t n)
{
    struct str path = request_plain("/images/json");
    auto_json json_t *filters = json_object();
    struct strmap seen = STRMAP_INIT; /* many services are of one image */
    bool all = n == 0;
    for (size_t i = 0; i < n; i++) {
        all |= imageref_is_id(refs[i]); /* the filter does not find ids */
        if (!strmap_has(&seen, refs[i]))
            request_filter(filters, "reference", refs[i]);
        strmap_set(&seen, refs[i], NULL);
    }
    strmap_clear(&seen, NULL);
    if (!all)
        request_json(&path, "filters", filters);
    request_make(rq, "GET", &path);
}

void rq_images_label(request_out rq, const char *label)
{
    struct str path = request_plain("/images/json");
    engine_query_filters(&path, "label", label, NULL);
    request_make(rq, "GET", &path);
}

void rq_image_inspect(request_out rq, const char *ref)
{
    image(rq, "GET", ref, "/json");
}

void rq_image_pull(request_out rq, const char *name, const char *tag_or_digest,
                   const char *platform, const char *auth)
{
    struct str path = request_plain("/images/create");
    engine_query(&path, "fromImage", name);
    /* Without a tag an engine pulls every tag there is. */
    engine_query(&path, "tag", tag_or_digest && *tag_or_digest ? tag_or_digest : "latest");
    engine_query(&path, "platform", platform);
    request_make(rq, "POST", &path);
    rq->registry_auth = xstrdup(auth);
    rq->answer = ENGINE_STREAM;
    rq->silence_ms = LONG_MS;
}

void rq_image_push(request_out rq, const char *name, const char *tag, const char *auth)
{
    struct str path = request_path("/images/", name, "/push");
    engine_query(&path, "tag", tag);
    request_make(rq, "POST", &path);
    rq->registry_auth = xstrdup(auth ? auth : "e30="); /* {}: Engine 20.10 wants the header */
    rq->answer = ENGINE_STREAM;
    rq->silence_ms = LONG_MS;
}

void rq_image_tag(request_out rq, const char *ref, const char *repo, const char *tag)
{
    struct str path = request_path("/images/", ref, "/tag");
    engine_query(&path, "repo", repo);
    engine_query(&path, "tag", tag);
    request_make(rq, "POST", &path);
}

void rq_image_remove(request_out rq, const char *ref, bool force)
{
    struct str path = request_path("/images/", ref, "");
    request_flag(&path, "force", force);
    request_make(rq, "DELETE", &path);
    rq->missing_ok = true;
    rq->silence_ms = SLOW_MS;
}

void rq_image_history(request_out rq, const char *ref)
{
    image(rq, "GET", ref, "/history");
}

void rq_distribution(request_out rq, const char *ref, const char *auth)
{
    struct str path = request_path("/distribution/", "", "");
    request_encode(&path, ref, "/:@");
    str_add(&path, "/json");
    request_make(rq, "GET", &path);
    rq->registry_auth = xstrdup(auth);
}

/* --- networks and volumes --- */

void rq_networks(request_out rq, const char *stack)
{
    request_list(rq, "/networks", stack, false);
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
    struct str path = request_plain(resource);
    auto_json json_t *filters = json_object();
    for (size_t i = 0; i < n; i++) {
        auto_free char *pattern = exactly(names[i]);
        request_filter(filters, "name", pattern);
    }
    if (n > 0)
        request_json(&path, "filters", filters);
    request_make(rq, "GET", &path);
}

void rq_networks_named(request_out rq, const char *const *names, size_t n)
{
    list_named(rq, "/networks", names, n);
}

static void network(request_out rq, const char *method, const char *id, const char *after)
{
    struct str path = request_path("/networks/", id, after);
    request_make(rq, method, &path);
}

void rq_network_inspect(request_out rq, const char *id)
{
    network(rq, "GET", id, "");
}

void rq_network_create(request_out rq, json_t *body)
{
    struct str path = request_plain("/networks/create");
    request_make(rq, "POST", &path);
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
    request_list(rq, "/volumes", stack, false);
}

void rq_volumes_named(request_out rq, const char *const *names, size_t n)
{
    list_named(rq, "/volumes", names, n);
}

static void volume(request_out rq, const char *method, const char *name)
{
    struct str path = request_path("/volumes/", name, "");
    request_make(rq, method, &path);
}

void rq_volume_inspect(request_out rq, const char *name)
{
    volume(rq, "GET", name);
}

void rq_volume_create(request_out rq, json_t *body)
{
    struct str path = request_plain("/volumes/create");
    request_make(rq, "POST", &path);
    rq->body = body;
}

void rq_volume_remove(request_out rq, const char *name, bool force)
{
    struct str path = request_path("/volumes/", name, "");
    request_flag(&path, "force", force);
    request_make(rq, "DELETE", &path);
    rq->missing_ok = true;
}

/* --- system --- */

void rq_ping(request_out rq)
{
    struct str path = request_plain("/_ping");
    request_make(rq, "GET", &path);
    rq->no_version = true;
    rq->answer = ENGINE_TEXT;
}

static void system_get(request_out rq, const char *what)
{
    struct str path = request_plain(what);
    request_make(rq, "GET", &path);
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

void rq_volume_usage(request_out rq)
{
    system_get(rq, "/system/df?type=volume");
    rq->silence_ms = LONG_MS;
}

void rq_events(request_out rq, const char *stack, const char *since, const char *until,
               const char *const *actions, size_t n)
{
    struct str path = request_plain("/events");
    auto_free char *label = request_stack_label(stack);
    auto_json json_t *filters = json_object();
    engine_query(&path, "since", since);
    engine_query(&path, "until", until);
    request_filter(filters, "type", "container");
    request_filter(filters, "label", label);
    for (size_t i = 0; i < n; i++) {
        request_filter(filters, "event", actions[i]);
        if (str_eq(actions[i], "die")) /* Podman 4 sends it as that, and finds it as this */
            request_filter(filters, "event", "died");
    }
    request_json(&path, "filters", filters);
    request_make(rq, "GET", &path);
    rq->answer = ENGINE_STREAM;
    rq->quiet_ok = true;
}
