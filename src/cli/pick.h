/* One container of a service, for commands that work on one: exec, attach, cp, port, top ... */
#ifndef CLI_PICK_H
#define CLI_PICK_H

#include "cli/cli.h"

/* The stack's containers in *now, and in *out the one of `service` with the number `index` (0: the
 * first that runs, else the first, else one of `run`). One list call. ERR_NOTFOUND says what there
 * is. */
int pick_container(struct snapshot **now, const struct seen_container **out, struct cli *cli,
                   const char *service, int index, struct error *err);

#endif
