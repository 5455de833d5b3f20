/* `stack check`: everything that can be said about the files without an engine. */
#include <stdio.h>

#include "base/mem.h"
#include "build/build.h"
#include "cli/cli.h"
#include "cli/listing.h"

struct check_options {
    bool quiet;
};
#define OPTIONS check_options

static const struct option rows[] = {
    ROW_FLAG('q', "quiet", quiet, "Say nothing when all is well"),
};

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct check_options *o = values;
    (void)args;
    auto_(build_survey_freep) struct build_survey *survey = NULL;
    struct load_options load;
    cli_load_options(&load, cli, NULL);
    load.lenient = false;
    if (cli_load_with(cli, &load, err) < 0)
        return -1;
    const struct stack *st = cli->stack;
    if (st->nimages && build_survey(&survey, cli_loop(cli), st, NULL, err) < 0)
        return -1;
    if (o->quiet)
        return EXIT_DONE;
    printf("stack '%s': %zu service%s, %zu image%s to build, %zu warning%s\n", st->name,
           st->nservices, plural(st->nservices), st->nimages, plural(st->nimages),
           cli->diag.warnings, plural(cli->diag.warnings));
    for (const char *const *file = st->files; *file; file++)
        listing_line(stdout, *file);
    return EXIT_DONE;
}

extern const struct command cmd_check;
const struct command cmd_check = {
    .name = "check",
    .group = "Inspect",
    .usage = "[OPTIONS]",
    .summary = "Validate the stack file, and all that it leads to; say every mistake at once",
    .text = "Reads the file, the projects and manifests it names, and the Dockerfiles of what is "
            "to be built. No engine is asked.",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct check_options),
    .run = run,
};
