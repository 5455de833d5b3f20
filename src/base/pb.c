/* The wire form of protobuf messages. */
#include "base/pb.h"

#include <string.h>

#include "base/mem.h"

static bool read_varint(struct pb *in, uint64_t *out)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && in->p < in->end; shift += 7) {
        uint8_t byte = *in->p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct pb *in, uint64_t len, struct pb *out)
{
    if (len > (uint64_t)(in->end - in->p))
        return false;
    *out = (struct pb){ in->p, in->p + len };
    in->p += len;
    return true;
}

struct pb pb_of(const void *data, size_t len)
{
    const uint8_t *p = data;
    return (struct pb){ p, len ? p + len : p };
}

bool pb_next(struct pb *in, struct pb_field *f)
{
    uint64_t tag, len;
    struct pb passed;
    *f = (struct pb_field){ 0 };
    if (!read_varint(in, &tag))
        return false;
    f->number = tag >> 3;
    f->type = (enum pb_type)(tag & 7);
    switch (f->type) {
    case PB_VARINT:
        return read_varint(in, &f->value);
    case PB_BYTES:
        return read_varint(in, &len) && take_bytes(in, len, &f->bytes);
    case PB_FIXED64:
        return take_bytes(in, 8, &passed);
    case PB_FIXED32:
        return take_bytes(in, 4, &passed);
    }
    return false;
}

char *pb_text(const struct pb *bytes)
{
    return xstrndup(bytes->p ? (const char *)bytes->p : "", pb_len(bytes));
}

static void add_varint(struct str *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        str_addc(out, (char)(value | 0x80));
    str_addc(out, (char)value);
}

void pb_add_uint(struct str *out, unsigned number, uint64_t value)
{
    if (!value)
        return;
    add_varint(out, (uint64_t)number << 3 | PB_VARINT);
    add_varint(out, value);
}

void pb_add_head(struct str *out, unsigned number, size_t len)
{
    add_varint(out, (uint64_t)number << 3 | PB_BYTES);
    add_varint(out, len);
}

void pb_add_bytes(struct str *out, unsigned number, const void *data, size_t len)
{
    if (!len)
        return;
    pb_add_head(out, number, len);
    str_addn(out, data, len);
}

void pb_add_text(struct str *out, unsigned number, const char *text)
{
    pb_add_bytes(out, number, text, strlen(text));
}
