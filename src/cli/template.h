/* Output by a template, as `docker` has it in --format: "{{.Name}}: {{.State}}". */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include <jansson.h>

#include "base/error.h"
#include "base/str.h"

/* Appends the template with its actions replaced by what `row` holds. Understood of Go's templates:
 * {{.Field}}, {{.Label "name"}}, {{json .Field}}, {{json .}}, {{upper .Field}}, {{lower .Field}},
 * and \t, \n in the text. `title` (may be NULL) is called instead for each field, to make the
 * heading of a table. ERR_USAGE otherwise. */
int template_render(struct str *out, const char *template, const json_t *row,
                    const char *(*title)(void *ctx, const char *field), void *ctx,
                    struct error *err);

#endif
