/* Plans about containers that are there: which ones are meant, and their order. */
#ifndef PLAN_EXISTING_H
#define PLAN_EXISTING_H

#include "base/strv.h"
#include "plan/private.h"

/* The services that a command names; all when it names none. */
struct selection {
    bool all;
    struct strmap names;
};

/* ERR_NOTFOUND for a name that neither the stack nor a container has. Clear it in any case. */
int selection_init(struct selection *sel, const struct planner *p, struct error *err);
void selection_clear(struct selection *sel);
bool selection_has(const struct selection *sel, const char *service);

/* The service of the model that the container belongs to, or NULL. */
const struct service *existing_service(const struct planner *p, const struct seen_container *c);

/* A volume without a name of its own. One that was carried from container to container has become
 * a named one for the engine: it does not remove it with the container. */
bool mount_is_anonymous(const struct seen_mount *m);

/* Names of the services that the container's service depends on: from the stack, else from its
 * label. `restart`: only those whose restart it follows. */
void existing_deps(struct strv *out, const struct planner *p, const struct seen_container *c,
                   bool restart);

/* Orders operations on containers, `ops` by position in the snapshot (NULL: none): those of
 * dependencies first, or last. */
void existing_order(struct planner *p, struct op *const *ops, bool dependencies_last);

#endif
