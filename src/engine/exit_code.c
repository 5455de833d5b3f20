/* How a process ended, in an engine's words. */
#include "base/json.h"
#include "engine/engine.h"

int engine_exit_code(const json_t *answer, const char *path, struct error *err)
{
    int64_t code = json_int(answer, path, -1);
    if (code < 0)
        return error_set(err, ERR_PROTOCOL, 0, "the engine does not say with which code it ended");
    /* Those of Windows have 32 bits; none of them may become a success. */
    return code == 0 || (code & 0xff) ? (int)(code & 0xff) : 255;
}
