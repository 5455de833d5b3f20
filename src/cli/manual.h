/* Reference pages, printed from the command table. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/str.h"
#include "cli/command.h"

void manual_markdown(struct str *out);                      /* docs/reference/cli.md */
void manual_exit_codes(struct str *out);                    /* docs/reference/exit-codes.md */
void manual_page(struct str *out, const struct command *c); /* man(7); NULL: stack(1) */

#endif
