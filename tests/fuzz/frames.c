/* Frames of stdout and stderr: the same bytes come out wherever the stream is cut. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "engine/frames.h"

struct seen {
    struct str of[3];
    size_t total;
};

static void on_frame(void *ctx, int stream, const char *data, size_t len)
{
    struct seen *s = ctx;
    fuzz_check(stream >= 0 && stream <= 2);
    fuzz_check(len > 0);
    str_addn(&s->of[stream], data, len);
    s->total += len;
}

static int run(struct seen *s, const char *data, size_t size, size_t piece)
{
    struct frames f = FRAMES_INIT;
    int rc = 0;
    *s = (struct seen){ .of = { STR_INIT, STR_INIT, STR_INIT } };
    for (size_t at = 0; at < size && rc == 0; at += piece)
        rc = frames_feed(&f, data + at, size - at < piece ? size - at : piece, on_frame, s, NULL);
    fuzz_check(s->total <= size);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 1, 3, 9 };
    struct seen whole, cut;
    if (size == 0)
        return 0;
    int rc = run(&whole, (const char *)data, size, size);
    for (size_t i = 0; i < countof(pieces); i++) {
        fuzz_check(run(&cut, (const char *)data, size, pieces[i]) == rc);
        for (int stream = 0; stream < 3; stream++) {
            fuzz_check(cut.of[stream].len == whole.of[stream].len);
            fuzz_check(memcmp(cut.of[stream].buf, whole.of[stream].buf, cut.of[stream].len) == 0);
            str_clear(&cut.of[stream]);
        }
    }
    for (int stream = 0; stream < 3; stream++)
        str_clear(&whole.of[stream]);
    return 0;
}
