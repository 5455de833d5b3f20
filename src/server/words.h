/* The placeholders of commands in hook.yaml: {project}, {branch} ... */
#ifndef SERVER_WORDS_H
#define SERVER_WORDS_H

#include <stddef.h>

#include "base/strv.h"

/* What stands for them; NULL is the empty text. */
struct hook_words {
    const char *stack; /* this program */
    const char *project, *git, *ref, *branch, *commit, *job, *stack_file, *up;
};

#define HOOK_PLACEHOLDERS 9
extern const char *const hook_placeholders[HOOK_PLACEHOLDERS]; /* names, in the struct's order */

/* The length of a placeholder at the beginning of text, its braces included, and which it is; 0:
 * there is none. */
size_t hook_placeholder(size_t *which, const char *text);

/* The words of `command` with the placeholders replaced; what is put in is not looked at again. */
void hook_command(struct strv *out, const struct strv *command, const struct hook_words *words);

#endif
