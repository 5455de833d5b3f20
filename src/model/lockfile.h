/*
 * stack.lock, beside the stack file: which commit each project from git had, and which digest each
 * image, so that others get the same cluster. Written by `stack lock`, read by `up --locked`.
 *
 *     version: 1
 *     projects:
 *       nova:
 *         url: https://opendev.org/openstack/nova
 *         ref: stable/2024.1
 *         commit: 5c1f...
 *     images:
 *       db:
 *         image: mariadb:10.11
 *         digest: sha256:ab12...
 */
#ifndef MODEL_LOCKFILE_H
#define MODEL_LOCKFILE_H

#include <stddef.h>

#include "base/str.h"
#include "text/diag.h"

#define LOCKFILE_NAME "stack.lock"

struct lock_project {
    const char *name;
    const char *url, *ref; /* as the stack file had them, the URL without credentials; or NULL */
    const char *commit;    /* 40 hex */
};

/* Of a service, or of an image that the stack builds. */
struct lock_image {
    const char *name;
    const char *image;  /* the reference: "mariadb:10.11"; built: its repository in the registry */
    const char *digest; /* "sha256:..."; NULL: it was never in a registry, and is used as it is */
};

/* Both sorted by name. */
struct lockfile {
    struct lock_project *projects;
    size_t nprojects;
    struct lock_image *images;
    size_t nimages;
};

/* Texts live in the arena. Mistakes go to d, and the result is -1 with ERR_INPUT; ERR_NOFILE when
 * it is not there. */
int lockfile_read(struct lockfile *out, struct arena *a, const char *path, struct diag *d,
                  struct error *err);
/* The same of a text that was read. */
int lockfile_parse(struct lockfile *out, struct arena *a, const struct source *src, struct diag *d,
                   struct error *err);
void lockfile_print(struct str *out, const struct lockfile *l);

/* By name, or NULL. */
const struct lock_project *lockfile_project(const struct lockfile *l, const char *name);
const struct lock_image *lockfile_image(const struct lockfile *l, const char *name);

/* A line for each thing that differs, for people; "" when nothing does. */
void lockfile_diff(struct str *out, const struct lockfile *before, const struct lockfile *after);

#endif
