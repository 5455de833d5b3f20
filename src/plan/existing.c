/* Containers that are there, with the file or without it. */
#include "plan/existing.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
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

void existing_deps(struct strv *out, const struct planner *p, const struct seen_container *c,
                   bool restart)
{
    const struct service *s = existing_service(p, c);
    if (s) {
        for (size_t i = 0; i < s->ndeps; i++)
            if (!restart || s->deps[i].restart)
                strv_add(out, s->deps[i].service->name);
        return;
    }
    /* "db:service_healthy:false,cache:service_started:true" */
    auto_strv struct strv words = STRV_INIT;
    strv_split(&words, container_label(c, LABEL_DEPENDS_ON), ",");
    strv_each (word, &words)
        if (!restart || str_ends(*word, ":true"))
            strv_addn(out, *word, strcspn(*word, ":"));
}

void existing_order(struct planner *p, struct op *const *ops, bool dependencies_last)
{
    const struct seen_container *all = p->now->containers;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        auto_strv struct strv deps = STRV_INIT;
        if (ops[i])
            existing_deps(&deps, p, &all[i], false);
        strv_each (name, &deps) {
            size_t n;
            const struct seen_container *dep = snapshot_service(&n, p->now, *name);
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
