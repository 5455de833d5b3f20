/*
 * What `stack config` prints: the normalised stack in the form in which `docker compose config`
 * prints it, and lists made from it. All functions append to `out`; nothing is printed here.
 */
#ifndef MODEL_EXPORT_H
#define MODEL_EXPORT_H

#include "base/error.h"
#include "base/str.h"
#include "model/model.h"

enum export_format { EXPORT_YAML, EXPORT_JSON };

struct export_options {
    enum export_format format;
    const char *const *services; /* these and what they depend on; NULL: all */
    bool all_resources;          /* also networks, volumes ... that no service uses */
    bool raw;                    /* --no-interpolate: '$' is not doubled */
    bool images_only;            /* --lock-image-digests: services with their image alone */
    const struct node *images;   /* map service -> image to print instead, or NULL */
};

/* The whole document. ERR_NOTFOUND when a named service is not there. */
int export_stack(struct str *out, const struct stack *st, const struct export_options *opt,
                 struct error *err);

/* One name a line, sorted: what --services, --networks, --volumes, --profiles, --images, --models
 * print. */
enum export_list {
    EXPORT_SERVICES,
    EXPORT_NETWORKS,
    EXPORT_VOLUMES,
    EXPORT_PROFILES,
    EXPORT_IMAGES,
    EXPORT_MODELS,
};
int export_names(struct str *out, const struct stack *st, enum export_list what,
                 const struct export_options *opt, struct error *err);

/* "NAME=value" lines of the variables that interpolation saw. */
void export_environment(struct str *out, const struct stack *st);

/* Variables that the files mention: a table, or JSON / YAML when `format` is not NULL. */
void export_variables(struct str *out, const struct stack *st, const enum export_format *format);

/* "service hash" lines; `names` is "*" or service names between commas. ERR_NOTFOUND. */
int export_hashes(struct str *out, const struct stack *st, const char *names, struct error *err);

#endif
