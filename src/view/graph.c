/* The graph's own parts: levels, JSON. */
#include "view/graph.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

void view_graph_clear(struct view_graph *g)
{
    vec_each (s, &g->services) {
        free(s->state);
        strv_clear(&s->ports);
        strv_clear(&s->networks);
        strv_clear(&s->volumes);
    }
    vec_each (n, &g->networks)
        vec_free(&n->users);
    vec_each (v, &g->volumes)
        vec_free(&v->users);
    vec_each (i, &g->images) {
        vec_free(&i->from);
        strv_clear(&i->bases);
    }
    vec_free(&g->services);
    vec_free(&g->edges);
    vec_free(&g->networks);
    vec_free(&g->volumes);
    vec_free(&g->images);
}

/* A circle, which no valid stack has, ends the search. */
size_t *view_graph_levels(const struct view_graph *g)
{
    size_t *levels = xcalloc(g->services.len + 1, sizeof(*levels));
    bool more = true;
    for (size_t round = 0; more && round < g->services.len; round++) {
        more = false;
        for (size_t i = 0; i < g->edges.len; i++) {
            const struct graph_edge *e = &g->edges.items[i];
            if (levels[e->from] <= levels[e->to]) {
                levels[e->from] = levels[e->to] + 1;
                more = true;
            }
        }
    }
    return levels;
}

size_t *view_graph_image_levels(const struct view_graph *g)
{
    size_t *levels = xcalloc(g->images.len + 1, sizeof(*levels));
    bool more = true;
    for (size_t round = 0; more && round < g->images.len; round++) {
        more = false;
        for (size_t i = 0; i < g->images.len; i++) {
            const struct graph_image *image = &g->images.items[i];
            for (size_t k = 0; k < image->from.len; k++)
                if (levels[i] <= levels[image->from.items[k]]) {
                    levels[i] = levels[image->from.items[k]] + 1;
                    more = true;
                }
        }
    }
    return levels;
}

static json_t *needs_json(const struct view_graph *g, size_t service)
{
    json_t *out = json_array();
    for (size_t i = 0; i < g->edges.len; i++) {
        const struct graph_edge *e = &g->edges.items[i];
        if (e->from != service)
            continue;
        json_t *need = json_object();
        json_object_set_new(need, "service", json_safe(g->services.items[e->to].name));
        json_object_set_new(need, "condition", json_safe(e->condition));
        json_object_set_new(need, "required", json_boolean(!e->optional));
        json_object_set_new(need, "restart", json_boolean(e->restart));
        json_object_set_new(need, "link", json_safe(e->link));
        json_array_append_new(out, need);
    }
    return out;
}

static json_t *service_json(const struct view_graph *g, size_t i, size_t level)
{
    const struct graph_service *s = &g->services.items[i];
    json_t *j = json_object();
    json_object_set_new(j, "name", json_safe(s->name));
    json_object_set_new(j, "project", json_safe(s->project));
    json_object_set_new(j, "image", json_safe(s->image));
    json_object_set_new(j, "built", json_boolean(s->built));
    json_object_set_new(j, "replicas", json_integer(s->replicas));
    json_object_set_new(j, "level", json_integer((json_int_t)level));
    json_object_set_new(j, "state", json_safe(s->state));
    json_object_set_new(j, "ports", json_safe_list(&s->ports));
    json_object_set_new(j, "networks", json_safe_list(&s->networks));
    json_object_set_new(j, "volumes", json_safe_list(&s->volumes));
    json_object_set_new(j, "needs", needs_json(g, i));
    return j;
}

static json_t *shared_json(const struct view_graph *g, const struct graph_shared *shared)
{
    json_t *j = json_object(), *users = json_array();
    for (size_t i = 0; i < shared->users.len; i++)
        json_array_append_new(users, json_safe(g->services.items[shared->users.items[i]].name));
    json_object_set_new(j, "key", json_safe(shared->key));
    json_object_set_new(j, "name", json_safe(shared->name));
    json_object_set_new(j, "external", json_boolean(shared->external));
    json_object_set_new(j, "services", users);
    return j;
}

static json_t *image_json(const struct view_graph *g, const struct graph_image *image, size_t level)
{
    json_t *j = json_object(), *from = json_array();
    for (size_t i = 0; i < image->from.len; i++)
        json_array_append_new(from, json_safe(g->images.items[image->from.items[i]].name));
    json_object_set_new(j, "name", json_safe(image->name));
    json_object_set_new(j, "image", json_safe(image->ref));
    json_object_set_new(j, "project", json_safe(image->project));
    json_object_set_new(j, "level", json_integer((json_int_t)level));
    json_object_set_new(j, "from", from);
    json_object_set_new(j, "bases", json_safe_list(&image->bases));
    return j;
}

void view_graph_json(struct str *out, const struct view_graph *g)
{
    auto_free size_t *levels = view_graph_levels(g), *image_levels = view_graph_image_levels(g);
    auto_json json_t *j = json_object();
    json_t *services = json_array(), *networks = json_array(), *volumes = json_array();
    json_t *images = json_array();
    for (size_t i = 0; i < g->services.len; i++)
        json_array_append_new(services, service_json(g, i, levels[i]));
    for (size_t i = 0; i < g->networks.len; i++)
        json_array_append_new(networks, shared_json(g, &g->networks.items[i]));
    for (size_t i = 0; i < g->volumes.len; i++)
        json_array_append_new(volumes, shared_json(g, &g->volumes.items[i]));
    for (size_t i = 0; i < g->images.len; i++)
        json_array_append_new(images, image_json(g, &g->images.items[i], image_levels[i]));
    json_object_set_new(j, "stack", json_safe(g->stack));
    json_object_set_new(j, "live", json_boolean(g->live));
    json_object_set_new(j, "services", services);
    json_object_set_new(j, "networks", networks);
    json_object_set_new(j, "volumes", volumes);
    json_object_set_new(j, "images", images);
    auto_free char *text = json_dumps(j, JSON_INDENT(2));
    str_addf(out, "%s\n", text);
}
