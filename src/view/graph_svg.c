/*
 * The graph as SVG: boxes in columns, what is needed to the right of what needs it, lines that tell
 * the condition; below it what is shared and the order of builds. The viewer's preference chooses
 * between light and dark.
 */
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "view/graph_layout.h"

#define MARGIN 28.0
#define HEAD 44.0  /* the title */
#define LINE 17.0  /* of text */
#define COLUMN 7.3 /* of a character in a box, on average */
#define SMALL 6.4  /* of a smaller one */
#define NAME_LEAST 16
#define NAME_MOST 30

static const char style[] =
    "<style>\n"
    ".g-back{fill:#fff}.g-box{fill:#f6f8fa;stroke:#d1d9e0}.g-text{fill:#1f2328}\n"
    ".g-dim{fill:#59636e}.g-name{font-weight:600}.g-small{font-size:11px}.g-title{font-size:18px}\n"
    ".g-line{fill:none;stroke-width:1.5}.g-optional{stroke-dasharray:2 4}\n"
    ".g-started{stroke:#818b98}.g-healthy{stroke:#1a7f37}.g-completed{stroke:#8250df}\n"
    ".g-ready{stroke:#0969da}.g-tip-started{fill:#818b98}.g-tip-healthy{fill:#1a7f37}\n"
    ".g-tip-completed{fill:#8250df}.g-tip-ready{fill:#0969da}\n"
    ".g-good{fill:#1a7f37}.g-busy{fill:#9a6700}.g-bad{fill:#d1242f}.g-off{fill:#818b98}\n"
    "@media(prefers-color-scheme:dark){\n"
    ".g-back{fill:#0d1117}.g-box{fill:#151b23;stroke:#3d444d}.g-text{fill:#f0f6fc}\n"
    ".g-dim{fill:#9198a1}.g-started{stroke:#656c76}.g-healthy{stroke:#3fb950}\n"
    ".g-completed{stroke:#ab7df8}.g-ready{stroke:#4493f8}.g-tip-started{fill:#656c76}\n"
    ".g-tip-healthy{fill:#3fb950}.g-tip-completed{fill:#ab7df8}.g-tip-ready{fill:#4493f8}\n"
    ".g-good{fill:#3fb950}.g-busy{fill:#d29922}.g-bad{fill:#f85149}.g-off{fill:#656c76}\n"
    "}\n"
    "</style>\n";

static const char *const conditions[] = { "started", "healthy", "completed", "ready" };

/* The class of a condition; one that is not known looks like the first. */
static const char *class_of(const char *condition)
{
    for (size_t i = 0; i < countof(conditions); i++)
        if (str_eq(conditions[i], condition))
            return conditions[i];
    return conditions[0];
}

/* At most `most` columns, and nothing in it that is not text. XML has no U+FFFE and U+FFFF. */
static void add_text(struct str *out, const char *text, size_t most)
{
    auto_free char *safe = safe_text(text, SAFE_LINE);
    auto_str struct str cut = STR_INIT;
    safe_add_cut(&cut, safe, most);
    for (const char *p = cut.buf; *p; p++) {
        if (strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0) {
            str_add(out, "\xef\xbf\xbd");
            p += 2;
        } else if (*p == '&') {
            str_add(out, "&amp;");
        } else if (*p == '<') {
            str_add(out, "&lt;");
        } else if (*p == '>') {
            str_add(out, "&gt;");
        } else if (*p == '"') {
            str_add(out, "&quot;");
        } else {
            str_addc(out, *p);
        }
    }
}

static void put(struct str *out, const char *classes, double x, double y, const char *text,
                size_t most)
{
    str_addf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", classes, x, y);
    add_text(out, text, most);
    str_add(out, "</text>\n");
}

/* --- boxes --- */

static size_t lines_of(const struct graph_service *s)
{
    return 1 + (s->state != NULL) + (s->image != NULL) + (s->ports.len > 0);
}

static size_t columns_of_box(const struct view_graph *g)
{
    size_t columns = NAME_LEAST;
    for (size_t i = 0; i < g->services.len; i++) {
        size_t width = safe_width(g->services.items[i].name);
        columns = width > columns ? width : columns;
    }
    return columns < NAME_MOST ? columns : NAME_MOST;
}

static void add_box(struct str *out, const struct graph_service *s, struct layout_point at,
                    double width, size_t columns)
{
    static const char *const tones[] = { "g-good", "g-busy", "g-bad", "g-off" };
    size_t small = (size_t)((double)columns * COLUMN / SMALL);
    double y = at.y + 20, x = at.x + 12;
    str_add(out, "<g>\n<title>");
    add_text(out, s->name, 200);
    if (s->project) {
        str_add(out, ", project ");
        add_text(out, s->project, 200);
    }
    for (size_t i = 0; i < s->networks.len; i++) {
        str_add(out, i ? ", " : "; networks: ");
        add_text(out, s->networks.items[i], 200);
    }
    for (size_t i = 0; i < s->volumes.len; i++) {
        str_add(out, i ? ", " : "; volumes: ");
        add_text(out, s->volumes.items[i], 200);
    }
    str_addf(out,
             "</title>\n<rect class=\"g-box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
             "height=\"%.1f\" rx=\"8\"/>\n",
             at.x, at.y, width, 12 + LINE * (double)lines_of(s));
    put(out, "g-text g-name", x, y, s->name, columns);
    if (s->state) {
        str_addf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", tones[s->tone],
                 at.x + width - 14, at.y + 16);
        y += LINE;
        auto_free char *classes = xasprintf("g-small %s", tones[s->tone]);
        put(out, classes, x, y, s->state, small);
    }
    if (s->image) {
        y += LINE;
        const char *builds = s->built ? "builds " : "", *slash = strrchr(s->image, '/');
        bool fits = strlen(builds) + safe_width(s->image) <= small;
        auto_free char *text = xasprintf("%s%s%s", builds, fits || !slash ? "" : "…",
                                         fits || !slash ? s->image : slash);
        put(out, "g-dim g-small", x, y, text, small);
    }
    if (s->ports.len) {
        auto_free char *text = strv_join(&s->ports, ", ");
        put(out, "g-dim g-small", x, y + LINE, text, small);
    }
    str_add(out, "</g>\n");
}

/* --- lines --- */

static void add_tips(struct str *out)
{
    str_add(out, "<defs>\n");
    for (size_t i = 0; i < countof(conditions); i++)
        str_addf(out,
                 "<marker id=\"g-to-%s\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                 "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" "
                 "orient=\"auto\"><path class=\"g-tip-%s\" d=\"M0 0L8 4L0 8z\"/></marker>\n",
                 conditions[i], conditions[i]);
    str_add(out, "</defs>\n");
}

static void add_line(struct str *out, const struct view_graph *g, const struct graph_edge *e,
                     const struct layout_line *line)
{
    const char *class = class_of(e->condition);
    str_addf(out, "<path class=\"g-line g-%s%s\" marker-end=\"url(#g-to-%s)\" d=\"M%.1f %.1f",
             class, e->optional ? " g-optional" : "", class, MARGIN + line->points[0].x,
             HEAD + line->points[0].y);
    for (size_t i = 1; i < line->n; i++) {
        double x = MARGIN + line->points[i].x, y = HEAD + line->points[i].y;
        double before_x = MARGIN + line->points[i - 1].x, before_y = HEAD + line->points[i - 1].y;
        double middle = (x + before_x) / 2;
        if (i % 2)
            str_addf(out, "C%.1f %.1f %.1f %.1f %.1f %.1f", middle, before_y, middle, y, x, y);
        else
            str_addf(out, "L%.1f %.1f", x, y);
    }
    str_add(out, "\"><title>");
    add_text(out, g->services.items[e->from].name, 200);
    str_add(out, " needs ");
    add_text(out, g->services.items[e->to].name, 200);
    str_addf(out, ": %s%s", class, e->optional ? ", optional" : "");
    if (e->link) {
        str_add(out, ", link ");
        add_text(out, e->link, 200);
    }
    str_add(out, "</title></path>\n");
}

/* --- below --- */

static void add_legend(struct str *out, const struct view_graph *g, double y)
{
    double x = MARGIN;
    for (size_t i = 0; i < countof(conditions); i++) {
        bool used = false;
        for (size_t k = 0; k < g->edges.len; k++)
            used |= class_of(g->edges.items[k].condition) == conditions[i];
        if (!used)
            continue;
        auto_free char *text = xasprintf("needs it %s", conditions[i]);
        str_addf(out,
                 "<path class=\"g-line g-%s\" marker-end=\"url(#g-to-%s)\" d=\"M%.1f "
                 "%.1fh28\"/>\n",
                 conditions[i], conditions[i], x, y - 4);
        put(out, "g-dim g-small", x + 36, y, text, 40);
        x += 36 + SMALL * (double)strlen(text) + 18;
    }
}

/* Words from `title` on, in lines of `columns`. */
struct paragraph {
    struct str *out;
    double y;
    size_t columns;
    struct str line;
};

static void end_line(struct paragraph *p)
{
    if (p->line.len)
        put(p->out, "g-dim g-small", MARGIN, p->y, p->line.buf, p->columns);
    p->y += p->line.len ? LINE : 0;
    str_truncate(&p->line, 0);
}

static void add_word(struct paragraph *p, const char *word)
{
    auto_free char *safe = safe_text(word, SAFE_LINE);
    if (p->line.len && safe_width(p->line.buf) + 1 + safe_width(safe) > p->columns)
        end_line(p);
    str_addf(&p->line, "%s%s", p->line.len ? " " : "", safe);
}

static void add_shared(struct paragraph *p, const struct view_graph *g, const char *what,
                       const struct graph_shared *shared)
{
    auto_free char *title =
        xasprintf("%s%s %s:", shared->external ? "external " : "", what, shared->key);
    add_word(p, title);
    for (size_t i = 0; i < shared->users.len; i++) {
        auto_free char *word = xasprintf("%s%s", g->services.items[shared->users.items[i]].name,
                                         i + 1 < shared->users.len ? "," : "");
        add_word(p, word);
    }
    end_line(p);
}

static void add_builds(struct paragraph *p, const struct view_graph *g)
{
    auto_free size_t *levels = view_graph_image_levels(g);
    bool more = g->images.len > 0;
    if (more)
        add_word(p, "build order:");
    for (size_t level = 0; more; level++) {
        more = false;
        for (size_t i = 0; i < g->images.len; i++)
            more |= levels[i] > level;
        bool first = true;
        for (size_t i = 0; i < g->images.len; i++) {
            if (levels[i] != level)
                continue;
            auto_free char *word =
                xasprintf("%s%s", first ? level ? "→ " : "" : "+ ", g->images.items[i].name);
            add_word(p, word);
            first = false;
        }
    }
    end_line(p);
}

/* The height of what was written. */
static double add_notes(struct str *out, const struct view_graph *g, double y, double width)
{
    struct paragraph p = { out, y, (size_t)(width / SMALL), STR_INIT };
    if (g->networks.len > 1)
        for (size_t i = 0; i < g->networks.len; i++)
            add_shared(&p, g, "network", &g->networks.items[i]);
    for (size_t i = 0; i < g->volumes.len; i++)
        add_shared(&p, g, "volume", &g->volumes.items[i]);
    add_builds(&p, g);
    str_clear(&p.line);
    return p.y - y;
}

void view_graph_svg(struct str *out, const struct view_graph *g)
{
    auto_free double *heights = xcalloc(g->services.len + 1, sizeof(*heights));
    size_t columns = columns_of_box(g);
    double box = (double)columns * COLUMN + 38;
    for (size_t i = 0; i < g->services.len; i++)
        heights[i] = 12 + LINE * (double)lines_of(&g->services.items[i]);
    auto_(layout_freep) struct layout *l = layout_new(g, box, heights);
    double width = l->width > 320 ? l->width : 320;
    auto_str struct str notes = STR_INIT;
    double legend = HEAD + l->height + 36;
    double below = add_notes(&notes, g, legend + 2 * LINE, width);
    double height = legend + LINE + below + MARGIN;
    str_addf(out,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
             "viewBox=\"0 0 %.0f %.0f\" font-family=\"system-ui,sans-serif\" font-size=\"13\">\n",
             width + 2 * MARGIN, height, width + 2 * MARGIN, height);
    str_add(out, style);
    add_tips(out);
    str_add(out, "<rect class=\"g-back\" width=\"100%\" height=\"100%\"/>\n");
    put(out, "g-text g-name g-title", MARGIN, 28, g->stack, 60);
    for (size_t i = 0; i < l->nlines; i++)
        add_line(out, g, &g->edges.items[i], &l->lines[i]);
    for (size_t i = 0; i < l->nboxes; i++) {
        struct layout_point at = { MARGIN + l->boxes[i].x, HEAD + l->boxes[i].y };
        add_box(out, &g->services.items[i], at, box, columns);
    }
    add_legend(out, g, legend);
    str_addn(out, notes.buf, notes.len);
    str_add(out, "</svg>\n");
}
