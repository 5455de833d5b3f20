/*
 * From the model to the engine's request bodies: the other half of the schema table. create.c has a
 * row for each key of a service that reaches POST /containers/create, saying which field it sets;
 * tests/wire shows each one.
 */
#ifndef ENGINE_CREATE_H
#define ENGINE_CREATE_H

#include <jansson.h>

#include "base/error.h"
#include "model/model.h"

struct create_input {
    const struct stack *stack;
    const struct service *service;
    const char *name;  /* of the container */
    const char *image; /* reference or id to run */
    int number;
    int api;                /* minor API version */
    bool podman;            /* takes links with networks alone */
    const char *api_socket; /* path of the engine's unix socket, for use_api_socket; or NULL */
    /* Labels beyond the service's own: "key=value" pairs are added last and win. */
    const char *const *labels; /* key, value, key, value ..., NULL */
    /* Network ids by network->name: map name -> id; names are used where it has none. */
    const char *(*network_id)(void *ctx, const char *name);
    /* Ids of other services' containers, for network_mode/ipc/pid: service:x and volumes_from. */
    const char *(*container_id)(void *ctx, const char *service);
    void *ctx;
    /* Anonymous volumes to carry over: target path, volume name, ..., NULL. */
    const char *const *anonymous;
    /* Link variables and the like: "NAME=value", NULL-terminated; an explicit environment wins. */
    const char *const *extra_environment;
};

/* The body for POST /containers/create. Endpoints beyond the first are left out when api < 44: they
 * are connected one by one. ERR_INPUT for what this engine's version cannot do. */
int create_container_body(json_t **out, const struct create_input *in, struct error *err);
/* EndpointConfig for POST /networks/{id}/connect, without the container. */
json_t *create_endpoint_config(const struct create_input *in, const struct endpoint *ep);
json_t *create_network_body(const struct stack *st, const struct network *n);
json_t *create_volume_body(const struct stack *st, const struct volume *v);
/* Body for POST /containers/x/exec from a hook {command, user, privileged, working_dir,
 * environment}. */
json_t *create_hook_body(const struct node *hook);

#endif
