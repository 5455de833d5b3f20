/* The second half of an attached `up`: output of the containers until they end or the user does. */
#ifndef CLI_ATTACH_H
#define CLI_ATTACH_H

#include "cli/change.h"
#include "cli/watching.h"

struct attach_options {
    const char *const *services; /* whose containers are followed, NULL-terminated */
    const char *const *shown;    /* those of them whose output is shown */
    const char *const *stopped;  /* what an interrupt stops */
    bool abort_on_exit, abort_on_failure;
    const char *exit_code_from;    /* a service, or NULL */
    int timeout_s;                 /* of stopping; -1: each container's own */
    int64_t since_ns;              /* output that is older is not shown */
    struct watching **watching;    /* that has started, or NULL; the key ends and starts it */
    struct watching_options watch; /* of one that the key starts */
    bool menu;                     /* keys that do something, where there is a terminal */
};

/* `c` has run its plan and still holds it. The lock is given back while output is shown. The exit
 * code, or -1. */
int attach_run(struct change *c, const struct attach_options *opt, struct error *err);

#endif
