/* plan_up(): which services are meant, what is in the way, then decide, emit, order. See up.h. */
#include "plan/up.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

bool is_oneoff(const struct up *u, const struct member *m)
{
    return u->p.opt->oneoff && str_eq(u->p.opt->oneoff, m->s->name);
}

static int select_services(struct up *u, struct error *err)
{
    const struct stack *st = u->p.st;
    const char *const *names = u->p.opt->services;
    for (size_t i = 0; i < st->nservices; i++)
        u->members[i].named = !names || !*names;
    for (; names && *names; names++) {
        const struct service *s = stack_service(st, *names);
        if (!s)
            return no_such_service(&u->p, *names, err);
        member_of(u, s)->named = true;
    }
    for (size_t i = 0; i < u->p.opt->nscale; i++)
        if (!stack_service(st, u->p.opt->scale[i].service))
            return no_such_service(&u->p, u->p.opt->scale[i].service, err);
    struct service_list below = { 0 };
    auto_free unsigned char *seen = xcalloc(st->nservices, 1);
    int result = 0;
    for (size_t i = 0; i < st->nservices && result == 0; i++) {
        if (!u->members[i].named)
            continue;
        u->members[i].selected = true;
        if (!u->p.opt->no_deps)
            result = services_collect(&below, seen, &st->services[i], err);
    }
    vec_each (it, &below)
        member_of(u, *it)->selected = true;
    vec_free(&below);
    for (size_t i = 0; i < st->nservices; i++)
        u->members[i].touched = u->members[i].selected;
    return result;
}

/* What the file has wrong matters only to those whose containers may be made. */
static int check_faults(const struct up *u, struct error *err)
{
    const struct stack *st = u->p.st;
    for (size_t i = 0; i < st->nfaults; i++) {
        const struct fault *f = &st->faults[i];
        const struct service *s = stack_service(st, f->service),
                             *other = f->other ? stack_service(st, f->other) : s;
        if (!s || !other || !u->members[s->index].selected || !u->members[other->index].selected)
            continue;
        const struct source *src = f->span.source;
        error_set(err, ERR_INPUT, 0, "%s:%d: %s", src ? src->shown : "-", f->span.line, f->text);
        return f->hint ? error_hint(err, "%s", f->hint) : -1;
    }
    return 0;
}

static int order_services(struct up *u, struct error *err)
{
    auto_free unsigned char *seen = xcalloc(u->p.st->nservices, 1);
    for (size_t i = 0; i < u->p.st->nservices; i++)
        if (services_collect(&u->order, seen, &u->p.st->services[i], err) < 0)
            return -1;
    return 0;
}

/* Containers of services that the file does not have, and those of `run` that have ended. */
static bool is_orphan(const struct planner *p, const struct seen_container *c)
{
    if (!container_is_ours(p, c))
        return false;
    if (c->oneoff)
        return p->opt->remove_orphans &&
               (c->state == CONTAINER_EXITED || c->state == CONTAINER_DEAD);
    return !stack_service(p->st, c->service) && !node_get(p->st->disabled, c->service);
}

static void find_orphans(struct up *u)
{
    struct planner *p = &u->p;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        const struct seen_container *c = &p->now->containers[i];
        if (!is_orphan(p, c))
            continue;
        if (p->opt->remove_orphans)
            *vec_push(&u->orphans) = c;
        else if (!p->opt->ignore_orphans)
            planner_note(p,
                         "container '%s' belongs to no service of the file; --remove-orphans "
                         "removes it",
                         c->name);
    }
}

static void up_clear(struct up *u)
{
    for (size_t i = 0; i < u->p.st->nservices; i++) {
        vec_free(&u->members[i].extra);
        vec_free(&u->members[i].stops);
    }
    vec_free(&u->order);
    vec_free(&u->orphans);
    image_ops_clear(&u->images);
    strmap_clear(&u->mounted, NULL);
    strmap_clear(&u->leaving, NULL);
    free(u->digests);
    planner_clear(&u->p);
}

/* `start` of what is not there is a mistake, not a success. */
static int check_there(const struct up *u, struct error *err)
{
    const char *const *names = u->p.opt->services;
    size_t count, all = 0;
    for (size_t i = 0; i < u->p.st->nservices; i++) {
        const struct service *s = u->members[i].s;
        snapshot_service(&count, u->p.now, s->name);
        all += count + (s->replicas == 0);
        for (const char *const *name = names; name && *name; name++)
            if (str_eq(*name, s->name) && !count && s->replicas) {
                error_set(err, ERR_NOTFOUND, 0, "service '%s' has no container to start", s->name);
                return error_hint(err, "make it: stack up -d %s", s->name);
            }
    }
    if (!all && u->p.st->nservices) {
        error_set(err, ERR_NOTFOUND, 0, "stack '%s' has no container to start", u->p.name);
        return error_hint(err, "make them: stack up -d");
    }
    return 0;
}

static int up_decide(struct up *u, struct error *err)
{
    if (check_owner(&u->p, err) < 0 || select_services(u, err) < 0 || order_services(u, err) < 0)
        return -1;
    if (!u->only_there && check_faults(u, err) < 0)
        return -1;
    if (u->only_there)
        return check_there(u, err) < 0 ? -1 : decide_services(u, err);
    if (decide_networks(u, err) < 0 || decide_volumes(u, err) < 0 || decide_services(u, err) < 0)
        return -1;
    find_orphans(u);
    return 0;
}

static int up_run(struct plan **out, struct up *u, struct error *err)
{
    int result = up_decide(u, err);
    if (result == 0) {
        emit(u);
        order(u);
        result = planner_finish(out, &u->p, err);
    }
    up_clear(u);
    return result;
}

static void up_init(struct up *u, const struct stack *st, const struct snapshot *now,
                    const struct plan_image *images, size_t nimages, const struct plan_options *opt)
{
    *u = (struct up){ 0 };
    planner_init(&u->p, st, st->name, now, opt);
    image_ops_init(&u->images, &u->p, images, nimages);
    u->images.always = opt->build;
    u->members = arena_alloc(u->p.arena, st->nservices * sizeof(*u->members));
    u->networks = arena_alloc(u->p.arena, st->nnetworks * sizeof(*u->networks));
    u->volumes = arena_alloc(u->p.arena, st->nvolumes * sizeof(*u->volumes));
    for (size_t i = 0; i < st->nservices; i++)
        u->members[i].s = &st->services[i];
}

int plan_up(struct plan **out, const struct stack *st, const struct snapshot *now,
            const struct plan_image *images, size_t nimages, const struct plan_options *opt,
            struct error *err)
{
    struct up u;
    up_init(&u, st, now, images, nimages, opt);
    return up_run(out, &u, err);
}

int plan_start(struct plan **out, const struct stack *st, const struct snapshot *now,
               const struct plan_options *opt, struct error *err)
{
    struct up u;
    struct plan_options keep = *opt;
    keep.recreate = RECREATE_NEVER;
    keep.nscale = 0;
    up_init(&u, st, now, NULL, 0, &keep);
    u.only_there = true;
    return up_run(out, &u, err);
}
