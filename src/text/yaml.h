/*
 * YAML text -> tree, and tree -> YAML or JSON text.
 *
 * Reading uses libyaml's events; typing is YAML 1.2 core as Compose's reader does it (0400 is the
 * integer 256 and 0o400 too, "yes"/"on" are strings, "null"/"~"/"" are null, .inf/.nan floats);
 * `<<` merge keys, anchors, and the tags !!str !!int !!float !!bool !!null !reset !override are
 * understood; other tags are an error. Duplicate keys, keys that are not text, several
 * documents, tabs, bad UTF-8 and control characters are diagnostics with position; after a syntax
 * error nothing more of that document is read.
 */
#ifndef TEXT_YAML_H
#define TEXT_YAML_H

#include <stdbool.h>

#include "base/str.h"
#include "text/diag.h"
#include "text/node.h"

#define YAML_MAX_DEPTH 100
#define YAML_MAX_NODES 1000000 /* counted while aliases are expanded */

/* *out is NULL for an empty document. 0, or -1 when diagnostics with errors were added. */
int yaml_read(struct node **out, struct arena *a, const struct source *src, struct diag *d);

/* YAML as Go's encoder (Compose) writes it: two spaces, strings quoted only where needed. */
void yaml_write(struct str *out, const struct node *n);
enum node_json { NODE_JSON_COMPACT, NODE_JSON_PRETTY /* two spaces, as json.MarshalIndent */ };
/* JSON; characters <, >, & are written as they are. */
void node_write_json(struct str *out, const struct node *n, enum node_json style);

#endif
