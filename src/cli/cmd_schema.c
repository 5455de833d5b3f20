/* `stack schema`: the JSON Schema of the native form, for editors. */
#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"
#include "model/schema.h"

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    auto_str struct str text = STR_INIT;
    (void)cli, (void)values, (void)args, (void)err;
    schema_print_json(&text);
    fputs(text.buf, stdout);
    return EXIT_DONE;
}

extern const struct command cmd_schema;
const struct command cmd_schema = {
    .name = "schema",
    .group = "Help",
    .usage = "",
    .summary = "Print the JSON Schema of the stack file, for editors",
    .text = "In an editor that speaks to yaml-language-server, put this on the first line of "
            "stack.yaml, with the path that 'make install' or 'stack schema >FILE' gave it:\n"
            "# yaml-language-server: $schema=/usr/local/share/stack/stack.schema.json",
    .max_args = 0,
    .run = run,
};
