/* Lock files: entries that are what they should be, or diagnostics; and what is printed of them is
 * read again as the same. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "model/lockfile.h"

static int parse(struct lockfile *out, struct arena *a, const char *text)
{
    struct diag d;
    diag_init(&d, a);
    const struct source *src = source_from_text(a, "/stack.lock", text, strlen(text));
    int result = lockfile_parse(out, a, src, &d, NULL);
    fuzz_check((result < 0) == (d.errors > 0));
    diag_clear(&d);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_(arena_freep) struct arena *a = arena_new();
    auto_free char *text = fuzz_text(data, size);
    auto_str struct str printed = STR_INIT;
    auto_str struct str diff = STR_INIT;
    struct lockfile lock, again;
    if (parse(&lock, a, text) < 0)
        return 0;
    for (size_t i = 0; i < lock.nprojects; i++) {
        fuzz_check(strlen(lock.projects[i].commit) == 40);
        fuzz_check(lockfile_project(&lock, lock.projects[i].name));
    }
    for (size_t i = 0; i < lock.nimages; i++) {
        fuzz_check(*lock.images[i].image);
        fuzz_check(lockfile_image(&lock, lock.images[i].name));
    }
    lockfile_print(&printed, &lock);
    fuzz_check(parse(&again, a, printed.buf) == 0);
    lockfile_diff(&diff, &lock, &again);
    fuzz_check(diff.len == 0);
    return 0;
}
