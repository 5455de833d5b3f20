/* What extract.c and extract_run.c share. Private to the loader. */
#ifndef MODEL_EXTRACT_H
#define MODEL_EXTRACT_H

#include "model/model.h"

/* Text that says something, or NULL. */
static inline const char *said(const struct node *n, const char *path)
{
    const char *text = node_text_at(n, path);
    return text && *text ? text : NULL;
}

static inline size_t map_len(const struct node *n)
{
    return n && n->kind == NODE_MAP ? n->len : 0;
}

static inline size_t list_len(const struct node *n)
{
    return n && n->kind == NODE_LIST ? n->len : 0;
}

/* Fills in how a service runs, from its config alone: replicas, restart, readiness, health ... */
void extract_running(struct arena *a, struct service *s);

#endif
