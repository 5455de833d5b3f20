/* `stack manual`: the reference pages, for `make docs` and `make install`. */
#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/manual.h"
#include "model/schema.h"

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const char *page = args->items[0];
    auto_str struct str text = STR_INIT;
    (void)cli, (void)values;
    if (str_eq(page, "cli.md"))
        manual_markdown(&text);
    else if (str_eq(page, "exit-codes.md"))
        manual_exit_codes(&text);
    else if (str_eq(page, "stack-file.md"))
        schema_print_reference(&text);
    else if (str_eq(page, "stack.1"))
        manual_page(&text, NULL);
    else if (str_eq(page, "commands"))
        for (const struct command *const *c = commands; *c; c++)
            str_addf(&text, "%s%s", (*c)->hidden ? "" : (*c)->name, (*c)->hidden ? "" : "\n");
    else if (command_find(page))
        manual_page(&text, command_find(page));
    else
        return error_set(err, ERR_USAGE, 0, "there is no page '%s'", page);
    fputs(text.buf, stdout);
    return EXIT_DONE;
}

extern const struct command cmd_manual;
const struct command cmd_manual = {
    .name = "manual",
    .group = "Help",
    .usage = "PAGE",
    .summary = "Print a reference page: cli.md, exit-codes.md, stack-file.md, stack.1, or a "
               "command's man page",
    .min_args = 1,
    .max_args = 1,
    .args = COMPLETE_COMMAND,
    .run = run,
    .hidden = true,
};
