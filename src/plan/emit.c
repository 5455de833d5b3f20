/*
 * From decisions to operations: what is done with each network, volume and container. The order
 * among services is order.c's.
 */
#include <string.h>

#include "base/str.h"
#include "plan/existing.h"
#include "plan/up.h"

#define API_ALL_ENDPOINTS 44 /* create takes every network since 1.44, one before */

static void emit_networks(struct up *u)
{
    struct planner *p = &u->p;
    for (size_t i = 0; i < p->st->nnetworks; i++) {
        const struct network *n = &p->st->networks[i];
        struct object *o = &u->networks[i];
        if (o->state == OBJECT_REPLACE) {
            o->remove = graph_add(&p->graph, OP_NETWORK_REMOVE, n->name, o->reason);
            o->remove->network = n;
            o->remove->id = snapshot_network(p->now, n->name)->id;
        }
        if (o->state == OBJECT_REPLACE || o->state == OBJECT_CREATE) {
            o->create = graph_add(&p->graph, OP_NETWORK_CREATE, n->name, o->reason);
            o->create->network = n;
            graph_need(&p->graph, o->create, o->remove, false);
        }
    }
}

static void emit_volumes(struct up *u)
{
    struct planner *p = &u->p;
    for (size_t i = 0; i < p->st->nvolumes; i++) {
        struct object *o = &u->volumes[i];
        if (o->state != OBJECT_CREATE)
            continue;
        o->create = graph_add(&p->graph, OP_VOLUME_CREATE, p->st->volumes[i].name, o->reason);
        o->create->volume = &p->st->volumes[i];
    }
}

/* An operation on the container that will be the replica, known or made here. */
static struct op *add_slot_op(struct up *u, enum op_kind kind, const struct member *m,
                              const struct slot *slot, const char *reason)
{
    struct op *op = graph_add(&u->p.graph, kind, slot->name, reason);
    op->service = m->s;
    op->service_name = m->s->name;
    op->number = slot->number;
    op->id = slot->id;
    op->target = slot->id ? NULL : slot->create;
    graph_need(&u->p.graph, op, slot->create, false);
    return op;
}

/* Labels of jobs and of link variables hold the ids of other services' images. */
static void need_images_of_labels(struct up *u, struct member *m, struct op *create)
{
    struct service_list below = { 0 };
    if (m->s->link_environment)
        for (size_t i = 0; i < m->s->nlinks; i++)
            graph_need(&u->p.graph, create, member_of(u, m->s->links[i].service)->image_op, true);
    if (!m->s->job)
        return;
    auto_free unsigned char *seen = xcalloc(u->p.st->nservices, 1);
    services_collect(&below, seen, m->s, NULL);
    vec_each (it, &below)
        graph_need(&u->p.graph, create, member_of(u, *it)->image_op, true);
    vec_free(&below);
}

static void emit_create(struct up *u, struct member *m, struct slot *slot)
{
    struct graph *g = &u->p.graph;
    const struct service *s = m->s;
    struct op *op = add_slot_op(u, OP_CREATE, m, slot, slot->now ? slot->reason : "new");
    slot->create = op;
    op->old = slot->now;
    op->name = slot->now ? arena_printf(u->p.arena, "%.*s_%s", SHORT_ID, slot->now->id, slot->name)
                         : slot->name;
    op->ref = s->image;
    op->platform = s->platform;
    op->image_id = m->image_id;
    op->image_op = m->image_op;
    op->renew_anon_volumes = m->named && u->p.opt->renew_anon_volumes;
    op->parents = m->parents;
    op->nparents = m->nparents;
    for (size_t i = 0; i < m->nparents; i++) {
        m->parents[i].create = member_of(u, m->parents[i].service)->slots[0].create;
        graph_need(g, op, m->parents[i].create, false);
    }
    graph_need(g, op, m->image_op, false);
    need_images_of_labels(u, m, op);
    for (size_t i = 0; i < s->nendpoints; i++)
        graph_need(g, op, network_of(u, s->endpoints[i].network)->create, false);
    for (size_t i = 0; i < s->nmounts; i++)
        if (s->mounts[i].volume)
            graph_need(g, op, volume_of(u, s->mounts[i].volume)->create, false);
}

/* Networks that the container is not on: `c` is there, or it is created here (NULL). */
static struct op *emit_connects(struct up *u, struct member *m, struct slot *slot,
                                const struct seen_container *c, struct op *before)
{
    bool create_takes_all = u->p.now->api >= API_ALL_ENDPOINTS;
    for (size_t i = 0; i < m->s->nendpoints && !u->only_there; i++) {
        const struct endpoint *ep = &m->s->endpoints[i];
        if (c ? uses_network(c, ep->network->name, NULL) : i == 0 || create_takes_all)
            continue;
        struct op *op = add_slot_op(u, OP_CONNECT, m, slot, NULL);
        op->endpoint = ep;
        op->network = ep->network;
        graph_need(&u->p.graph, op, network_of(u, ep->network)->create, false);
        graph_need(&u->p.graph, op, before, false);
        before = op;
    }
    return before;
}

static bool needs_files(const struct service *s)
{
    for (size_t i = 0; i < s->nfiles; i++)
        if (!file_use_is_bind(&s->files[i]))
            return true;
    return false;
}

/* Contents of configs and secrets; the last operation on the container so far, `before` or this. */
static struct op *emit_files(struct up *u, struct member *m, struct slot *slot, struct op *before)
{
    if (!needs_files(m->s))
        return before;
    struct op *files = add_slot_op(u, OP_FILES, m, slot, NULL);
    graph_need(&u->p.graph, files, before, false);
    return files;
}

/* Files, start, hooks; `before` is the last operation on the container so far. */
static void emit_start(struct up *u, struct member *m, struct slot *slot, struct op *before,
                       const char *reason)
{
    struct graph *g = &u->p.graph;
    if (u->p.opt->no_start)
        return;
    before = emit_files(u, m, slot, before);
    slot->start = add_slot_op(u, OP_START, m, slot, reason);
    graph_need(g, slot->start, before, false);
    slot->up = slot->start;
    node_each (i, m->s->post_start) {
        struct op *hook = add_slot_op(u, OP_HOOK, m, slot, "post_start");
        hook->hook = m->s->post_start->items[i];
        graph_need(g, hook, slot->up, false);
        slot->up = hook;
    }
}

static struct op *emit_stop(struct up *u, struct member *m, const struct seen_container *c,
                            struct op *before, const char *reason)
{
    struct op *stop = add_stop(&u->p, m->s, c, before, reason);
    if (stop)
        *vec_push(&m->stops) = stop;
    return stop;
}

static struct op *emit_remove(struct up *u, const struct service *s, const struct seen_container *c,
                              struct op *stop, const char *reason)
{
    struct op *remove = add_container_op(&u->p, OP_REMOVE, s, c, reason);
    remove->force = true;
    graph_need(&u->p.graph, remove, stop, false);
    u->removals[c - u->p.now->containers] = remove;
    return remove;
}

/* Create, stop the old one, remove it, rename, start. Where a network must be replaced, the old one
 * is stopped first. */
static void emit_replacement(struct up *u, struct member *m, struct slot *slot)
{
    struct graph *g = &u->p.graph;
    if (!slot->next)
        emit_create(u, m, slot);
    struct op *ready = emit_connects(u, m, slot, slot->next, slot->create);
    slot->stop =
        emit_stop(u, m, slot->now, m->network_reason ? NULL : slot->create, "to be replaced");
    slot->remove =
        emit_remove(u, m->s, slot->now, slot->stop, slot->next ? slot->reason : "to be replaced");
    graph_need(g, slot->remove, slot->create, false);
    struct op *rename = add_slot_op(u, OP_RENAME, m, slot, NULL);
    rename->name = slot->name;
    graph_need(g, rename, slot->remove, false);
    graph_need(g, rename, ready, false);
    emit_start(u, m, slot, rename, NULL);
}

static bool is_done_job(const struct service *s, const struct seen_container *c)
{
    return s->job && c->state == CONTAINER_EXITED && c->exit_code == 0;
}

static void find_leaving(struct up *u)
{
    for (size_t i = 0; i < u->p.st->nservices; i++) {
        struct member *m = &u->members[i];
        for (size_t k = 0; k < m->nslots; k++)
            if (m->slots[k].reason)
                strmap_set(&u->leaving, m->slots[k].now->name, NULL);
        vec_each (it, &m->extra)
            strmap_set(&u->leaving, (*it)->name, NULL);
    }
    vec_each (it, &u->orphans)
        strmap_set(&u->leaving, (*it)->name, NULL);
}

/* Whether the name is free, or will be. Somebody may have given it to another container. */
static bool can_take_name(struct up *u, const char *name)
{
    for (size_t i = 0; i < u->p.now->ncontainers; i++)
        if (str_eq(u->p.now->containers[i].name, name))
            return strmap_has(&u->leaving, name);
    return true;
}

static struct op *emit_rename(struct up *u, struct member *m, struct slot *slot)
{
    const char *name = slot->now->name;
    if (str_eq(name, slot->name))
        return NULL;
    if (!can_take_name(u, slot->name)) {
        planner_note(&u->p, "container '%s' should be called '%s', as another one is", name,
                     slot->name);
        return NULL;
    }
    struct op *op =
        add_slot_op(u, OP_RENAME, m, slot, arena_printf(u->p.arena, "it is called '%s'", name));
    op->name = slot->name;
    return op;
}

/* A container that stays: its name, its networks, and that it runs. */
static void emit_kept(struct up *u, struct member *m, struct slot *slot)
{
    const struct seen_container *c = slot->now;
    struct op *before = emit_rename(u, m, slot);
    before = emit_connects(u, m, slot, c, before);
    if (slot->restart) {
        slot->stop = emit_stop(u, m, c, NULL, "what it depends on is replaced");
        graph_need(&u->p.graph, slot->stop, before, false);
        emit_start(u, m, slot, slot->stop, NULL);
    } else if (c->state == CONTAINER_PAUSED && !u->p.opt->no_start) {
        slot->up = add_slot_op(u, OP_UNPAUSE, m, slot, "it is paused");
        graph_need(&u->p.graph, slot->up, before, false);
    } else if (!container_is_up(c) && !is_done_job(m->s, c)) {
        const char *reason =
            c->state == CONTAINER_CREATED ? "it was never started"
            : m->s->job ? arena_printf(u->p.arena, "it failed with exit code %d", c->exit_code)
                        : "it is stopped";
        emit_start(u, m, slot, before, reason);
    }
    if (!slot->up && !before)
        *vec_push(&u->p.kept) = c;
}

static void emit_extra(struct up *u, struct member *m, const struct seen_container *c)
{
    const char *reason = c->number > (int)m->nslots ? "scaled down" : "left by an unfinished run";
    struct op *stop = emit_stop(u, m, c, NULL, reason);
    emit_remove(u, m->s, c, stop, reason);
}

/* What it depends on must be ready before it is created: its start is not ours. */
static void emit_oneoff(struct up *u, struct member *m, struct slot *slot)
{
    emit_create(u, m, slot);
    emit_files(u, m, slot, emit_connects(u, m, slot, NULL, slot->create));
    slot->start = slot->create;
}

static void emit_service(struct up *u, struct member *m)
{
    if (is_oneoff(u, m)) {
        emit_oneoff(u, m, &m->slots[0]);
        return;
    }
    for (size_t i = 0; i < m->nslots; i++) {
        struct slot *slot = &m->slots[i];
        if (!slot->now) {
            emit_create(u, m, slot);
            struct op *ready = emit_connects(u, m, slot, NULL, slot->create);
            emit_start(u, m, slot, ready, NULL);
        } else if (slot->reason) {
            emit_replacement(u, m, slot);
        } else if (m->touched || slot->restart) {
            emit_kept(u, m, slot);
        }
    }
    for (size_t i = 0; i < m->extra.len && !u->only_there; i++)
        emit_extra(u, m, m->extra.items[i]);
}

void emit(struct up *u)
{
    emit_networks(u);
    emit_volumes(u);
    find_leaving(u);
    u->removals = arena_alloc(u->p.arena, u->p.now->ncontainers * sizeof(struct op *));
    vec_each (it, &u->order)
        emit_service(u, member_of(u, *it));
    vec_each (it, &u->orphans) {
        struct op *stop = add_stop(&u->p, NULL, *it, NULL, "orphan");
        emit_remove(u, NULL, *it, stop, "orphan");
    }
    existing_parents_last(&u->p, u->removals);
}
