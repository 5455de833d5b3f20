/* What the inspection of a container says about reaching and probing it. */
#ifndef RUN_INSPECTED_H
#define RUN_INSPECTED_H

#include "base/json.h"
#include "engine/engine.h"

/* argv of a health check as the engine has it, ["CMD", ...] or ["CMD-SHELL", text], with the
 * image's shell (may be NULL); NULL-terminated, it and its texts the caller's. NULL: there is none.
 */
char **inspected_health(const json_t *test, const json_t *shell);

/* The address by which this machine reaches the container, the caller's; NULL: it may not. */
char *inspected_address(const struct engine *e, const json_t *seen);

#endif
