/* What stands at a path of a container. */
#ifndef ENGINE_PATH_STAT_H
#define ENGINE_PATH_STAT_H

#include <sys/types.h>

#include "engine/engine.h"

struct path_stat {
    mode_t mode; /* with the type; what stat(2) has no name for is a regular file */
    int64_t size;
    char *link; /* symbolic links: where it leads, an absolute path with all links followed; or
                   NULL. Owned */
};
void path_stat_clear(struct path_stat *st);

/* Reads the header X-Docker-Container-Path-Stat. ERR_PROTOCOL. */
int path_stat_parse(struct path_stat *out, const char *header, struct error *err);

/* Asks for `path` in a container, the last part of it not followed (unless it ends in a slash):
 * 1, or 0 when there is nothing, or -1. */
int path_stat_get(struct path_stat *out, struct engine *e, const char *container, const char *path,
                  struct error *err);

#endif
