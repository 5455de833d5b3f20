/*
 * What builders of requests are made of; for requests*.c alone.
 *
 * Every builder is the same three steps: a path with the object's name in it, the query, and
 * request_make(). What lasts long inside an engine gets a longer limit of silence than the usual
 * minute: an engine under load, a stop that waits for its grace period, an image that is unpacked
 * without a word.
 */
#ifndef ENGINE_REQUESTS_PRIVATE_H
#define ENGINE_REQUESTS_PRIVATE_H

#include "engine/requests.h"

enum { SLOW_MS = 180 * 1000, LONG_MS = 900 * 1000 };

/* Takes the path over; everything else is zero. */
void request_make(request_out rq, const char *method, struct str *path);

/* "/containers/" + id + "/start", encoded; image names keep the bytes that engines route by. */
struct str request_path(const char *before, const char *name, const char *after);
struct str request_plain(const char *text);

/* Percent-encoded, but for the bytes of `keep`. */
void request_encode(struct str *out, const char *text, const char *keep);

/* "key=1" if on; a JSON value; one more value of a kind of filter. */
void request_flag(struct str *path, const char *key, bool on);
void request_json(struct str *path, const char *key, const json_t *value);
void request_filter(json_t *filters, const char *kind, const char *value);

/* The label by which objects of one stack, or of any, are found; the caller's. */
char *request_stack_label(const char *stack);

/* The list of objects of one stack, or of any. */
void request_list(request_out rq, const char *what, const char *stack, bool all);

#endif
