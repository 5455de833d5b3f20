/*
 * Cache files. The checksum would turn away nearly everything, so the input is taken twice: as a
 * whole file, and as records behind a header that is right.
 */
#include "fuzz.h"

#include "base/mem.h"
#include "build/stat_cache.h"

static void ask(char *bytes, size_t len)
{
    struct stat_cache *c = stat_cache_read(bytes, len);
    const struct stat_key key = { 0 };
    size_t cursor = 0;
    static const char *const paths[] = { "", "a", "a/b", "a-b", "z", "a" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const uint8_t *digest = stat_cache_find(c, &cursor, paths[i], &key);
        volatile uint8_t sum = 0;
        for (size_t k = 0; digest && k < DIGEST_LEN; k++)
            sum = (uint8_t)(sum + digest[k]);
    }
    stat_cache_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *whole = xmalloc(size ? size : 1);
    memcpy(whole, data, size);
    ask(whole, size);

    struct stat_cache_writer w;
    stat_cache_begin(&w, 0);
    str_addn(&w.bytes, (const char *)data, size);
    stat_cache_end(&w);
    size_t len = w.bytes.len;
    char *records = xmalloc(len);
    memcpy(records, w.bytes.buf, len);
    stat_cache_writer_clear(&w);
    ask(records, len);
    return 0;
}
