/*
 * The order among containers: who waits for whom, and what must be free first.
 *
 * A container starts when its own dependencies fulfil their conditions; nothing else holds it back.
 * Everything else here is soft: it asks for an order, and no failure is passed on along it.
 */
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "plan/up.h"

#define PORT_COUNT 65536

/* --- conditions --- */

static bool fulfils(const struct service *s, const struct seen_container *c, enum condition cond)
{
    switch (cond) {
    case COND_STARTED:
        return true;
    case COND_COMPLETED:
        return c->state == CONTAINER_EXITED && c->exit_code == 0;
    case COND_HEALTHY:
        return c->state == CONTAINER_RUNNING && c->health == HEALTH_HEALTHY;
    case COND_READY:
        /* Whether `ready:` holds is not to be seen from outside. */
        return c->state == CONTAINER_RUNNING && !s->ready.set &&
               (c->health == HEALTH_HEALTHY || (c->health == HEALTH_NONE && !s->health.set));
    }
    return false;
}

static bool must_wait(const struct member *m, enum condition cond)
{
    for (size_t i = 0; cond != COND_STARTED && i < m->nslots; i++)
        if (m->slots[i].up || (m->slots[i].now && !fulfils(m->s, m->slots[i].now, cond)))
            return true;
    return false;
}

static struct op *wait_op(struct up *u, struct member *m, enum condition cond)
{
    struct planner *p = &u->p;
    if (m->waits[cond])
        return m->waits[cond];
    struct op *op = graph_add(&p->graph, OP_WAIT, m->s->name, NULL);
    op->service = m->s;
    op->service_name = m->s->name;
    op->condition = cond;
    op->waits = arena_alloc(p->arena, (m->nslots + 1) * sizeof(*op->waits));
    const struct seen_container **seen = arena_alloc(p->arena, (m->nslots + 1) * sizeof(*seen));
    size_t nwaits = 0, nseen = 0;
    for (size_t i = 0; i < m->nslots; i++) {
        struct slot *slot = &m->slots[i];
        if (slot->start)
            op->waits[nwaits++] = slot->start;
        else if (slot->now)
            seen[nseen++] = slot->now;
        graph_need(&p->graph, op, slot->up, false);
    }
    op->wait_seen = seen;
    return m->waits[cond] = op;
}

/* `start` comes after `m` fulfils the condition. */
static void gate(struct up *u, struct op *start, struct member *m, const struct dependency *d)
{
    if (must_wait(m, d->condition)) {
        bool shared = m->waits[d->condition] && !m->waits[d->condition]->optional;
        struct op *wait = wait_op(u, m, d->condition);
        wait->optional = !d->required && !shared;
        graph_need(&u->p.graph, start, wait, !d->required);
        return;
    }
    for (size_t i = 0; i < m->nslots; i++)
        graph_need(&u->p.graph, start, m->slots[i].up, !d->required);
}

static void order_starts(struct up *u, struct member *m)
{
    for (size_t i = 0; i < m->nslots; i++)
        for (size_t k = 0; m->slots[i].start && k < m->s->ndeps; k++) {
            struct member *dep = member_of(u, m->s->deps[k].service);
            if (dep->touched || dep->replaced)
                gate(u, m->slots[i].start, dep, &m->s->deps[k]);
        }
}

/* --- stops --- */

/* What depends on a container stops before it. */
static void order_stops(struct up *u, struct member *m)
{
    for (size_t i = 0; m->stops.len && i < m->s->ndeps; i++) {
        struct member *dep = member_of(u, m->s->deps[i].service);
        vec_each (first, &m->stops)
            vec_each (then, &dep->stops)
                graph_need(&u->p.graph, *then, *first, true);
    }
}

/* A network is removed when nothing of the stack runs on it. */
static void order_networks(struct up *u, const struct strmap *stops)
{
    for (size_t i = 0; i < u->p.st->nnetworks; i++) {
        struct op *remove = u->networks[i].remove;
        for (size_t k = 0; remove && k < u->p.now->ncontainers; k++) {
            const struct seen_container *c = &u->p.now->containers[k];
            if (uses_network(c, remove->subject, NULL))
                graph_need(&u->p.graph, remove, strmap_get(stops, c->id), false);
        }
    }
}

/* --- names and ports --- */

static bool takes_name(const struct op *op)
{
    return op->kind == OP_CREATE || op->kind == OP_RENAME;
}

/* A name can be taken when the container that has it is gone or renamed. */
static void order_names(struct up *u)
{
    struct strmap free_after = STRMAP_INIT;
    struct graph *g = &u->p.graph;
    vec_each (it, g)
        if ((*it)->kind == OP_REMOVE)
            strmap_set(&free_after, (*it)->subject, *it);
    if (free_after.head)
        vec_each (it, g)
            if (takes_name(*it))
                graph_need(g, *it, strmap_get(&free_after, (*it)->name), false);
    strmap_clear(&free_after, NULL);
}

/* A port can be taken when the container that has it is stopped. */
static void order_ports(struct up *u, struct op *const *stop_of_port)
{
    for (size_t i = 0; i < u->p.st->nservices; i++) {
        struct member *m = &u->members[i];
        for (size_t k = 0; k < m->s->nports; k++) {
            int first, last;
            if (!port_numbers(&first, &last, m->s->ports[k].published))
                continue;
            for (int port = first; port <= last; port++)
                for (size_t slot = 0; stop_of_port[port] && slot < m->nslots; slot++)
                    if (m->slots[slot].start)
                        graph_need(&u->p.graph, m->slots[slot].start, stop_of_port[port], true);
        }
    }
}

static void free_ports(struct up *u, const struct strmap *stops)
{
    if (!stops->head)
        return;
    auto_free struct op **stop_of_port = xcalloc(PORT_COUNT, sizeof(*stop_of_port));
    for (size_t i = 0; i < u->p.now->ncontainers; i++) {
        const struct seen_container *c = &u->p.now->containers[i];
        for (size_t k = 0; k < c->nports; k++)
            if (c->ports[k].published > 0 && c->ports[k].published < PORT_COUNT)
                stop_of_port[c->ports[k].published] = strmap_get(stops, c->id);
    }
    order_ports(u, stop_of_port);
}

void order(struct up *u)
{
    struct strmap stops = STRMAP_INIT; /* container id -> its STOP */
    vec_each (it, &u->p.graph)
        if ((*it)->kind == OP_STOP)
            strmap_set(&stops, (*it)->id, *it);
    vec_each (it, &u->order) {
        order_starts(u, member_of(u, *it));
        order_stops(u, member_of(u, *it));
    }
    order_networks(u, &stops);
    order_names(u);
    free_ports(u, &stops);
    strmap_clear(&stops, NULL);
    vec_each (it, &u->order) {
        struct member *m = member_of(u, *it);
        enum condition cond = m->s->job ? COND_COMPLETED : COND_READY;
        if (u->p.opt->wait && m->selected && must_wait(m, cond))
            wait_op(u, m, cond)->optional = false;
    }
}
