/* What `stack doctor` looks at, and what it found. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/vec.h"
#include "cli/cli.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR };

struct finding {
    enum finding_level level;
    const char *about; /* "engine", "disk": a literal */
    char *text;        /* one line, raw */
    char *next;        /* the next step, or NULL */
};

struct doctor {
    struct cli *cli;
    bool hub; /* look for a registry, too */
    struct {
        VEC(struct finding);
    } findings;
    bool answers;     /* the engine does */
    json_t *info;     /* what it says about itself, or NULL */
    json_t *running;  /* its list of running containers, or NULL */
    int64_t asked_ns; /* wall clock around the request for `info` */
    int64_t answered_ns;
};

void doctor_add(struct doctor *d, enum finding_level level, const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The next step, for what was added last. */
void doctor_next(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A finding from an error, with its hint as the next step. */
void doctor_add_error(struct doctor *d, enum finding_level level, const char *about,
                      const struct error *err);
void doctor_clear(struct doctor *d);

/* doctor_engine.c: the engine and its machine. */
void doctor_look_at_engine(struct doctor *d);
/* doctor_here.c: this machine, the stack file, its ports. */
void doctor_look_here(struct doctor *d);
void doctor_look_at_stack(struct doctor *d);

#endif
