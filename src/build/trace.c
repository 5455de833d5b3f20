/*
 * BuildKit's progress messages. The wire form of protobuf is a list of (number, type, value); what
 * is needed of it is a reader of bounded integers and lengths.
 */
#include "build/trace.h"

#include <string.h>

#include "base/arena.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire {
    const uint8_t *p, *end;
};

struct field {
    uint64_t number;
    enum wire_type type;
    uint64_t value;    /* WIRE_VARINT */
    struct wire bytes; /* WIRE_BYTES */
};

static bool read_varint(struct wire *w, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && w->p < w->end; shift += 7) {
        uint8_t byte = *w->p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct wire *w, uint64_t len, struct wire *out)
{
    if (len > (uint64_t)(w->end - w->p))
        return false;
    *out = (struct wire){ w->p, w->p + len };
    w->p += len;
    return true;
}

/* False at a fault. The caller looks whether there is something left. */
static bool read_field(struct wire *w, struct field *f)
{
    uint64_t tag, len;
    *f = (struct field){ 0 };
    if (!read_varint(w, &tag))
        return false;
    f->number = tag >> 3;
    f->type = (enum wire_type)(tag & 7);
    switch (f->type) {
    case WIRE_VARINT:
        return read_varint(w, &f->value);
    case WIRE_BYTES:
        return read_varint(w, &len) && take_bytes(w, len, &f->bytes);
    case WIRE_FIXED64:
        return take_bytes(w, 8, &f->bytes);
    case WIRE_FIXED32:
        return take_bytes(w, 4, &f->bytes);
    }
    return false;
}

static const char *text(struct arena *a, const struct field *f)
{
    return f->type == WIRE_BYTES
               ? arena_strndup(a, (const char *)f->bytes.p, (size_t)(f->bytes.end - f->bytes.p))
               : "";
}

static bool decode_vertex(struct wire w, struct arena *a, const struct trace_handlers *hd)
{
    struct trace_vertex v = { .digest = "", .name = "", .error = "" };
    struct field f;
    while (w.p < w.end) {
        if (!read_field(&w, &f))
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

static bool decode_status(struct wire w, struct arena *a, const struct trace_handlers *hd)
{
    struct trace_status s = { .id = "", .vertex = "" };
    struct field f;
    while (w.p < w.end) {
        if (!read_field(&w, &f))
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

static bool decode_log(struct wire w, struct arena *a, const struct trace_handlers *hd)
{
    struct trace_log l = { .vertex = "", .data = "" };
    struct field f;
    while (w.p < w.end) {
        if (!read_field(&w, &f))
            return false;
        if (f.number == 1) {
            l.vertex = text(a, &f);
        } else if (f.number == 4 && f.type == WIRE_BYTES) {
            l.data = text(a, &f);
            l.len = (size_t)(f.bytes.end - f.bytes.p);
        }
    }
    if (hd->log)
        hd->log(hd->ctx, &l);
    return true;
}

static bool decode(struct wire w, struct arena *a, const struct trace_handlers *hd)
{
    struct field f;
    while (w.p < w.end) {
        if (!read_field(&w, &f))
            return false;
        bool ok = true;
        if (f.type != WIRE_BYTES)
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
    if (len && !decode((struct wire){ data, data + len }, a, hd))
        return error_set(err, ERR_PROTOCOL, 0,
                         "the engine sent a build trace that is cut or wrong");
    return 0;
}
