/* libyaml's complaints in plain words. */
#ifndef TEXT_YAML_ERROR_H
#define TEXT_YAML_ERROR_H

#include <yaml.h>

#include "text/diag.h"
#include "text/source.h"

/* Adds an error for what stopped the parser. */
void yaml_error_report(struct diag *d, const struct source *src, const yaml_parser_t *parser);

#endif
