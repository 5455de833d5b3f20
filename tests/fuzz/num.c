/* Numbers, durations and times: what is read can be written, and is read again as the same. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    char buf[NUM_TEXT_MAX];
    int64_t value, back;
    double real;

    if (num_int(&value, text) == 0) {
        snprintf(buf, sizeof(buf), "%lld", (long long)value);
        fuzz_check(num_int(&back, buf) == 0 && back == value);
        fuzz_check(num_double(&real, text) == 0);
    }
    if (num_bytes(&value, text) == 0) {
        fuzz_check(value >= 0);
        fuzz_check(strlen(num_size_text(buf, value)) > 0);
    }
    if (num_duration(&value, text) == 0) {
        fuzz_check(value >= 0);
        fuzz_check(num_duration(&back, num_duration_text(buf, value)) == 0 && back == value);
        num_elapsed_text(buf, value);
    }
    if (num_double(&real, text) == 0)
        fuzz_check(real - real == 0);
    if (clock_parse_rfc3339(&value, text) == 0) {
        char written[40];
        fuzz_check(clock_parse_rfc3339(&back, clock_rfc3339(written, value)) == 0);
        fuzz_check(back == value);
        fuzz_check(clock_parse_when(&back, text) == 0 && back == value);
    }
    clock_parse_when(&value, text);
    return 0;
}
