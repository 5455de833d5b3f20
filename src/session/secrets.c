/*
 * Secrets of a build.
 *
 *     GetSecretRequest  { string ID 1 }
 *     GetSecretResponse { bytes data 1 }
 */
#include "session/secrets.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/pb.h"
#include "base/strmap.h"

struct secret {
    char *file; /* or NULL */
    char *value;
};

struct secrets {
    struct strmap by_id;
};

static void secret_free(void *p)
{
    struct secret *secret = p;
    if (!secret)
        return;
    if (secret->value)
        wipe(secret->value, strlen(secret->value));
    free(secret->value);
    free(secret->file);
    free(secret);
}

struct secrets *secrets_new(void)
{
    return xnew(struct secrets);
}

void secrets_free(struct secrets *s)
{
    if (!s)
        return;
    strmap_clear(&s->by_id, secret_free);
    free(s);
}

static int too_long(struct error *err, const char *id)
{
    return error_set(err, ERR_INPUT, 0, "the build secret '%s' is longer than %zu bytes", id,
                     SECRET_MAX_BYTES);
}

int secrets_add_file(struct secrets *s, const char *id, const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        error_errno(err, "read the build secret '%s' from '%s'", id, path);
        err->kind = ERR_INPUT;
        return -1;
    }
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_INPUT, 0, "the build secret '%s': '%s' is not a file", id, path);
    if ((size_t)st.st_size > SECRET_MAX_BYTES)
        return too_long(err, id);
    struct secret *secret = xnew(struct secret);
    secret->file = xstrdup(path);
    secret_free(strmap_set(&s->by_id, id, secret));
    return 0;
}

int secrets_add_value(struct secrets *s, const char *id, const char *value, struct error *err)
{
    if (strlen(value) > SECRET_MAX_BYTES)
        return too_long(err, id);
    struct secret *secret = xnew(struct secret);
    secret->value = xstrdup(value);
    secret_free(strmap_set(&s->by_id, id, secret));
    return 0;
}

static void answer(struct grpc_call *c, const char *data, size_t len)
{
    struct str message = STR_INIT;
    pb_add_bytes(&message, 1, data, len);
    grpc_send(c, message.buf, message.len);
    grpc_finish(c, GRPC_OK, NULL);
    if (message.cap)
        wipe(message.buf, message.cap);
    str_clear(&message);
}

static void answer_file(struct grpc_call *c, const char *path)
{
    auto_error struct error err = ERROR_INIT;
    char *data;
    size_t len;
    if (file_read(&data, &len, path, SECRET_MAX_BYTES, &err) < 0) {
        grpc_finish(c, GRPC_INTERNAL, err.msg);
        return;
    }
    answer(c, data, len);
    wipe(data, len);
    free(data);
}

/* The id that is asked for, or NULL; owned by the caller. */
static char *read_request(const uint8_t *data, size_t len)
{
    struct pb in = pb_of(data, len);
    struct pb_field f;
    auto_free char *id = NULL;
    while (pb_more(&in)) {
        if (!pb_next(&in, &f))
            return NULL;
        if (f.number == 1 && f.type == PB_BYTES && !id)
            id = pb_text(&f.bytes);
    }
    return take(id);
}

static void on_message(struct grpc_call *c, const uint8_t *data, size_t len)
{
    const struct secrets *s = grpc_ctx(c);
    auto_free char *id = read_request(data, len);
    const struct secret *secret = id ? strmap_get(&s->by_id, id) : NULL;
    if (!id)
        grpc_finish(c, GRPC_INVALID_ARGUMENT, "the request has no id");
    else if (!secret)
        grpc_finish(c, GRPC_NOT_FOUND, "the build declares no such secret");
    else if (secret->file)
        answer_file(c, secret->file);
    else
        answer(c, secret->value, strlen(secret->value));
}

const struct grpc_method secrets_get = {
    .path = "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    .message = on_message,
};
