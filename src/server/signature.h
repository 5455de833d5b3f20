/*
 * Proofs that a delivery comes from somebody who knows the secret. What depends on the secret is
 * compared in constant time; an absent, empty or cut proof is a wrong one.
 */
#ifndef SERVER_SIGNATURE_H
#define SERVER_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret {
    char *bytes; /* NULL: there is none, and nothing proves anything */
    size_t len;
};

/* How far the clock of a sender may be off, and how long a signed delivery can be sent again. */
#define SIGNATURE_WINDOW_S 300

/* `given` is PREFIX and 64 lower-case hex digits: HMAC-SHA256 of the body. */
bool signature_hex(const char *given, const char *prefix, const struct secret *key,
                   const void *body, size_t len);

/* `given` is the secret itself. */
bool signature_token(const char *given, const struct secret *key);

/*
 * The form of standardwebhooks.com: `signatures` has one or more "v1,BASE64" separated by spaces,
 * HMAC-SHA256 of "ID.TIMESTAMP.BODY"; other versions are passed over. A key that begins with
 * "whsec_" is base64 behind that. The timestamp (Unix seconds) lies within the window around now.
 */
bool signature_standard(const char *signatures, const char *id, const char *timestamp,
                        const struct secret *key, const void *body, size_t len, int64_t now_s);
/* One such "v1,BASE64", for senders; owned by the caller, NULL when the key is not base64. */
char *signature_standard_make(const char *id, const char *timestamp, const struct secret *key,
                              const void *body, size_t len);

#endif
