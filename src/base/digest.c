/* SHA-256 and HMAC over OpenSSL, base64, random text. */
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/cleanup.h"
#include "base/mem.h"

struct digest {
    EVP_MD_CTX *ctx;
};

/* SHA-256 of bytes in memory cannot fail but for want of memory or a broken library. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

struct digest *digest_new(void)
{
    struct digest *d = xnew(struct digest);
    d->ctx = EVP_MD_CTX_new();
    must(d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL));
    return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
    must(EVP_DigestUpdate(d->ctx, data, len));
}

void digest_add_str(struct digest *d, const char *s)
{
    /* One byte tells NULL from text; the length has a fixed form, the same on every machine. */
    uint8_t head[9] = { s != NULL };
    size_t len = s ? strlen(s) : 0;
    for (size_t i = 1; i < sizeof(head); i++)
        head[i] = (uint8_t)((uint64_t)len >> (8 * (i - 1)));
    digest_add(d, head, s ? sizeof(head) : 1);
    digest_add(d, s, len);
}

static void to_hex(char *out, const uint8_t *data, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = hex[data[i] >> 4];
        *out++ = hex[data[i] & 15];
    }
    *out = '\0';
}

void digest_end_raw(struct digest *d, uint8_t out[DIGEST_LEN])
{
    must(EVP_DigestFinal_ex(d->ctx, out, NULL));
    EVP_MD_CTX_free(d->ctx);
    free(d);
}

void digest_end(struct digest *d, char out[DIGEST_HEX_LEN + 1])
{
    uint8_t raw[DIGEST_LEN];
    digest_end_raw(d, raw);
    to_hex(out, raw, sizeof(raw));
}

void digest_hex(char out[DIGEST_HEX_LEN + 1], const void *data, size_t len)
{
    struct digest *d = digest_new();
    digest_add(d, data, len);
    digest_end(d, out);
}

void digest_hmac(uint8_t out[DIGEST_LEN], const void *key, size_t key_len, const void *data,
                 size_t len)
{
    must(HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) != NULL);
}

bool digest_same(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

/* The two alphabets differ in the last two characters. */
static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *base64_encode(const void *data, size_t len, bool url_safe)
{
    const char *alphabet = url_safe ? urlsafe : standard;
    const uint8_t *in = data;
    char *text = xreallocarray(NULL, len / 3 + 1, 4 + 1);
    char *out = text;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)in[i] << 16;
        group |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        group |= left > 2 ? in[i + 2] : 0;
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[group & 63] : '=';
    }
    *out = '\0';
    return text;
}

/* The value of a character in either alphabet, or -1. */
static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

int base64_decode(uint8_t **out, size_t *out_len, const char *text, struct error *err)
{
    size_t len = strlen(text), padding = 0;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    if ((padding && len % 4 != 0) || (len - padding) % 4 == 1)
        return error_set(err, ERR_INPUT, 0, "not base64: it ends early");
    len -= padding;

    auto_free uint8_t *data = xmalloc(len / 4 * 3 + 4);
    size_t n = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < len; i++) {
        int value = sextet(text[i]);
        if (value < 0)
            return error_set(err, ERR_INPUT, 0, "not base64: wrong character at byte %zu", i);
        group = group << 6 | (uint32_t)value;
        /* Every character after the first of a group completes one byte. */
        if (i % 4)
            data[n++] = (uint8_t)(group >> (6 - 2 * (i % 4)));
    }
    data[n] = '\0';
    *out_len = n;
    *out = take(data);
    return 0;
}

void random_hex(char *out, size_t n)
{
    uint8_t raw[64];
    for (size_t left = n, part; left; left -= part) {
        part = left < sizeof(raw) ? left : sizeof(raw);
        if (getentropy(raw, part) < 0)
            abort(); /* no kernel that runs containers lacks it */
        to_hex(out, raw, part);
        out += 2 * part;
    }
    *out = '\0';
}
