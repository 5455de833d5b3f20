/* Exit codes: one table from kinds of errors, printed into the reference too. */
#include "cli/command.h"

int exit_code_of(const struct error *err)
{
    switch (err->kind) {
    case ERR_USAGE:
        return EXIT_USAGE;
    case ERR_NOFILE:
        return EXIT_NOFILE;
    case ERR_INPUT:
        return EXIT_INPUT;
    case ERR_CONFLICT:
        return EXIT_CONFLICT;
    case ERR_NETWORK:
    case ERR_TIMEOUT: /* silence; what is not ready in time is ERR_UNREADY */
        return EXIT_ENGINE;
    case ERR_BUILD:
        return EXIT_BUILD;
    case ERR_PULL:
        return EXIT_PULL;
    case ERR_UNREADY:
        return EXIT_UNREADY;
    case ERR_CANCELED:
        return EXIT_INTERRUPTED;
    case ERR_NONE:
    case ERR_NOTFOUND:
    case ERR_ENGINE:
    case ERR_PROTOCOL:
    case ERR_SYSTEM:
        break;
    }
    return EXIT_FAILED;
}
