/* What commands ask registries, through the engine. */
#ifndef CLI_REGISTRY_H
#define CLI_REGISTRY_H

#include "cli/cli.h"

/* The digest that the registry has for a reference now: "sha256:..."; owned by the caller. */
int registry_digest(char **out, struct cli *cli, const char *ref, struct error *err);

#endif
