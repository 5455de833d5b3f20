/* A line of output as patterns see it: no control character is left, wherever an escape ends. */
#include "fuzz.h"

#include "live/log_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strv none = STRV_INIT, controls = STRV_INIT;
    struct log_filter f;
    strv_add(&controls, "[\\x00-\\x08\\x0a-\\x1f\\x7f]");
    fuzz_check(log_filter_open(&f, &none, &controls, NULL) == 0);
    fuzz_check(log_filter_wants(&f, (const char *)data, size));
    fuzz_check(f.plain.len <= size);
    log_filter_close(&f);
    strv_clear(&controls);
    return 0;
}
