/*
 * A command with something going wrong at every one of its requests, one after the other, for each
 * of a table of situations: a fresh stack, one that is converged, one with two changed services ...
 *
 * After each run: it ended in time and did not crash, printed nothing that drives a terminal, said
 * 0 only if what was asked for is there, else what failed and what to do; and a plain second run,
 * without a fault, leaves exactly what an undisturbed one leaves, names and volumes included.
 */
#ifndef SUPPORT_SWEEP_H
#define SUPPORT_SWEEP_H

#include <stddef.h>

#include "fake.h"

struct sweep_fault {
    const char *name;
    enum fake_fault fault;
    int arg;
};

struct scenario {
    const char *name;
    const char *before; /* the stack file that is up already; NULL: none */
    const char *after;  /* the file of the command */
    const char *args;   /* the command */
    const char *again;  /* the plain second run; NULL: the same */
    struct fake_kind kind;
    bool new_image; /* the tag `base` has moved since */
};
extern const struct scenario scenarios[];
extern const size_t scenarios_len;

/* Every fault at every request of the scenario, in several processes below `dir`. What went wrong
 * is printed as comments; the number of such cases. */
size_t sweep(const struct scenario *s, const struct sweep_fault *faults, size_t n, const char *dir);

#endif
