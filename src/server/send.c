/* Deliveries to another `stack hook`. */
#include "server/send.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/strv.h"
#include "net/http.h"
#include "server/deliver.h"

enum {
    ATTEMPTS = 3,
    DELAY_MS = 1000,
    SILENCE_MS = 15000,
    ANSWER_MAX = 64 << 10,
    ID_BYTES = 16,
};

struct sending {
    bool done, waited;
    struct error err;
    int status;
    char *body; /* of the answer */
};

static void on_answer(void *ctx, const struct http_response *r, const struct error *err)
{
    struct sending *s = ctx;
    s->done = true;
    if (err) {
        error_copy(&s->err, err);
        return;
    }
    s->status = r->status;
    s->body = r->status < 300 ? xstrndup(r->body.buf, strcspn(r->body.buf, "\n"))
                              : http_refusal(r->status, r->body.buf, r->body.len);
}

static void on_delay(void *ctx)
{
    bool *waited = ctx;
    *waited = true;
}

static void wait_ms(struct loop *l, int64_t ms)
{
    struct loop_timer *timer;
    bool waited = false;
    loop_after(&timer, l, ms, on_delay, &waited);
    loop_wait(l, &waited);
}

/* The answer's text, owned by the caller. */
static char *post(struct loop *l, struct http *http, const struct http_request *rq,
                  struct error *err)
{
    for (int attempt = 1;; attempt++) {
        struct sending s = { 0 };
        http_start(http, rq, &(struct http_handlers){ .done = on_answer, .ctx = &s });
        loop_wait(l, &s.done);
        if (s.err.kind && (http_absent(&s.err) || http_lost(&s.err)) && attempt < ATTEMPTS) {
            error_clear(&s.err);
            wait_ms(l, DELAY_MS * attempt);
            continue;
        }
        if (s.err.kind) {
            error_move(err, &s.err);
            return NULL;
        }
        if (s.status < 300)
            return s.body;
        error_set(err, ERR_NETWORK, 0, "it answered %d: %s", s.status, s.body);
        free(s.body);
        return NULL;
    }
}

static char *send_push(struct loop *l, struct http *http, const char *path,
                       const struct secret *key, const struct strv *push, struct error *err)
{
    char id[2 * ID_BYTES + 1];
    random_hex(id, ID_BYTES);
    auto_json json_t *payload = json_pack("{s:s, s:s, s:s}", "before", push->items[0], "after",
                                          push->items[1], "ref", push->items[2]);
    auto_free char *body = json_dumps(payload, JSON_COMPACT);
    auto_free char *time = xasprintf("%lld", (long long)(clock_unix_ns() / 1000000000));
    auto_free char *signature = signature_standard_make(id, time, key, body, strlen(body));
    if (!signature) {
        error_set(err, ERR_INPUT, 0, "the secret begins with 'whsec_', but is no base64 behind it");
        return NULL;
    }
    auto_strv struct strv headers = STRV_INIT;
    strv_add(&headers, "Content-Type: application/json");
    strv_addf(&headers, "webhook-id: %s", id);
    strv_addf(&headers, "webhook-timestamp: %s", time);
    strv_addf(&headers, "webhook-signature: %s", signature);
    return post(l, http,
                &(struct http_request){
                    .method = "POST",
                    .path = path,
                    .headers = &headers,
                    .body = body,
                    .body_len = strlen(body),
                    .silence_ms = SILENCE_MS,
                    .max_body = ANSWER_MAX,
                },
                err);
}

static bool to_be_sent(const struct strv *push)
{
    return push->len == 3 && deliver_ref_valid(push->items[2]) &&
           deliver_commit_valid(push->items[1]) && push->items[1][strspn(push->items[1], "0")];
}

int send_pushes(struct loop *l, const char *url, const struct secret *key, const char *pushes,
                void (*said)(void *ctx, const char *line), void *ctx, struct error *err)
{
    const char *host = strstr(url, "://");
    if (!host || (!str_starts(url, "http://") && !str_starts(url, "https://")))
        return error_set(err, ERR_USAGE, 0, "'%s' is no http or https address", url);
    const char *path = host + 3 + strcspn(host + 3, "/");
    auto_free char *base = xstrndup(url, (size_t)(path - url));
    auto_(http_closep) struct http *http = NULL;
    if (http_open(&http, l, &(struct http_endpoint){ .base_url = base }, err) < 0)
        return -1;
    auto_strv struct strv lines = STRV_INIT;
    strv_split(&lines, pushes, "\n");
    if (lines.len > SEND_PUSHES_MAX)
        return error_set(err, ERR_INPUT, 0, "more than %d refs at a time", SEND_PUSHES_MAX);
    strv_each (line, &lines) {
        auto_strv struct strv push = STRV_INIT;
        strv_split(&push, *line, " ");
        if (!to_be_sent(&push))
            continue;
        auto_free char *answer = send_push(l, http, *path ? path : "/hook", key, &push, err);
        if (!answer)
            return error_wrap(err, "send %s to %s", push.items[2], url);
        auto_free char *text = xasprintf("%s: %s", push.items[2], answer);
        auto_free char *safe = safe_text(text, SAFE_LINE);
        said(ctx, safe);
    }
    return 0;
}
