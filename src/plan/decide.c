/*
 * What becomes of each container.
 *
 * A replica is one number of a service, 1..n without gaps, and one container is that replica. Which
 * ones there should be follows from the stack alone, so that every way leads to the same names: a
 * number above n goes, a missing one is made.
 *
 * More than one container with the same number is what a run leaves that was killed while it
 * replaced one: the old one under its name, the new one under a temporary name; or the new one
 * alone, when the old one was removed already. A replacement that is still right is finished, a
 * wrong one is removed or, when it is all that is left, is itself replaced, so that the anonymous
 * volumes it holds go on.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "plan/up.h"

#define REPLICAS_MAX 10000

/* "<12 hex digits>_<anything>", and not the name that it is to have. */
static bool is_temporary(const struct seen_container *c, const char *final)
{
    size_t hex = strspn(c->name, "0123456789abcdef");
    return hex == SHORT_ID && c->name[hex] == '_' && !str_eq(c->name, final);
}

static bool replaces(const struct seen_container *next, const struct seen_container *old)
{
    return strncmp(next->name, old->id, SHORT_ID) == 0;
}

/* Containers of one service, by number. */
struct candidates {
    const struct seen_container **items;
    size_t n;
};

/* The container that counts as the replica: the one with the right name; else one with a name that
 * somebody gave it; else the best of the unfinished ones. */
static const struct seen_container *find_primary(struct up *u, const struct member *m,
                                                 const struct slot *slot,
                                                 const struct candidates *group)
{
    const struct seen_container *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < group->n; i++) {
        const struct seen_container *c = group->items[i];
        int rank;
        if (str_eq(c->name, slot->name))
            rank = 4;
        else if (!is_temporary(c, slot->name))
            rank = 3;
        else if (container_is_up(c))
            rank = 2;
        else
            rank = !m->touched || differs(u, m, c) ? 0 : 1;
        if (rank > best_rank || (rank == best_rank && c->created > best->created)) {
            best = c;
            best_rank = rank;
        }
    }
    return best;
}

static const char *replace_reason(struct up *u, const struct member *m,
                                  const struct seen_container *c)
{
    const struct plan_options *opt = u->p.opt;
    if (opt->recreate == RECREATE_NEVER)
        return NULL;
    const char *reason = differs(u, m, c);
    if (reason || !m->selected || opt->second)
        return reason;
    if (m->named && opt->recreate == RECREATE_FORCE)
        return "--force-recreate";
    if (m->named && opt->renew_anon_volumes)
        return "--renew-anon-volumes";
    if (!m->named && opt->always_recreate_deps)
        return "--always-recreate-deps";
    return NULL;
}

static void decide_slot(struct up *u, struct member *m, struct slot *slot,
                        const struct candidates *group)
{
    slot->now = find_primary(u, m, slot, group);
    if (!slot->now)
        return;
    if (!m->touched) {
        slot->id = slot->now->id;
        return;
    }
    slot->reason = replace_reason(u, m, slot->now);
    for (size_t i = 0; slot->reason && i < group->n; i++) {
        const struct seen_container *c = group->items[i];
        if (c != slot->now && is_temporary(c, slot->name) && replaces(c, slot->now) &&
            !container_is_up(c) && !differs(u, m, c))
            slot->next = c;
    }
    for (size_t i = 0; i < group->n; i++)
        if (group->items[i] != slot->now && group->items[i] != slot->next)
            *vec_push(&m->extra) = group->items[i];
    if (slot->next)
        slot->id = slot->next->id;
    else if (!slot->reason)
        slot->id = slot->now->id;
}

/* --scale over the file. */
static int replicas_wanted(const struct up *u, const struct service *s)
{
    const struct plan_options *opt = u->p.opt;
    int n = s->replicas;
    for (size_t i = 0; i < opt->nscale; i++)
        if (str_eq(opt->scale[i].service, s->name))
            n = opt->scale[i].replicas;
    return n;
}

/* Containers of the service that are replicas: ours, and not one-off ones. */
static struct candidates replicas_seen(struct up *u, const struct service *s)
{
    size_t n;
    const struct seen_container *all = snapshot_service(&n, u->p.now, s->name);
    struct candidates mine = { arena_alloc(u->p.arena, n * sizeof(*mine.items)), 0 };
    for (size_t i = 0; i < n; i++)
        if (!all[i].oneoff && container_is_ours(&u->p, &all[i]))
            mine.items[mine.n++] = &all[i];
    return mine;
}

/* Takes those with the number from the front. */
static struct candidates take_number(struct candidates *rest, int number)
{
    struct candidates group = { rest->items, 0 };
    while (rest->n && rest->items[0]->number == number) {
        rest->items++;
        rest->n--;
        group.n++;
    }
    return group;
}

static void remove_all(struct member *m, const struct candidates *group)
{
    for (size_t i = 0; i < group->n; i++)
        *vec_push(&m->extra) = group->items[i];
}

static struct slot *add_slot(struct up *u, struct member *m, int number)
{
    struct slot *slot = &m->slots[m->nslots++];
    auto_free char *name = service_container_name(u->p.st, m->s, number);
    slot->number = number;
    slot->name = arena_strdup(u->p.arena, name);
    return slot;
}

static int make_slots(struct up *u, struct member *m, struct error *err)
{
    if (is_oneoff(u, m)) {
        m->slots = arena_alloc(u->p.arena, sizeof(*m->slots));
        add_slot(u, m, 1)->name = u->p.opt->oneoff_name;
        return 0;
    }
    struct candidates rest = replicas_seen(u, m->s), group;
    bool declared = m->selected && !u->only_there;
    int n = declared ? replicas_wanted(u, m->s) : 0;
    if (n < 0 || n > REPLICAS_MAX)
        return error_set(err, ERR_INPUT, 0, "service '%s' has %d containers: 0 to %d are possible",
                         m->s->name, n, REPLICAS_MAX);
    if (n > 1 && m->s->container_name)
        return error_set(err, ERR_INPUT, 0,
                         "service '%s' has a container_name and cannot have %d containers",
                         m->s->name, n);
    m->slots = arena_alloc(u->p.arena, ((size_t)n + rest.n) * sizeof(*m->slots));
    if (declared) {
        group = take_number(&rest, 0); /* a label that is no number */
        remove_all(m, &group);
        for (int number = 1; number <= n; number++) {
            group = take_number(&rest, number);
            decide_slot(u, m, add_slot(u, m, number), &group);
        }
        remove_all(m, &rest);
    }
    /* Otherwise it has the replicas that it has. */
    while (rest.n && !declared) {
        int number = rest.items[0]->number;
        group = take_number(&rest, number);
        if (number > 0)
            decide_slot(u, m, add_slot(u, m, number), &group);
    }
    return 0;
}

/* Whether a run that was killed left something of a service that is not asked for now: a temporary
 * name; or, below a parent that is looked after, a container that names another parent or was never
 * started. */
static bool is_unfinished(struct up *u, const struct member *m)
{
    struct candidates seen = replicas_seen(u, m->s);
    bool below = false;
    for (size_t i = 0; i < m->nparents; i++)
        below = below || member_of(u, m->parents[i].service)->touched;
    for (size_t i = 0; i < seen.n; i++) {
        const struct seen_container *c = seen.items[i];
        auto_free char *name = service_container_name(u->p.st, m->s, c->number);
        const char *label = container_label(c, LABEL_PARENTS);
        bool lost = *label && m->parents_text && !str_eq(label, m->parents_text);
        if (is_temporary(c, name) || (below && (lost || c->state == CONTAINER_CREATED)))
            return true;
    }
    return false;
}

/* The containers that this service's ones name, and what their label must say. */
static void find_parents(struct up *u, struct member *m)
{
    auto_str struct str text = STR_INIT;
    bool known = true;
    m->parents = arena_alloc(u->p.arena, m->s->ndeps * sizeof(*m->parents));
    for (size_t i = 0; i < m->s->ndeps; i++) {
        const struct dependency *d = &m->s->deps[i];
        const struct member *parent = member_of(u, d->service);
        if (!d->identity || !parent->nslots)
            continue;
        const char *id = parent->slots[0].id;
        m->parents[m->nparents++] = (struct op_parent){ .service = d->service, .id = id };
        known = known && id;
        if (id)
            str_addf(&text, "%s%s=%.*s", text.len ? " " : "", d->service->name, SHORT_ID, id);
        /* A container whose parent is replaced cannot stay, asked for or not. */
        if (!id)
            m->touched = true;
        if (parent->network_reason && !m->network_reason)
            m->network_reason = arena_printf(
                u->p.arena, "the container of '%s' that it uses is replaced", d->service->name);
    }
    if (known)
        m->parents_text = arena_strdup(u->p.arena, text.buf);
    m->touched = m->touched || is_unfinished(u, m);
}

/* Whether the image of `s` is one that nobody has seen yet. */
static bool image_is_new(struct up *u, const struct service *s)
{
    return member_of(u, s)->image_op && member_of(u, s)->image_reason;
}

/* What the labels of its containers must say, as far as it can be known. */
static void find_texts(struct up *u, struct member *m)
{
    auto_str struct str links = STR_INIT, deps = STR_INIT;
    bool links_known = true;
    for (size_t i = 0; i < m->s->nlinks; i++)
        links_known = links_known && !image_is_new(u, m->s->links[i].service);
    if (links_known) {
        links_text(&links, m->s, u->p.now, NULL);
        m->links_text = arena_strdup(u->p.arena, links.buf);
    }
    for (size_t i = 0; i < m->s->ndeps; i++) {
        const struct service *dep = m->s->deps[i].service;
        m->below_new = m->below_new || image_is_new(u, dep) || member_of(u, dep)->below_new;
    }
    if (u->digests)
        digest_service(u->digests, m->s, u->p.now, NULL);
    if (m->s->job && !m->below_new) {
        deps_text(&deps, m->s, u->digests);
        m->deps_text = arena_strdup(u->p.arena, deps.buf);
    }
}

/* Images are looked at before the containers: one that will be built anew makes them differ. */
static void find_image(struct up *u, struct member *m)
{
    const struct plan_options *opt = u->p.opt;
    const struct service *s = m->s;
    const struct seen_image *seen = s->image ? snapshot_image(u->p.now, s->image) : NULL;
    if (s->build && (!opt->no_build || (!seen && u->p.st->registry))) {
        bool always = m->selected && (opt->build || image_policy(&u->p, s) == PULL_BUILD ||
                                      image_is_unknown(&u->images, s->build));
        image_build(&m->image_op, &m->image_reason, &u->images, s->build, always);
    } else if (s->image && !s->build && m->selected) {
        const char *reason = image_pull_reason(&u->p, s, seen);
        if (reason)
            m->image_op = image_pull(&u->images, s, reason);
    }
    if (seen && !m->image_op)
        m->image_id = seen->id;
}

/* The image for a container that must be created. */
static int require_image(struct up *u, struct member *m, struct error *err)
{
    const struct service *s = m->s;
    if (m->image_id || m->image_op)
        return 0;
    if (!s->image)
        return error_set(err, ERR_INPUT, 0, "service '%s' has neither image nor build", s->name);
    if (s->build) {
        error_set(err, ERR_NOTFOUND, 0, "service '%s': its image '%s' is not built", s->name,
                  s->image);
        return error_hint(err, "leave --no-build out");
    }
    if (image_policy(&u->p, s) == PULL_NEVER) {
        error_set(err, ERR_NOTFOUND, 0,
                  "service '%s': image '%s' is not on the engine and is never to be pulled",
                  s->name, s->image);
        return error_hint(err, "docker pull %s", s->image);
    }
    m->image_reason = "not on this engine";
    m->image_op = image_pull(&u->images, s, m->image_reason);
    return 0;
}

/* Those that ask for it are stopped before something that they depend on is replaced, and started
 * again after it. */
static void follow_restarts(struct up *u, struct member *m)
{
    bool follows = false;
    for (size_t i = 0; i < m->s->ndeps; i++)
        follows =
            follows || (m->s->deps[i].restart && member_of(u, m->s->deps[i].service)->replaced);
    for (size_t i = 0; i < m->nslots; i++) {
        struct slot *slot = &m->slots[i];
        bool up = slot->now && container_is_up(slot->now);
        slot->restart = follows && up && !slot->reason && !m->s->job && !u->p.opt->no_start;
        m->replaced = m->replaced || slot->restart || (slot->now && slot->reason);
    }
}

/* Said as docker compose does. */
static int no_parent(const struct service *s, const struct service *parent, struct error *err)
{
    static const struct {
        const char *key, *what;
    } shared[] = { { "network_mode", "network namespace" },
                   { "ipc", "IPC namespace" },
                   { "pid", "PID namespace" } };
    bool linked = str_eq(node_text_at(s->config, "network_mode"), "bridge");
    const char *what = linked ? "network" : "volume";
    auto_free char *mode = xasprintf("service:%s", parent->name);
    for (size_t i = 0; i < countof(shared); i++)
        if (str_eq(node_text_at(s->config, shared[i].key), mode))
            what = shared[i].what;
    error_set(err, ERR_NOTFOUND, 0,
              "service '%s': cannot share %s with service %s: container missing", s->name, what,
              parent->name);
    return error_hint(err, "'up' without --no-deps makes it, unless its scale is 0");
}

static int decide_service(struct up *u, struct member *m, struct error *err)
{
    find_parents(u, m);
    if (m->touched && !u->only_there)
        find_image(u, m);
    find_texts(u, m);
    if (make_slots(u, m, err) < 0)
        return -1;
    for (size_t i = 0; i < m->nslots; i++) {
        struct slot *slot = &m->slots[i];
        if (!slot->id && require_image(u, m, err) < 0)
            return -1;
        bool looked_at = !slot->id || (m->selected && !u->only_there);
        for (size_t k = 0; looked_at && k < m->s->ndeps; k++)
            if (m->s->deps[k].identity && !member_of(u, m->s->deps[k].service)->nslots)
                return no_parent(m->s, m->s->deps[k].service, err);
    }
    follow_restarts(u, m);
    return 0;
}

/* Whether it keeps a container which may run another image than the one that comes. */
static bool must_look_again(struct up *u, const struct member *m)
{
    if (!m->touched || (!m->image_op && !image_is_pulled(&u->images, m->s)))
        return false;
    for (size_t i = 0; i < m->nslots; i++)
        if (m->slots[i].now && !m->slots[i].reason)
            return true;
    return false;
}

int decide_services(struct up *u, struct error *err)
{
    for (size_t i = 0; i < u->p.st->nservices && !u->digests; i++)
        if (u->p.st->services[i].job)
            u->digests = xcalloc(u->p.st->nservices, sizeof(*u->digests));
    vec_each (it, &u->order)
        if (decide_service(u, member_of(u, *it), err) < 0)
            return -1;
    vec_each (it, &u->order)
        if (!u->p.opt->second && u->p.opt->recreate != RECREATE_NEVER &&
            must_look_again(u, member_of(u, *it)))
            u->p.again = true;
    return 0;
}
