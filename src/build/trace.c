/* BuildKit's progress messages. */
#include "build/trace.h"

#include <string.h>

#include "base/arena.h"
#include "base/pb.h"

static const char *text(struct arena *a, const struct pb_field *f)
{
    return f->type == PB_BYTES
               ? arena_strndup(a, (const char *)f->bytes.p, (size_t)(f->bytes.end - f->bytes.p))
               : "";
}

static bool decode_vertex(struct pb w, struct arena *a, const struct trace_handlers *hd)
{
    struct trace_vertex v = { .digest = "", .name = "", .error = "" };
    struct pb_field f;
    while (pb_more(&w)) {
        if (!pb_next(&w, &f))
            return false;
        switch (f.number) {
        case 1:
            v.digest = text(a, &f);
            break;
        case 3:
            v.name = text(a, &f);
            break;
        case 4:
            v.cached = f.value != 0;
            break;
        case 5:
            v.started = true;
            break;
        case 6:
            v.completed = true;
            break;
        case 7:
            v.error = text(a, &f);
            break;
        }
    }
    if (hd->vertex)
        hd->vertex(hd->ctx, &v);
    return true;
}

static bool decode_status(struct pb w, struct arena *a, const struct trace_handlers *hd)
{
    struct trace_status s = { .id = "", .vertex = "" };
    struct pb_field f;
    while (pb_more(&w)) {
        if (!pb_next(&w, &f))
            return false;
        switch (f.number) {
        case 1:
            s.id = text(a, &f);
            break;
        case 2:
            s.vertex = text(a, &f);
            break;
        case 4:
            s.current = (int64_t)f.value;
            break;
        case 5:
            s.total = (int64_t)f.value;
            break;
        }
    }
    if (hd->status)
        hd->status(hd->ctx, &s);
    return true;
}

static bool decode_log(struct pb w, struct arena *a, const struct trace_handlers *hd)
{
    struct trace_log l = { .vertex = "", .data = "" };
    struct pb_field f;
    while (pb_more(&w)) {
        if (!pb_next(&w, &f))
            return false;
        if (f.number == 1) {
            l.vertex = text(a, &f);
        } else if (f.number == 4 && f.type == PB_BYTES) {
            l.data = text(a, &f);
            l.len = (size_t)(f.bytes.end - f.bytes.p);
        }
    }
    if (hd->log)
        hd->log(hd->ctx, &l);
    return true;
}

static bool decode(struct pb w, struct arena *a, const struct trace_handlers *hd)
{
    struct pb_field f;
    while (pb_more(&w)) {
        if (!pb_next(&w, &f))
            return false;
        bool ok = true;
        if (f.type != PB_BYTES)
            continue;
        if (f.number == 1)
            ok = decode_vertex(f.bytes, a, hd);
        else if (f.number == 2)
            ok = decode_status(f.bytes, a, hd);
        else if (f.number == 3)
            ok = decode_log(f.bytes, a, hd);
        if (!ok)
            return false;
    }
    return true;
}

int trace_decode(const uint8_t *data, size_t len, const struct trace_handlers *hd,
                 struct error *err)
{
    auto_(arena_freep) struct arena *a = arena_new();
    if (len && !decode(pb_of(data, len), a, hd))
        return error_set(err, ERR_PROTOCOL, 0,
                         "the engine sent a build trace that is cut or wrong");
    return 0;
}
