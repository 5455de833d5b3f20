/* Reading a command line by a table of options: long and short, in the order of getopt_long. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"

/* Reads options from argv[*at] on into `values`; arguments go to `args` (unless stop_at_arg, when
 * they end the reading: *at is then the first of them). Understands --name=value, --name value,
 * --flag=false, -x value, -xvalue, grouped flags -abc, and "--". ERR_USAGE with the option, what it
 * takes, and a suggestion. */
int options_read(const struct option *table, size_t n, void *values, int argc, char **argv, int *at,
                 bool stop_at_arg, struct strv *args, struct error *err);

/* Frees the lists among the values. */
void options_clear(const struct option *table, size_t n, void *values);

#endif
