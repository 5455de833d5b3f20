/* `stack version`: our version; the engine is not asked, so that it always answers. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/cli.h"

struct version_options {
    const char *format;
    bool brief;
};

static const char *const formats[] = { "pretty", "json", NULL };
static const struct option options[] = {
    { "format", 'f', OPT_CHOICE, offsetof(struct version_options, format), NULL,
      "Form of the output", formats, COMPLETE_NONE, false, false },
    { "short", 0, OPT_FLAG, offsetof(struct version_options, brief), NULL, "Only the number", NULL,
      COMPLETE_NONE, false, false },
};

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct version_options *opt = values;
    (void)cli, (void)args, (void)err;
    if (opt->brief)
        puts(STACK_VERSION);
    else if (str_eq(opt->format, "json"))
        puts("{\"version\":\"" STACK_VERSION "\"}");
    else
        puts("stack version " STACK_VERSION);
    return EXIT_DONE;
}

extern const struct command cmd_version;
const struct command cmd_version = {
    .name = "version",
    .group = "Help",
    .usage = "[OPTIONS]",
    .summary = "Print the version of stack",
    .options = options,
    .noptions = countof(options),
    .options_size = sizeof(struct version_options),
    .run = run,
};
