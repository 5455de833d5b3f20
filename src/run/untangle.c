/*
 * Two networks of one name. An engine may take them (20.10 does), and it happens when a run is
 * killed while its request is on the way: the next run looks before it has taken effect, and makes
 * the network too. From then on the engine refuses whatever names it: "is ambiguous". Nothing but
 * the name is lost: the engine does not remove a network that is in use, so those of ours are
 * removed until one is left.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/requests.h"
#include "model/labels.h"
#include "run/private.h"

#define MOST_ATTEMPTS 3

struct tangle {
    char *name;
    bool keep_one;
    struct strv ids; /* in the order of removal; the same in every task that is at it */
    size_t next;     /* in ids */
    size_t left;
    struct error first;
    void (*again)(struct task *t);
};

static void free_tangle(struct task *t)
{
    struct tangle *g = take(t->data);
    t->recovering = false;
    t->cancel = NULL;
    if (!g)
        return;
    free(g->name);
    strv_clear(&g->ids);
    error_clear(&g->first);
    free(g);
}

static void cancel_tangle(struct task *t)
{
    if (t->call)
        engine_cancel(t->call);
    free_tangle(t);
}

/* The one that this run made goes last. */
static bool made_here(const struct run *r, const char *id)
{
    for (size_t i = 0; i < r->plan->nops; i++)
        if (r->tasks[i].op->kind == OP_NETWORK_CREATE && str_eq(r->tasks[i].id, id))
            return true;
    return false;
}

static void collect(struct task *t, const json_t *seen)
{
    struct tangle *g = t->data;
    const char *last = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach (seen, i, entry) {
        const char *stack =
            json_string_value(json_object_get(json_object_get(entry, "Labels"), LABEL_STACK));
        const char *id = json_str(entry, "Id");
        if (!id || !str_eq(json_str(entry, "Name"), g->name))
            continue;
        g->left++;
        if (!str_eq(stack, t->run->opt->stack_name))
            continue;
        if (made_here(t->run, id))
            last = id;
        else
            strv_add(&g->ids, id);
    }
    strv_sort(&g->ids);
    if (last)
        strv_add(&g->ids, last);
}

static void remove_next(struct task *t);

static void on_removed(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    struct tangle *g = t->data;
    (void)answer;
    t->call = NULL;
    if (!err)
        g->left--;
    remove_next(t);
}

static void remove_next(struct task *t)
{
    struct tangle *g = t->data;
    if (g->next < g->ids.len && g->left > (g->keep_one ? 1 : 0)) {
        struct engine_request rq;
        rq_network_remove(&rq, g->ids.items[g->next++]);
        rq.missing_ok = true;
        task_send(t, &rq, on_removed);
        return;
    }
    void (*again)(struct task * t) = g->again;
    free_tangle(t);
    again(t);
}

static void on_list(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct task *t = ctx;
    struct tangle *g = t->data;
    t->call = NULL;
    if (err) {
        struct error first = g->first;
        g->first = ERROR_INIT;
        free_tangle(t);
        task_fail(t, &first);
        return;
    }
    collect(t, answer->json);
    remove_next(t);
}

/* "network NAME is ambiguous (2 matches found on name)" */
static char *ambiguous_name(const struct error *err)
{
    const char *begin = err->msg ? strstr(err->msg, "network ") : NULL;
    const char *end = begin ? strstr(begin, " is ambiguous") : NULL;
    if (err->kind != ERR_ENGINE || !end)
        return NULL;
    begin += strlen("network ");
    return xstrndup(begin, (size_t)(end - begin));
}

bool untangle(struct task *t, const struct error *err, bool keep_one, void (*again)(struct task *t))
{
    auto_free char *name = ambiguous_name(err);
    if (!name || t->attempts >= MOST_ATTEMPTS)
        return false;
    struct tangle *g = xnew(struct tangle);
    g->keep_one = keep_one;
    g->again = again;
    error_copy(&g->first, err);
    t->data = g;
    t->recovering = true;
    t->cancel = cancel_tangle;
    struct engine_request look;
    const char *names[] = { name };
    rq_networks_named(&look, names, 1);
    g->name = take(name);
    task_send(t, &look, on_list);
    return true;
}
