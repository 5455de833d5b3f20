/* `stack __git`: the process that clones and checks out one project (git/checkout.h). */
#include <unistd.h>

#include "cli/cli.h"
#include "git/checkout.h"

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    (void)cli, (void)values, (void)args, (void)err;
    /* At once: libgit2 1.5 does not give back all that it took, and nothing of ours is left to do.
     */
    _exit(repo_worker_main());
}

extern const struct command cmd___git;
const struct command cmd___git = {
    .name = "__git",
    .usage = "",
    .summary = "Get one project from git, for another stack process",
    .hidden = true,
    .run = run,
};
