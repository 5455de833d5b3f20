/*
 * plan_down(): everything of the stack goes, what depends on others first.
 *
 * Works from what is there, not from what the file says: the labels name the services and what they
 * depend on. Only stopping has an order; a container is removed as soon as it is stopped, except
 * that of containers that share namespaces their owner goes last.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "plan/existing.h"

/* A container that uses a network, volume or image. */
struct user {
    const struct seen_container *c;
    struct user *next;
};

struct down {
    struct planner p;
    struct selection sel;
    struct op **stops, **removals; /* by position of the container in the snapshot */
    struct strmap networks;        /* name -> struct user *; what containers use */
    struct strmap volumes;
    struct strmap images; /* by normal reference */
    struct strmap gone;   /* volumes, and images by normal reference, with a removal already */
};

static bool goes(struct down *d, const struct seen_container *c)
{
    struct planner *p = &d->p;
    if (!container_is_ours(p, c))
        return false;
    if (!d->sel.all)
        return !c->oneoff && selection_has(&d->sel, c->service);
    if (!p->st || c->oneoff || p->opt->remove_orphans || existing_service(p, c) ||
        node_get(p->st->disabled, c->service))
        return true;
    if (!p->opt->ignore_orphans)
        planner_note(
            p, "container '%s' belongs to no service of the file; --remove-orphans removes it",
            c->name);
    return false;
}

static void remove_containers(struct down *d)
{
    struct planner *p = &d->p;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        const struct seen_container *c = &p->now->containers[i];
        if (!goes(d, c))
            continue;
        const struct service *s = existing_service(p, c);
        d->stops[i] = add_stop(p, s, c, NULL, NULL);
        d->removals[i] = add_container_op(p, OP_REMOVE, s, c, NULL);
        d->removals[i]->force = true;
        d->removals[i]->volumes = p->opt->remove_volumes;
        graph_need(&p->graph, d->removals[i], d->stops[i], false);
    }
    existing_order(p, d->stops, true);
    existing_parents_last(p, d->removals);
}

static void add_user(struct down *d, struct strmap *users, const char *name,
                     const struct seen_container *c)
{
    struct user *user = arena_new_(d->p.arena, struct user);
    *user = (struct user){ c, strmap_get(users, name) };
    strmap_set(users, name, user);
}

static void find_users(struct down *d)
{
    for (size_t i = 0; i < d->p.now->ncontainers; i++) {
        const struct seen_container *c = &d->p.now->containers[i];
        for (size_t k = 0; k < c->nnetworks; k++)
            add_user(d, &d->networks, c->networks[k].name, c);
        for (size_t k = 0; k < c->nmounts; k++)
            if (str_eq(c->mounts[k].type, "volume"))
                add_user(d, &d->volumes, c->mounts[k].name, c);
        auto_free char *image = ref_normal(c->image);
        add_user(d, &d->images, image, c);
    }
}

/* Removes an object after the containers that use it; NULL, and not, when one of them stays. */
static struct op *remove_object(struct down *d, enum op_kind kind, const char *name,
                                const struct user *first)
{
    struct planner *p = &d->p;
    for (const struct user *it = first; it; it = it->next)
        if (!d->removals[it->c - p->now->containers]) {
            planner_note(p, "%s '%s' stays: container '%s' uses it", op_words[kind].object, name,
                         it->c->name);
            return NULL;
        }
    struct op *op = graph_add(&p->graph, kind, name, NULL);
    op->id = name;
    if (kind == OP_IMAGE_REMOVE)
        op->ref = name;
    for (const struct user *it = first; it; it = it->next)
        graph_need(&p->graph, op, d->removals[it->c - p->now->containers], false);
    return op;
}

/* A name that begins with the stack's is surely its own; another one may be shared. */
static bool has_own_name(const struct stack *st, const char *name)
{
    size_t len = strlen(st->name);
    return str_starts(name, st->name) && (name[len] == '_' || name[len] == '-');
}

unsigned plan_down_observe(const struct stack *st, const struct plan_options *opt)
{
    bool networks = !st || opt->all_resources, volumes = networks;
    for (size_t i = 0; st && i < st->nnetworks; i++)
        networks |= !st->networks[i].external && !has_own_name(st, st->networks[i].name);
    for (size_t i = 0; st && i < st->nvolumes; i++)
        volumes |= !st->volumes[i].external && !has_own_name(st, st->volumes[i].name);
    bool whole = !opt->services || !*opt->services;
    return OBSERVE_CONTAINERS | (whole && networks ? OBSERVE_NETWORKS : 0) |
           (whole && volumes && opt->remove_volumes ? OBSERVE_VOLUMES : 0);
}

/* Without the list of networks those go that the file has and that were made: some service, or some
 * container, uses them. */
static void remove_networks(struct down *d)
{
    struct planner *p = &d->p;
    if (p->now->seen & OBSERVE_NETWORKS) {
        for (size_t i = 0; i < p->now->nnetworks; i++) {
            const struct seen_network *n = &p->now->networks[i];
            if (str_eq(label_get(n->labels, n->nlabels, LABEL_STACK), p->name))
                remove_object(d, OP_NETWORK_REMOVE, n->name, strmap_get(&d->networks, n->name));
        }
        return;
    }
    for (size_t i = 0; p->st && i < p->st->nnetworks; i++) {
        const struct network *n = &p->st->networks[i];
        if (!n->external && has_own_name(p->st, n->name) &&
            (n->used || strmap_has(&d->networks, n->name)))
            remove_object(d, OP_NETWORK_REMOVE, n->name, strmap_get(&d->networks, n->name));
    }
}

static bool is_declared(const struct stack *st, const char *volume)
{
    for (size_t i = 0; i < st->nvolumes; i++)
        if (str_eq(st->volumes[i].name, volume))
            return !st->volumes[i].external;
    return false;
}

static void remove_anonymous(struct down *d, const struct seen_container *c)
{
    for (size_t i = 0; i < c->nmounts; i++) {
        const char *name = c->mounts[i].name;
        if (!mount_is_anonymous(&c->mounts[i]) || strmap_has(&d->gone, name))
            continue;
        strmap_set(&d->gone, name, NULL);
        struct op *op = remove_object(d, OP_VOLUME_REMOVE, name, strmap_get(&d->volumes, name));
        if (op)
            op->volumes = true;
    }
}

static void remove_seen_volumes(struct down *d)
{
    struct planner *p = &d->p;
    for (size_t i = 0; i < p->now->nvolumes; i++) {
        const struct seen_volume *v = &p->now->volumes[i];
        if (!str_eq(label_get(v->labels, v->nlabels, LABEL_STACK), p->name))
            continue;
        if (p->st && !is_declared(p->st, v->name))
            planner_note(p, "volume '%s' stays: the file does not declare it", v->name);
        else
            remove_object(d, OP_VOLUME_REMOVE, v->name, strmap_get(&d->volumes, v->name));
    }
}

/* Without the list: as with networks. */
static void remove_declared_volumes(struct down *d)
{
    const struct planner *p = &d->p;
    for (size_t i = 0; p->st && i < p->st->nvolumes; i++) {
        const struct volume *v = &p->st->volumes[i];
        if (!v->external && has_own_name(p->st, v->name) &&
            (v->used || strmap_has(&d->volumes, v->name)))
            remove_object(d, OP_VOLUME_REMOVE, v->name, strmap_get(&d->volumes, v->name));
    }
}

static void remove_volumes(struct down *d)
{
    struct planner *p = &d->p;
    for (size_t i = 0; i < p->now->ncontainers; i++)
        if (d->removals[i])
            remove_anonymous(d, &p->now->containers[i]);
    if (!d->sel.all)
        return;
    if (p->now->seen & OBSERVE_VOLUMES)
        remove_seen_volumes(d);
    else
        remove_declared_volumes(d);
}

/* "local": only images that have their name from the stack. */
static void remove_image(struct down *d, const char *ref)
{
    size_t len = strlen(d->p.name);
    auto_free char *key = ref_normal(ref);
    bool local = str_starts(key, d->p.name) && (key[len] == '-' || key[len] == '_');
    if (!*ref || strmap_has(&d->gone, key) || (!local && !str_eq(d->p.opt->remove_images, "all")))
        return;
    strmap_set(&d->gone, key, NULL);
    remove_object(d, OP_IMAGE_REMOVE, ref, strmap_get(&d->images, key));
}

static void remove_images(struct down *d)
{
    const struct planner *p = &d->p;
    for (size_t i = 0; p->st && i < p->st->nimages; i++)
        remove_image(d, p->st->images[i].ref);
    for (size_t i = 0; p->st && i < p->st->nservices; i++)
        if (p->st->services[i].image)
            remove_image(d, p->st->services[i].image);
    for (size_t i = 0; i < p->now->ncontainers; i++)
        if (d->removals[i])
            remove_image(d, p->now->containers[i].image);
}

int plan_down(struct plan **out, const struct stack *st, const char *stack_name,
              const struct snapshot *now, const struct plan_options *opt, struct error *err)
{
    struct down d = { 0 };
    int result = -1;
    planner_init(&d.p, st, stack_name, now, opt);
    d.stops = arena_alloc(d.p.arena, now->ncontainers * sizeof(*d.stops));
    d.removals = arena_alloc(d.p.arena, now->ncontainers * sizeof(*d.removals));
    if (check_owner(&d.p, err) == 0 && selection_init(&d.sel, &d.p, err) == 0) {
        find_users(&d);
        remove_containers(&d);
        if (d.sel.all)
            remove_networks(&d);
        if (opt->remove_volumes)
            remove_volumes(&d);
        if (opt->remove_images && d.sel.all)
            remove_images(&d);
        result = planner_finish(out, &d.p, err);
    }
    selection_clear(&d.sel);
    strmap_clear(&d.networks, NULL);
    strmap_clear(&d.volumes, NULL);
    strmap_clear(&d.images, NULL);
    strmap_clear(&d.gone, NULL);
    planner_clear(&d.p);
    return result;
}
