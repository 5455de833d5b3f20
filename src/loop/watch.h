/*
 * Files that change: directories watched with all that is below them.
 *
 * What is told is a path where something may be different now: it was made, written, moved, its
 * attributes changed, or it is gone. Whoever is told looks at the path to see which. The same path
 * may be told several times. A directory that appears is told with everything in it, one that goes
 * too. Nothing is missed: where the system says that it lost events, everything is looked at again.
 *
 * Symbolic links are paths like others and are not followed. A root may be a file. What is not
 * there yet is waited for in the nearest directory above it that is there.
 *
 * Linux: inotify, one watch for each directory. macOS: FSEvents, one stream for each root.
 */
#ifndef LOOP_WATCH_H
#define LOOP_WATCH_H

#include "loop/loop.h"

#define WATCH_MAX_DEPTH 200       /* directories below a root; what is deeper is not watched */
#define WATCH_MAX_ENTRIES 2000000 /* names in all of them; further ones are not watched */

struct loop_watch;

struct loop_watch_handlers {
    /* Whether nothing at or below this directory matters: it is then not looked into. May be NULL.
     * Also asked from inside loop_watch_start(). */
    bool (*skip)(void *ctx, const char *path);
    /* An absolute path, clean, at or below a root; borrowed for the call. fresh: nothing was known
     * to be there before. */
    void (*changed)(void *ctx, const char *path, bool fresh);
    /* Some of it is not watched, and why; the rest goes on. */
    void (*trouble)(void *ctx, const struct error *err);
    void *ctx;
};

/* Roots are absolute clean paths, NULL-terminated; they and *hd are copied. What is there now is
 * read before this returns, and is not told. ERR_SYSTEM: a directory cannot be read, or a limit of
 * the system is reached; the hint says how to raise it. */
int loop_watch_start(struct loop_watch **out, struct loop *l, const char *const *roots,
                     const struct loop_watch_handlers *hd, struct error *err);
void loop_watch_cancel(struct loop_watch **slot); /* accepts a NULL slot value */

/* Number of directories that are known. */
size_t loop_watch_dirs(const struct loop_watch *w);

#endif
