/*
 * The stack as a picture: services, what they wait for, what they share, what is built from what.
 * Whoever knows these things fills the plain structs below; here they become text, DOT, Mermaid,
 * SVG and JSON. Texts may come from anywhere: each form makes them harmless for its readers.
 */
#ifndef VIEW_GRAPH_H
#define VIEW_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/vec.h"

enum graph_tone { TONE_GOOD, TONE_BUSY, TONE_BAD, TONE_OFF };

struct graph_service {
    const char *name;
    const char *project; /* the source project it belongs to, or NULL */
    const char *image;   /* or NULL */
    bool built;          /* the stack builds that image */
    int replicas;
    char *state; /* "healthy", "2 of 3 running"; NULL: not known. Owned */
    enum graph_tone tone;
    struct strv ports, networks, volumes; /* as they are to be shown */
};

/* `from` waits for `to`; indexes of services. */
struct graph_edge {
    size_t from, to;
    const char *condition; /* "started", "healthy", "completed", "ready" */
    bool optional;         /* goes on without it */
    bool restart;          /* is restarted with it */
    const char *link;      /* a link too, by this name; or NULL */
};

/* A network or a volume, and the services that use it. */
struct graph_shared {
    const char *key, *name; /* in the file, on the engine */
    bool external;
    struct {
        VEC(size_t);
    } users;
};

struct graph_shared_list {
    VEC(struct graph_shared);
};

/* An image that is built. */
struct graph_image {
    const char *name, *ref;
    const char *project; /* or NULL */
    struct {
        VEC(size_t); /* images of the list that it is FROM */
    } from;
    struct strv bases; /* others that it is FROM */
};

struct view_graph {
    const char *stack;
    bool live; /* states are known */
    struct {
        VEC(struct graph_service);
    } services;
    struct {
        VEC(struct graph_edge);
    } edges;
    struct graph_shared_list networks, volumes;
    struct {
        VEC(struct graph_image);
    } images;
};

void view_graph_clear(struct view_graph *g);

/* Each service's place in the order of starting, from 0: one more than the last of those it waits
 * for. The same for images. Owned by the caller. */
size_t *view_graph_levels(const struct view_graph *g);
size_t *view_graph_image_levels(const struct view_graph *g);

/* For people: by level, lines of at most `columns`. `color`: states are coloured. */
void view_graph_text(struct str *out, const struct view_graph *g, size_t columns, bool color);
void view_graph_dot(struct str *out, const struct view_graph *g);
void view_graph_mermaid(struct str *out, const struct view_graph *g);
/* A whole document, for light and dark backgrounds, that needs nothing else. */
void view_graph_svg(struct str *out, const struct view_graph *g);
void view_graph_json(struct str *out, const struct view_graph *g);

#endif
