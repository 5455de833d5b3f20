/* Child processes: the only place where programs are started, but for src/server/supervise.c. */
#ifndef LOOP_CHILD_H
#define LOOP_CHILD_H

#include "base/str.h"
#include "loop/loop.h"

struct child_options {
    const char *const *argv; /* argv[0] is looked up in PATH; NULL-terminated */
    const char *const *env;  /* NULL: ours */
    const char *cwd;         /* NULL: ours */
    const char *input;       /* given on standard input, then closed; NULL: /dev/null */
    size_t input_len;
    bool hold_input;    /* its standard input is a pipe without bytes that ends when we do */
    int stdio_fd;       /* > 0: this is both its standard input and output; stays the caller's */
    size_t output_max;  /* bytes kept of each of stdout and stderr; more is dropped */
    int64_t timeout_ms; /* then SIGKILL and ERR_TIMEOUT; 0: none */
    bool own_session;   /* setsid(): the terminal's Ctrl-C does not reach it */
};

struct child_result {
    int status; /* exit code, or 128 + signal */
    struct str out;
    struct str err;
};

struct child;

/* For argv[0]: the program that runs, also after its file was replaced. */
const char *child_own_program(void);

/* `done` gets the result (owned by the child, valid during the call) or an error. */
struct child *child_start(struct loop *l, const struct child_options *opt,
                          void (*done)(void *ctx, const struct child_result *result,
                                       const struct error *err),
                          void *ctx);
void child_kill(struct child *c, int signum);
/* Kills it (SIGTERM) and forgets it: `done` does not run. */
void child_cancel(struct child *c);

/* Runs it to its end on the loop; *out is the caller's (str_clear both). */
int child_run(struct child_result *out, struct loop *l, const struct child_options *opt,
              struct error *err);

#endif
