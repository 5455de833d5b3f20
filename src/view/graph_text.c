/*
 * The graph for people: a line for each service, in the order in which they start, with what each
 * waits for; then what they share and the order of builds. Long lists go on below themselves.
 */
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "view/graph.h"
#include "view/private.h"

#define NAME_MOST 28
#define STATE_MOST 18

/* Where a list is being written. */
struct column {
    struct str *out;
    size_t columns; /* of the terminal */
    size_t indent;  /* where the list begins */
    size_t at;      /* where the next word comes */
};

/* A word of a list; words never break. */
static void add_word(struct column *c, const char *word, const char *after)
{
    auto_free char *safe = safe_text(word, SAFE_LINE);
    size_t width = safe_width(safe) + strlen(after);
    if (c->at > c->indent && c->at + 1 + width > c->columns) {
        str_addf(c->out, "\n%*s", (int)c->indent, "");
        c->at = c->indent;
    } else if (c->at > c->indent) {
        str_addc(c->out, ' ');
        c->at++;
    }
    safe_add_cut(c->out, safe, c->columns > c->indent + 8 ? c->columns - c->indent : 8);
    str_add(c->out, after);
    c->at += width;
}

/* `text` in a field of `width` columns. */
static void add_field(struct str *out, const char *text, size_t width)
{
    auto_free char *safe = safe_text(text, SAFE_LINE);
    auto_str struct str cut = STR_INIT;
    safe_add_cut(&cut, safe, width);
    size_t used = safe_width(cut.buf);
    str_addf(out, "%s%*s", cut.buf, (int)(width > used ? width - used : 0), "");
}

static size_t widest(const struct view_graph *g, bool states)
{
    size_t width = states ? 6 : 4, most = states ? STATE_MOST : NAME_MOST;
    for (size_t i = 0; i < g->services.len; i++) {
        const struct graph_service *s = &g->services.items[i];
        size_t w = safe_width(states ? s->state ? s->state : "" : s->name);
        width = w > width ? w : width;
    }
    return width < most ? width : most;
}

static const char *mark_of(const struct graph_service *s)
{
    static const char *const marks[] = { "✔", "…", "✘", "·" };
    return s->state ? marks[s->tone] : " ";
}

static enum color color_of(const struct graph_service *s)
{
    static const enum color colors[] = { COLOR_GREEN, COLOR_YELLOW, COLOR_RED, COLOR_DIM };
    return s->state ? colors[s->tone] : COLOR_NONE;
}

static void add_needs(struct column *c, const struct view_graph *g, size_t service)
{
    size_t left = 0;
    for (size_t i = 0; i < g->edges.len; i++)
        left += g->edges.items[i].from == service;
    for (size_t i = 0; i < g->edges.len; i++) {
        const struct graph_edge *e = &g->edges.items[i];
        if (e->from != service)
            continue;
        auto_str struct str word = STR_INIT;
        str_add(&word, g->services.items[e->to].name);
        bool plain = strcmp(e->condition, "started") == 0 && !e->optional && !e->link;
        bool named = e->link && strcmp(e->link, g->services.items[e->to].name) != 0;
        if (!plain)
            str_addf(&word, " (%s%s%s%s%s)", e->condition, e->optional ? ", optional" : "",
                     e->link ? ", link" : "", named ? " " : "", named ? e->link : "");
        add_word(c, word.buf, --left ? "," : "");
    }
}

static void add_service(struct str *out, const struct view_graph *g, size_t i, size_t level,
                        bool first, size_t columns, bool color)
{
    const struct graph_service *s = &g->services.items[i];
    size_t names = widest(g, false), states = g->live ? widest(g, true) + 2 : 0;
    if (first)
        str_addf(out, "%3zu ", level + 1);
    else
        str_add(out, "    ");
    if (g->live) {
        view_colored(out, color, color_of(s), mark_of(s));
        str_addc(out, ' ');
    }
    add_field(out, s->name, names);
    str_add(out, "  ");
    if (g->live) {
        auto_str struct str field = STR_INIT;
        add_field(&field, s->state ? s->state : "", states - 2);
        view_colored(out, color, color_of(s), field.buf);
        str_add(out, "  ");
    }
    size_t indent = 4 + (g->live ? 2 : 0) + names + 2 + states;
    struct column c = { out, columns, indent + 2, indent + 2 };
    bool needs = false;
    for (size_t k = 0; k < g->edges.len; k++)
        needs |= g->edges.items[k].from == i;
    if (needs) {
        str_add(out, "← ");
        add_needs(&c, g, i);
    }
    while (out->len && out->buf[out->len - 1] == ' ')
        str_truncate(out, out->len - 1);
    str_addc(out, '\n');
    if (s->ports.len) {
        str_addf(out, "%*s", (int)indent + 2, "");
        c.at = c.indent;
        for (size_t k = 0; k < s->ports.len; k++)
            add_word(&c, s->ports.items[k], k + 1 < s->ports.len ? "," : "");
        str_addc(out, '\n');
    }
}

static void add_services(struct str *out, const struct view_graph *g, size_t columns, bool color)
{
    auto_free size_t *levels = view_graph_levels(g);
    size_t last = 0;
    for (size_t i = 0; i < g->services.len; i++)
        last = levels[i] > last ? levels[i] : last;
    for (size_t level = 0; g->services.len && level <= last; level++) {
        bool first = true;
        for (size_t i = 0; i < g->services.len; i++)
            if (levels[i] == level) {
                add_service(out, g, i, level, first, columns, color);
                first = false;
            }
    }
}

static void add_shared(struct str *out, const struct view_graph *g, const char *title,
                       const struct graph_shared *items, size_t n, size_t columns)
{
    size_t width = 4;
    for (size_t i = 0; i < n; i++)
        width = safe_width(items[i].key) > width ? safe_width(items[i].key) : width;
    width = width < NAME_MOST ? width : NAME_MOST;
    if (n)
        str_addf(out, "\n%s\n", title);
    for (size_t i = 0; i < n; i++) {
        const struct graph_shared *shared = &items[i];
        str_add(out, "    ");
        add_field(out, shared->key, width);
        str_add(out, "  ");
        struct column c = { out, columns, 4 + width + 2, 4 + width + 2 };
        if (shared->external)
            add_word(&c, "external:", "");
        if (shared->users.len == g->services.len && g->services.len > 2)
            add_word(&c, "all services", "");
        for (size_t k = 0; k < shared->users.len; k++)
            if (shared->users.len != g->services.len || g->services.len <= 2)
                add_word(&c, g->services.items[shared->users.items[k]].name,
                         k + 1 < shared->users.len ? "," : "");
        str_addc(out, '\n');
    }
}

static void add_image(struct str *out, const struct view_graph *g, const struct graph_image *image,
                      size_t width, size_t columns)
{
    struct column c = { out, columns, 4 + width + 4, 4 + width + 4 };
    add_field(out, image->name, width);
    if (image->from.len + image->bases.len)
        str_add(out, "  ← ");
    for (size_t k = 0; k < image->from.len; k++)
        add_word(&c, g->images.items[image->from.items[k]].name,
                 k + 1 < image->from.len + image->bases.len ? "," : "");
    for (size_t k = 0; k < image->bases.len; k++)
        add_word(&c, image->bases.items[k], k + 1 < image->bases.len ? "," : "");
    while (out->len && out->buf[out->len - 1] == ' ')
        str_truncate(out, out->len - 1);
    str_addc(out, '\n');
}

static void add_images(struct str *out, const struct view_graph *g, size_t columns)
{
    auto_free size_t *levels = view_graph_image_levels(g);
    size_t last = 0, width = 4;
    for (size_t i = 0; i < g->images.len; i++) {
        size_t w = safe_width(g->images.items[i].name);
        last = levels[i] > last ? levels[i] : last;
        width = w > width ? w : width;
    }
    width = width < NAME_MOST ? width : NAME_MOST;
    if (g->images.len)
        str_add(out, "\nbuild order\n");
    for (size_t level = 0; g->images.len && level <= last; level++) {
        bool first = true;
        for (size_t i = 0; i < g->images.len; i++) {
            if (levels[i] != level)
                continue;
            if (first)
                str_addf(out, "%3zu ", level + 1);
            else
                str_add(out, "    ");
            add_image(out, g, &g->images.items[i], width, columns);
            first = false;
        }
    }
}

void view_graph_text(struct str *out, const struct view_graph *g, size_t columns, bool color)
{
    auto_free char *title = safe_text(g->stack, SAFE_LINE);
    str_addf(out, "%s: %zu service%s\n\n", title, g->services.len, g->services.len == 1 ? "" : "s");
    add_services(out, g, columns, color);
    add_shared(out, g, "networks", g->networks.items, g->networks.len, columns);
    add_shared(out, g, "volumes", g->volumes.items, g->volumes.len, columns);
    add_images(out, g, columns);
}
