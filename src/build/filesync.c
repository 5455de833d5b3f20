/*
 * Files for the engine. Each call has a sync, which a job on the worker pool asks for the next
 * piece whenever little is queued and there is something to say.
 */
#include "build/filesync.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/safe.h"
#include "build/follow.h"
#include "build/sync.h"

#define FILESYNC_PIECE ((size_t)512 << 10)

struct filesync {
    struct loop *loop;
    struct filesync_input in;
    struct session *session;
    struct error err; /* the first */
    size_t busy;      /* jobs under way */
    bool freed;
    void (*gone)(void *ctx);
    void *gone_ctx;
};

struct transfer {
    struct filesync *files;
    struct grpc_call *call; /* NULL: it ended while a job was under way */
    struct sync *sync;
    char *name;
    bool busy;
    struct str made; /* by the job */
    bool end;
    struct error err; /* of the job */
};

bool filesync_pays(const struct context *c)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < c->len; i++) {
        const struct context_entry *e = &c->entries[i];
        if (!safe_is_utf8(e->path) || (e->link && !safe_is_utf8(e->link)))
            return false;
        if (S_ISREG(e->mode))
            bytes += e->stat.size;
    }
    return bytes >= FILESYNC_MIN_BYTES;
}

struct filesync *filesync_new(struct loop *l, const struct filesync_input *in)
{
    struct filesync *f = xnew(struct filesync);
    f->loop = l;
    f->in = *in;
    return f;
}

void filesync_attach(struct filesync *f, struct session *s)
{
    f->session = s;
}

const struct error *filesync_error(const struct filesync *f)
{
    return f->err.kind ? &f->err : NULL;
}

static void destroy(struct filesync *f)
{
    if (f->gone)
        f->gone(f->gone_ctx);
    error_clear(&f->err);
    free(f);
}

void filesync_free(struct filesync *f, void (*gone)(void *ctx), void *ctx)
{
    if (!f)
        return;
    f->freed = true;
    f->gone = gone;
    f->gone_ctx = ctx;
    if (f->busy == 0)
        destroy(f);
}

static void transfer_free(struct transfer *t)
{
    sync_close(t->sync);
    str_clear(&t->made);
    error_clear(&t->err);
    free(t->name);
    free(t);
}

static void fail(struct transfer *t, enum grpc_code code, const struct error *err)
{
    grpc_finish(t->call, code, err->msg);
    if (!t->files->err.kind)
        error_copy(&t->files->err, err);
}

/* Jobs. */

static void go_on(struct transfer *t);

static void work(void *ctx)
{
    struct transfer *t = ctx;
    sync_produce(t->sync, &t->made, FILESYNC_PIECE, &t->end, &t->err);
}

static void worked(void *ctx)
{
    struct transfer *t = ctx;
    struct filesync *f = t->files;
    t->busy = false;
    f->busy--;
    if (!t->call) {
        transfer_free(t);
        if (f->freed && f->busy == 0)
            destroy(f);
        return;
    }
    grpc_send_framed(t->call, t->made.buf, t->made.len);
    str_truncate(&t->made, 0);
    if (t->err.kind) {
        fail(t, GRPC_INTERNAL, &t->err);
    } else if (t->end) {
        log_debug("session: sent %zu files, %lld bytes of '%s'", sync_files(t->sync),
                  (long long)sync_bytes(t->sync), t->name);
        grpc_finish(t->call, GRPC_OK, NULL);
    } else {
        go_on(t);
    }
    session_flush(f->session);
}

static void go_on(struct transfer *t)
{
    if (t->busy || grpc_finished(t->call) || grpc_pending(t->call) >= GRPC_ROOM ||
        !sync_ready(t->sync))
        return;
    t->busy = true;
    t->files->busy++;
    loop_work(t->files->loop, work, worked, t);
}

/* Calls. */

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* As in the query of a URL. */
static char *decoded(const char *text)
{
    struct str out = STR_INIT;
    for (const char *p = text; *p; p++) {
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            str_addc(&out, (char)(hex_digit(p[1]) << 4 | hex_digit(p[2])));
            p += 2;
        } else {
            str_addc(&out, *p == '+' ? ' ' : *p);
        }
    }
    return str_detach(&out);
}

static void add_values(struct strv *out, const struct grpc_call *c, const char *key)
{
    const char *value;
    auto_free char *flag = xasprintf("%s-encoded", key);
    bool encoded = str_eq(grpc_metadata(c, flag, 0), "1");
    for (size_t i = 0; (value = grpc_metadata(c, key, i)); i++)
        strv_take(out, encoded ? decoded(value) : xstrdup(value));
}

static const bool *wanted(const struct filesync *f, const struct grpc_call *c)
{
    auto_strv struct strv paths = STRV_INIT;
    add_values(&paths, c, "followpaths");
    add_values(&paths, c, "include-patterns");
    return paths.len ? follow_paths(f->in.context, &paths) : NULL;
}

/* What is left out by .dockerignore is not in the list, so that the engine's own exclude-patterns,
 * which it takes from there, are not needed. */
static void begin(struct grpc_call *c)
{
    struct filesync *f = grpc_ctx(c);
    const char *name = grpc_metadata(c, "dir-name", 0);
    auto_error struct error err = ERROR_INIT;
    struct sync_input in = { 0 };
    if (str_eq(name, "context")) {
        in.root = f->in.root;
        in.context = f->in.context;
        in.wanted = wanted(f, c);
    } else if (str_eq(name, "dockerfile")) {
        in.name = f->in.dockerfile_name;
        in.bytes = f->in.dockerfile;
        in.len = f->in.dockerfile_len;
    } else {
        grpc_finish(c, GRPC_NOT_FOUND, "the build has no such folder");
        return;
    }
    struct transfer *t = xnew(struct transfer);
    t->files = f;
    t->call = c;
    t->name = xstrdup(name);
    t->made = STR_INIT;
    grpc_set_state(c, t);
    if (sync_open(&t->sync, &in, &err) < 0)
        fail(t, GRPC_INTERNAL, &err);
    else
        go_on(t);
}

static void on_message(struct grpc_call *c, const uint8_t *data, size_t len)
{
    struct transfer *t = grpc_state(c);
    auto_error struct error err = ERROR_INIT;
    if (sync_packet(t->sync, data, len, &err) < 0)
        fail(t, GRPC_INVALID_ARGUMENT, &err);
    else
        go_on(t);
}

static void on_room(struct grpc_call *c)
{
    go_on(grpc_state(c));
}

static void gone(struct grpc_call *c)
{
    struct transfer *t = grpc_state(c);
    if (!t)
        return;
    if (t->busy)
        t->call = NULL;
    else
        transfer_free(t);
}

const struct grpc_method filesync_diff_copy = {
    .path = "/moby.filesync.v1.FileSync/DiffCopy",
    .begin = begin,
    .message = on_message,
    .room = on_room,
    .gone = gone,
};
