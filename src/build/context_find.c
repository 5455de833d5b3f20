/*
 * Where the parts of a build context are. The Dockerfile may stand outside of the context when the
 * stack file says so; but what lies in the context, or claims to, must really be there: a link in a
 * project's repository must not bring in files of the machine.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "build/context.h"
#include "build/dockerfile.h"

#define IGNORE_MAX_BYTES ((size_t)1 << 20)

/* A name that fits a plain tar header: BuildKit knows a tar only by such a first entry. */
static bool plain_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return strlen(name) <= 100;
}

static int find_root(struct context_place *place, struct arena *a, const struct image *image,
                     struct error *err)
{
    struct stat st;
    if (stat(image->context, &st) < 0) {
        if (errno == ENOENT)
            return error_set(err, ERR_INPUT, 0, "the build context '%s' does not exist",
                             image->context);
        return error_errno(err, "look at the build context '%s'", image->context);
    }
    if (!S_ISDIR(st.st_mode))
        return error_set(err, ERR_INPUT, 0, "the build context '%s' is not a folder",
                         image->context);
    auto_free char *real = path_real(image->context, err);
    if (!real)
        return -1;
    place->root = arena_strdup(a, real);
    return 0;
}

/* The real path of `path`, which by its text is in the context; ERR_INPUT when it is not. */
static char *real_inside(const char *what, const char *path, const char *context, const char *root,
                         struct error *err)
{
    auto_free char *real = path_real(path, err);
    if (!real)
        return NULL;
    if (path_below(context, path) && !path_below(root, real)) {
        error_set(err, ERR_INPUT, 0, "%s '%s' is a link to '%s', outside of the build context",
                  what, path, real);
        error_hint(err, "copy it into the context");
        return NULL;
    }
    return take(real);
}

static int find_dockerfile(struct context_place *place, char **path, struct arena *a,
                           const struct image *image, struct error *err)
{
    const char *written = image->dockerfile ? image->dockerfile : "Dockerfile";
    auto_free char *full = path_join(image->context, written);
    if (!file_exists(full)) {
        error_set(err, ERR_INPUT, 0, "there is no Dockerfile '%s'", full);
        return error_hint(err, "create it, or say where it is with build.dockerfile");
    }
    auto_free char *real = real_inside("the Dockerfile", full, image->context, place->root, err);
    char *text;
    if (!real || file_read(&text, &place->dockerfile_len, real, DOCKERFILE_MAX_BYTES, err) < 0)
        return -1;
    place->dockerfile = arena_strndup(a, text, place->dockerfile_len);
    free(text);
    const char *name = path_below(place->root, real) ? real + strlen(place->root) : "";
    name += *name == '/';
    place->dockerfile_name = *name && plain_name(name) ? arena_strdup(a, name) : CONTEXT_DOCKERFILE;
    *path = take(full);
    return 0;
}

static int find_ignore(struct context_place *place, const char *dockerfile, struct arena *a,
                       const struct image *image, struct error *err)
{
    auto_free char *own = dockerfile ? xasprintf("%s.dockerignore", dockerfile) : NULL;
    auto_free char *common = path_join(image->context, ".dockerignore");
    const char *path = own && file_exists(own) ? own : file_exists(common) ? common : NULL;
    if (!path)
        return 0;
    auto_free char *real = real_inside("the ignore file", path, image->context, place->root, err);
    auto_free char *text = NULL;
    size_t len;
    if (!real || file_read(&text, &len, real, IGNORE_MAX_BYTES, err) < 0)
        return -1;
    place->ignore_path = arena_strdup(a, path);
    place->ignore = arena_strndup(a, text, len);
    return 0;
}

int context_find(struct context_place *out, struct arena *a, const struct image *image,
                 struct error *err)
{
    struct context_place place = { 0 };
    if (image->remote_context) {
        place.dockerfile_name = image->dockerfile;
        *out = place;
        return 0;
    }
    auto_free char *dockerfile = NULL;
    if (find_root(&place, a, image, err) < 0)
        return -1;
    if (image->dockerfile_inline) {
        place.dockerfile_len = strlen(image->dockerfile_inline);
        place.dockerfile = arena_strndup(a, image->dockerfile_inline, place.dockerfile_len);
        place.dockerfile_name = CONTEXT_DOCKERFILE;
    } else if (find_dockerfile(&place, &dockerfile, a, image, err) < 0) {
        return -1;
    }
    if (find_ignore(&place, dockerfile, a, image, err) < 0)
        return -1;
    *out = place;
    return 0;
}
