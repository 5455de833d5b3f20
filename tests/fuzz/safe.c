/* Text for the terminal: nothing that it obeys is left. The first byte chooses the flags. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/safe.h"

/* Whether `s` holds no control character beyond those that the flags let pass. */
static bool is_harmless(const char *s, unsigned flags)
{
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if (*p == 0x1b && (flags & SAFE_SGR) && p[1] == '[') {
            p += 2 + strspn((const char *)p + 2, "0123456789;:");
            if (*p != 'm')
                return false;
        } else if ((*p < 0x20 && *p != '\t' && !(*p == '\n' && (flags & SAFE_NEWLINES))) ||
                   *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0)) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned flags = data[0] & (SAFE_NEWLINES | SAFE_SGR);
    size_t columns = data[0] >> 2;

    auto_str struct str once = STR_INIT;
    safe_add(&once, (const char *)data + 1, size - 1, flags);
    fuzz_check(strlen(once.buf) == once.len);
    fuzz_check(is_harmless(once.buf, flags));
    auto_free char *twice = safe_text(once.buf, flags);
    fuzz_check(strcmp(once.buf, twice) == 0);

    auto_str struct str full = STR_INIT_MAX(columns);
    safe_add(&full, (const char *)data + 1, size - 1, flags);
    fuzz_check(full.len <= columns);
    fuzz_check(is_harmless(full.buf, flags));
    fuzz_check(memcmp(full.buf, once.buf, full.len) == 0);

    auto_free char *text = fuzz_text(data + 1, size - 1);
    auto_str struct str cut = STR_INIT;
    safe_add_cut(&cut, text, columns);
    fuzz_check(is_harmless(cut.buf, SAFE_SGR));
    fuzz_check(safe_width(cut.buf) <= columns);
    return 0;
}
