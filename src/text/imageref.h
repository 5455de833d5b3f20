/* Image references: [domain[:port]/]path[:tag][@digest], with Docker's defaults. */
#ifndef TEXT_IMAGEREF_H
#define TEXT_IMAGEREF_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

struct imageref {
    const char *domain; /* "docker.io" where none is written */
    const char *path;   /* "library/busybox" */
    const char *tag;    /* "latest" when neither tag nor digest is written; NULL with digest only */
    const char *digest; /* "sha256:..." or NULL */
    const char *familiar; /* as docker shows it: "busybox:latest", "host:5000/x/y:1" */
    const char *name;     /* familiar without tag and digest */
};

/* Texts live in the arena. ERR_INPUT with docker's rule that was broken. */
int imageref_parse(struct imageref *out, struct arena *a, const char *text, struct error *err);

/* Whether it is the whole id of an image, with or without "sha256:": engines take it as a name, but
 * it names nothing in a registry. */
bool imageref_is_id(const char *text);

#endif
