/* Paths as text. Results are owned by the caller (free()). */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>

#include "base/error.h"

/* `path` if absolute, else dir + "/" + path; cleaned of ".", "..", "//". No links are followed. */
char *path_join(const char *dir, const char *path);
char *path_clean(const char *path);
/* The part before / after the last slash: "." and the name where there is none. */
char *path_dir(const char *path);
const char *path_base(const char *path); /* points into path */
bool path_is_abs(const char *path);
/* "~" and "~/x" from $HOME, cleaned; other text unchanged. */
char *path_expand_home(const char *path);
/* Whether the cleaned absolute `path` is `root` or below it, by text. */
bool path_below(const char *root, const char *path);
/* Like realpath(3). Fails with ERR_SYSTEM. */
char *path_real(const char *path, struct error *err);
/* `to` as seen from the folder `from`; both clean and absolute. */
char *path_relative(const char *from, const char *to);
/* The path shown to people: relative to the current folder where that is shorter. */
char *path_show(const char *path);

/* $XDG_RUNTIME_DIR/stack, $XDG_CACHE_HOME/stack and so on, with the usual fallbacks; made with
 * mode 0700 when missing. */
char *path_runtime_dir(struct error *err);
char *path_cache_dir(struct error *err);

#endif
