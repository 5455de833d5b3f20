/* From an endpoint to an engine that can be asked, and what is known of it. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/headers.h"
#include "engine/private.h"

#define SSH_CONNECTIONS 2 /* each a process of the other side */

int engine_parse_version(const char *text)
{
    int64_t minor;
    if (!str_starts(text, "1.") || num_range(&minor, text + 2, 1, 999))
        return 0;
    return (int)minor;
}

static int open_http(struct engine *e, struct error *err)
{
    const struct engine_endpoint *ep = &e->endpoint;
    struct http_endpoint http = {
        .name = ep->host,
        .base_url = "http://localhost",
        .ca_file = ep->ca_file,
        .cert_file = ep->cert_file,
        .key_file = ep->key_file,
        .skip_verify = ep->skip_verify,
    };
    auto_free char *url = NULL;
    if (str_starts(ep->host, "unix://")) {
        http.socket_path = ep->host + strlen("unix://");
    } else if (str_starts(ep->host, "ssh://")) {
        if (ssh_open(&e->ssh, e->loop, ep->host, err))
            return -1;
        http.socket_path = ssh_socket(e->ssh);
        http.max_connections = SSH_CONNECTIONS;
    } else {
        url = xasprintf("http%s://%s", ep->tls ? "s" : "", ep->host + strlen("tcp://"));
        http.base_url = url;
    }
    return http_open(&e->http, e->loop, &http, err);
}

/* DOCKER_API_VERSION pins the version. */
static int pin(struct engine *e, struct error *err)
{
    const char *text = getenv("DOCKER_API_VERSION");
    if (!text || !*text)
        return 0;
    e->api = engine_parse_version(text);
    e->pinned = true;
    if (e->api == 0)
        return error_set(err, ERR_USAGE, 0, "DOCKER_API_VERSION is '%s', which is no API version",
                         text);
    if (e->api < ENGINE_API_MIN)
        return error_set(err, ERR_USAGE, 0, "DOCKER_API_VERSION is '%s'; stack needs at least 1.%d",
                         text, ENGINE_API_MIN);
    return 0;
}

/* STACK_SILENCE_MS: how long an engine may say nothing. For tests, which cannot wait for minutes.
 */
static int limit_silence(struct engine *e, struct error *err)
{
    const char *text = getenv("STACK_SILENCE_MS");
    if (text && *text && num_range(&e->silence_ms, text, 1, 3600 * 1000) < 0)
        return error_set(err, ERR_USAGE, 0,
                         "STACK_SILENCE_MS is '%s', which is no number of "
                         "milliseconds",
                         text);
    return 0;
}

int engine_open(struct engine **out, struct loop *l, const struct engine_options *opt,
                struct error *err)
{
    auto_(engine_closep) struct engine *e = xnew(struct engine);
    e->loop = l;
    if (engine_find(&e->endpoint, opt, err) || pin(e, err) || limit_silence(e, err) ||
        open_http(e, err))
        return -1;
    headers_of_config(&e->headers);
    log_debug("engine: %s (%s)", e->endpoint.host, e->endpoint.why);
    *out = take(e);
    return 0;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    while (e->calls)
        engine_call_free(e->calls);
    http_close(e->http);
    ssh_close(e->ssh);
    engine_endpoint_clear(&e->endpoint);
    strv_clear(&e->headers);
    error_clear(&e->too_old);
    free(e->server);
    free(e);
}

const struct engine_endpoint *engine_endpoint(const struct engine *e)
{
    return &e->endpoint;
}

struct loop *engine_loop(const struct engine *e)
{
    return e->loop;
}

struct http *engine_http(const struct engine *e)
{
    return e->http;
}

int engine_api(const struct engine *e)
{
    return e->api;
}

const char *engine_server(const struct engine *e)
{
    return e->server;
}

unsigned engine_calls(const struct engine *e)
{
    return e->sent;
}
