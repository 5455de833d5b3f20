/*
 * Where boxes and lines of a layered drawing go: a column for each level, the highest level at the
 * left, so that lines to what is needed lead to the right. For view/graph_svg.c.
 */
#ifndef VIEW_GRAPH_LAYOUT_H
#define VIEW_GRAPH_LAYOUT_H

#include "view/graph.h"

struct layout_point {
    double x, y;
};

/* A line: straight from points[2k + 1] to points[2k + 2] never, but curved; from points[2k] to
 * points[2k + 1] straight through a column. The first and the last stand alone. */
struct layout_line {
    struct layout_point *points;
    size_t n;
};

struct layout {
    double width, height;
    struct layout_point *boxes; /* top left corners, by service */
    struct layout_line *lines;  /* by edge */
    size_t nboxes, nlines;
};

/* Boxes are `box_width` wide; `heights` by service. */
struct layout *layout_new(const struct view_graph *g, double box_width, const double *heights);
void layout_free(struct layout *l);
DEFINE_FREEP(struct layout, layout_free)

#endif
