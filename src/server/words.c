/* Placeholders of commands. */
#include "server/words.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

const char *const hook_placeholders[HOOK_PLACEHOLDERS] = { "stack", "project",    "git",
                                                           "ref",   "branch",     "commit",
                                                           "job",   "stack_file", "up" };

size_t hook_placeholder(size_t *which, const char *text)
{
    const char *end = *text == '{' ? strchr(text, '}') : NULL;
    for (size_t i = 0; end && i < HOOK_PLACEHOLDERS; i++)
        if (strlen(hook_placeholders[i]) == (size_t)(end - text) - 1 &&
            strncmp(hook_placeholders[i], text + 1, strlen(hook_placeholders[i])) == 0) {
            *which = i;
            return strlen(hook_placeholders[i]) + 2;
        }
    return 0;
}

void hook_command(struct strv *out, const struct strv *command, const struct hook_words *w)
{
    const char *values[] = { w->stack,  w->project, w->git,        w->ref, w->branch,
                             w->commit, w->job,     w->stack_file, w->up };
    _Static_assert(countof(values) == HOOK_PLACEHOLDERS, "a value for each word");
    strv_each (it, command) {
        auto_str struct str word = STR_INIT;
        for (const char *c = *it; *c;) {
            size_t which, n = hook_placeholder(&which, c);
            if (n)
                str_add(&word, values[which] ? values[which] : "");
            else
                str_addc(&word, *c);
            c += n ? n : 1;
        }
        strv_take(out, str_detach(&word));
    }
}
