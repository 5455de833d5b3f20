/* Parts that add up to one progress: the layers of an image, the files of a step. */
#ifndef BUILD_LAYERS_H
#define BUILD_LAYERS_H

#include <stdint.h>

#include <jansson.h>

#include "base/strmap.h"

#define LAYERS_MAX 10000 /* further ones are not counted */

struct layers {
    struct strmap parts;
    int64_t current, total; /* the sums, of parts whose total is known */
    size_t done;            /* of those of a transfer: how many are where they belong */
};
#define LAYERS_INIT ((struct layers){ 0 })

/* Sets one part; whether the sums changed. */
bool layers_set(struct layers *l, const char *id, int64_t current, int64_t total);
/* From {"id", "status", "progressDetail": {"current", "total"}} of a pull or a push: bytes are
 * those of the way, not of unpacking. */
bool layers_transfer(struct layers *l, const json_t *value);
void layers_clear(struct layers *l);

#endif
