/* For tests of `stack` against the engine made of JSON: it, in a folder of the test's own. */
#ifndef WIRE_FAKE_ENGINE_H
#define WIRE_FAKE_ENGINE_H

#include "../support/trial.h"
#include "../unit/unit.h"

#include "base/cleanup.h"
#include "base/mem.h"

struct fixture {
    char *dir; /* the current one */
    struct fake *f;
};

static inline int fixture_open(struct fixture **out)
{
    struct fixture *x = xnew(struct fixture);
    void *dir = NULL;
    if (unit_dir_make(&dir) < 0)
        return -1;
    x->dir = dir;
    auto_free char *socket = xasprintf("%s/engine", x->dir);
    x->f = fake_new(socket);
    *out = x;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *x = *state;
    void *dir = x->dir;
    fake_free(x->f);
    int result = unit_dir_remove(&dir);
    free(x);
    return result;
}

#endif
