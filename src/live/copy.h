/*
 * Files between this machine and a container, with the rules of docker cp:
 *
 * A file goes to the path that is named, or into it when that is a folder. A folder goes into a
 * folder that is there, or becomes one that is not; "folder/." means what is in it. A link is
 * copied as a link, unless it is to be followed; a destination that is a link is the place where it
 * leads. The folder around the destination must be there. "-" on this machine's side is a tar on
 * standard input or output.
 *
 * Everything streams, in constant memory. What a container sends is held to tree_unpack.h's rules.
 */
#ifndef LIVE_COPY_H
#define LIVE_COPY_H

#include "base/cleanup.h"
#include "engine/engine.h"

struct copy_options {
    bool follow;  /* a source that is a link stands for what it leads to */
    bool owners;  /* keep owners */
    bool dry_run; /* find out where it would go, and change nothing */
    void (*progress)(void *ctx, int64_t bytes); /* of the transfer, so far; or NULL */
    void *ctx;
};

struct copy_result {
    char *to;        /* the path that was written, on the side that it went to; owned */
    int64_t bytes;   /* of files; of the tar with "-" */
    size_t left_out; /* devices, which are not made here */
};
void copy_result_clear(struct copy_result *r);

/* `container`: its id; `name`: for messages. They run the loop. *out is cleared by the caller. */
int copy_in(struct copy_result *out, struct engine *e, const char *container, const char *name,
            const char *from, const char *to, const struct copy_options *opt, struct error *err);
int copy_out(struct copy_result *out, struct engine *e, const char *container, const char *name,
             const char *from, const char *to, const struct copy_options *opt, struct error *err);

/* A path as it was written: clean, and what it ended with. */
struct copy_path {
    char *path;    /* owned */
    bool folder;   /* ended in "/", "/." or "..": a folder is meant, a link to one is followed */
    bool contents; /* ended in "/.", or has no name ("/", "."): what is in it is meant */
};
/* In a container, paths begin at its root. */
struct copy_path copy_path_read(const char *text, bool in_container);

#endif
