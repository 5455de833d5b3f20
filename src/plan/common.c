/* What every plan is made with: whose containers these are, in which order services stand. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "plan/private.h"

void planner_init(struct planner *p, const struct stack *st, const char *name,
                  const struct snapshot *now, const struct plan_options *opt)
{
    *p = (struct planner){ .arena = arena_new(), .st = st, .now = now, .opt = opt };
    p->name = st ? st->name : name;
    p->graph.arena = p->arena;
}

void planner_clear(struct planner *p)
{
    arena_free(p->arena);
    p->arena = NULL;
    vec_free(&p->graph);
    vec_free(&p->notes);
    vec_free(&p->kept);
}

void planner_note(struct planner *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    auto_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    *vec_push(&p->notes) = arena_strdup(p->arena, text);
}

static void *to_arena(struct arena *a, const void *items, size_t n, size_t size)
{
    void *copy = arena_alloc(a, n * size);
    if (n)
        memcpy(copy, items, n * size);
    return copy;
}

int planner_finish(struct plan **out, struct planner *p, struct error *err)
{
    if (graph_finish(&p->graph, err) < 0)
        return -1;
    struct plan *plan = xnew(struct plan);
    plan->arena = p->arena;
    plan->nops = p->graph.len;
    plan->ops = to_arena(p->arena, p->graph.items, p->graph.len, sizeof(*p->graph.items));
    plan->nnotes = p->notes.len;
    plan->notes = to_arena(p->arena, p->notes.items, p->notes.len, sizeof(*p->notes.items));
    plan->nkept = p->kept.len;
    plan->kept = to_arena(p->arena, p->kept.items, p->kept.len, sizeof(*p->kept.items));
    plan->again = p->again;
    p->arena = NULL;
    *out = plan;
    return 0;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    arena_free(p->arena);
    free(p);
}

const char *container_label(const struct seen_container *c, const char *key)
{
    return label_get(c->labels, c->nlabels, key);
}

bool container_is_ours(const struct planner *p, const struct seen_container *c)
{
    return str_eq(container_label(c, LABEL_STACK), p->name);
}

bool container_is_up(const struct seen_container *c)
{
    return c->state == CONTAINER_RUNNING || c->state == CONTAINER_PAUSED ||
           c->state == CONTAINER_RESTARTING;
}

const char *container_file(const struct planner *p, const struct seen_container *c)
{
    const char *file = container_label(c, LABEL_FILE);
    if (*file)
        return file;
    const char *list = container_label(c, LABEL_CONFIG_FILES);
    return arena_strndup(p->arena, list, strcspn(list, ","));
}

static bool same_file(const struct planner *p, const char *a, const char *b)
{
    return str_eq(a, b) || (p->opt->same_file && p->opt->same_file(a, b));
}

bool container_is_from_our_file(const struct planner *p, const struct seen_container *c)
{
    const char *theirs = container_file(p, c), *dir = container_label(c, LABEL_WORKING_DIR);
    const char *ours = p->st->files && p->st->files[0] ? p->st->files[0] : "";
    /* Files of one folder under one name are parts of one stack: compose.yaml and test.yaml. */
    if (*dir && p->st->dir && same_file(p, dir, p->st->dir))
        return true;
    /* Standard input, or a project without a stack file: the folder is what there is. */
    if (*theirs == '/' && *ours == '/')
        return same_file(p, theirs, ours);
    return !*dir || !p->st->dir;
}

int check_owner(const struct planner *p, struct error *err)
{
    if (!p->st || p->opt->adopt)
        return 0;
    for (size_t i = 0; i < p->now->ncontainers; i++) {
        const struct seen_container *c = &p->now->containers[i];
        if (c->oneoff || !container_is_ours(p, c) || container_is_from_our_file(p, c))
            continue;
        const char *file = container_file(p, c);
        error_set(err, ERR_CONFLICT, 0, "container '%s' of stack '%s' was made from '%s'", c->name,
                  p->name, *file ? file : container_label(c, LABEL_WORKING_DIR));
        return error_hint(err, "choose another name with -p, or take its containers over with "
                               "--adopt, as after the folder was moved");
    }
    return 0;
}

int services_collect(struct service_list *out, unsigned char *seen, const struct service *from,
                     struct error *err)
{
    enum { NEW, OPEN, DONE };
    struct frame {
        const struct service *s;
        size_t next;
    };
    struct {
        VEC(struct frame);
    } stack = { 0 };
    int result = 0;
    if (seen[from->index] == NEW)
        *vec_push(&stack) = (struct frame){ from, 0 };
    while (stack.len) {
        struct frame *top = &stack.items[stack.len - 1];
        seen[top->s->index] = OPEN;
        if (top->next == top->s->ndeps) {
            seen[top->s->index] = DONE;
            *vec_push(out) = top->s;
            stack.len--;
            continue;
        }
        const struct service *dep = top->s->deps[top->next++].service;
        if (seen[dep->index] == NEW) {
            *vec_push(&stack) = (struct frame){ dep, 0 };
        } else if (seen[dep->index] == OPEN) {
            auto_str struct str path = STR_INIT;
            bool in_circle = false;
            vec_each (it, &stack)
                if ((in_circle = in_circle || it->s == dep))
                    str_addf(&path, "%s -> ", it->s->name);
            result = error_set(err, ERR_INPUT, 0, "services depend on each other: %s%s", path.buf,
                               dep->name);
            break;
        }
    }
    vec_free(&stack);
    return result;
}

int no_such_service(const struct planner *p, const char *name, struct error *err)
{
    error_set(err, ERR_NOTFOUND, 0, "no such service: %s", name);
    const char *best = NULL;
    size_t limit = strlen(name) / 3 + 1;
    for (size_t i = 0; p->st && i < p->st->nservices; i++) {
        size_t distance = str_distance(name, p->st->services[i].name, limit);
        if (distance <= limit) {
            best = p->st->services[i].name;
            limit = distance - (distance > 0);
        }
    }
    if (p->st && node_get(p->st->disabled, name))
        error_hint(err, "'%s' is in a profile that is not active: --profile enables it", name);
    else if (best)
        error_hint(err, "did you mean '%s'?", best);
    return -1;
}

struct op *add_container_op(struct planner *p, enum op_kind kind, const struct service *s,
                            const struct seen_container *c, const char *reason)
{
    struct op *op = graph_add(&p->graph, kind, c->name, reason);
    op->service = s;
    op->service_name = s ? s->name : *c->service ? c->service : NULL;
    op->number = c->number;
    op->id = c->id;
    return op;
}

struct op *add_stop(struct planner *p, const struct service *s, const struct seen_container *c,
                    struct op *before, const char *reason)
{
    struct op *last = before;
    if (!container_is_up(c))
        return NULL;
    const struct node *hooks = s && c->state == CONTAINER_RUNNING ? s->pre_stop : NULL;
    node_each (i, hooks) {
        struct op *hook = add_container_op(p, OP_HOOK, s, c, "pre_stop");
        hook->hook = hooks->items[i];
        /* A hook that fails must not keep a container from stopping. */
        graph_need(&p->graph, hook, last, last != before);
        last = hook;
    }
    struct op *stop = add_container_op(p, OP_STOP, s, c, reason);
    stop->timeout_s = p->opt->timeout_s;
    graph_need(&p->graph, stop, before, false);
    graph_need(&p->graph, stop, last, last != before);
    return stop;
}
