/* `stack help [COMMAND]`. */
#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/help.h"

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    (void)cli, (void)values;
    auto_str struct str text = STR_INIT;
    if (args->len == 0) {
        help_overview(&text);
    } else {
        const struct command *c = command_find(args->items[0]);
        if (!c)
            return error_set(err, ERR_USAGE, 0, "there is no command '%s'", args->items[0]);
        help_command(&text, c);
    }
    fputs(text.buf, stdout);
    return EXIT_DONE;
}

extern const struct command cmd_help;
const struct command cmd_help = {
    .name = "help",
    .group = "Help",
    .usage = "[COMMAND]",
    .summary = "Help on a command",
    .max_args = 1,
    .args = COMPLETE_COMMAND,
    .run = run,
};
