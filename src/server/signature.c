/* Signatures of deliveries, made and checked. */
#include "server/signature.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/strv.h"

#define KEY_PREFIX "whsec_"
#define STANDARD_PREFIX "v1,"

enum {
    STANDARD_SIGNATURES_MAX = 16, /* senders give two while they change their key */
};

static void to_hex(char out[DIGEST_HEX_LEN + 1], const uint8_t raw[DIGEST_LEN])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[DIGEST_HEX_LEN] = '\0';
}

bool signature_hex(const char *given, const char *prefix, const struct secret *key,
                   const void *body, size_t len)
{
    if (!given || !key->len || !str_starts(given, prefix))
        return false;
    given += strlen(prefix);
    if (strlen(given) != DIGEST_HEX_LEN)
        return false;
    uint8_t raw[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    digest_hmac(raw, key->bytes, key->len, body, len);
    to_hex(hex, raw);
    return digest_same(hex, given, DIGEST_HEX_LEN);
}

bool signature_token(const char *given, const struct secret *key)
{
    if (!given || !*given || !key->len)
        return false;
    /* Digests have one length: how long the secret is does not show either. */
    char a[DIGEST_HEX_LEN + 1], b[DIGEST_HEX_LEN + 1];
    digest_hex(a, given, strlen(given));
    digest_hex(b, key->bytes, key->len);
    return digest_same(a, b, DIGEST_HEX_LEN);
}

static int standard_hmac(uint8_t out[DIGEST_LEN], const char *id, const char *timestamp,
                         const struct secret *key, const void *body, size_t len)
{
    auto_str struct str text = STR_INIT_MAX(len + strlen(id) + strlen(timestamp) + 2);
    str_addf(&text, "%s.%s.", id, timestamp);
    str_addn(&text, body, len);
    if (!str_starts(key->bytes, KEY_PREFIX)) {
        digest_hmac(out, key->bytes, key->len, text.buf, text.len);
        return 0;
    }
    uint8_t *raw;
    size_t raw_len;
    if (base64_decode(&raw, &raw_len, key->bytes + strlen(KEY_PREFIX), NULL) < 0)
        return -1;
    int result = raw_len ? 0 : -1;
    if (result == 0)
        digest_hmac(out, raw, raw_len, text.buf, text.len);
    wipe(raw, raw_len);
    free(raw);
    return result;
}

bool signature_standard(const char *signatures, const char *id, const char *timestamp,
                        const struct secret *key, const void *body, size_t len, int64_t now_s)
{
    int64_t sent;
    if (!signatures || !id || !*id || !timestamp || !key->len || num_int(&sent, timestamp) < 0 ||
        sent < now_s - SIGNATURE_WINDOW_S || sent > now_s + SIGNATURE_WINDOW_S)
        return false;
    uint8_t raw[DIGEST_LEN];
    if (standard_hmac(raw, id, timestamp, key, body, len) < 0)
        return false;
    auto_strv struct strv list = STRV_INIT;
    strv_split(&list, signatures, " ");
    bool good = false;
    for (size_t i = 0; i < list.len && i < STANDARD_SIGNATURES_MAX; i++) {
        auto_free uint8_t *given = NULL;
        size_t given_len = 0;
        if (str_starts(list.items[i], STANDARD_PREFIX) &&
            base64_decode(&given, &given_len, list.items[i] + strlen(STANDARD_PREFIX), NULL) == 0 &&
            given_len == DIGEST_LEN)
            good |= digest_same(given, raw, DIGEST_LEN);
    }
    return good;
}

char *signature_standard_make(const char *id, const char *timestamp, const struct secret *key,
                              const void *body, size_t len)
{
    uint8_t raw[DIGEST_LEN];
    if (standard_hmac(raw, id, timestamp, key, body, len) < 0)
        return NULL;
    auto_free char *text = base64_encode(raw, sizeof(raw), false);
    return xasprintf(STANDARD_PREFIX "%s", text);
}
