/* Requests to an engine: its version, what may be repeated, what its errors say. */
#include "engine/engine.h"

#include <errno.h>
#include <string.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/private.h"
#include "engine/requests.h"
#include "net/lines.h"

/*
 * A call is sent at once, unless it changes something and the version is not known: then it waits
 * for a ping, which is a call like others. A call that reads may be sent more than once: after a
 * lost connection, and after an engine refused the version in its path.
 *
 * A caller's callback may cancel the call that it runs for. So a call that is inside one is only
 * marked, and freed on the way out: `nested`.
 */

enum { RETRIES = 2 };
static const int retry_pause_ms[RETRIES] = { 50, 250 };

struct engine_call {
    struct engine_call *prev, *next;
    struct engine *e;
    struct engine_request rq;
    struct engine_handlers hd;
    struct http_call *http;
    struct loop_timer *timer; /* a pause before the next try, or a failure to report */
    struct lines lines;
    struct error failure; /* why we ended the transfer */
    int64_t sent_ms;
    int sent_api; /* the version in the path */
    int tries;
    bool waits_for_version;
    bool version_refused; /* once; the second time it is an error */
    bool opened;          /* the caller has seen a part of the answer */
    bool nested;
    bool canceled;
};

static void send_call(struct engine_call *c);

static bool reads_only(const struct engine_call *c)
{
    return strcmp(c->rq.method, "GET") == 0 || strcmp(c->rq.method, "HEAD") == 0;
}

void engine_request_clear(struct engine_request *rq)
{
    free(rq->path);
    json_decref(rq->body);
    if (rq->registry_auth)
        wipe(rq->registry_auth, strlen(rq->registry_auth));
    if (rq->registry_config)
        wipe(rq->registry_config, strlen(rq->registry_config));
    free(rq->registry_auth);
    free(rq->registry_config);
    *rq = (struct engine_request){ 0 };
}

void engine_call_free(struct engine_call *c)
{
    DL_DELETE(c->e->calls, c);
    if (c->e->ping == c)
        c->e->ping = NULL;
    if (c->http)
        http_cancel(c->http);
    loop_timer_cancel(&c->timer);
    engine_request_clear(&c->rq);
    lines_clear(&c->lines);
    error_clear(&c->failure);
    free(c);
}

static void finish(struct engine_call *c, const struct engine_answer *answer,
                   const struct error *err)
{
    c->nested = true;
    c->hd.done(c->hd.ctx, err ? NULL : answer, err);
    engine_call_free(c);
}

/* --- the version --- */

static void learn(struct engine *e, const struct http_response *r)
{
    const char *server = http_header(r, "server");
    const char *version = http_header(r, "api-version");
    e->answered = true;
    if (server && !e->server)
        e->server = xstrndup(server, 200);
    int minor = version ? engine_parse_version(version) : 0;
    if (minor == 0)
        return;
    if (minor < ENGINE_API_MIN && !e->too_old.kind) {
        error_set(&e->too_old, ERR_NETWORK, 0,
                  "the engine at %s is too old: it speaks API %s%s%s%s", e->endpoint.host, version,
                  e->server ? " (" : "", e->server ? e->server : "", e->server ? ")" : "");
        error_hint(&e->too_old, "stack needs API 1.%d: Docker Engine 20.10 or Podman 3, or newer",
                   ENGINE_API_MIN);
    }
    if (e->api == 0)
        e->api = minor < ENGINE_API_MAX ? minor : ENGINE_API_MAX;
}

static void report_too_old(void *ctx)
{
    struct engine_call *c = ctx;
    finish(c, NULL, &c->e->too_old);
}

/* Sends it, now that the version is known, or reports why it is not going to be. */
static void go_on(struct engine_call *c)
{
    if (c->e->too_old.kind)
        loop_after(&c->timer, c->e->loop, 0, report_too_old, c);
    else
        send_call(c);
}

static struct engine_call *first_waiting(const struct engine *e)
{
    struct engine_call *c;
    DL_FOREACH (e->calls, c)
        if (c->waits_for_version)
            return c;
    return NULL;
}

static void on_ping(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct engine *e = ctx;
    struct engine_call *c;
    (void)answer;
    e->ping = NULL;
    if (!err && e->api == 0)
        e->api = ENGINE_API_MIN; /* it answers, and does not say */
    while ((c = first_waiting(e))) {
        c->waits_for_version = false;
        if (err)
            finish(c, NULL, err);
        else
            go_on(c);
    }
}

static void wait_for_version(struct engine_call *c)
{
    struct engine *e = c->e;
    c->waits_for_version = true;
    if (e->ping)
        return;
    struct engine_request rq;
    rq_ping(&rq);
    struct engine_handlers hd = { .done = on_ping, .ctx = e };
    e->ping = engine_start(e, &rq, &hd);
}

/* --- errors --- */

static void refused(struct error *err, const struct http_response *r)
{
    auto_free char *message = http_refusal(r->status, r->body.buf, r->body.len);
    error_set(err, ERR_ENGINE, r->status, "%s", message);
    if (strstr(message, "Mounts denied"))
        error_hint(err, "share that folder in the settings of Docker Desktop");
}

static bool is_version_refusal(const struct http_response *r)
{
    return r->status == 400 && strstr(r->body.buf, "client version") &&
           (strstr(r->body.buf, "too old") || strstr(r->body.buf, "too new") ||
            strstr(r->body.buf, "inimum supported"));
}

static void no_engine(struct error *out, const struct engine *e, const struct error *err)
{
    const struct engine_endpoint *ep = &e->endpoint;
    const char *reason = e->ssh ? ssh_complaint(e->ssh) : NULL;
    const char *detail = strstr(err->msg, "': ");
    if (!reason && !http_lost(err) && detail)
        reason = detail + strlen("': ");
    error_set(out, ERR_NETWORK, err->code, "no engine answers at %s: %s", ep->host,
              reason ? reason : err->msg);

    const char *socket = str_starts(ep->host, "unix://") ? ep->host + strlen("unix://") : NULL;
    if (socket && access(socket, R_OK | W_OK) < 0 && errno == EACCES) {
        error_hint(out,
                   "this user may not use '%s': add it to the group that owns the socket "
                   "(sudo usermod -aG docker $USER, then log in again)",
                   socket);
    } else if (e->ssh) {
        error_hint(out,
                   "see whether ssh gets there without a question, and finds docker: try "
                   "'docker -H %s version' or ssh itself",
                   ep->host);
    } else if (ep->tls &&
               (http_lost(err) || strstr(out->msg, "SSL") || strstr(out->msg, "certificate"))) {
        error_hint(out, "its certificate and ours must be of one authority: see %s",
                   str_eq(ep->context, "default") ? "DOCKER_CERT_PATH" : "the context's TLS files");
    } else if (str_eq(ep->why, "the default")) {
        auto_free char *places = engine_places();
        error_hint(out,
                   "start one (sudo systemctl start docker, or Docker Desktop), or name it with "
                   "-H, DOCKER_HOST or --context; looked for %s",
                   places);
    } else {
        error_hint(out, "that address comes from %s", ep->why);
    }
}

/* --- a call's life --- */

static void on_headers(void *ctx, const struct http_response *r)
{
    struct engine_call *c = ctx;
    learn(c->e, r);
    if (r->status < 200 || r->status > 299 || c->e->too_old.kind)
        return;
    if (c->rq.answer == ENGINE_STREAM || c->rq.answer == ENGINE_BYTES)
        c->opened = true;
    if (c->hd.on_open) {
        c->nested = true;
        c->hd.on_open(c->hd.ctx);
        c->nested = false;
        if (c->canceled)
            engine_call_free(c);
    }
}

static void on_value(void *ctx, json_t *value)
{
    struct engine_call *c = ctx;
    if (!c->canceled && c->hd.on_json)
        c->hd.on_json(c->hd.ctx, value);
}

static bool on_data(void *ctx, const char *data, size_t len)
{
    struct engine_call *c = ctx;
    bool more = true;
    c->nested = true;
    if (c->rq.answer == ENGINE_STREAM)
        more = lines_feed_json(&c->lines, data, len, on_value, c, &c->failure) == 0;
    else if (c->hd.on_data)
        c->hd.on_data(c->hd.ctx, data, len);
    c->nested = false;
    if (c->canceled) {
        engine_call_free(c);
        return false;
    }
    return more;
}

static void again(void *ctx)
{
    send_call(ctx);
}

/* A connection that was lost, for a request that may be sent twice. */
static bool try_again(struct engine_call *c, const struct error *err)
{
    bool lost = http_lost(err) || (c->e->answered && http_absent(err));
    if (!lost || !reads_only(c) || c->opened || c->tries > RETRIES)
        return false;
    log_debug("%s; trying again", err->msg);
    loop_after(&c->timer, c->e->loop, retry_pause_ms[c->tries - 1], again, c);
    return true;
}

/* Behind ssh, and with TLS 1.3, a refusal comes when the request was sent already. */
static bool never_reached(const struct engine *e, const struct error *err)
{
    return http_lost(err) && (e->ssh ? ssh_complaint(e->ssh) != NULL : e->endpoint.tls);
}

static void failed(struct engine_call *c, const struct error *err)
{
    auto_error struct error shown = ERROR_INIT;
    if (c->failure.kind) {
        error_move(&shown, &c->failure);
        error_wrap(&shown, "the engine's answer");
    } else if (!c->e->answered && (http_absent(err) || never_reached(c->e, err))) {
        no_engine(&shown, c->e, err);
    } else if (try_again(c, err)) {
        return;
    } else if (http_absent(err)) {
        no_engine(&shown, c->e, err);
    } else {
        error_copy(&shown, err);
    }
    finish(c, NULL, &shown);
}

static void answered(struct engine_call *c, const struct http_response *r)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *json = NULL;
    bool done = r->status < 300 || (r->status == 304 && c->rq.already_ok) ||
                (r->status == 404 && c->rq.missing_ok);
    if (!done) {
        refused(&err, r);
    } else if (c->rq.answer == ENGINE_STREAM && c->lines.rest.len > 0) {
        error_set(&err, ERR_PROTOCOL, 0, "the engine's answer ends in the middle of a JSON value");
    } else if (c->rq.answer == ENGINE_JSON && r->body.len > 0 && r->status < 300) {
        json = json_parse(r->body.buf, r->body.len, "the engine's answer", &err);
    }
    struct engine_answer answer = {
        .status = r->status,
        .json = json,
        .text = c->rq.answer == ENGINE_TEXT ? r->body.buf : NULL,
        .http = r,
    };
    finish(c, &answer, err.kind ? &err : NULL);
}

/* Mostly the refusal names the engine's own version: learn(). */
static void again_in_another_version(struct engine_call *c)
{
    struct engine *e = c->e;
    if (e->api && e->api != c->sent_api) {
        send_call(c);
        return;
    }
    e->api = 0;
    wait_for_version(c);
}

static void on_done(void *ctx, const struct http_response *r, const struct error *err)
{
    struct engine_call *c = ctx;
    struct engine *e = c->e;
    c->http = NULL;
    log_debug("%s %.100s: %d%s%s, %lld ms", c->rq.method, c->rq.path, r ? r->status : 0,
              err ? " " : "", err ? err->msg : "", (long long)(clock_ms() - c->sent_ms));
    if (err) {
        failed(c, err);
    } else if (e->too_old.kind) {
        finish(c, NULL, &e->too_old);
    } else if (is_version_refusal(r) && reads_only(c) && !e->pinned && !c->version_refused) {
        c->version_refused = true;
        again_in_another_version(c);
    } else {
        answered(c, r);
    }
}

static int api_to_send(const struct engine *e)
{
    return e->api ? e->api : ENGINE_API_MIN;
}

static char *versioned_path(const struct engine *e, const char *path)
{
    return xasprintf("/v1.%d%s", api_to_send(e), path);
}

static void send_call(struct engine_call *c)
{
    struct engine *e = c->e;
    const struct engine_request *rq = &c->rq;
    auto_free char *path = rq->no_version ? xstrdup(rq->path) : versioned_path(e, rq->path);
    auto_free char *body = rq->body ? json_dumps(rq->body, JSON_COMPACT) : NULL;
    auto_strv struct strv headers = STRV_INIT;
    strv_each (own, &e->headers)
        strv_add(&headers, *own);
    if (rq->upload)
        strv_add(&headers, "Content-Type: application/x-tar");
    else if (body)
        strv_add(&headers, "Content-Type: application/json");
    if (rq->registry_auth)
        strv_addf(&headers, "X-Registry-Auth: %s", rq->registry_auth);
    if (rq->registry_config)
        strv_addf(&headers, "X-Registry-Config: %s", rq->registry_config);

    struct http_request http = {
        .method = rq->method,
        .path = path,
        .headers = &headers,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .upload = rq->upload,
        .quiet_ok = rq->quiet_ok,
        .silence_ms = e->silence_ms ? e->silence_ms : rq->silence_ms,
    };
    struct http_handlers hd = { .on_headers = on_headers, .done = on_done, .ctx = c };
    if (rq->answer == ENGINE_STREAM || rq->answer == ENGINE_BYTES)
        hd.on_data = on_data;
    c->tries++;
    c->sent_api = api_to_send(e);
    c->sent_ms = clock_ms();
    e->sent++;
    c->http = http_start(e->http, &http, &hd);
}

struct engine_call *engine_start(struct engine *e, struct engine_request *rq,
                                 const struct engine_handlers *hd)
{
    struct engine_call *c = xnew(struct engine_call);
    c->e = e;
    c->hd = *hd;
    c->rq = *rq;
    c->lines = LINES_INIT;
    *rq = (struct engine_request){ 0 };
    DL_APPEND(e->calls, c);
    if (e->api || e->too_old.kind || c->rq.no_version || reads_only(c))
        go_on(c);
    else
        wait_for_version(c);
    return c;
}

void engine_resume(struct engine_call *c)
{
    if (c->http)
        http_resume(c->http);
}

void engine_hold(struct engine_call *c, bool hold)
{
    if (c->http)
        http_hold(c->http, hold);
}

void engine_cancel(struct engine_call *c)
{
    c->canceled = true;
    if (!c->nested)
        engine_call_free(c);
}

/* --- straight-line use --- */

struct waiting {
    bool done, late;
    json_t *json;
    struct error err;
};

static void on_waited(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct waiting *w = ctx;
    w->done = true;
    if (err)
        error_copy(&w->err, err);
    else
        w->json = json_incref(answer->json);
}

static void on_limit(void *ctx)
{
    struct waiting *w = ctx;
    w->late = w->done = true;
}

int engine_do_within(json_t **out_json, struct engine *e, struct engine_request *rq, int64_t ms,
                     struct error *err)
{
    struct waiting w = { .err = ERROR_INIT };
    struct engine_handlers hd = { .done = on_waited, .ctx = &w };
    struct loop_timer *limit = NULL;
    struct engine_call *c = engine_start(e, rq, &hd);
    if (ms)
        loop_after(&limit, e->loop, ms, on_limit, &w);
    bool waited = loop_wait(e->loop, &w.done);
    loop_timer_cancel(&limit);
    if (!waited || w.late)
        engine_cancel(c);
    if (!waited)
        return error_set(err, ERR_SYSTEM, 0, "the event loop ended before the engine answered");
    if (w.late)
        return error_set(err, ERR_TIMEOUT, 0, "the engine at %s has not answered in %lld s",
                         e->endpoint.host, (long long)(ms / 1000));
    if (w.err.kind)
        return error_move(err, &w.err);
    if (out_json)
        *out_json = w.json;
    else
        json_decref(w.json);
    return 0;
}

int engine_do(json_t **out_json, struct engine *e, struct engine_request *rq, struct error *err)
{
    return engine_do_within(out_json, e, rq, 0, err);
}

int engine_ready(struct engine *e, struct error *err)
{
    if (e->api && !e->too_old.kind)
        return 0;
    struct engine_request rq;
    rq_ping(&rq);
    if (engine_do(NULL, e, &rq, err))
        return -1;
    if (e->api == 0)
        e->api = ENGINE_API_MIN;
    return 0;
}

struct hijack *engine_hijack(struct engine *e, const char *path, const char *protocol,
                             const struct strv *headers, json_t *body,
                             const struct hijack_handlers *hd)
{
    auto_free char *full = versioned_path(e, path);
    auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    auto_strv struct strv all = STRV_INIT;
    strv_each (own, &e->headers)
        strv_add(&all, *own);
    if (headers)
        strv_each (header, headers)
            strv_add(&all, *header);
    e->sent++;
    return hijack_start(e->http, "POST", full, protocol, &all, text, hd);
}
