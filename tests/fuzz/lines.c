/* Lines and JSON values: the same come out wherever the stream is cut. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "net/lines.h"

static void on_line(void *ctx, const char *line, size_t len)
{
    fuzz_check(!memchr(line, '\n', len));
    str_addf(ctx, "%zu:", len);
    str_addn(ctx, line, len);
}

static void on_json(void *ctx, json_t *value)
{
    fuzz_check(json_is_object(value) || json_is_array(value));
    auto_free char *text = json_canonical(value);
    str_addf(ctx, "%s\n", text);
}

/* The whole in pieces of the given size; what came, and how it ended. */
static void run(struct str *out, bool json, const char *data, size_t size, size_t piece)
{
    struct lines s = LINES_INIT;
    int rc = 0;
    for (size_t at = 0; at < size && rc == 0; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        auto_error struct error err = ERROR_INIT;
        rc = json ? lines_feed_json(&s, data + at, n, on_json, out, &err)
                  : lines_feed(&s, data + at, n, on_line, out, &err);
        fuzz_check(rc == 0 || err.kind == ERR_PROTOCOL);
    }
    str_addf(out, "| %d", rc);
    if (rc == 0)
        str_addn(out, s.rest.buf, s.rest.len);
    lines_clear(&s);
}

static void compare(bool json, const char *data, size_t size)
{
    static const size_t pieces[] = { 1, 3 };
    auto_str struct str whole = STR_INIT;
    run(&whole, json, data, size, size);
    for (size_t i = 0; i < countof(pieces); i++) {
        auto_str struct str cut = STR_INIT;
        run(&cut, json, data, size, pieces[i]);
        fuzz_check(cut.len == whole.len && memcmp(cut.buf, whole.buf, whole.len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16)
        return 0;
    compare(false, (const char *)data, size);
    compare(true, (const char *)data, size);
    return 0;
}
