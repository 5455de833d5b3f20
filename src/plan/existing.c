/* Containers that are there, with the file or without it. */
#include "plan/existing.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "model/labels.h"

int selection_init(struct selection *sel, const struct planner *p, struct error *err)
{
    const char *const *names = p->opt->services;
    *sel = (struct selection){ .all = !names || !*names, .names = STRMAP_INIT };
    for (; names && *names; names++) {
        size_t n;
        snapshot_service(&n, p->now, *names);
        if (!n && !(p->st && (stack_service(p->st, *names) || node_get(p->st->disabled, *names))))
            return no_such_service(p, *names, err);
        strmap_set(&sel->names, *names, NULL);
    }
    return 0;
}

void selection_clear(struct selection *sel)
{
    strmap_clear(&sel->names, NULL);
}

bool selection_has(const struct selection *sel, const char *service)
{
    return sel->all || strmap_has(&sel->names, service);
}

const struct service *existing_service(const struct planner *p, const struct seen_container *c)
{
    return p->st ? stack_service(p->st, c->service) : NULL;
}

bool mount_is_anonymous(const struct seen_mount *m)
{
    return str_eq(m->type, "volume") && strlen(m->name) == 64 &&
           strspn(m->name, "0123456789abcdef") == 64;
}

/* "service_healthy" of a label: a file's health check or the image's. Where the stack file is not
 * read, what is ready is what the container itself says. */
static enum condition label_condition(const char *text)
{
    return str_starts(text, "service_healthy")                  ? COND_READY
           : str_starts(text, "service_completed_successfully") ? COND_COMPLETED
                                                                : COND_STARTED;
}

size_t existing_deps(struct existing_dep **out, struct planner *p, const struct seen_container *c)
{
    const struct service *s = existing_service(p, c);
    /* "db:service_healthy:false,cache:service_started:true" */
    auto_strv struct strv words = STRV_INIT;
    if (!s)
        strv_split(&words, container_label(c, LABEL_DEPENDS_ON), ",");
    size_t n = s ? s->ndeps : words.len;
    *out = arena_alloc(p->arena, n * sizeof(**out));
    for (size_t i = 0; s && i < n; i++) {
        const struct dependency *d = &s->deps[i];
        (*out)[i] =
            (struct existing_dep){ d->service->name, d->condition, d->required, d->restart };
    }
    for (size_t i = 0; !s && i < n; i++) {
        const char *word = words.items[i], *condition = word + strcspn(word, ":");
        (*out)[i] = (struct existing_dep){
            .service = arena_strndup(p->arena, word, (size_t)(condition - word)),
            .condition = label_condition(condition + (*condition == ':')),
            .required = true,
            .restart = str_ends(word, ":true"),
        };
    }
    return n;
}

void existing_order(struct planner *p, struct op *const *ops, bool dependencies_last)
{
    const struct seen_container *all = p->now->containers;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        struct existing_dep *deps;
        size_t ndeps = ops[i] ? existing_deps(&deps, p, &all[i]) : 0;
        for (size_t j = 0; j < ndeps; j++) {
            size_t n;
            const struct seen_container *dep = snapshot_service(&n, p->now, deps[j].service);
            for (size_t k = 0; k < n; k++) {
                struct op *other = ops[dep - all + (ptrdiff_t)k];
                if (other && dependencies_last)
                    graph_need(&p->graph, other, ops[i], true);
                else if (other)
                    graph_need(&p->graph, ops[i], other, true);
            }
        }
    }
}

/* The wait for all containers of a service; NULL when there is nothing to wait for. */
static struct op *add_wait(struct planner *p, struct op *const *ops, const struct existing_dep *d)
{
    size_t n, nwaits = 0, nseen = 0;
    const struct seen_container *c = snapshot_service(&n, p->now, d->service);
    struct op **waits = arena_alloc(p->arena, (n + 1) * sizeof(*waits));
    const struct seen_container **seen = arena_alloc(p->arena, (n + 1) * sizeof(*seen));
    for (size_t i = 0; i < n; i++) {
        struct op *op = ops[&c[i] - p->now->containers];
        if (op)
            waits[nwaits++] = op;
        else if (!c[i].oneoff && c[i].state == CONTAINER_RUNNING && c[i].health == HEALTH_STARTING)
            seen[nseen++] = &c[i];
    }
    if (nwaits + nseen == 0)
        return NULL;
    struct op *wait = graph_add(&p->graph, OP_WAIT, d->service, NULL);
    wait->service = p->st ? stack_service(p->st, d->service) : NULL;
    wait->service_name = d->service;
    wait->condition = d->condition;
    wait->waits = waits;
    wait->wait_seen = seen;
    for (size_t i = 0; i < nwaits; i++)
        graph_need(&p->graph, wait, waits[i], false);
    return wait;
}

void existing_waits(struct planner *p, struct op *const *ops)
{
    struct strmap waits = STRMAP_INIT; /* "db 1", the condition as a number -> the wait */
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        struct existing_dep *deps;
        size_t n = ops[i] ? existing_deps(&deps, p, &p->now->containers[i]) : 0;
        for (size_t k = 0; k < n; k++) {
            if (deps[k].condition == COND_STARTED)
                continue;
            auto_free char *key = xasprintf("%s %d", deps[k].service, (int)deps[k].condition);
            struct op *wait = strmap_get(&waits, key);
            if (!wait)
                strmap_set(&waits, key, wait = add_wait(p, ops, &deps[k]));
            graph_need(&p->graph, ops[i], wait, !deps[k].required);
        }
    }
    strmap_clear(&waits, NULL);
}

/* LABEL_PARENTS: "db=0123456789ab vpn=..." */
void existing_parents_last(struct planner *p, struct op *const *removals)
{
    const struct seen_container *all = p->now->containers;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        auto_strv struct strv words = STRV_INIT;
        if (removals[i])
            strv_split(&words, container_label(&all[i], LABEL_PARENTS), " ");
        strv_each (word, &words) {
            size_t n, len = strcspn(*word, "=");
            auto_free char *service = xstrndup(*word, len);
            const struct seen_container *parent = snapshot_service(&n, p->now, service);
            for (size_t k = 0; (*word)[len] && k < n; k++) {
                struct op *last = removals[parent - all + (ptrdiff_t)k];
                if (last && str_starts(parent[k].id, *word + len + 1))
                    graph_need(&p->graph, last, removals[i], true);
            }
        }
    }
}
