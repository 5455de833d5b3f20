/* What a plain YAML scalar means, and how Go prints numbers: shared by reading and writing. */
#ifndef TEXT_SCALAR_H
#define TEXT_SCALAR_H

#include <stdbool.h>

#include "text/node.h"

/* Sets kind, value and the typed field of a scalar from its `text`, as Compose's YAML reader
 * types text without quotes. */
void scalar_resolve(struct arena *a, struct node *n);

/* The kind that scalar_resolve() would give. */
enum node_kind scalar_kind(const char *text);

/* A float in Go's two styles, shortest text that reads back the same: %v ("1e+06"; also YAML's)
 * and JSON's ("1000000"). Infinities and NaN are ".inf", "-.inf", ".nan". */
#define SCALAR_FLOAT_MAX 400
const char *scalar_float_text(char buf[SCALAR_FLOAT_MAX], double v);
const char *scalar_float_json(char buf[SCALAR_FLOAT_MAX], double v);

#endif
