/* What to do about an engine that refused, said nothing, or said what nobody understands. */
#include "engine/engine.h"

static const char *next_step(const struct error *err)
{
    switch (err->kind) {
    case ERR_ENGINE:
        return err->code >= 500 ? "the engine's log says more ('journalctl -u docker'); the same "
                                  "command again goes on where this one stopped"
                                : "'stack ps -a' shows what is there; the same command again goes "
                                  "on where this one stopped";
    case ERR_NETWORK:
    case ERR_TIMEOUT:
        return "see whether the engine runs ('docker info'); the same command again goes on where "
               "this one stopped";
    case ERR_PROTOCOL:
        return "see whether an engine is behind that address ('stack doctor'); the same command "
               "again goes on where this one stopped";
    case ERR_BUILD:
        return "'stack build' tries that alone; the same command again goes on where this one "
               "stopped";
    case ERR_PULL:
        return "'stack pull' tries that alone; the same command again goes on where this one "
               "stopped";
    default:
        return NULL;
    }
}

void engine_hint(struct error *err)
{
    const char *hint = err->hint ? NULL : next_step(err);
    if (hint)
        error_hint(err, "%s", hint);
}
