/* Containers as docker's lists show them. */
#ifndef CLI_CONTAINERS_H
#define CLI_CONTAINERS_H

#include <jansson.h>

#include "base/strv.h"
#include "model/model.h"
#include "state/state.h"

/* A service that neither the file (NULL: there is none) nor the engine has is ERR_NOTFOUND. */
int containers_check_services(const struct stack *st, const struct snapshot *now,
                              const struct strv *names, struct error *err);

/* "0.0.0.0:8080->80/tcp, 443/tcp", runs of ports folded. The caller's. */
char *container_ports_text(const struct seen_container *c);
/* Each mapping: URL, TargetPort, PublishedPort, Protocol. A new reference. */
json_t *container_publishers(const struct seen_container *c);
/* "sh -c 'sleep…" in quotes, as Go quotes; cut to 20 characters unless no_trunc. The caller's. */
char *container_command_text(const struct seen_container *c, bool no_trunc);
/* All fields of `ps --format json`. `now`: Unix seconds. A new reference. */
json_t *container_json(const struct seen_container *c, const char *stack_name, int64_t now,
                       bool no_trunc);

#endif
