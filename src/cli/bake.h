/* `build --print`: what would be built, as a file for `docker buildx bake`. */
#ifndef CLI_BAKE_H
#define CLI_BAKE_H

#include "base/strv.h"
#include "model/model.h"

/* JSON of the images of `names` (services or projects; empty: all), with a final newline. Secrets
 * are named, never read. Owned by the caller. */
char *bake_text(const struct stack *st, const struct strv *names);

#endif
