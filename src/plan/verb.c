/*
 * plan_verb(): one verb on containers that are there.
 *
 * Works from labels where there is no file. `start` with a file waits for the conditions that the
 * file states, as `up` does: it is planned there.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "plan/existing.h"
#include "plan/up.h"

struct verb {
    struct planner p;
    struct selection sel;
    enum plan_verb verb;
    bool *chosen;    /* by position of the container in the snapshot */
    struct op **ops; /* the same */
    struct op **removals;
};

/* Whether the container is in a state in which the verb does something. */
static bool applies(const struct verb *v, const struct seen_container *c)
{
    switch (v->verb) {
    case PLAN_START:
        return !container_is_up(c);
    case PLAN_STOP:
    case PLAN_KILL:
        return container_is_up(c);
    case PLAN_RESTART:
        return c->state != CONTAINER_DEAD && c->state != CONTAINER_REMOVING;
    case PLAN_RM:
        return !container_is_up(c) || v->p.opt->stop_first;
    case PLAN_PAUSE:
        return c->state == CONTAINER_RUNNING;
    case PLAN_UNPAUSE:
        return c->state == CONTAINER_PAUSED;
    }
    return false;
}

static void choose(struct verb *v)
{
    const struct snapshot *now = v->p.now;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        /* With a file, what is in none of its services is left alone. */
        bool known = !v->p.st || !v->sel.all || existing_service(&v->p, c) ||
                     node_get(v->p.st->disabled, c->service);
        v->chosen[i] = container_is_ours(&v->p, c) && !c->oneoff && known &&
                       selection_has(&v->sel, c->service);
    }
}

/* A restart goes on to those that ask for it: depends_on with restart: true. */
static void choose_followers(struct verb *v)
{
    const struct snapshot *now = v->p.now;
    struct strmap restarted = STRMAP_INIT;
    for (size_t i = 0; i < now->ncontainers; i++)
        if (v->chosen[i])
            strmap_set(&restarted, now->containers[i].service, NULL);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < now->ncontainers; i++) {
            const struct seen_container *c = &now->containers[i];
            struct existing_dep *deps;
            if (v->chosen[i] || c->oneoff || !container_is_ours(&v->p, c) || !container_is_up(c))
                continue;
            size_t n = existing_deps(&deps, &v->p, c);
            for (size_t k = 0; k < n; k++)
                v->chosen[i] |= deps[k].restart && strmap_has(&restarted, deps[k].service);
            if (v->chosen[i]) {
                strmap_set(&restarted, c->service, NULL);
                more = true;
            }
        }
    }
    strmap_clear(&restarted, NULL);
}

/* What a named service depends on is started with it. */
static void choose_dependencies(struct verb *v)
{
    const struct snapshot *now = v->p.now;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < now->ncontainers; i++) {
            struct existing_dep *deps;
            size_t n = v->chosen[i] ? existing_deps(&deps, &v->p, &now->containers[i]) : 0;
            for (size_t k = 0; k < n; k++) {
                size_t count;
                const struct seen_container *c = snapshot_service(&count, now, deps[k].service);
                for (; count; count--, c++) {
                    bool *chosen = &v->chosen[c - now->containers];
                    more |= !*chosen && !c->oneoff && container_is_ours(&v->p, c);
                    *chosen |= !c->oneoff && container_is_ours(&v->p, c);
                }
            }
        }
    }
}

static struct op *add_rm(struct verb *v, const struct service *s, const struct seen_container *c)
{
    struct op *stop = add_stop(&v->p, s, c, NULL, NULL);
    struct op *remove = add_container_op(&v->p, OP_REMOVE, s, c, NULL);
    remove->volumes = v->p.opt->remove_volumes;
    graph_need(&v->p.graph, remove, stop, false);
    v->removals[c - v->p.now->containers] = remove;
    return stop;
}

/* rm -v: anonymous volumes, where no container that stays has them. */
static void remove_anonymous(struct verb *v)
{
    const struct snapshot *now = v->p.now;
    struct strmap removals = STRMAP_INIT; /* volume -> its removal; NULL: it stays */
    for (size_t i = 0; i < now->ncontainers; i++)
        for (size_t k = 0; !v->removals[i] && k < now->containers[i].nmounts; k++)
            strmap_set(&removals, now->containers[i].mounts[k].name, NULL);
    for (size_t i = 0; i < now->ncontainers; i++)
        for (size_t k = 0; v->removals[i] && k < now->containers[i].nmounts; k++) {
            const struct seen_mount *m = &now->containers[i].mounts[k];
            struct op *op = strmap_get(&removals, m->name);
            if (!mount_is_anonymous(m) || (!op && strmap_has(&removals, m->name)))
                continue;
            if (!op) {
                op = graph_add(&v->p.graph, OP_VOLUME_REMOVE, m->name, NULL);
                op->id = m->name;
                op->volumes = true;
                strmap_set(&removals, m->name, op);
            }
            graph_need(&v->p.graph, op, v->removals[i], false);
        }
    strmap_clear(&removals, NULL);
}

/* Adds the operation; the result is what is ordered among services. */
static struct op *add_verb(struct verb *v, const struct seen_container *c)
{
    static const enum op_kind kinds[] = {
        [PLAN_START] = OP_START, [PLAN_RESTART] = OP_RESTART, [PLAN_KILL] = OP_KILL,
        [PLAN_PAUSE] = OP_PAUSE, [PLAN_UNPAUSE] = OP_UNPAUSE,
    };
    const struct service *s = existing_service(&v->p, c);
    if (v->verb == PLAN_STOP)
        return add_stop(&v->p, s, c, NULL, NULL);
    if (v->verb == PLAN_RM)
        return add_rm(v, s, c);
    struct op *op = add_container_op(&v->p, kinds[v->verb], s, c, NULL);
    op->timeout_s = v->p.opt->timeout_s;
    op->signal = v->verb == PLAN_KILL ? v->p.opt->signal : NULL;
    return op;
}

static void emit_verb(struct verb *v)
{
    const struct snapshot *now = v->p.now;
    choose(v);
    if (v->verb == PLAN_RESTART && !v->p.opt->no_deps)
        choose_followers(v);
    if (v->verb == PLAN_START)
        choose_dependencies(v);
    for (size_t i = 0; i < now->ncontainers; i++)
        if (v->chosen[i] && applies(v, &now->containers[i]))
            v->ops[i] = add_verb(v, &now->containers[i]);
        else if (v->chosen[i] && v->verb == PLAN_STOP)
            *vec_push(&v->p.kept) = &now->containers[i];
    if (v->verb == PLAN_START || v->verb == PLAN_RESTART || v->verb == PLAN_UNPAUSE)
        existing_order(&v->p, v->ops, false);
    if (v->verb == PLAN_START || v->verb == PLAN_RESTART)
        existing_waits(&v->p, v->ops);
    else if (v->verb == PLAN_STOP || v->verb == PLAN_RM)
        existing_order(&v->p, v->ops, true);
}

int plan_verb(struct plan **out, enum plan_verb verb, const struct stack *st,
              const char *stack_name, const struct snapshot *now, const struct plan_options *opt,
              struct error *err)
{
    struct verb v = { .verb = verb };
    int result = -1;
    if (verb == PLAN_START && st)
        return plan_start(out, st, now, opt, err);
    planner_init(&v.p, st, stack_name, now, opt);
    v.chosen = arena_alloc(v.p.arena, now->ncontainers * sizeof(*v.chosen));
    v.ops = arena_alloc(v.p.arena, now->ncontainers * sizeof(*v.ops));
    v.removals = arena_alloc(v.p.arena, now->ncontainers * sizeof(*v.removals));
    if (check_owner(&v.p, err) == 0 && selection_init(&v.sel, &v.p, err) == 0) {
        emit_verb(&v);
        if (verb == PLAN_RM && opt->remove_volumes)
            remove_anonymous(&v);
        result = planner_finish(out, &v.p, err);
    }
    selection_clear(&v.sel);
    planner_clear(&v.p);
    return result;
}
