/*
 * The environment variables of 2014's links. For alias `db` of a service `web` and the exposed port
 * 5432/tcp: DB_NAME=/web/db, DB_PORT=tcp://db:5432 (the lowest port, tcp before udp),
 * DB_PORT_5432_TCP=tcp://db:5432 and its _ADDR, _PORT, _PROTO; DB_ENV_<NAME> for each variable of
 * the target. The address is the alias, so that it outlives a restart of the target.
 *
 * What the target exposes and sets comes from the file and from its image, which is inspected once;
 * of external links from their container.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/requests.h"
#include "run/private.h"

struct collect {
    struct task *t;
    size_t at; /* the link whose image is being inspected, or after them the external link */
    struct strv variables;
    void (*done)(struct task *t, char **variables, const struct error *err);
};

struct exposed {
    VEC(struct exposed_port {
        int number;
        char protocol[8];
    });
};

/* As the engine did it: upper case, '-' becomes '_'. */
static char *prefix_of(const char *alias)
{
    char *prefix = xstrdup(alias);
    for (char *p = prefix; *p; p++)
        *p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
    return prefix;
}

static void add_port(struct exposed *list, int64_t number, const char *protocol)
{
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i].number == number && str_eq(list->items[i].protocol, protocol))
            return;
    struct exposed_port *p = vec_push(list);
    p->number = (int)number;
    snprintf(p->protocol, sizeof(p->protocol), "%s", protocol);
}

/* "5432", "5432/udp", "7000-7002/tcp". */
static void add_port_text(struct exposed *list, const char *text)
{
    auto_free char *numbers = xstrndup(text, strcspn(text, "/"));
    const char *slash = strchr(text, '/');
    char *dash = strchr(numbers, '-');
    int64_t first, last;
    if (dash)
        *dash = 0;
    if (num_range(&first, numbers, 1, 65535) < 0)
        return;
    last = first;
    if (dash && num_range(&last, dash + 1, first, 65535) < 0)
        return;
    for (int64_t n = first; n <= last; n++)
        add_port(list, n, slash ? slash + 1 : "tcp");
}

static int by_number(const void *a, const void *b)
{
    const struct exposed_port *x = a, *y = b;
    int protocol = strcmp(x->protocol, y->protocol); /* "tcp" before "udp" */
    return x->number != y->number ? (x->number > y->number) - (x->number < y->number) : protocol;
}

static void add_exposed(struct exposed *list, const struct service *target, const json_t *image)
{
    const struct node *expose = target ? node_get(target->config, "expose") : NULL;
    node_each (i, expose)
        if (node_text(expose->items[i]))
            add_port_text(list, node_text(expose->items[i]));
    for (size_t i = 0; target && i < target->nports; i++)
        add_port(list, target->ports[i].target, target->ports[i].protocol);
    const char *key;
    json_t *value;
    json_object_foreach (json_at(image, "Config.ExposedPorts"), key, value)
        add_port_text(list, key);
    if (list->len)
        qsort(list->items, list->len, sizeof(*list->items), by_number);
}

/* The image's (or external container's) variables, then the file's over them. */
static void add_target_environment(struct strv *out, const char *prefix,
                                   const struct service *target, const json_t *image)
{
    const struct node *environment = target ? node_get(target->config, "environment") : NULL;
    size_t i;
    json_t *entry;
    json_array_foreach (json_at(image, "Config.Env"), i, entry) {
        const char *text = json_string_value(entry);
        if (!text || !strchr(text, '=') || str_starts(text, "PATH=") || str_starts(text, "HOME="))
            continue;
        auto_free char *name = xstrndup(text, strcspn(text, "="));
        if (!node_get(environment, name))
            strv_addf(out, "%s_ENV_%s", prefix, text);
    }
    for (size_t k = 0; environment && k < environment->len; k++) {
        const char *text = node_text(environment->items[k]);
        if (text)
            strv_addf(out, "%s_ENV_%s=%s", prefix, environment->keys[k], text);
    }
}

/* `target` is NULL for a container outside; `made_of` describes its image, or that container. */
static void add_link(struct strv *out, const struct task *t, const struct service *target,
                     const char *alias, const json_t *made_of)
{
    auto_free char *prefix = prefix_of(alias);
    struct exposed ports = { 0 };
    add_exposed(&ports, target, made_of);
    strv_addf(out, "%s_NAME=/%s/%s", prefix, t->op->service->name, alias);
    const struct exposed_port *lowest = NULL;
    vec_each (p, &ports)
        if (!lowest || (str_eq(lowest->protocol, "udp") && str_eq(p->protocol, "tcp")))
            lowest = p;
    if (lowest)
        strv_addf(out, "%s_PORT=%s://%s:%d", prefix, lowest->protocol, alias, lowest->number);
    vec_each (p, &ports) {
        char upper[8];
        for (size_t i = 0; i < sizeof(upper); i++)
            upper[i] = (char)toupper((unsigned char)p->protocol[i]);
        strv_addf(out, "%s_PORT_%d_%s=%s://%s:%d", prefix, p->number, upper, p->protocol, alias,
                  p->number);
        strv_addf(out, "%s_PORT_%d_%s_ADDR=%s", prefix, p->number, upper, alias);
        strv_addf(out, "%s_PORT_%d_%s_PORT=%d", prefix, p->number, upper, p->number);
        strv_addf(out, "%s_PORT_%d_%s_PROTO=%s", prefix, p->number, upper, p->protocol);
    }
    vec_free(&ports);
    add_target_environment(out, prefix, target, made_of);
}

/* A service of a file of 2014 got the same under two names of each replica: DB_1_, APP_DB_1_. */
static void add_numbers(struct strv *out, const struct task *t, size_t at, const json_t *image)
{
    const struct service *s = t->op->service, *target = s->links[at].service;
    for (size_t i = 0; i < at; i++)
        if (s->links[i].service == target)
            return;
    for (int n = 1; s->link_numbers && n <= target->replicas; n++)
        for (int whole = 0; whole < 2; whole++) {
            auto_free char *name = service_link_name(t->run->opt->stack, target, n, '_', whole);
            add_link(out, t, target, name, image);
        }
}

/* "CONTAINER[:ALIAS]", or NULL after the last one. */
static const char *external_link(const struct service *s, size_t i)
{
    const struct node *list = node_get(s->config, "external_links");
    return list && list->kind == NODE_LIST && i < list->len ? node_text(list->items[i]) : NULL;
}

static void next_link(struct collect *c);

static void cancel_collect(struct task *t)
{
    struct collect *c = take(t->data);
    if (t->call)
        engine_cancel(t->call);
    strv_clear(&c->variables);
    free(c);
}

static void end(struct collect *c, const struct error *err)
{
    struct task *t = c->t;
    t->data = NULL;
    t->cancel = NULL;
    c->done(t, c->variables.items, err);
    strv_clear(&c->variables);
    free(c);
}

static void on_described(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct collect *c = ctx;
    c->t->call = NULL;
    if (err) {
        end(c, err);
        return;
    }
    const struct service *s = c->t->op->service;
    if (c->at < s->nlinks) {
        const struct link *l = &s->links[c->at];
        add_link(&c->variables, c->t, l->service, l->alias, answer->json);
        add_numbers(&c->variables, c->t, c->at, answer->json);
    } else {
        const char *text = external_link(s, c->at - s->nlinks);
        const char *colon = strchr(text, ':');
        add_link(&c->variables, c->t, NULL, colon ? colon + 1 : text, answer->json);
    }
    c->at++;
    next_link(c);
}

static void next_link(struct collect *c)
{
    const struct service *s = c->t->op->service;
    const char *external = c->at < s->nlinks ? NULL : external_link(s, c->at - s->nlinks);
    if (c->at >= s->nlinks && !external) {
        end(c, NULL);
        return;
    }
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_described, .ctx = c };
    if (external) {
        auto_free char *name = xstrndup(external, strcspn(external, ":"));
        rq_container_inspect(&rq, name);
    } else {
        rq_image_inspect(&rq, s->links[c->at].service->image);
    }
    c->t->call = engine_start(c->t->run->engine, &rq, &hd);
}

void links_collect(struct task *t,
                   void (*done)(struct task *t, char **variables, const struct error *err))
{
    struct collect *c = xnew(struct collect);
    c->t = t;
    c->done = done;
    t->data = c;
    t->cancel = cancel_collect;
    next_link(c);
}
