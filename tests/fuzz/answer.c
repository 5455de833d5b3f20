/* HTTP answers: the same comes out wherever the stream is cut, and only what came in. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "net/answer.h"

/* The whole in pieces of the given size; what came, and how it ended. */
static void run(struct str *out, const char *data, size_t size, size_t piece, bool no_body)
{
    struct answer a;
    enum answer_part part = ANSWER_MORE;
    size_t body = 0;
    answer_begin(&a, no_body);
    for (size_t at = 0; at < size && part == ANSWER_MORE; at += piece) {
        const char *p = data + at, *found;
        size_t len = size - at < piece ? size - at : piece, n;
        do {
            part = answer_next(&a, &p, &len, &found, &n);
            if (part == ANSWER_HEAD) {
                fuzz_check(a.status >= 101 && a.status <= 999 && body == 0);
                str_addf(out, "%d %d\n", a.status, a.reusable);
                strv_each (header, &a.headers)
                    str_addf(out, "%s\n", *header);
            } else if (part == ANSWER_DATA) {
                fuzz_check(n > 0 && found >= data && found + n <= data + size);
                body += n;
                fuzz_check(body <= size);
                str_addn(out, found, n);
            }
        } while (part == ANSWER_HEAD || part == ANSWER_DATA);
        fuzz_check(part != ANSWER_MORE || len == 0);
        fuzz_check(part != ANSWER_BAD || a.why);
        if (part == ANSWER_END)
            str_addf(out, "| %zu left", size - (size_t)(p - data));
    }
    str_addf(out, "| %d %d", part, answer_ended(&a));
    answer_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 1, 3 };
    if (size == 0 || size > 1 << 16)
        return 0;
    for (int no_body = 0; no_body <= 1; no_body++) {
        auto_str struct str whole = STR_INIT;
        run(&whole, (const char *)data, size, size, no_body);
        for (size_t i = 0; i < countof(pieces); i++) {
            auto_str struct str cut = STR_INIT;
            run(&cut, (const char *)data, size, pieces[i], no_body);
            fuzz_check(cut.len == whole.len && memcmp(cut.buf, whole.buf, whole.len) == 0);
        }
    }
    return 0;
}
