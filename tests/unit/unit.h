/*
 * What every unit test needs: cmocka with the headers it wants before it, and a folder of its own.
 *
 *     cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
 *
 * runs the test inside a fresh temporary folder, whose absolute path is *state.
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static inline int unit_dir_make(void **state)
{
    const char *base = getenv("TMPDIR");
    char name[PATH_MAX], real[PATH_MAX];
    snprintf(name, sizeof(name), "%s/stack-unit.XXXXXX", base ? base : "/tmp");
    /* The real path: /tmp is a link on some systems, and tests compare with getcwd(). */
    if (!mkdtemp(name) || chdir(name) < 0 || !realpath(name, real))
        return -1;
    *state = strdup(real);
    return *state ? 0 : -1;
}

static inline int unit_remove_(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline int unit_dir_remove(void **state)
{
    int failed = chdir("/") < 0 || nftw(*state, unit_remove_, 16, FTW_DEPTH | FTW_PHYS) < 0;
    free(*state);
    return failed ? -1 : 0;
}

#endif
