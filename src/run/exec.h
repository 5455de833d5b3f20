/* A command in a running container by the engine's exec, to its end: hooks and probes. */
#ifndef RUN_EXEC_H
#define RUN_EXEC_H

#include <jansson.h>

#include "engine/engine.h"

#define EXEC_OUTPUT_MAX 4096 /* the last bytes that are kept */

struct exec;

/* `body` is that of POST /containers/x/exec and is taken over; AttachStdout and AttachStderr must
 * be set. `done` runs once: exit code and output, or an error (ERR_TIMEOUT after timeout_ms, when
 * that is not 0). exec_cancel() before: it does not run. */
struct exec *exec_start(struct engine *e, const char *container, json_t *body, int64_t timeout_ms,
                        void (*done)(void *ctx, int code, const char *output,
                                     const struct error *err),
                        void *ctx);
void exec_cancel(struct exec *x);
/* Keeps another amount of the output than EXEC_OUTPUT_MAX. Right after exec_start(). */
void exec_keep(struct exec *x, size_t max);

#endif
