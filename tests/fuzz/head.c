/* The beginning of an HTTP answer, and chunks: what is whole stays whole, and nothing is read
 * beyond it. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "net/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct head h = { 0 };
    int rc = head_parse(&h, text, size);
    fuzz_check(rc >= -1 && rc <= 1);
    if (rc == 1) {
        fuzz_check(h.len <= size && h.status >= 100 && h.status <= 999);
        fuzz_check(h.body_len >= -1 && h.body_len <= HEAD_MAX_BODY);
        struct head again = { 0 };
        fuzz_check(head_parse(&again, text, h.len) == 1 && again.status == h.status);
        fuzz_check(head_parse(&again, text, h.len - 1) <= 0);
        text += h.len;
        size -= h.len;
    }
    auto_str struct str out = STR_INIT_MAX(100);
    rc = head_unchunk(&out, text, size);
    fuzz_check(rc >= -1 && rc <= 1 && out.len <= 100 && !out.overflow);
    return 0;
}
