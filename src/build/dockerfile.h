/*
 * What of a Dockerfile matters outside the builder: which images it starts from or copies from.
 *
 * Only FROM, ARG, COPY, RUN, ADD and ONBUILD are looked at; everything is accepted, since the
 * builder itself reports mistakes, with better words. A place that names an image keeps its
 * position in the text, so that it can be rewritten there.
 */
#ifndef BUILD_DOCKERFILE_H
#define BUILD_DOCKERFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "text/node.h"

#define DOCKERFILE_MAX_BYTES ((size_t)4 << 20)

/* A place that names an image: FROM x, COPY --from=x, RUN --mount=from=x, also after ONBUILD. */
struct dockerfile_use {
    size_t stage;       /* the stage it stands in */
    bool from;          /* FROM */
    bool onbuild;       /* happens in images that are FROM the stage, not here */
    const char *ref;    /* variables replaced; NULL: not known here, `scratch`, or a stage */
    long source;        /* index of the earlier stage that it names, or -1 */
    bool platform;      /* FROM --platform=... */
    size_t offset, len; /* where the name stands in the text */
};

struct dockerfile_stage {
    const char *name; /* AS name, in lower case, or NULL */
};

struct dockerfile {
    const char *text;
    size_t len;
    const struct dockerfile_stage *stages;
    size_t nstages;
    const struct dockerfile_use *uses; /* in the order of the text */
    size_t nuses;
    const char *syntax;  /* `# syntax=` or NULL */
    bool heredocs;       /* RUN <<EOF: the classic builder cannot */
    bool session_mounts; /* RUN --mount=type=secret or ssh */
};

/* What variables in FROM stand for; each member may be NULL. */
struct dockerfile_args {
    const struct node *args;     /* map of strings, over the defaults of ARG */
    const struct node *override; /* the same, over `args` */
    const char *platform;        /* "linux/arm64": gives TARGETARCH and the like */
};

/* `text` (need not end in NUL) must live as long as the result; the rest lives in the arena. */
void dockerfile_parse(struct dockerfile *out, struct arena *a, const char *text, size_t len,
                      const struct dockerfile_args *args);

/* The stage that is built: by name or number, the last one for NULL; -1: there is none. */
long dockerfile_target(const struct dockerfile *df, const char *target);
/* For each stage whether building `target` needs it; owned by the caller, nstages long. */
bool *dockerfile_needed(const struct dockerfile *df, long target);

/* The text with the name of each use replaced by replacements[i], where that is not NULL. Owned by
 * the caller. */
char *dockerfile_rewrite(size_t *out_len, const struct dockerfile *df,
                         const char *const *replacements);

#endif
