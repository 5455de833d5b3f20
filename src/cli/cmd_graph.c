/*
 * `stack graph`: the stack as a picture. Everything but the states comes from the files; the engine
 * is asked once, for a moment, and not needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "build/recipe.h"
#include "cli/cli.h"
#include "engine/requests.h"
#include "loop/tty.h"
#include "view/graph.h"

#define ENGINE_MS 3000
#define COLUMNS 80

struct graph_options {
    bool no_state;
    const char *format, *output;
};
#define OPTIONS graph_options

static const char *const formats[] = { "text", "dot", "mermaid", "svg", "json", NULL };
static const struct option rows[] = {
    ROW_CHOICE(0, "format", format, formats,
               "Form of the picture (default text, or what the name of the output ends with)"),
    ROW_STRING('o', "output", output, "FILE", COMPLETE_FILE, "Write it to a file"),
    ROW_FLAG(0, "no-state", no_state, "Do not ask the engine what runs"),
};

/* --- from the model --- */

static const char *condition_word(enum condition c)
{
    static const char *const words[] = { [COND_STARTED] = "started",
                                         [COND_HEALTHY] = "healthy",
                                         [COND_COMPLETED] = "completed",
                                         [COND_READY] = "ready" };
    return words[c];
}

static const char *link_of(const struct service *s, const struct service *to)
{
    for (size_t i = 0; i < s->nlinks; i++)
        if (s->links[i].service == to)
            return s->links[i].alias ? s->links[i].alias : to->name;
    return NULL;
}

static void add_edges(struct view_graph *g, const struct service *s)
{
    for (size_t i = 0; i < s->ndeps; i++) {
        const struct dependency *d = &s->deps[i];
        *vec_push(&g->edges) = (struct graph_edge){ .from = s->index,
                                                    .to = d->service->index,
                                                    .condition = condition_word(d->condition),
                                                    .optional = !d->required,
                                                    .restart = d->restart,
                                                    .link = link_of(s, d->service) };
    }
}

static void add_ports(struct graph_service *out, const struct service *s)
{
    for (size_t i = 0; i < s->nports; i++) {
        const struct port *p = &s->ports[i];
        bool tcp = str_eq(p->protocol, "tcp");
        if (*p->published)
            strv_addf(&out->ports, "%s%s%s → %d%s%s", p->host_ip, *p->host_ip ? ":" : "",
                      p->published, p->target, tcp ? "" : "/", tcp ? "" : p->protocol);
    }
}

static void use(struct graph_shared *shared, size_t service)
{
    for (size_t i = 0; i < shared->users.len; i++)
        if (shared->users.items[i] == service)
            return;
    *vec_push(&shared->users) = service;
}

static void add_service(struct view_graph *g, const struct stack *st, const struct service *s)
{
    struct graph_service *out = vec_push(&g->services);
    *out = (struct graph_service){ .name = s->name,
                                   .project = s->project,
                                   .image = s->image,
                                   .built = s->build,
                                   .replicas = s->replicas };
    add_ports(out, s);
    for (size_t i = 0; i < s->nendpoints; i++) {
        const struct network *n = s->endpoints[i].network;
        strv_add(&out->networks, n->key);
        use(&g->networks.items[n - st->networks], s->index);
    }
    for (size_t i = 0; i < s->nmounts; i++) {
        const struct volume *v = s->mounts[i].volume;
        if (!v)
            continue;
        strv_add(&out->volumes, v->key);
        use(&g->volumes.items[v - st->volumes], s->index);
    }
    add_edges(g, s);
}

/* What nobody uses is left out. */
static void drop_unused(struct graph_shared_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->len; i++)
        if (list->items[i].users.len)
            list->items[kept++] = list->items[i];
    list->len = kept;
}

/* A Dockerfile that cannot be read says nothing here; `stack check` and `build` complain. */
static void add_sources(struct graph_image *out, const struct stack *st, const struct image *image)
{
    auto_(recipe_freep) struct recipe *r = NULL;
    if (image->remote_context || recipe_read(&r, st, image, NULL, NULL) < 0)
        return;
    for (size_t i = 0; i < r->dockerfile.nuses; i++) {
        const struct recipe_source *source = &r->sources[i];
        bool known = false;
        for (size_t k = 0; k < out->from.len; k++)
            known |= source->image == (long)out->from.items[k];
        if (source->image >= 0 && !known)
            *vec_push(&out->from) = (size_t)source->image;
        else if (source->image < 0 && source->base && !strv_has(&out->bases, source->base))
            strv_add(&out->bases, source->base);
    }
}

static void add_stack(struct view_graph *g, const struct stack *st)
{
    g->stack = st->name;
    for (size_t i = 0; i < st->nnetworks; i++)
        *vec_push(&g->networks) = (struct graph_shared){ .key = st->networks[i].key,
                                                         .name = st->networks[i].name,
                                                         .external = st->networks[i].external };
    for (size_t i = 0; i < st->nvolumes; i++)
        *vec_push(&g->volumes) = (struct graph_shared){ .key = st->volumes[i].key,
                                                        .name = st->volumes[i].name,
                                                        .external = st->volumes[i].external };
    for (size_t i = 0; i < st->nservices; i++)
        add_service(g, st, &st->services[i]);
    drop_unused(&g->networks);
    drop_unused(&g->volumes);
    for (size_t i = 0; i < st->nimages; i++) {
        struct graph_image *image = vec_push(&g->images);
        *image = (struct graph_image){ .name = st->images[i].name,
                                       .ref = st->images[i].ref,
                                       .project = st->images[i].project };
        add_sources(image, st, &st->images[i]);
    }
}

/* --- from the engine --- */

static enum graph_tone tone_of(const struct seen_container *c)
{
    if (c->state == CONTAINER_RUNNING)
        return c->health == HEALTH_UNHEALTHY  ? TONE_BAD
               : c->health == HEALTH_STARTING ? TONE_BUSY
                                              : TONE_GOOD;
    if (c->state == CONTAINER_EXITED)
        return c->exit_code == 0 ? TONE_OFF : TONE_BAD;
    if (c->state == CONTAINER_DEAD)
        return TONE_BAD;
    return c->state == CONTAINER_CREATED ? TONE_OFF : TONE_BUSY;
}

static char *state_of(const struct seen_container *c)
{
    static const char *const health[] = { [HEALTH_NONE] = "running",
                                          [HEALTH_STARTING] = "starting",
                                          [HEALTH_HEALTHY] = "healthy",
                                          [HEALTH_UNHEALTHY] = "unhealthy" };
    if (c->state == CONTAINER_RUNNING)
        return xstrdup(health[c->health]);
    if (c->state == CONTAINER_EXITED && c->exit_code >= 0)
        return xasprintf("exited (%d)", c->exit_code);
    return xstrdup(container_state_names[c->state]);
}

/* Of several containers the worst gives the tone, and how many run the words. */
static void set_state(struct graph_service *out, const struct service *s,
                      const struct snapshot *now)
{
    static const int badness[] = {
        [TONE_GOOD] = 0, [TONE_OFF] = 1, [TONE_BUSY] = 2, [TONE_BAD] = 3
    };
    size_t n, counted = 0, running = 0;
    const struct seen_container *all = snapshot_service(&n, now, s->name), *one = NULL;
    for (size_t i = 0; i < n; i++) {
        if (all[i].oneoff)
            continue;
        enum graph_tone tone = tone_of(&all[i]);
        if (!counted++ || badness[tone] > badness[out->tone]) {
            out->tone = tone;
            one = &all[i];
        }
        running += all[i].state == CONTAINER_RUNNING;
    }
    if (!counted) {
        out->tone = TONE_OFF;
        out->state = xstrdup(s->replicas ? "absent" : "off");
    } else if (counted == 1 && s->replicas <= 1) {
        if (s->job && one->exit_code == 0)
            out->tone = TONE_GOOD;
        out->state = state_of(one);
    } else {
        size_t wanted = (size_t)s->replicas > counted ? (size_t)s->replicas : counted;
        if (running < wanted && out->tone == TONE_GOOD)
            out->tone = TONE_BUSY;
        out->state = xasprintf("%zu of %zu running", running, wanted);
    }
}

/* Without an answer there are no states; why is told, as it may be a mistake. */
static void add_states(struct view_graph *g, struct cli *cli)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *list = NULL;
    auto_(snapshot_freep) struct snapshot *now = snapshot_new();
    struct engine_request rq;
    rq_containers(&rq, cli->stack_name, true);
    if (cli_engine(cli, &err) < 0) {
        engine_request_clear(&rq);
    } else if (engine_do_within(&list, cli->engine, &rq, ENGINE_MS, &err) == 0 &&
               snapshot_read_containers(now, list, &err) == 0) {
        g->live = true;
        for (size_t i = 0; i < g->services.len; i++)
            set_state(&g->services.items[i], &cli->stack->services[i], now);
        return;
    }
    struct sink sink = view_sink(cli_view(cli, NULL));
    auto_free char *text = xasprintf("without states: %s", err.msg);
    sink.event(sink.ctx, &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
}

/* --- printing --- */

static const char *format_of(const struct graph_options *o)
{
    static const struct {
        const char *ending, *format;
    } known[] = { { ".dot", "dot" },
                  { ".gv", "dot" },
                  { ".mmd", "mermaid" },
                  { ".svg", "svg" },
                  { ".json", "json" } };
    if (o->format)
        return o->format;
    for (size_t i = 0; o->output && i < countof(known); i++)
        if (str_ends(o->output, known[i].ending))
            return known[i].format;
    return "text";
}

static void print_text(struct str *out, const struct view_graph *g, struct cli *cli,
                       const struct graph_options *o)
{
    int height, columns = COLUMNS;
    if (!o->output && tty_is(STDOUT_FILENO))
        tty_size(STDOUT_FILENO, &height, &columns);
    view_graph_text(out, g, (size_t)columns, !o->output && view_color(cli_view(cli, NULL), stdout));
}

static void print(struct str *out, const struct view_graph *g, struct cli *cli,
                  const struct graph_options *o)
{
    const char *format = format_of(o);
    if (str_eq(format, "dot"))
        view_graph_dot(out, g);
    else if (str_eq(format, "mermaid"))
        view_graph_mermaid(out, g);
    else if (str_eq(format, "svg"))
        view_graph_svg(out, g);
    else if (str_eq(format, "json"))
        view_graph_json(out, g);
    else
        print_text(out, g, cli, o);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct graph_options *o = values;
    (void)args;
    if (cli_load(cli, NULL, err) < 0)
        return -1;
    __attribute__((unused, cleanup(view_graph_clear))) struct view_graph g = { 0 };
    add_stack(&g, cli->stack);
    if (!o->no_state)
        add_states(&g, cli);
    auto_str struct str out = STR_INIT;
    print(&out, &g, cli, o);
    if (o->output && !str_eq(o->output, "-"))
        return file_write_atomic(o->output, out.buf, out.len, file_usual_mode(), err) < 0
                   ? -1
                   : EXIT_DONE;
    fwrite(out.buf, 1, out.len, stdout);
    return EXIT_DONE;
}

static const char *const examples[] = {
    "stack graph",
    "in which order services start, and what each waits for",
    "stack graph -o stack.svg",
    "a picture for a browser",
    "stack graph --format mermaid --no-state",
    "for a README",
    NULL,
};

extern const struct command cmd_graph;
const struct command cmd_graph = {
    .name = "graph",
    .group = "Inspect",
    .usage = "[OPTIONS]",
    .summary = "Show services, what they need, what they share and the order of builds",
    .text =
        "As text, or for Graphviz (dot), Mermaid, a browser (svg) and scripts (json). Numbers tell "
        "the order of starting: a service starts after those that it needs, shown after an arrow "
        "with the condition that they have to fulfil. Where an engine answers the states of the "
        "services are shown, too.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct graph_options),
    .run = run,
};
