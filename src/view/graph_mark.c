/* The graph in the languages of Graphviz and Mermaid. */
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "view/graph.h"

/* --- DOT --- */

/* In quotes: backslashes begin escapes there, also "\N" for the node's name. */
static void dot_text(struct str *out, const char *text)
{
    auto_free char *safe = safe_text(text, SAFE_LINE);
    for (const char *p = safe; *p; p++) {
        if (*p == '"' || *p == '\\')
            str_addc(out, '\\');
        str_addc(out, *p);
    }
}

static void dot_service(struct str *out, const struct view_graph *g, size_t i, const char *indent)
{
    static const char *const colors[] = { "#2da44e", "#bf8700", "#cf222e", "#8c959f" };
    const struct graph_service *s = &g->services.items[i];
    str_addf(out, "%ss%zu [label=\"", indent, i);
    dot_text(out, s->name);
    if (s->state) {
        str_add(out, "\\n");
        dot_text(out, s->state);
    }
    for (size_t k = 0; k < s->ports.len; k++) {
        str_add(out, "\\n");
        dot_text(out, s->ports.items[k]);
    }
    str_add(out, "\"");
    if (s->state)
        str_addf(out, ", color=\"%s\"", colors[s->tone]);
    str_add(out, "];\n");
}

/* Services of a source project stand together. */
static bool first_of_project(const struct view_graph *g, size_t i)
{
    const char *project = g->services.items[i].project;
    for (size_t k = 0; k < i; k++)
        if (str_eq(g->services.items[k].project, project))
            return false;
    return project;
}

static void dot_edges(struct str *out, const struct view_graph *g)
{
    for (size_t i = 0; i < g->edges.len; i++) {
        const struct graph_edge *e = &g->edges.items[i];
        str_addf(out, "  s%zu -> s%zu [label=\"", e->from, e->to);
        if (!str_eq(e->condition, "started"))
            dot_text(out, e->condition);
        if (e->link) {
            str_add(out, str_eq(e->condition, "started") ? "link " : "\\nlink ");
            dot_text(out, e->link);
        }
        str_addf(out, "\"%s];\n", e->optional ? ", style=dashed" : "");
    }
}

static void dot_shared(struct str *out, const struct graph_shared *items, size_t n, char letter,
                       const char *shape)
{
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "  %c%zu [shape=%s, label=\"", letter, i, shape);
        dot_text(out, items[i].key);
        str_addf(out, "\"%s];\n", items[i].external ? ", style=dashed" : "");
        for (size_t k = 0; k < items[i].users.len; k++)
            str_addf(out, "  s%zu -> %c%zu [dir=none, style=dotted];\n", items[i].users.items[k],
                     letter, i);
    }
}

static void dot_images(struct str *out, const struct view_graph *g)
{
    for (size_t i = 0; i < g->images.len; i++) {
        const struct graph_image *image = &g->images.items[i];
        str_addf(out, "  i%zu [shape=note, label=\"", i);
        dot_text(out, image->name);
        str_add(out, "\"];\n");
        for (size_t k = 0; k < image->from.len; k++)
            str_addf(out, "  i%zu -> i%zu [label=\"FROM\", style=dashed];\n", i,
                     image->from.items[k]);
        for (size_t k = 0; k < g->services.len; k++)
            if (g->services.items[k].built && str_eq(g->services.items[k].image, image->ref))
                str_addf(out, "  s%zu -> i%zu [dir=none, style=dotted];\n", k, i);
    }
}

void view_graph_dot(struct str *out, const struct view_graph *g)
{
    str_add(out, "digraph \"");
    dot_text(out, g->stack);
    str_add(out,
            "\" {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
            "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (size_t i = 0; i < g->services.len; i++) {
        const char *project = g->services.items[i].project;
        if (!project)
            dot_service(out, g, i, "  ");
        if (!first_of_project(g, i))
            continue;
        str_addf(out, "  subgraph cluster_%zu {\n    label=\"", i);
        dot_text(out, project);
        str_add(out, "\";\n");
        for (size_t k = i; k < g->services.len; k++)
            if (str_eq(g->services.items[k].project, project))
                dot_service(out, g, k, "    ");
        str_add(out, "  }\n");
    }
    dot_edges(out, g);
    if (g->networks.len > 1) /* one for all says nothing */
        dot_shared(out, g->networks.items, g->networks.len, 'n', "ellipse");
    dot_shared(out, g->volumes.items, g->volumes.len, 'v', "cylinder");
    dot_images(out, g);
    str_add(out, "}\n");
}

/* --- Mermaid --- */

/* In quotes: its own form of entities, and nothing that could be Markdown or HTML. */
static void mermaid_text(struct str *out, const char *text)
{
    auto_free char *safe = safe_text(text, SAFE_LINE);
    for (const char *p = safe; *p; p++) {
        if (strchr("\"#&<>`\\|*[]{}", *p))
            str_addf(out, "#%d;", *p);
        else
            str_addc(out, *p);
    }
}

static void mermaid_service(struct str *out, const struct view_graph *g, size_t i)
{
    static const char *const classes[] = { "good", "busy", "bad", "off" };
    const struct graph_service *s = &g->services.items[i];
    str_addf(out, "    s%zu[\"", i);
    mermaid_text(out, s->name);
    if (s->state) {
        str_add(out, "<br/>");
        mermaid_text(out, s->state);
    }
    for (size_t k = 0; k < s->ports.len; k++) {
        str_add(out, "<br/>");
        mermaid_text(out, s->ports.items[k]);
    }
    str_add(out, "\"]");
    if (s->state)
        str_addf(out, ":::%s", classes[s->tone]);
    str_addc(out, '\n');
}

static void mermaid_edges(struct str *out, const struct view_graph *g)
{
    for (size_t i = 0; i < g->edges.len; i++) {
        const struct graph_edge *e = &g->edges.items[i];
        auto_str struct str label = STR_INIT;
        if (!str_eq(e->condition, "started"))
            mermaid_text(&label, e->condition);
        if (e->link) {
            str_add(&label, label.len ? ", link " : "link ");
            mermaid_text(&label, e->link);
        }
        str_addf(out, "    s%zu %s", e->from, e->optional ? "-.->" : "-->");
        if (label.len)
            str_addf(out, "|\"%s\"|", label.buf);
        str_addf(out, " s%zu\n", e->to);
    }
}

static void mermaid_shared(struct str *out, const struct graph_shared *items, size_t n, char letter,
                           const char *open, const char *close)
{
    for (size_t i = 0; i < n; i++) {
        str_addf(out, "    %c%zu%s\"", letter, i, open);
        mermaid_text(out, items[i].key);
        str_addf(out, "\"%s\n", close);
        for (size_t k = 0; k < items[i].users.len; k++)
            str_addf(out, "    s%zu -.- %c%zu\n", items[i].users.items[k], letter, i);
    }
}

static void mermaid_images(struct str *out, const struct view_graph *g)
{
    for (size_t i = 0; i < g->images.len; i++) {
        const struct graph_image *image = &g->images.items[i];
        str_addf(out, "    i%zu[/\"", i);
        mermaid_text(out, image->name);
        str_add(out, "\"/]\n");
        for (size_t k = 0; k < image->from.len; k++)
            str_addf(out, "    i%zu -.->|FROM| i%zu\n", i, image->from.items[k]);
        for (size_t k = 0; k < g->services.len; k++)
            if (g->services.items[k].built && str_eq(g->services.items[k].image, image->ref))
                str_addf(out, "    s%zu -.- i%zu\n", k, i);
    }
}

void view_graph_mermaid(struct str *out, const struct view_graph *g)
{
    str_add(out, "flowchart LR\n");
    for (size_t i = 0; i < g->services.len; i++) {
        const char *project = g->services.items[i].project;
        if (!project)
            mermaid_service(out, g, i);
        if (!first_of_project(g, i))
            continue;
        str_addf(out, "    subgraph p%zu [\"", i);
        mermaid_text(out, project);
        str_add(out, "\"]\n");
        for (size_t k = i; k < g->services.len; k++)
            if (str_eq(g->services.items[k].project, project))
                mermaid_service(out, g, k);
        str_add(out, "    end\n");
    }
    mermaid_edges(out, g);
    if (g->networks.len > 1)
        mermaid_shared(out, g->networks.items, g->networks.len, 'n', "([", "])");
    mermaid_shared(out, g->volumes.items, g->volumes.len, 'v', "[(", ")]");
    mermaid_images(out, g);
    if (g->live)
        str_add(out, "    classDef good stroke:#2da44e\n    classDef busy stroke:#bf8700\n"
                     "    classDef bad stroke:#cf222e\n    classDef off stroke:#8c959f\n");
}
