/* What an engine says about a path: any header is read or refused. */
#include "fuzz.h"

#include <sys/stat.h>

#include "engine/path_stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct path_stat st = { 0 };
    struct error err = ERROR_INIT;
    char *header = fuzz_text(data, size);
    int result = path_stat_parse(&st, header, &err);
    fuzz_check(result == 0 ? err.kind == ERR_NONE : err.kind == ERR_PROTOCOL);
    fuzz_check(!st.link || (S_ISLNK(st.mode) && st.link[0] == '/'));
    path_stat_clear(&st);
    error_clear(&err);
    free(header);
    return 0;
}
