/* `stack completion`: the scripts for the shells, which ask `stack __complete` for everything. */
#include <stdio.h>

#include "base/str.h"
#include "cli/complete.h"

static const char bash[] =
    "_stack() {\n"
    "    local line word\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        case $line in\n"
    "        :file) compopt -o default; COMPREPLY=(); return ;;\n"
    "        :dir) compopt -o dirnames; return ;;\n"
    "        esac\n"
    "        word=${line%%$'\\t'*}\n"
    "        case $word in *:) compopt -o nospace ;; esac\n"
    "        COMPREPLY+=(\"$(printf %q \"$word\")\")\n"
    "    done < <(stack __complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _stack stack\n";

static const char zsh[] =
    "#compdef stack\n"
    "_stack() {\n"
    "    local -a found\n"
    "    local line\n"
    "    for line in \"${(@f)$(stack __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\"; do\n"
    "        case $line in\n"
    "        :file) _files; return ;;\n"
    "        :dir) _files -/; return ;;\n"
    "        '') ;;\n"
    "        *) found+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    _describe stack found\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _stack ]; then _stack; else compdef _stack stack; fi\n";

static const char fish[] = "function __stack_complete\n"
                           "    set -l words (commandline -opc) (commandline -ct)\n"
                           "    for line in (stack __complete -- $words[2..-1] 2>/dev/null)\n"
                           "        switch $line\n"
                           "            case ':file' ':dir'\n"
                           "                __fish_complete_path (commandline -ct)\n"
                           "            case '*'\n"
                           "                echo $line\n"
                           "        end\n"
                           "    end\n"
                           "end\n"
                           "complete -c stack -f -a '(__stack_complete)'\n";

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const char *shell = args->items[0];
    (void)cli, (void)values;
    if (str_eq(shell, "bash"))
        fputs(bash, stdout);
    else if (str_eq(shell, "zsh"))
        fputs(zsh, stdout);
    else if (str_eq(shell, "fish"))
        fputs(fish, stdout);
    else
        return error_set(err, ERR_USAGE, 0,
                         "there is a script for bash, zsh and fish, not for '%s'", shell);
    return EXIT_DONE;
}

static const char *const examples[] = {
    "source <(stack completion bash)",
    "for this shell",
    "stack completion fish >~/.config/fish/completions/stack.fish",
    "for ever",
    NULL,
};

extern const struct command cmd_completion;
const struct command cmd_completion = {
    .name = "completion",
    .group = "Help",
    .usage = "bash|zsh|fish",
    .summary = "Print the script that completes command lines in a shell",
    .examples = examples,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};

static int run_words(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    auto_strv struct strv found = STRV_INIT;
    (void)values, (void)err;
    complete_words(&found, cli, args);
    strv_each (line, &found)
        puts(*line);
    return EXIT_DONE;
}

extern const struct command cmd___complete;
const struct command cmd___complete = {
    .name = "__complete",
    .group = "Help",
    .usage = "-- WORD...",
    .summary = "What may stand at the end of the words",
    .max_args = -1,
    .run = run_words,
    .hidden = true,
};
