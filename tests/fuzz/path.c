/* Paths: cleaning is final, and no name from outside leaves its root unnoticed. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    auto_free char *clean = path_clean(text);
    auto_free char *twice = path_clean(clean);
    fuzz_check(strcmp(clean, twice) == 0);
    fuzz_check(path_is_abs(clean) == path_is_abs(text));
    fuzz_check(!strstr(clean, "//") && *clean);

    auto_free char *joined = path_join("/root/dir", text);
    fuzz_check(path_is_abs(joined) && !strstr(joined, "/../"));
    bool inside = strcmp(joined, "/root/dir") == 0 || strncmp(joined, "/root/dir/", 10) == 0;
    fuzz_check(path_below("/root/dir", joined) == inside);

    auto_free char *dir = path_dir(joined);
    auto_free char *whole = path_join(dir, path_base(joined));
    fuzz_check(strcmp(whole, joined) == 0);
    auto_free char *shown = path_show(joined);
    fuzz_check(*shown);
    return 0;
}
