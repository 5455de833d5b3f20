/*
 * Logins at registries for a build.
 *
 *     CredentialsRequest  { string Host 1 }
 *     CredentialsResponse { string Username 1; string Secret 2 }
 */
#include "session/logins.h"

#include <jansson.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/pb.h"
#include "registry/auth.h"
#include "text/imageref.h"

#define HUB_HOST "registry-1.docker.io" /* where docker.io's images are */

struct logins {
    struct loop *loop;
    struct session *session;
};

struct lookup {
    struct grpc_call *call;
    struct registry_lookup *registry; /* while it runs */
};

struct logins *logins_new(struct loop *l)
{
    struct logins *a = xnew(struct logins);
    a->loop = l;
    return a;
}

void logins_attach(struct logins *a, struct session *s)
{
    a->session = s;
}

void logins_free(struct logins *a)
{
    free(a);
}

static void answer(struct grpc_call *c, const json_t *login)
{
    struct str message = STR_INIT;
    const char *token = json_str_or(login, "identitytoken", "");
    if (!*token) {
        pb_add_text(&message, 1, json_str_or(login, "username", ""));
        token = json_str_or(login, "password", "");
    }
    pb_add_text(&message, 2, token);
    grpc_send(c, message.buf, message.len);
    grpc_finish(c, GRPC_OK, NULL);
    if (message.cap)
        wipe(message.buf, message.cap);
    str_clear(&message);
}

/* `value` is a header of the Engine API: base64 of JSON. */
static void answer_header(struct grpc_call *c, const char *value)
{
    uint8_t *text;
    size_t len;
    if (base64_decode(&text, &len, value, NULL) < 0) {
        answer(c, NULL);
        return;
    }
    auto_json json_t *login = json_loadb((const char *)text, len, 0, NULL);
    answer(c, login);
    wipe(text, len);
    free(text);
}

static void on_login(void *ctx, const char *value, const struct error *err)
{
    struct lookup *lk = ctx;
    struct logins *a = grpc_ctx(lk->call);
    lk->registry = NULL;
    if (err)
        grpc_finish(lk->call, GRPC_INTERNAL, err->msg);
    else if (value)
        answer_header(lk->call, value);
    else
        answer(lk->call, NULL);
    session_flush(a->session);
}

/* An image of the registry at `host`, or NULL: no image reference has such a host. */
static char *image_at(const char *host)
{
    auto_(arena_freep) struct arena *a = arena_new();
    const char *domain = strcmp(host, HUB_HOST) == 0 ? "docker.io" : host;
    auto_free char *ref = xasprintf("%s/x", domain);
    struct imageref parsed;
    if (imageref_parse(&parsed, a, ref, NULL) < 0 || strcmp(parsed.domain, domain) != 0)
        return NULL;
    return take(ref);
}

static void on_message(struct grpc_call *c, const uint8_t *data, size_t len)
{
    struct logins *a = grpc_ctx(c);
    struct pb in = pb_of(data, len);
    struct pb_field f;
    auto_free char *host = NULL;
    while (pb_more(&in) && pb_next(&in, &f))
        if (f.number == 1 && f.type == PB_BYTES && !host)
            host = pb_text(&f.bytes);
    auto_free char *ref = host ? image_at(host) : NULL;
    if (!ref || grpc_state(c)) {
        grpc_finish(c, GRPC_INVALID_ARGUMENT, "the request names no registry");
        return;
    }
    struct lookup *lk = xnew(struct lookup);
    lk->call = c;
    lk->registry = registry_auth_start(a->loop, ref, on_login, lk);
    grpc_set_state(c, lk);
}

static void gone(struct grpc_call *c)
{
    struct lookup *lk = grpc_state(c);
    if (!lk)
        return;
    registry_cancel(lk->registry);
    free(lk);
}

const struct grpc_method logins_credentials = {
    .path = "/moby.filesync.v1.Auth/Credentials",
    .message = on_message,
    .gone = gone,
};
