/*
 * What an engine says in a session: as the bytes of the connection, as what one call sends, and as
 * a packet of the files' protocol.
 */
#include "fuzz.h"

#include "../support/caller.h"
#include "base/cleanup.h"
#include "build/sync.h"
#include "session/secrets.h"

static size_t served;

/* What comes goes back: the framing is all that is looked at. */
static void echo(struct grpc_call *c, const uint8_t *data, size_t len)
{
    fuzz_check(len <= GRPC_MAX_MESSAGE);
    served += len;
    grpc_send(c, data, len);
}

static void end(struct grpc_call *c)
{
    grpc_finish(c, GRPC_OK, NULL);
}

static const struct grpc_method echo_method = {
    .path = "/x.Echo/Say",
    .message = echo,
    .end = end,
};

static struct grpc *server(struct secrets *s)
{
    struct grpc *g;
    fuzz_check(grpc_open(&g, NULL) == 0);
    grpc_serve(g, &secrets_get, s);
    grpc_serve(g, &echo_method, NULL);
    return g;
}

/* The connection, wherever it is cut. */
static int connection(struct secrets *s, const uint8_t *data, size_t size, size_t piece)
{
    auto_(grpc_freep) struct grpc *g = server(s);
    for (size_t at = 0; at < size; at += piece) {
        const void *out;
        size_t len;
        if (grpc_feed(g, data + at, size - at < piece ? size - at : piece, NULL) < 0)
            return -1;
        do
            if (grpc_take(g, &out, &len, NULL) < 0)
                return -1;
        while (len > 0);
    }
    return 0;
}

static size_t call(struct secrets *s, const char *path, const uint8_t *data, size_t size)
{
    auto_(grpc_freep) struct grpc *g = server(s);
    struct caller *c = caller_new();
    struct call *call = caller_start(c, path, NULL);
    served = 0;
    caller_send_raw(call, data, size);
    caller_end(call);
    fuzz_check(caller_exchange(c, g, 7) == 0);
    fuzz_check(call->status >= 0);
    caller_free(c);
    return served;
}

static void packets(const uint8_t *data, size_t size)
{
    const struct sync_input in = { .name = "Dockerfile", .bytes = "FROM x\n", .len = 7 };
    auto_(sync_closep) struct sync *s = NULL;
    auto_str struct str out = STR_INIT;
    bool finished = false;
    fuzz_check(sync_open(&s, &in, NULL) == 0);
    /* Packets of one length byte each. */
    for (size_t at = 0; at < size;) {
        size_t len = data[at++];
        len = len < size - at ? len : size - at;
        if (sync_packet(s, data + at, len, NULL) < 0)
            return;
        at += len;
        if (sync_ready(s))
            fuzz_check(sync_produce(s, &out, 10, &finished, NULL) == 0);
    }
    fuzz_check(sync_files(s) <= 1 && sync_bytes(s) <= 7);
    fuzz_check(out.len < 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_(secrets_freep) struct secrets *s = secrets_new();
    fuzz_check(secrets_add_value(s, "id", "value", NULL) == 0);
    connection(s, data, size, size ? size : 1);
    connection(s, data, size, 3);
    fuzz_check(call(s, echo_method.path, data, size) <= size);
    call(s, secrets_get.path, data, size);
    packets(data, size);
    return 0;
}
