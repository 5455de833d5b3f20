/*
 * Asking before something goes that cannot be brought back.
 *
 * On a terminal the volumes that a plan removes are shown with their sizes, and the user is asked
 * once; the default is no. Where there is no terminal nobody is asked: scripts do as told.
 */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "cli/change.h"

/* Both: 0 to go on, an exit code to end with (nothing was changed: EXIT_FAILED when the answer was
 * no, 128 + a signal), -1. Plans that remove nothing, and --dry-run, are not asked about. */

/* The volumes of c->plan. */
int confirm_volumes(struct change *c, struct error *err);
/* Its containers, as docker compose's `rm` asks, after the volumes. Here, without a terminal, the
 * answer is read from standard input; ERR_USAGE when it has none. */
int confirm_containers(struct change *c, struct error *err);

#endif
