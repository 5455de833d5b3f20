/* Dockerfiles: any bytes are read, places stay inside the text, rewriting nothing changes nothing.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/mem.h"
#include "build/dockerfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *text = xmalloc(size ? size : 1);
    memcpy(text, data, size);
    const struct dockerfile_args args = { .platform = "linux/arm64" };
    struct dockerfile df;
    dockerfile_parse(&df, a, text, size, &args);

    size_t end = 0;
    for (size_t i = 0; i < df.nuses; i++) {
        const struct dockerfile_use *use = &df.uses[i];
        fuzz_check(use->offset >= end && use->len > 0 && use->offset + use->len <= size);
        fuzz_check(use->stage < df.nstages);
        fuzz_check(use->source < (long)use->stage);
        fuzz_check(!use->ref || use->source < 0);
        fuzz_check(!use->ref || *use->ref);
        end = use->offset + use->len;
    }
    for (size_t i = 0; i < df.nstages; i++) {
        auto_free bool *needed = dockerfile_needed(&df, (long)i);
        fuzz_check(needed[i]);
    }
    fuzz_check(dockerfile_target(&df, NULL) == (long)df.nstages - 1);

    auto_free const char **texts = xcalloc(df.nuses + 1, sizeof(*texts));
    size_t len;
    auto_free char *same = dockerfile_rewrite(&len, &df, texts);
    fuzz_check(len == size && memcmp(same, text, size) == 0);
    return 0;
}
