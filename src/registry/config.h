/* docker's config.json: what it says about one registry, before any helper is asked. */
#ifndef REGISTRY_CONFIG_H
#define REGISTRY_CONFIG_H

#include <jansson.h>

#include "base/error.h"
#include "base/strv.h"

/* Docker Hub's historical name, under which its credentials are kept. */
#define REGISTRY_HUB_KEY "https://index.docker.io/v1/"

/* The documents to look in, first match wins: $DOCKER_AUTH_CONFIG, then config.json; both may be
 * missing. *out is a list (array). ERR_INPUT when one is not JSON. */
int config_read(json_t **out, struct error *err);

/* A text that the documents say for the docker CLI ("psFormat"): the caller's; NULL: none does. */
char *config_setting(const char *key);

/* Key of the registry that has the image: the domain with its port, or REGISTRY_HUB_KEY. Owned by
 * the caller. ERR_INPUT. */
char *config_key(const char *image_ref, struct error *err);

/* The helper that has to be asked for `key` (borrowed from `documents`), or NULL. Its name is
 * valid. ERR_INPUT for a name that cannot be a program's. 0 or -1. */
int config_helper(const char **out, const json_t *documents, const char *key, struct error *err);

/* The credentials that stand in the file itself: {"username", "password", "identitytoken",
 * "registrytoken", "serveraddress"} as far as they are there; NULL: none. Owned by the caller. */
json_t *config_auth(const json_t *documents, const char *key);

#endif
