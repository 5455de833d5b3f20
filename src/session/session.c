/*
 * The connection of a session: bytes between the hijacked connection and gRPC. As much is taken
 * from gRPC as the connection sends at once; the rest waits there, where the calls see how much is
 * pending.
 */
#include "session/session.h"

#include "base/digest.h"
#include "base/mem.h"
#include "base/pb.h"

#define SESSION_QUEUE ((size_t)256 << 10) /* of the connection */

struct session {
    struct engine *engine;
    struct session_handlers hd;
    char id[33];
    char *shared_key;
    struct grpc *grpc;
    struct hijack *connection; /* NULL: not started, or closed */
    struct loop_timer *flush_soon;
};

/* BuildKit asks again and again whether we are there. */
static void check_health(struct grpc_call *c, const uint8_t *data, size_t len)
{
    auto_str struct str answer = STR_INIT;
    (void)data, (void)len;
    pb_add_uint(&answer, 1, 1); /* SERVING */
    grpc_send(c, answer.buf, answer.len);
    grpc_finish(c, GRPC_OK, NULL);
}

static const struct grpc_method health = {
    .path = "/grpc.health.v1.Health/Check",
    .message = check_health,
};

static void ended(struct session *s, const struct error *err)
{
    if (s->connection)
        hijack_close(s->connection);
    s->connection = NULL;
    loop_timer_cancel(&s->flush_soon);
    s->hd.closed(s->hd.ctx, err);
}

static void pump(struct session *s)
{
    auto_error struct error err = ERROR_INIT;
    const void *data;
    size_t len = 1;
    while (s->connection && len > 0 && hijack_pending(s->connection) < SESSION_QUEUE) {
        if (grpc_take(s->grpc, &data, &len, &err) < 0) {
            ended(s, &err);
            return;
        }
        hijack_write(s->connection, data, len);
    }
    if (s->connection && grpc_ended(s->grpc))
        ended(s, NULL);
}

static void on_open(void *ctx)
{
    struct session *s = ctx;
    session_flush(s);
    s->hd.open(s->hd.ctx);
}

static void on_data(void *ctx, const char *data, size_t len)
{
    struct session *s = ctx;
    auto_error struct error err = ERROR_INIT;
    if (grpc_feed(s->grpc, data, len, &err) < 0)
        ended(s, &err);
    else
        pump(s);
}

static void on_drained(void *ctx)
{
    pump(ctx);
}

static void on_closed(void *ctx, const struct error *err)
{
    struct session *s = ctx;
    s->connection = NULL;
    ended(s, err);
}

int session_new(struct session **out, struct engine *e, const char *shared_key,
                const struct session_handlers *hd, struct error *err)
{
    auto_(session_closep) struct session *s = xnew(struct session);
    s->engine = e;
    s->hd = *hd;
    s->shared_key = xstrdup(shared_key);
    random_hex(s->id, sizeof(s->id) / 2);
    if (grpc_open(&s->grpc, err) < 0)
        return -1;
    grpc_serve(s->grpc, &health, NULL);
    *out = take(s);
    return 0;
}

void session_serve(struct session *s, const struct grpc_method *m, void *ctx)
{
    grpc_serve(s->grpc, m, ctx);
}

void session_start(struct session *s)
{
    auto_strv struct strv headers = STRV_INIT;
    strv_addf(&headers, "X-Docker-Expose-Session-Uuid: %s", s->id);
    strv_add(&headers, "X-Docker-Expose-Session-Name: stack");
    strv_addf(&headers, "X-Docker-Expose-Session-Sharedkey: %s",
              s->shared_key ? s->shared_key : s->id);
    const char *path;
    for (size_t i = 0; (path = grpc_served(s->grpc, i)); i++)
        strv_addf(&headers, "X-Docker-Expose-Session-Grpc-Method: %s", path);
    const struct hijack_handlers hd = { on_open, on_data, on_drained, on_closed, s };
    s->connection = engine_hijack(s->engine, "/session", "h2c", &headers, NULL, &hd);
}

const char *session_id(const struct session *s)
{
    return s->id;
}

static void flush(void *ctx)
{
    pump(ctx);
}

/* Later: the caller may stand in one of our callbacks, which pumps anyway. */
void session_flush(struct session *s)
{
    if (s && s->connection && !s->flush_soon)
        loop_after(&s->flush_soon, engine_loop(s->engine), 0, flush, s);
}

void session_close(struct session *s)
{
    if (!s)
        return;
    loop_timer_cancel(&s->flush_soon);
    if (s->connection)
        hijack_close(s->connection);
    grpc_free(s->grpc);
    free(s->shared_key);
    free(s);
}
