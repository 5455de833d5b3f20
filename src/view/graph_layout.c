/*
 * The usual steps of a layered drawing: levels by the longest path; a line over several levels gets
 * a bend in each column between, so that it can be led around boxes; the order within columns by
 * the barycentre of the neighbours, in sweeps to and fro, of which the one with the fewest
 * crossings is kept; then heights, each box drawn towards its neighbours as far as there is room.
 */
#include "view/graph_layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define GAP_X 90.0
#define GAP_Y 22.0
#define BEND_HEIGHT 6.0 /* that a line needs beside boxes */
#define SWEEPS 12
#define DRAWS 12
#define BENDS_MOST 20000    /* more lines are drawn across the columns between */
#define CROSSINGS_MOST 4000 /* segments among which crossings are counted */

struct indexes {
    VEC(size_t);
};

struct vertex {
    size_t level, order;
    double y, height; /* y: of its middle */
    double wish;
    struct indexes down, up; /* neighbours: one level lower, one level higher */
};

struct drawing {
    const struct view_graph *g;
    struct {
        VEC(struct vertex); /* services, then bends */
    } vertices;
    struct indexes *columns; /* vertices of each level, in order */
    size_t ncolumns;
    struct indexes *bends; /* by edge: from its beginning to its end */
};

static void add_vertex(struct drawing *d, size_t level, double height)
{
    struct vertex *v = vec_push(&d->vertices);
    v->level = level;
    v->height = height;
    v->order = d->columns[level].len;
    *vec_push(&d->columns[level]) = d->vertices.len - 1;
}

static void connect(struct drawing *d, size_t upper, size_t lower)
{
    *vec_push(&d->vertices.items[upper].down) = lower;
    *vec_push(&d->vertices.items[lower].up) = upper;
}

static void add_line(struct drawing *d, const struct graph_edge *e, size_t index)
{
    size_t from = d->vertices.items[e->from].level, to = d->vertices.items[e->to].level;
    size_t last = e->from;
    if (from <= to)
        return; /* a circle */
    for (size_t level = from - 1; level > to && d->vertices.len < BENDS_MOST; level--) {
        add_vertex(d, level, BEND_HEIGHT);
        size_t bend = d->vertices.len - 1;
        *vec_push(&d->bends[index]) = bend;
        connect(d, last, bend);
        last = bend;
    }
    if (d->vertices.items[last].level == to + 1)
        connect(d, last, e->to);
}

/* --- order --- */

struct segment {
    size_t upper, lower; /* orders of its ends */
};

static size_t crossings_of(const struct segment *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            count += (s[i].upper < s[k].upper && s[i].lower > s[k].lower) ||
                     (s[i].upper > s[k].upper && s[i].lower < s[k].lower);
    return count;
}

static size_t crossings(const struct drawing *d)
{
    size_t count = 0, all = 0;
    for (size_t level = 1; level < d->ncolumns; level++) {
        struct {
            VEC(struct segment);
        } segments = { 0 };
        for (size_t i = 0; i < d->columns[level].len; i++) {
            const struct vertex *v = &d->vertices.items[d->columns[level].items[i]];
            for (size_t k = 0; k < v->down.len; k++)
                *vec_push(&segments) =
                    (struct segment){ v->order, d->vertices.items[v->down.items[k]].order };
        }
        all += segments.len;
        if (all < CROSSINGS_MOST)
            count += crossings_of(segments.items, segments.len);
        vec_free(&segments);
    }
    return count;
}

static double barycentre(const struct drawing *d, size_t vertex, bool of_lower)
{
    const struct vertex *v = &d->vertices.items[vertex];
    const size_t *items = of_lower ? v->down.items : v->up.items;
    size_t n = of_lower ? v->down.len : v->up.len;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)d->vertices.items[items[i]].order;
    return n ? sum / (double)n : (double)v->order;
}

/* Stable, as equal ones keep their order. */
static void sort_column(struct drawing *d, size_t level, bool of_lower)
{
    size_t n = d->columns[level].len, *items = d->columns[level].items;
    for (size_t i = 0; i < n; i++)
        d->vertices.items[items[i]].wish = barycentre(d, items[i], of_lower);
    for (size_t i = 1; i < n; i++) {
        size_t v = items[i], k = i;
        for (; k > 0 && d->vertices.items[items[k - 1]].wish > d->vertices.items[v].wish; k--)
            items[k] = items[k - 1];
        items[k] = v;
    }
    for (size_t i = 0; i < n; i++)
        d->vertices.items[items[i]].order = i;
}

static void save_order(const struct drawing *d, size_t *orders)
{
    for (size_t i = 0; i < d->vertices.len; i++)
        orders[i] = d->vertices.items[i].order;
}

static void restore_order(struct drawing *d, const size_t *orders)
{
    for (size_t i = 0; i < d->vertices.len; i++) {
        struct vertex *v = &d->vertices.items[i];
        v->order = orders[i];
        d->columns[v->level].items[v->order] = i;
    }
}

static void order_columns(struct drawing *d)
{
    auto_free size_t *best = xcalloc(d->vertices.len + 1, sizeof(*best));
    size_t fewest = crossings(d);
    save_order(d, best);
    for (size_t sweep = 0; sweep < SWEEPS && fewest; sweep++) {
        for (size_t i = 1; i < d->ncolumns; i++)
            sort_column(d, sweep % 2 ? d->ncolumns - 1 - i : i, sweep % 2 == 0);
        size_t now = crossings(d);
        if (now < fewest) {
            fewest = now;
            save_order(d, best);
        }
    }
    restore_order(d, best);
}

/* --- heights --- */

static double apart(const struct vertex *a, const struct vertex *b)
{
    return (a->height + b->height) / 2 + GAP_Y;
}

/* The nearest places to the wishes that keep the order and the gaps: the middle between pushing
 * everything down and pushing everything up. */
static void place_column(struct drawing *d, size_t level)
{
    size_t n = d->columns[level].len;
    const size_t *items = d->columns[level].items;
    auto_free double *low = xcalloc(n + 1, sizeof(*low)), *high = xcalloc(n + 1, sizeof(*high));
    for (size_t i = 0; i < n; i++) {
        const struct vertex *v = &d->vertices.items[items[i]];
        low[i] = v->wish;
        if (i) {
            double least = low[i - 1] + apart(&d->vertices.items[items[i - 1]], v);
            low[i] = low[i] < least ? least : low[i];
        }
    }
    for (size_t i = n; i-- > 0;) {
        const struct vertex *v = &d->vertices.items[items[i]];
        high[i] = v->wish;
        if (i + 1 < n) {
            double most = high[i + 1] - apart(v, &d->vertices.items[items[i + 1]]);
            high[i] = high[i] > most ? most : high[i];
        }
    }
    for (size_t i = 0; i < n; i++)
        d->vertices.items[items[i]].y = (low[i] + high[i]) / 2;
}

static void wish_for_neighbours(struct drawing *d, size_t level)
{
    for (size_t i = 0; i < d->columns[level].len; i++) {
        struct vertex *v = &d->vertices.items[d->columns[level].items[i]];
        size_t n = v->down.len + v->up.len;
        double sum = 0;
        for (size_t k = 0; k < v->down.len; k++)
            sum += d->vertices.items[v->down.items[k]].y;
        for (size_t k = 0; k < v->up.len; k++)
            sum += d->vertices.items[v->up.items[k]].y;
        v->wish = n ? sum / (double)n : v->y;
    }
}

static void set_heights(struct drawing *d)
{
    for (size_t level = 0; level < d->ncolumns; level++)
        place_column(d, level); /* all wishes are 0 still: around the middle */
    for (size_t round = 0; round < DRAWS; round++)
        for (size_t i = 0; i < d->ncolumns; i++) {
            size_t level = round % 2 ? d->ncolumns - 1 - i : i;
            wish_for_neighbours(d, level);
            place_column(d, level);
        }
}

/* --- the result --- */

static void add_point(struct layout_line *line, double x, double y)
{
    line->points[line->n++] = (struct layout_point){ x, y };
}

static double column_x(const struct drawing *d, size_t level, double box_width)
{
    return (double)(d->ncolumns - 1 - level) * (box_width + GAP_X);
}

static struct layout *take_places(struct drawing *d, double box_width)
{
    const struct view_graph *g = d->g;
    struct layout *l = xnew(struct layout);
    double top = 0, bottom = 0;
    for (size_t i = 0; i < d->vertices.len; i++) {
        const struct vertex *v = &d->vertices.items[i];
        top = i == 0 || v->y - v->height / 2 < top ? v->y - v->height / 2 : top;
        bottom = i == 0 || v->y + v->height / 2 > bottom ? v->y + v->height / 2 : bottom;
    }
    l->width = d->ncolumns ? column_x(d, 0, box_width) + box_width : 0;
    l->height = bottom - top;
    l->nboxes = g->services.len;
    l->nlines = g->edges.len;
    l->boxes = xcalloc(l->nboxes + 1, sizeof(*l->boxes));
    l->lines = xcalloc(l->nlines + 1, sizeof(*l->lines));
    for (size_t i = 0; i < l->nboxes; i++) {
        const struct vertex *v = &d->vertices.items[i];
        l->boxes[i] =
            (struct layout_point){ column_x(d, v->level, box_width), v->y - v->height / 2 - top };
    }
    for (size_t i = 0; i < l->nlines; i++) {
        const struct graph_edge *e = &g->edges.items[i];
        const struct vertex *from = &d->vertices.items[e->from], *to = &d->vertices.items[e->to];
        struct layout_line *line = &l->lines[i];
        line->points = xcalloc(2 * d->bends[i].len + 2, sizeof(*line->points));
        add_point(line, column_x(d, from->level, box_width) + box_width, from->y - top);
        for (size_t k = 0; k < d->bends[i].len; k++) {
            const struct vertex *bend = &d->vertices.items[d->bends[i].items[k]];
            double x = column_x(d, bend->level, box_width);
            add_point(line, x, bend->y - top);
            add_point(line, x + box_width, bend->y - top);
        }
        add_point(line, column_x(d, to->level, box_width), to->y - top);
    }
    return l;
}

struct layout *layout_new(const struct view_graph *g, double box_width, const double *heights)
{
    struct drawing d = { .g = g };
    auto_free size_t *levels = view_graph_levels(g);
    for (size_t i = 0; i < g->services.len; i++)
        d.ncolumns = levels[i] >= d.ncolumns ? levels[i] + 1 : d.ncolumns;
    d.columns = xcalloc(d.ncolumns + 1, sizeof(*d.columns));
    d.bends = xcalloc(g->edges.len + 1, sizeof(*d.bends));
    for (size_t i = 0; i < g->services.len; i++)
        add_vertex(&d, levels[i], heights[i]);
    for (size_t i = 0; i < g->edges.len; i++)
        add_line(&d, &g->edges.items[i], i);
    order_columns(&d);
    set_heights(&d);
    struct layout *l = take_places(&d, box_width);
    vec_each (v, &d.vertices) {
        vec_free(&v->down);
        vec_free(&v->up);
    }
    vec_free(&d.vertices);
    for (size_t i = 0; i < d.ncolumns; i++)
        vec_free(&d.columns[i]);
    for (size_t i = 0; i < g->edges.len; i++)
        vec_free(&d.bends[i]);
    free(d.columns);
    free(d.bends);
    return l;
}

void layout_free(struct layout *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->nlines; i++)
        free(l->lines[i].points);
    free(l->lines);
    free(l->boxes);
    free(l);
}
