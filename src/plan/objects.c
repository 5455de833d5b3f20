/*
 * Networks and volumes: what is there, what is missing, what changed.
 *
 * A network whose definition changed is replaced: it cannot be removed while containers are on it,
 * and a container on a network that is gone cannot start. So all of the stack's containers on it
 * are stopped first and replaced once the new one is there. A volume is never replaced.
 */
#include <string.h>

#include "base/str.h"
#include "model/labels.h"
#include "plan/up.h"

bool uses_network(const struct seen_container *c, const char *name, const char *id)
{
    for (size_t i = 0; i < c->nnetworks; i++)
        if (str_eq(c->networks[i].name, name))
            return !*c->networks[i].id || !id || str_eq(c->networks[i].id, id);
    return false;
}

/* " (stack.yaml:3)", or "". */
static const char *place(struct up *u, struct span span)
{
    return span.source ? arena_printf(u->p.arena, " (%s:%d)", span.source->shown, span.line) : "";
}

/* Marks the services on a network that is replaced. Containers that are not the file's own cannot
 * be replaced with it. */
static int claim_users(struct up *u, const struct network *n, struct error *err)
{
    struct planner *p = &u->p;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        const struct seen_container *c = &p->now->containers[i];
        if (!uses_network(c, n->name, NULL) || !container_is_up(c))
            continue;
        const struct service *s = container_is_ours(p, c) ? stack_service(p->st, c->service) : NULL;
        bool goes = !c->oneoff && container_is_ours(p, c) && p->opt->remove_orphans;
        if ((s && !c->oneoff) || goes)
            continue;
        error_set(err, ERR_CONFLICT, 0,
                  "network '%s' changed%s, but container '%s' is on it and not part of this stack",
                  n->name, place(u, n->span), c->name);
        return error_hint(err, "stop it first: docker stop %s", c->name);
    }
    return 0;
}

static int decide_network(struct up *u, const struct network *n, struct error *err)
{
    struct planner *p = &u->p;
    struct object *o = network_of(u, n);
    const struct seen_network *seen = snapshot_network(p->now, n->name);
    if (n->external && !seen) {
        error_set(err, ERR_NOTFOUND, 0, "network %s declared as external, but could not be found%s",
                  n->name, place(u, n->span));
        return error_hint(err, "make it: docker network create %s", n->name);
    }
    if (!seen) {
        o->state = OBJECT_CREATE;
        o->reason = "new";
        return 0;
    }
    o->state = OBJECT_THERE;
    o->id = seen->id;
    if (n->external)
        return 0;
    const char *stack = label_get(seen->labels, seen->nlabels, LABEL_STACK);
    const char *hash = label_get(seen->labels, seen->nlabels, LABEL_HASH);
    if (!str_eq(stack, p->name)) {
        planner_note(p, "network '%s' was not made by this stack; it is used as it is", n->name);
        return 0;
    }
    /* One that docker compose made has no hash of ours: it stays. */
    if (!*hash || str_eq(hash, n->hash))
        return 0;
    if (p->opt->recreate == RECREATE_NEVER) {
        planner_note(p, "network '%s' changed; it stays as it is with --no-recreate", n->name);
        return 0;
    }
    if (claim_users(u, n, err) < 0)
        return -1;
    o->state = OBJECT_REPLACE;
    o->id = NULL;
    o->reason = n->span.source ? arena_printf(p->arena, "its definition changed, %s:%d",
                                              n->span.source->shown, n->span.line)
                               : "its definition changed";
    return 0;
}

/* On a network of the name that is not the one of now: it could not start again. */
static bool is_stale(struct up *u, const struct service *s, const struct network *n)
{
    size_t count;
    const struct seen_container *c = snapshot_service(&count, u->p.now, s->name);
    const char *id = network_of(u, n)->id;
    for (size_t i = 0; i < count; i++)
        if (!c[i].oneoff && container_is_ours(&u->p, &c[i]) && uses_network(&c[i], n->name, NULL) &&
            !uses_network(&c[i], n->name, id ? id : ""))
            return true;
    return false;
}

/* Services that were not asked for, but are on a network that is replaced, go along: now, or in the
 * run after one that was killed. */
static void touch_users(struct up *u, struct member *m)
{
    for (size_t i = 0; i < m->s->nendpoints; i++) {
        const struct network *n = m->s->endpoints[i].network;
        enum object_state state = network_of(u, n)->state;
        if (state == OBJECT_REPLACE)
            m->network_reason = arena_printf(u->p.arena, "network '%s' is replaced", n->name);
        else if (!m->touched && state != OBJECT_UNUSED && is_stale(u, m->s, n))
            m->touched = true;
    }
    m->touched = m->touched || m->network_reason;
}

int decide_networks(struct up *u, struct error *err)
{
    const struct stack *st = u->p.st;
    for (size_t i = 0; i < st->nservices; i++) {
        struct member *m = &u->members[i];
        for (size_t k = 0; m->selected && k < m->s->nendpoints; k++) {
            const struct network *n = m->s->endpoints[k].network;
            if (network_of(u, n)->state == OBJECT_UNUSED && decide_network(u, n, err) < 0)
                return error_wrap(err, "service '%s'", m->s->name);
        }
    }
    for (size_t i = 0; u->p.opt->all_resources && i < st->nnetworks; i++)
        if (u->networks[i].state == OBJECT_UNUSED && decide_network(u, &st->networks[i], err) < 0)
            return -1;
    for (size_t i = 0; i < st->nservices; i++)
        touch_users(u, &u->members[i]);
    return 0;
}

static bool is_mounted(struct up *u, const char *volume)
{
    const struct snapshot *now = u->p.now;
    for (size_t i = 0; !u->mounted.head && i < now->ncontainers; i++)
        for (size_t k = 0; k < now->containers[i].nmounts; k++)
            if (str_eq(now->containers[i].mounts[k].type, "volume"))
                strmap_set(&u->mounted, now->containers[i].mounts[k].name, NULL);
    return strmap_has(&u->mounted, volume);
}

static int decide_volume(struct up *u, const struct volume *v, struct error *err)
{
    struct planner *p = &u->p;
    struct object *o = volume_of(u, v);
    const struct seen_volume *seen = snapshot_volume(p->now, v->name);
    if (v->external && !seen) {
        error_set(err, ERR_NOTFOUND, 0, "external volume \"%s\" not found%s", v->name,
                  place(u, v->span));
        return error_hint(err, "make it: docker volume create %s", v->name);
    }
    o->state = OBJECT_THERE;
    /* One without our labels is not in a filtered list, but may well be there. */
    if (!seen && !is_mounted(u, v->name)) {
        o->state = OBJECT_CREATE;
        o->reason = "new";
    }
    if (!seen || v->external)
        return 0;
    const char *stack = label_get(seen->labels, seen->nlabels, LABEL_STACK);
    const char *hash = label_get(seen->labels, seen->nlabels, LABEL_HASH);
    if (!str_eq(stack, p->name)) {
        planner_note(p, "volume '%s' was not made by this stack; it is used as it is", v->name);
        return 0;
    }
    if (!*hash || str_eq(hash, v->hash))
        return 0;
    error_set(err, ERR_CONFLICT, 0,
              "the definition of volume '%s' changed%s; its data would be lost, so it is not "
              "replaced",
              v->name, place(u, v->span));
    return error_hint(err,
                      "undo the change, or save the data and then: stack down; docker volume rm "
                      "%s; stack up",
                      v->name);
}

int decide_volumes(struct up *u, struct error *err)
{
    const struct stack *st = u->p.st;
    for (size_t i = 0; i < st->nservices; i++) {
        struct member *m = &u->members[i];
        for (size_t k = 0; m->selected && k < m->s->nmounts; k++) {
            const struct volume *v = m->s->mounts[k].volume;
            if (v && volume_of(u, v)->state == OBJECT_UNUSED && decide_volume(u, v, err) < 0)
                return error_wrap(err, "service '%s'", m->s->name);
        }
    }
    for (size_t i = 0; u->p.opt->all_resources && i < st->nvolumes; i++)
        if (u->volumes[i].state == OBJECT_UNUSED && decide_volume(u, &st->volumes[i], err) < 0)
            return -1;
    return 0;
}
