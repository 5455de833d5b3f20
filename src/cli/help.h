/* Help, printed from the command table. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/str.h"
#include "cli/command.h"

void help_overview(struct str *out);                         /* `stack --help` */
void help_command(struct str *out, const struct command *c); /* `stack up --help` */
/* The option as help shows it: "-d, --detach", "    --scale SERVICE=NUM". */
void help_option(struct str *out, const struct option *o);

#endif
