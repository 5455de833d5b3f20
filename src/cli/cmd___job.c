/* `stack __job ORDER`: a job's command under its limits; what `stack hook` starts. */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "server/supervise.h"

struct job_options {
    bool none;
};

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    (void)cli, (void)values;
    struct supervise_order order;
    struct supervise_end end;
    if (supervise_order_read(&order, args->items[0], err) < 0)
        return -1;
    int rc = supervise_run(&end, &order, STDIN_FILENO, err);
    supervise_order_clear(&order);
    if (rc < 0)
        return -1;
    auto_free char *text = supervise_end_text(&end);
    fputs(text, stdout);
    return EXIT_DONE;
}

extern const struct command cmd___job;
const struct command cmd___job = {
    .name = "__job",
    .usage = "ORDER",
    .summary = "Run a job's command under its limits",
    .options_size = sizeof(struct job_options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .hidden = true,
};
