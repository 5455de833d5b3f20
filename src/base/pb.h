/*
 * The wire form of protobuf messages: a list of (number, type, value). Numbers and bytes only; what
 * they mean, the caller knows.
 *
 *     struct pb in = pb_of(data, len);
 *     struct pb_field f;
 *     while (pb_more(&in)) {
 *         if (!pb_next(&in, &f))
 *             return false; // cut or wrong
 *         if (f.number == 1) ...
 *     }
 */
#ifndef BASE_PB_H
#define BASE_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum pb_type { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

/* What is left to read; borrowed. */
struct pb {
    const uint8_t *p, *end;
};

struct pb_field {
    uint64_t number;
    enum pb_type type;
    uint64_t value;  /* PB_VARINT; else 0 */
    struct pb bytes; /* PB_BYTES; else empty */
};

struct pb pb_of(const void *data, size_t len);
static inline bool pb_more(const struct pb *in)
{
    return in->p < in->end;
}
/* The next field; false where the bytes are none. Fixed-width values are passed over. */
bool pb_next(struct pb *in, struct pb_field *f);
static inline size_t pb_len(const struct pb *in)
{
    return (size_t)(in->end - in->p);
}
/* The bytes as text, NUL-terminated, owned by the caller; cut at a NUL byte. */
char *pb_text(const struct pb *bytes);

/* Zero and nothing are left out, as proto3 has it. */
void pb_add_uint(struct str *out, unsigned number, uint64_t value);
void pb_add_bytes(struct str *out, unsigned number, const void *data, size_t len);
void pb_add_text(struct str *out, unsigned number, const char *text);
/* A field of bytes even if it is empty; len of them follow, added by the caller. */
void pb_add_head(struct str *out, unsigned number, size_t len);

#endif
