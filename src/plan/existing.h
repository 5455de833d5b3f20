/* Plans about containers that are there: which ones are meant, and their order. */
#ifndef PLAN_EXISTING_H
#define PLAN_EXISTING_H

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

/* What the container's service depends on. */
struct existing_dep {
    const char *service;
    enum condition condition;
    bool required;
    bool restart; /* its restart is followed by one of the container */
};
/* From the stack, else from the container's label; in the plan's arena. */
size_t existing_deps(struct existing_dep **out, struct planner *p, const struct seen_container *c);

/* Orders operations on containers, `ops` by position in the snapshot (NULL: none): those of
 * dependencies first, or last. */
void existing_order(struct planner *p, struct op *const *ops, bool dependencies_last);

/* Starts wait until what they depend on fulfils the conditions, where this plan starts it or it is
 * still on its way. */
void existing_waits(struct planner *p, struct op *const *ops);

/* Orders removals, by position in the snapshot (NULL: none): a container whose namespaces others
 * use goes after them. Podman insists on that. */
void existing_parents_last(struct planner *p, struct op *const *removals);

#endif
