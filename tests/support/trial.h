/*
 * Running `stack` against the engine made of JSON. The command runs in a child of the test, which
 * answers its requests meanwhile; nothing of the test's environment reaches it but what
 * tests/run gives every test, and DOCKER_HOST.
 */
#ifndef SUPPORT_TRIAL_H
#define SUPPORT_TRIAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "fake.h"

struct trial {
    pid_t pid;
    int out_fd, err_fd; /* files without a name */
    char *out, *err;    /* once it has ended */
    int code;           /* exit code; 128 more than the signal that ended it */
    bool ended;
    bool late; /* it did not end in time, and was killed */
};

/* Starts `stack ARGS...`; args are one text, words separated by blanks. */
void trial_start(struct trial *c, struct fake *f, const char *args);
/* Answers until it has ended, or limit_ms have passed; then it is killed. */
void trial_wait(struct trial *c, struct fake *f, int limit_ms);
/* Both. Within TRIAL_LIMIT_MS. */
void trial_run(struct trial *c, struct fake *f, const char *args);
void trial_clear(struct trial *c);
#define auto_trial __attribute__((unused, cleanup(trial_clear)))
#define TRIAL_LIMIT_MS 10000

/* Whether nothing in the text can drive a terminal: no control characters, of either set, but
 * newlines and tabs. */
bool text_is_safe(const char *text);

#endif
