/*
 * The Docker Engine API: finding an engine, speaking its version, sending requests.
 *
 * Requests are data: requests.h builds a `struct engine_request`, engine_start() sends it on the
 * loop, engine_do() waits for it. Facts about real engines: API reference of Docker Engine 1.41
 * to 1.5x.
 *
 * Version: no call is spent on asking for it. The first request goes out under the oldest version
 * spoken here; every answer carries the engine's own (Api-Version), and later requests use the
 * smaller of the two. A request that only reads, refused as too old, is sent again in the version
 * that the refusal carries, else in that of GET /_ping; DOCKER_API_VERSION pins it. Before the
 * first request that changes something the version is known: engine_ready() pings if nothing was
 * asked before.
 *
 * How long the engine may be silent follows from the request; STACK_SILENCE_MS in the environment
 * (milliseconds) takes the place of all these limits, for tests.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <jansson.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "loop/loop.h"
#include "net/hijack.h"
#include "net/http.h"

#define ENGINE_API_MIN 41 /* 1.41: Engine 20.10 */
#define ENGINE_API_MAX 51 /* 1.51: Engine 28.5 */

struct engine_options {
    const char *context; /* --context, or NULL */
    const char *host;    /* -H, or NULL; both together are an error */
};

/* Where the engine is and why that one was taken: as the docker CLI chooses, see context.h. */
struct engine_endpoint {
    char *host;    /* "unix:///var/run/docker.sock", "tcp://h:2376", "ssh://u@h" */
    char *context; /* "default" or a context's name */
    char *why;     /* "DOCKER_HOST", "context 'colima' in ~/.docker/config.json", ... */
    char *ca_file, *cert_file, *key_file; /* TLS or NULL */
    bool tls;
    bool skip_verify;
    bool local; /* on this machine: its published ports are ours */
};
void engine_endpoint_clear(struct engine_endpoint *ep);

/* Chooses by --context > -H > DOCKER_HOST > DOCKER_CONTEXT > currentContext > default; where the
 * default socket does not exist, the known sockets of Desktop, OrbStack, Colima, Rancher, rootless,
 * Podman are tried. No engine is contacted. */
int engine_find(struct engine_endpoint *out, const struct engine_options *opt, struct error *err);
/* Short text of all places that were looked at, for messages; owned by the caller. */
char *engine_places(void);

struct engine;
int engine_open(struct engine **out, struct loop *l, const struct engine_options *opt,
                struct error *err);
/* Cancels what runs. Not from inside a callback of a call. */
void engine_close(struct engine *e);
DEFINE_FREEP(struct engine, engine_close)

const struct engine_endpoint *engine_endpoint(const struct engine *e);
struct loop *engine_loop(const struct engine *e);
struct http *engine_http(const struct engine *e);
/* The minor version in use (41 for "1.41"); 0 while unknown. An engine older than ENGINE_API_MIN
 * fails every call with ERR_NETWORK and the version that was found. */
int engine_api(const struct engine *e);
/* What the Server header said: "Docker/20.10.24 (linux)", "Libpod/4.3.1 (linux)", or NULL. */
const char *engine_server(const struct engine *e);
/* Makes the version known (GET /_ping unless it is). */
int engine_ready(struct engine *e, struct error *err);
/* Number of requests sent so far. */
unsigned engine_calls(const struct engine *e);

enum engine_answer_kind {
    ENGINE_JSON,   /* collected and parsed; an empty body is NULL */
    ENGINE_TEXT,   /* collected */
    ENGINE_STREAM, /* JSON values, each to on_json as it comes */
    ENGINE_BYTES,  /* pieces to on_data as they come */
};

struct engine_request {
    const char *method;
    char *path;      /* owned; below the version prefix: "/containers/json?all=1" */
    bool no_version; /* path is sent without the prefix (/_ping) */
    json_t *body;    /* owned, or NULL */
    const struct http_upload *upload; /* borrowed until done; sets application/x-tar */
    char *registry_auth;              /* owned; X-Registry-Auth (already base64url), or NULL */
    char *registry_config;            /* owned; X-Registry-Config, or NULL */
    enum engine_answer_kind answer;
    bool quiet_ok;      /* silence is normal: events, wait, logs */
    int64_t silence_ms; /* 0: the default */
    bool missing_ok;    /* 404 counts as done: for removals */
    bool already_ok;    /* 304 does: to start what runs, to stop what does not */
};
void engine_request_clear(struct engine_request *rq);

struct engine_answer {
    int status;
    json_t *json;     /* borrowed during the callback; json_incref() to keep */
    const char *text; /* ENGINE_TEXT */
    const struct http_response *http;
};

struct engine_handlers {
    void (*on_json)(void *ctx, json_t *value);                /* ENGINE_STREAM */
    void (*on_data)(void *ctx, const char *data, size_t len); /* ENGINE_BYTES */
    void (*on_open)(void *ctx);                               /* the headers came; may be NULL */
    /* Once, last. err: ERR_ENGINE (code = status, msg = the engine's message, neutralised),
     * ERR_NETWORK, ERR_TIMEOUT, ERR_PROTOCOL. An {"error": ...} inside a 200 stream is not an
     * error here: the caller of a stream looks at its values. */
    void (*done)(void *ctx, const struct engine_answer *answer, const struct error *err);
    void *ctx;
};

struct engine_call;
/* Sends it; *rq is taken over and cleared. GET and HEAD that lose their connection are sent again,
 * up to twice; nothing else ever is. */
struct engine_call *engine_start(struct engine *e, struct engine_request *rq,
                                 const struct engine_handlers *hd);
void engine_resume(struct engine_call *c);          /* the upload has more */
void engine_hold(struct engine_call *c, bool hold); /* on_data is to pause: net/http.h */
void engine_cancel(struct engine_call *c);          /* done does not run */

/* Waits on the loop. *out_json (may be NULL) is the caller's. */
int engine_do(json_t **out_json, struct engine *e, struct engine_request *rq, struct error *err);
/* The same, but no longer than `ms` in all: then ERR_TIMEOUT. 0: no such limit. */
int engine_do_within(json_t **out_json, struct engine *e, struct engine_request *rq, int64_t ms,
                     struct error *err);

/* Hijacked POST (attach, exec start, session); path without the version prefix, body (may be NULL)
 * stays the caller's. The version must be known: engine_ready(). */
struct hijack *engine_hijack(struct engine *e, const char *path, const char *protocol,
                             const struct strv *headers, json_t *body,
                             const struct hijack_handlers *hd);

/* The exit code at `path` in an answer, as a shell has it (0 to 255). An answer that has none is an
 * error (ERR_PROTOCOL, -1), never a success. */
int engine_exit_code(const json_t *answer, const char *path, struct error *err);

/* The next step, for an error that came from an engine and has none of its own. */
void engine_hint(struct error *err);

/* Query building: "?a=b&c=d" with percent-encoding. */
void engine_query(struct str *path, const char *key, const char *value); /* NULL value: nothing */
void engine_query_int(struct str *path, const char *key, int64_t value);
/* filters={"label":{"a=b":true},...} from (kind, value) pairs, ended by NULL. */
void engine_query_filters(struct str *path, const char *kind, ...) __attribute__((sentinel));

#endif
