/*
 * Functions that this code base does not use, and what it uses instead. The Makefile includes this
 * file in front of every other, so that a call is a warning (an error with WERROR=1). Declarations,
 * not poisoned names: system headers may still mention them. Only in builds that do not optimise:
 * in the others the C library defines some inline, and clang refuses to add to a definition.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#ifndef __OPTIMIZE__

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(fn, instead) \
    extern __typeof__(fn) fn __attribute__((deprecated("banned here: use " instead)))

/* No length: */
BANNED(strcpy, "base/str.h or memcpy()");
BANNED(stpcpy, "base/str.h or memcpy()");
BANNED(strcat, "base/str.h");
BANNED(sprintf, "xasprintf() or snprintf()");
BANNED(vsprintf, "xvasprintf() or vsnprintf()");

/* A length that means something else than it seems: */
BANNED(strncpy, "xstrndup() or memcpy()");
BANNED(strncat, "base/str.h");

/* Hidden state, shared by threads: */
BANNED(strtok, "strv_split()");
BANNED(gmtime, "base/clock.h");
BANNED(localtime, "localtime_r()");
BANNED(ctime, "base/clock.h");
BANNED(asctime, "base/clock.h");
BANNED(rand, "random_hex()");

/* Errors that are easy to miss: */
BANNED(atoi, "base/num.h");
BANNED(atol, "base/num.h");
BANNED(atoll, "base/num.h");
BANNED(atof, "base/num.h");
BANNED(strtol, "base/num.h");
BANNED(strtoll, "base/num.h");
BANNED(strtoul, "base/num.h");
BANNED(strtoull, "base/num.h");

/* Races and shells: */
BANNED(tmpnam, "mkostemp()");
BANNED(tempnam, "mkostemp()");
BANNED(mktemp, "mkostemp()");
BANNED(system, "loop/child.h");
BANNED(popen, "loop/child.h");

#undef BANNED

#endif

#endif
