/* Headers that the user wants with every request to an engine. */
#ifndef ENGINE_HEADERS_H
#define ENGINE_HEADERS_H

#include "base/strv.h"

/* "Name: value" from "HttpHeaders" of docker's config.json, for proxies in front of engines. Those
 * that are no headers, or are set by the protocol itself, are left out, and so is everything when
 * that file cannot be read: whoever needs it says so. */
void headers_of_config(struct strv *out);
/* The same from its text. */
void headers_read(struct strv *out, const char *text, size_t len);

#endif
