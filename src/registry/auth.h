/*
 * Credentials for registries, as the docker CLI keeps them.
 *
 * Looked for in $DOCKER_AUTH_CONFIG, then in config.json of $DOCKER_CONFIG or ~/.docker: the
 * helper that `credHelpers` names for the host, else the one of `credsStore`, else the entry under
 * `auths` (Docker Hub's is "https://index.docker.io/v1/"). A helper is the program
 * docker-credential-<name>; it gets REGISTRY_HELPER_MS. Only the credentials of the hosts that are
 * asked for are ever read from a helper or handed on.
 *
 * Results are values of HTTP headers of the Engine API: URL-safe base64 with padding. They are
 * secrets: wipe() them before free().
 */
#ifndef REGISTRY_AUTH_H
#define REGISTRY_AUTH_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "loop/loop.h"

#define REGISTRY_HELPER_MS 10000

/* For X-Registry-Auth, or NULL: there are none, the registry is asked anonymously. Owned by the
 * caller. Runs the loop, so not from inside a callback. ERR_INPUT: the reference or config.json is
 * wrong; ERR_NOTFOUND: the helper is not installed; ERR_TIMEOUT, ERR_SYSTEM: it failed. */
int registry_auth(char **out, struct loop *l, const char *image_ref, struct error *err);

struct registry_lookup;

/* `value` is borrowed for the call; NULL with err NULL: no credentials. */
typedef void registry_done(void *ctx, const char *value, const struct error *err);

/* The same from inside callbacks. */
struct registry_lookup *registry_auth_start(struct loop *l, const char *image_ref,
                                            registry_done *done, void *ctx);

/* For X-Registry-Config: {"host": credentials, ...} for the hosts of these n references. */
struct registry_lookup *registry_config_start(struct loop *l, const char *const *image_refs,
                                              size_t n, registry_done *done, void *ctx);

void registry_cancel(struct registry_lookup *lk); /* done does not run */

#endif
