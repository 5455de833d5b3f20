/*
 * The environment variables of 2014's links. For alias `db` of a service `web` and the exposed port
 * 5432/tcp: DB_NAME=/web/db, DB_PORT=tcp://db:5432 (the lowest port, tcp before udp),
 * DB_PORT_5432_TCP=tcp://db:5432 and its _ADDR, _PORT, _PROTO; DB_ENV_<NAME> for each variable of
 * the target. The address is the alias, so that it outlives a restart of the target.
 *
 * What the target exposes and sets comes from the file and from its image, which is inspected once.
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
    size_t at; /* the link whose image is being inspected */
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
    const struct node *expose = node_get(target->config, "expose");
    node_each (i, expose)
        if (node_text(expose->items[i]))
            add_port_text(list, node_text(expose->items[i]));
    for (size_t i = 0; i < target->nports; i++)
        add_port(list, target->ports[i].target, target->ports[i].protocol);
    const char *key;
    json_t *value;
    json_object_foreach (json_at(image, "Config.ExposedPorts"), key, value)
        add_port_text(list, key);
    if (list->len)
        qsort(list->items, list->len, sizeof(*list->items), by_number);
}

/* The image's variables, then the file's over them. */
static void add_target_environment(struct strv *out, const char *prefix,
                                   const struct service *target, const json_t *image)
{
    const struct node *environment = node_get(target->config, "environment");
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

static void add_link(struct strv *out, const struct task *t, const struct link *l,
                     const json_t *image)
{
    auto_free char *prefix = prefix_of(l->alias);
    struct exposed ports = { 0 };
    add_exposed(&ports, l->service, image);
    strv_addf(out, "%s_NAME=/%s/%s", prefix, t->op->service->name, l->alias);
    const struct exposed_port *lowest = NULL;
    vec_each (p, &ports)
        if (!lowest || (str_eq(lowest->protocol, "udp") && str_eq(p->protocol, "tcp")))
            lowest = p;
    if (lowest)
        strv_addf(out, "%s_PORT=%s://%s:%d", prefix, lowest->protocol, l->alias, lowest->number);
    vec_each (p, &ports) {
        char upper[8];
        for (size_t i = 0; i < sizeof(upper); i++)
            upper[i] = (char)toupper((unsigned char)p->protocol[i]);
        strv_addf(out, "%s_PORT_%d_%s=%s://%s:%d", prefix, p->number, upper, p->protocol, l->alias,
                  p->number);
        strv_addf(out, "%s_PORT_%d_%s_ADDR=%s", prefix, p->number, upper, l->alias);
        strv_addf(out, "%s_PORT_%d_%s_PORT=%d", prefix, p->number, upper, p->number);
        strv_addf(out, "%s_PORT_%d_%s_PROTO=%s", prefix, p->number, upper, p->protocol);
    }
    vec_free(&ports);
    add_target_environment(out, prefix, l->service, image);
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

static void on_image(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct collect *c = ctx;
    c->t->call = NULL;
    if (err) {
        end(c, err);
        return;
    }
    add_link(&c->variables, c->t, &c->t->op->service->links[c->at], answer->json);
    c->at++;
    next_link(c);
}

static void next_link(struct collect *c)
{
    if (c->at == c->t->op->service->nlinks) {
        end(c, NULL);
        return;
    }
    struct engine_request rq;
    struct engine_handlers hd = { .done = on_image, .ctx = c };
    rq_image_inspect(&rq, c->t->op->service->links[c->at].service->image);
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
