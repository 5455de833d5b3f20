/* The pieces of a create body; for create*.c alone. */
#ifndef ENGINE_CREATE_PRIVATE_H
#define ENGINE_CREATE_PRIVATE_H

#include "base/json.h"
#include "engine/create.h"

/* Values. */
json_t *create_texts(const struct node *list);
json_t *create_text_map(const struct node *map);
bool create_bytes(int64_t *out, const struct node *value);
bool create_nanos(int64_t *out, const struct node *value);

/* create_fields.c */
void create_healthcheck(json_t *config, const struct create_input *in);
void create_ports(json_t *config, json_t *host, const struct create_input *in);
void create_resources(json_t *host, const struct node *service);
void create_devices(json_t *host, const struct node *service);
int create_namespaces(json_t *host, const struct create_input *in, struct error *err);

/* create_security.c */
int create_security(json_t *host, const struct create_input *in, struct error *err);

/* create_mounts.c */
int create_mounts(json_t *config, json_t *host, const struct create_input *in, struct error *err);

/* create_network.c */
int create_endpoints(json_t *config, json_t *host, const struct create_input *in,
                     struct error *err);

#endif
