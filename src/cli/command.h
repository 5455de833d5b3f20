/*
 * The command table: every command and every option once. Dispatch, --help, completion, man pages
 * and docs/reference/cli.md are printed from it. A command is added by one file cmd_NAME.c with its
 * `const struct command`, and one line in commands.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

struct cli;

enum option_kind {
    OPT_FLAG,    /* bool */
    OPT_STRING,  /* const char * */
    OPT_STRINGS, /* struct strv: repeatable */
    OPT_INT,     /* int */
    OPT_CHOICE,  /* const char *: one of `values` */
};

/* What a completion offers for a value or an argument. */
enum complete_kind {
    COMPLETE_NONE,
    COMPLETE_FILE,
    COMPLETE_DIR,
    COMPLETE_SERVICE,
    COMPLETE_SERVICE_PATH, /* SERVICE:PATH, or a file */
    COMPLETE_STACK,
    COMPLETE_CONTAINER,
    COMPLETE_CONTEXT,
    COMPLETE_PROFILE,
    COMPLETE_PROJECT,
    COMPLETE_COMMAND
};

struct option {
    const char *name; /* "remove-orphans" */
    char letter;      /* 'd' or 0 */
    enum option_kind kind;
    size_t offset;             /* of the value in the command's options struct */
    const char *arg;           /* "SERVICE=NUM"; NULL for flags */
    const char *help;          /* one sentence, no full stop */
    const char *const *values; /* CHOICE */
    enum complete_kind complete;
    bool hidden;       /* accepted, for scripts written for docker compose; not in --help */
    bool optional_arg; /* --name or --name=x */
};

/* Rows of a table whose values go to the fields of `struct OPTIONS`, a name that each file defines.
 * A hidden row is accepted and does nothing, or is another name. */
#define OPT_AT(field) offsetof(struct OPTIONS, field)
#define OPT_ROW(letter, name, kind, field, arg, values, complete, hidden, help)       \
    {                                                                                 \
        name, letter, kind, OPT_AT(field), arg, help, values, complete, hidden, false \
    }
#define ROW_FLAG(letter, name, field, help) \
    OPT_ROW(letter, name, OPT_FLAG, field, NULL, NULL, COMPLETE_NONE, false, help)
#define ROW_HIDDEN(letter, name, field) \
    OPT_ROW(letter, name, OPT_FLAG, field, NULL, NULL, COMPLETE_NONE, true, "")
#define ROW_INT(letter, name, field, arg, help) \
    OPT_ROW(letter, name, OPT_INT, field, arg, NULL, COMPLETE_NONE, false, help)
#define ROW_STRING(letter, name, field, arg, complete, help) \
    OPT_ROW(letter, name, OPT_STRING, field, arg, NULL, complete, false, help)
#define ROW_STRINGS(letter, name, field, arg, complete, help) \
    OPT_ROW(letter, name, OPT_STRINGS, field, arg, NULL, complete, false, help)
#define ROW_CHOICE(letter, name, field, values, help) \
    OPT_ROW(letter, name, OPT_CHOICE, field, NULL, values, COMPLETE_NONE, false, help)

struct command {
    const char *name;
    const char *group;           /* heading in help: "Everyday", "Inspect" ... */
    const char *usage;           /* "[OPTIONS] [SERVICE...]" */
    const char *summary;         /* one line, for the list */
    const char *text;            /* paragraphs for --help and the man page, or NULL */
    const char *const *examples; /* command, what it does, ..., NULL */
    const struct option *options;
    size_t noptions;
    size_t options_size;             /* of the options struct, which starts zeroed */
    void (*defaults)(void *options); /* other defaults than zero, or NULL */
    int min_args, max_args;          /* max -1: any number */
    bool stop_at_arg;                /* options end at the first argument: run, exec */
    enum complete_kind args;
    /* The exit code, or -1 with *err filled. Runs with the global options in `cli`. */
    int (*run)(struct cli *cli, void *options, const struct strv *args, struct error *err);
    bool hidden;
};

/* NULL-terminated, in the order of help. */
extern const struct command *const commands[];
const struct command *command_find(const char *name);
extern const struct option global_options[];
extern const size_t global_options_len;

/* Exit codes, printed into docs/reference/exit-codes.md. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* something else went wrong */
    EXIT_USAGE = 2,
    EXIT_ENGINE = 4,   /* no engine, or one that is too old */
    EXIT_UNREADY = 5,  /* the declared state was not reached */
    EXIT_CONFLICT = 6, /* locked, owned by another stack file, or a port is taken */
    EXIT_NOFILE = 14,
    EXIT_INPUT = 15, /* as docker compose has it */
    EXIT_BUILD = 17,
    EXIT_PULL = 18,
    EXIT_INTERRUPTED = 130, /* SIGINT; SIGTERM: 143 */
};
int exit_code_of(const struct error *err);

#endif
