/* Files as text with a name. See source.h. */
#include "text/source.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/str.h"

/* Length of the UTF-8 sequence at p, or 0 when it is none (RFC 3629: no overlong forms, no
 * surrogates, nothing past U+10FFFF). */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (n == 0 || n > left || p[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

/* The offset of the first byte that is not UTF-8, or len. */
static size_t utf8_valid_prefix(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t n = utf8_sequence((const unsigned char *)text + i, len - i);
        if (n == 0)
            break;
        i += n;
    }
    return i;
}

static void add_utf8(struct str *out, uint32_t c)
{
    if (c < 0x80) {
        str_addc(out, (char)c);
    } else if (c < 0x800) {
        str_addc(out, (char)(0xC0 | c >> 6));
        str_addc(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        str_addc(out, (char)(0xE0 | c >> 12));
        str_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        str_addc(out, (char)(0x80 | (c & 0x3F)));
    } else {
        str_addc(out, (char)(0xF0 | c >> 18));
        str_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        str_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        str_addc(out, (char)(0x80 | (c & 0x3F)));
    }
}

/* Appends UTF-16 text, without its BOM, as UTF-8; false when it is not well formed. */
static bool utf16_to_utf8(struct str *out, const unsigned char *p, size_t len, bool big_endian)
{
    uint32_t high = 0;

    if (len % 2)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        uint32_t unit =
            big_endian ? (uint32_t)(p[i] << 8 | p[i + 1]) : (uint32_t)(p[i + 1] << 8 | p[i]);
        bool low = unit >= 0xDC00 && unit <= 0xDFFF;

        if (low != (high != 0))
            return false;
        if (low) {
            add_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
            high = 0;
        } else if (unit >= 0xD800 && unit <= 0xDBFF) {
            high = unit;
        } else {
            add_utf8(out, unit);
        }
    }
    return high == 0;
}

static const char *absolute(struct arena *a, const char *path)
{
    auto_free char *cwd = NULL;
    auto_free char *joined = NULL;

    if (strcmp(path, "-") == 0 || path_is_abs(path))
        return arena_strdup(a, path);
    cwd = getcwd(NULL, 0);
    joined = path_join(cwd ? cwd : "/", path);
    return arena_strdup(a, joined);
}

const struct source *source_from_text(struct arena *a, const char *path, const char *text,
                                      size_t len)
{
    struct source *src = arena_new_(a, struct source);

    src->path = absolute(a, path);
    if (strcmp(path, "-") == 0) {
        src->shown = "<stdin>";
    } else {
        auto_free char *shown = path_show(src->path);
        src->shown = arena_strdup(a, shown);
    }
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    char *copy = arena_alloc(a, len + 1);
    memcpy(copy, text, len);
    src->text = copy;
    src->len = len;
    return src;
}

int source_read(const struct source **out, struct arena *a, const char *path, struct error *err)
{
    auto_free char *bytes = NULL;
    size_t len;
    auto_str struct str decoded = STR_INIT;
    const char *text;

    if (file_read(&bytes, &len, path, SOURCE_MAX_BYTES, err) < 0)
        return -1;
    text = bytes;
    bool big_endian = len >= 2 && memcmp(bytes, "\xFE\xFF", 2) == 0;
    if (big_endian || (len >= 2 && memcmp(bytes, "\xFF\xFE", 2) == 0)) {
        if (!utf16_to_utf8(&decoded, (const unsigned char *)bytes + 2, len - 2, big_endian))
            return error_set(err, ERR_INPUT, 0, "'%s' is not valid UTF-16 text", path);
        text = decoded.buf;
        len = decoded.len;
    }

    size_t valid = utf8_valid_prefix(text, len);
    if (valid < len) {
        const struct source *part = source_from_text(a, path, text, valid);
        struct span at = source_span(part, part->len);
        return error_set(err, ERR_INPUT, 0, "%s:%d:%d: byte 0x%02x is not UTF-8 text", part->shown,
                         at.line, at.column, (unsigned char)text[valid]);
    }
    *out = source_from_text(a, path, text, len);
    return 0;
}

struct span source_span(const struct source *src, size_t offset)
{
    struct span at = { .source = src, .line = 1, .column = 1 };

    for (size_t i = 0; i < offset && i < src->len; i++) {
        if (src->text[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((unsigned char)src->text[i] & 0xC0) != 0x80) {
            at.column++;
        }
    }
    return at;
}
