/* Every command, in the order of help, and the options that all of them take. */
#include "base/str.h"
#include "cli/cli.h"

/* clang-format off */
#define COMMANDS(X) \
    X(up) \
    X(watch) \
    X(down) \
    X(plan) \
    X(ps) \
    X(logs) \
    X(why) \
    X(check) \
    X(config) \
    X(ls) \
    X(status) \
    X(sync) \
    X(add) \
    X(dev) \
    X(undev) \
    X(images) \
    X(build) \
    X(pull) \
    X(push) \
    X(rebuild) \
    X(lock) \
    X(create) \
    X(scale) \
    X(start) \
    X(stop) \
    X(restart) \
    X(kill) \
    X(rm) \
    X(pause) \
    X(unpause) \
    X(exec) \
    X(run) \
    X(attach) \
    X(cp) \
    X(export) \
    X(commit) \
    X(wait) \
    X(port) \
    X(env) \
    X(top) \
    X(stats) \
    X(graph) \
    X(doctor) \
    X(volumes) \
    X(events) \
    X(hook) \
    X(schema) \
    X(completion) \
    X(manual) \
    X(__complete) \
    X(__job) \
    X(__git) \
    X(version) \
    X(help)
/* clang-format on */

#define DECLARE(name) extern const struct command cmd_##name;
COMMANDS(DECLARE)

#define LIST(name) &cmd_##name,
const struct command *const commands[] = { COMMANDS(LIST) NULL };

static const char *const progress_values[] = { "auto", "tty", "plain", "json", "quiet", NULL };
static const char *const ansi_values[] = { "auto", "always", "never", NULL };

#define GLOBAL(field) offsetof(struct global_options, field)

const struct option global_options[] = {
    { "file", 'f', OPT_STRINGS, GLOBAL(files), "FILE",
      "Stack or Compose file; repeat to merge several, '-' is standard input", NULL, COMPLETE_FILE,
      false, false },
    { "stack", 's', OPT_STRING, GLOBAL(stack), "NAME", "Use stacks/NAME.yaml", NULL, COMPLETE_NONE,
      false, false },
    { "project-name", 'p', OPT_STRING, GLOBAL(project_name), "NAME",
      "Name of the stack on the engine", NULL, COMPLETE_STACK, false, false },
    { "instance", 0, OPT_STRING, GLOBAL(instance), "NAME",
      "One of several of this stack (default: the git work tree, when it is not the main one)",
      NULL, COMPLETE_NONE, false, false },
    { "track", 0, OPT_STRING, GLOBAL(track), "REF",
      "Branch or tag of the projects from git that name none (default: the stack file's track:)",
      NULL, COMPLETE_NONE, false, false },
    { "project-directory", 0, OPT_STRING, GLOBAL(project_directory), "DIR",
      "Folder that relative paths start from (default: the first file's)", NULL, COMPLETE_DIR,
      false, false },
    { "env-file", 0, OPT_STRINGS, GLOBAL(env_files), "FILE",
      "Environment file instead of .env; repeatable", NULL, COMPLETE_FILE, false, false },
    { "profile", 0, OPT_STRINGS, GLOBAL(profiles), "NAME",
      "Enable the services of a profile; repeatable, '*' is all", NULL, COMPLETE_PROFILE, false,
      false },
    { "context", 'c', OPT_STRING, GLOBAL(context), "NAME", "Docker context to use", NULL,
      COMPLETE_CONTEXT, false, false },
    { "host", 'H', OPT_STRING, GLOBAL(host), "URL", "Engine to use: unix://, tcp://, ssh://", NULL,
      COMPLETE_NONE, false, false },
    { "progress", 0, OPT_CHOICE, GLOBAL(progress), NULL, "How progress is shown (default auto)",
      progress_values, COMPLETE_NONE, false, false },
    { "ansi", 0, OPT_CHOICE, GLOBAL(ansi), NULL, "Colours and repainting (default auto)",
      ansi_values, COMPLETE_NONE, false, false },
    { "parallel", 0, OPT_INT, GLOBAL(parallel), "N", "Most engine operations at a time", NULL,
      COMPLETE_NONE, false, false },
    { "dry-run", 0, OPT_FLAG, GLOBAL(dry_run), NULL,
      "Show what a changing command would do and why; change nothing", NULL, COMPLETE_NONE, false,
      false },
    { "offline", 0, OPT_FLAG, GLOBAL(offline), NULL,
      "Neither clone nor fetch projects from git: the cache has to do", NULL, COMPLETE_NONE, false,
      false },
    { "debug", 0, OPT_FLAG, GLOBAL(debug), NULL, "Say more on standard error", NULL, COMPLETE_NONE,
      false, false },
    { "all-resources", 0, OPT_FLAG, GLOBAL(all_resources), NULL,
      "Include resources that no service uses", NULL, COMPLETE_NONE, false, false },
    { "compatibility", 0, OPT_FLAG, GLOBAL(compatibility), NULL, "Accepted for docker compose",
      NULL, COMPLETE_NONE, true, false },
    { "workdir", 0, OPT_STRING, GLOBAL(project_directory), "DIR", "Same as --project-directory",
      NULL, COMPLETE_DIR, true, false },
    { "no-ansi", 0, OPT_FLAG, GLOBAL(no_ansi), NULL, "Same as --ansi never", NULL, COMPLETE_NONE,
      true, false },
    { "verbose", 0, OPT_FLAG, GLOBAL(debug), NULL, "Same as --debug", NULL, COMPLETE_NONE, true,
      false },
    { "version", 'v', OPT_FLAG, GLOBAL(version), NULL, "Print the version", NULL, COMPLETE_NONE,
      false, false },
    { "help", 'h', OPT_FLAG, GLOBAL(help), NULL, "Print help", NULL, COMPLETE_NONE, false, false },
};
const size_t global_options_len = countof(global_options);

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (str_eq((*c)->name, name))
            return *c;
    return NULL;
}
