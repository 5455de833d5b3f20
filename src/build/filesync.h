/*
 * The folder of a build for the engine that asks for it: moby.filesync.v1.FileSync, with the
 * folders `context` and `dockerfile`. Files are read on the worker pool; what is in memory of each
 * call is a piece or two, whatever the size of the files.
 */
#ifndef BUILD_FILESYNC_H
#define BUILD_FILESYNC_H

#include "build/context.h"
#include "session/session.h"

/* Below it a tar is as fast, and every engine takes that. */
#define FILESYNC_MIN_BYTES ((int64_t)4 << 20)

struct filesync;

struct filesync_input {
    const char *root; /* real path */
    const struct context *context;
    const char *dockerfile_name;
    const char *dockerfile;
    size_t dockerfile_len;
};

/* Whether the folder is better sent this way than as a tar: it is large, and its names are such
 * that every engine takes them (UTF-8). */
bool filesync_pays(const struct context *c);

/* What `in` points to must stay until filesync_free() says that it is gone. */
struct filesync *filesync_new(struct loop *l, const struct filesync_input *in);
void filesync_attach(struct filesync *f, struct session *s);
/* Why a call ended badly, or NULL: a file changed, the engine could not take it. */
const struct error *filesync_error(const struct filesync *f);
/* After its session is closed. A job under way is waited for in the background; only after `gone`
 * (may be NULL) ran is what the input points to no longer used. */
void filesync_free(struct filesync *f, void (*gone)(void *ctx), void *ctx);

/* To be served with a struct filesync. */
extern const struct grpc_method filesync_diff_copy;

#endif
