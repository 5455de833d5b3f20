/* One line on the terminal that says how far a transfer is. */
#ifndef CLI_METER_H
#define CLI_METER_H

#include <stdint.h>

#include "cli/cli.h"

struct meter {
    const char *what; /* "copying a to b"; made safe here */
    bool on, shown;
    int64_t shown_ms;
};

/* Shows nothing unless standard error is a terminal and progress is wanted. */
struct meter meter_begin(const struct cli *cli, const char *what);
/* `ctx` is the meter. */
void meter_update(void *ctx, int64_t bytes);
/* Takes the line away. */
void meter_end(struct meter *m);

/* What was done, on standard error, unless --progress quiet. */
void meter_say(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
