/* SHA-256, HMAC, base64. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_LEN 32
#define DIGEST_HEX_LEN 64

struct digest; /* a running SHA-256 */
struct digest *digest_new(void);
void digest_add(struct digest *d, const void *data, size_t len);
/* Adds the length too, so that ("ab","c") and ("a","bc") differ. NULL differs from "". */
void digest_add_str(struct digest *d, const char *s);
/* Ends and frees it; out gets 64 hex characters and NUL. */
void digest_end(struct digest *d, char out[DIGEST_HEX_LEN + 1]);
/* The same, as bytes. */
void digest_end_raw(struct digest *d, uint8_t out[DIGEST_LEN]);

void digest_hex(char out[DIGEST_HEX_LEN + 1], const void *data, size_t len);
void digest_hmac(uint8_t out[DIGEST_LEN], const void *key, size_t key_len, const void *data,
                 size_t len);
/* Equal in constant time. */
bool digest_same(const void *a, const void *b, size_t len);

/* Standard alphabet with padding, or URL-safe with padding. Owned by the caller. */
char *base64_encode(const void *data, size_t len, bool url_safe);
/* Both alphabets, padding optional; owned by the caller, NUL-terminated beyond *out_len. */
int base64_decode(uint8_t **out, size_t *out_len, const char *text, struct error *err);

/* n random bytes as 2n hex characters and NUL. */
void random_hex(char *out, size_t n);

#endif
