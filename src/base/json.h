/*
 * jansson with manners: getters that take a path, parsing with bounds, and auto release.
 * A missing or mistyped value is the default; engines differ in what they leave out.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "base/strv.h"

#define auto_json __attribute__((unused, cleanup(json_decrefp)))

/* Parses one value; ERR_PROTOCOL with `what` in the message on anything else. Owned result.
 * Integers stay integers; depth is bounded by jansson's own limit. */
json_t *json_parse(const char *text, size_t len, const char *what, struct error *err);

/* Borrowed values by dotted path ("State.Health.Status"); keys with dots: json_object_get(). */
json_t *json_at(const json_t *j, const char *path);
const char *json_str(const json_t *j, const char *path); /* NULL when absent or not a string */
const char *json_str_or(const json_t *j, const char *path, const char *fallback);
int64_t json_int(const json_t *j, const char *path, int64_t fallback);
bool json_bool(const json_t *j, const char *path, bool fallback);

/* New values from bytes of the outside, made readable (base/safe.h, SAFE_NEWLINES); null for NULL.
 */
json_t *json_safe(const char *text);
json_t *json_safe_list(const struct strv *list);

/* Compact text with sorted keys, owned by the caller: what hashes are made of. */
char *json_canonical(const json_t *j);

#endif
