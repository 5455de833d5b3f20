/* The rules of docker cp for source and destination. */
#include "live/copy_paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define MAX_LINKS 10

struct copy_path copy_path_read(const char *text, bool in_container)
{
    const char *last = path_base(text);
    bool dot = str_eq(last, "."), up = str_eq(last, "..");
    auto_free char *rooted = in_container ? xasprintf("/%s", text) : xstrdup(text);
    struct copy_path p = { .path = path_clean(rooted), .folder = !*last || dot || up };
    const char *name = path_base(p.path);
    p.contents = dot || !*name || str_eq(name, ".");
    return p;
}

void copy_target_clear(struct copy_target *t)
{
    free(t->folder);
    free(t->name);
}

char *copy_target_path(const struct copy_target *t)
{
    return t->name ? path_join(t->folder, t->name) : path_clean(t->folder);
}

/* The first entry becomes `path` itself. */
static struct copy_target become(const char *path)
{
    return (struct copy_target){ path_dir(path), xstrdup(path_base(path)) };
}

int copy_aim(struct copy_target *out, const struct copy_path *from, bool folder,
             const struct copy_path *to, const struct copy_place *at, struct error *err)
{
    if (from->folder && !folder)
        return error_set(err, ERR_SYSTEM, ENOTDIR, "'%s' is not a folder", from->path);
    if (at->exists && !at->folder && to->folder)
        return error_set(err, ERR_SYSTEM, ENOTDIR, "'%s' is not a folder", to->path);
    if (at->exists && !at->folder && folder)
        return error_set(err, ERR_SYSTEM, EEXIST,
                         "the folder '%s' cannot replace '%s', which is a file", from->path,
                         to->path);
    if (!at->exists && to->folder && !folder)
        return error_set(err, ERR_NOTFOUND, 0, "there is no folder '%s'", to->path);
    if (!at->exists || !at->folder)
        *out = become(at->path);
    else
        *out = (struct copy_target){ xstrdup(at->path),
                                     from->contents ? NULL : xstrdup(path_base(from->path)) };
    return 0;
}

/* Follows the links of the last part, whether or not something is where they lead. */
static char *resolve_links(const char *path, struct error *err)
{
    auto_free char *at = xstrdup(path);
    for (int i = 0; i < MAX_LINKS; i++) {
        char target[4096];
        ssize_t len = readlink(at, target, sizeof(target) - 1);
        if (len < 0)
            return take(at);
        target[len] = '\0';
        auto_free char *dir = path_dir(at);
        char *next = path_is_abs(target) ? xstrdup(target) : xasprintf("%s/%s", dir, target);
        free(at);
        at = next;
    }
    error_set(err, ERR_SYSTEM, EINVAL, "'%s' leads through too many links", path);
    return NULL;
}

static int check_place(struct copy_place *place, struct error *err)
{
    struct stat st;
    if (stat(place->path, &st) == 0) {
        place->exists = true;
        place->folder = S_ISDIR(st.st_mode);
        if (place->folder || S_ISREG(st.st_mode))
            return 0;
        return error_set(err, ERR_SYSTEM, EINVAL, "'%s' is neither a file nor a folder",
                         place->path);
    }
    if (errno != ENOENT)
        return error_errno(err, "look at '%s'", place->path);
    auto_free char *dir = path_dir(place->path);
    if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return error_set(err, ERR_NOTFOUND, 0, "there is no folder '%s'", dir);
    return 0;
}

int copy_place_here(struct copy_place *out, const struct copy_path *to, struct error *err)
{
    struct copy_place place = { .path = resolve_links(to->path, err) };
    if (!place.path)
        return -1;
    if (check_place(&place, err) < 0) {
        free(place.path);
        return -1;
    }
    *out = place;
    return 0;
}
