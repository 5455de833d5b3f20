/*
 * Where the engine is, as the docker CLI decides it: --context, -H, $DOCKER_HOST, $DOCKER_CONTEXT,
 * "currentContext" in config.json, the default socket, in this order. Contexts are read from the
 * CLI's own store ($DOCKER_CONFIG or ~/.docker, contexts/meta and contexts/tls), never written.
 * engine.h has engine_find() and engine_places(); here stand their parts.
 */
#ifndef ENGINE_CONTEXT_H
#define ENGINE_CONTEXT_H

#include "base/strv.h"
#include "engine/engine.h"

#define CONTEXT_MAX_FILE ((size_t)1 << 20) /* of the CLI's own files */

/* Where the CLI's config.json is, whether or not it is there; the caller's. */
char *context_config_path(void);
/* Checks `text` ("unix:///x", "tcp://h:1", "h:1", "ssh://u@h") and sets out->host, with the
 * default port where there is none, and out->local. ERR_INPUT says what is wrong with it. */
int context_parse_host(struct engine_endpoint *out, const char *text, struct error *err);
/* The endpoint in a context's meta.json; TLS files are not looked for. ERR_INPUT. */
int context_parse_meta(struct engine_endpoint *out, const char *text, size_t len,
                       struct error *err);
/* Sockets that engines listen on, the most usual first. */
void context_places(struct strv *out);
/* The first of them that is a socket, or NULL. */
const char *context_first_socket(const struct strv *places);

#endif
