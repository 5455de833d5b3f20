/*
 * What the engine says while it builds, turned into steps: BuildKit's trace messages, the classic
 * builder's text, podman's. Also finds out how the build ended, since the status of the answer is
 * 200 whatever happens.
 */
#ifndef BUILD_PROGRESS_H
#define BUILD_PROGRESS_H

#include <jansson.h>

#include "build/build.h"

#define PROGRESS_MAX_STEPS 10000       /* further ones are not shown */
#define PROGRESS_OUTPUT_MAX (16 << 10) /* kept of the end of each step's output */

struct progress;
/* `step` may be NULL. */
struct progress *progress_new(void (*step)(void *ctx, const struct build_step *step), void *ctx);
void progress_free(struct progress *p);
DEFINE_FREEP(struct progress, progress_free)

/* One value of the stream. */
void progress_value(struct progress *p, json_t *value);

/* The stream ended. 0 and *image_id (borrowed), or -1: ERR_BUILD with the failing step and what the
 * builder said, ERR_PROTOCOL when the answer has neither a result nor an error. */
int progress_end(const char **image_id, struct progress *p, struct error *err);
/* The last output of the failing step, raw, or NULL. After progress_end() failed. */
const char *progress_output(const struct progress *p);

#endif
