/* Completion of command lines: what may stand at the end of the words so far. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/cli.h"

/* Appends candidates, "word\tdescription" each; the last word is the beginning of what is wanted.
 * A line ":file" or ":dir" asks the shell for its own completion. No mistake is ever reported. */
void complete_words(struct strv *out, struct cli *cli, const struct strv *words);

#endif
