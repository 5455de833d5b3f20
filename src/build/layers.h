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
};
#define LAYERS_INIT ((struct layers){ 0 })

/* Sets one part; whether the sums changed. */
bool layers_set(struct layers *l, const char *id, int64_t current, int64_t total);
/* From {"id", "progressDetail": {"current", "total"}} of a pull; only downloads are counted. */
bool layers_pull(struct layers *l, const json_t *value);
/* Within what can be added up: numbers of parts come from outside. */
int64_t layers_bounded(int64_t n);
void layers_clear(struct layers *l);

#endif
