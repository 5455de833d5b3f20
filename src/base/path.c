/* Paths as text, and the two folders of our own. */
#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"

bool path_is_abs(const char *path)
{
    return path[0] == '/';
}

char *path_clean(const char *path)
{
    bool absolute = path_is_abs(path);
    auto_strv struct strv parts = STRV_INIT;
    auto_strv struct strv kept = STRV_INIT;
    strv_split(&parts, path, "/");
    strv_each (part, &parts) {
        if (strcmp(*part, ".") == 0)
            continue;
        bool up = strcmp(*part, "..") == 0;
        if (up && kept.len && strcmp(kept.items[kept.len - 1], "..") != 0)
            free(kept.items[--kept.len]);
        else if (!up || !absolute)
            strv_take(&kept, take(*part));
    }
    auto_free char *joined = strv_join(&kept, "/");
    if (absolute)
        return xasprintf("/%s", joined);
    return *joined ? take(joined) : xstrdup(".");
}

char *path_join(const char *dir, const char *path)
{
    if (path_is_abs(path))
        return path_clean(path);
    auto_free char *both = xasprintf("%s/%s", dir, path);
    return path_clean(both);
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    while (slash > path && slash[-1] == '/')
        slash--;
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_expand_home(const char *path)
{
    const char *home = getenv("HOME");
    if (home && *home && path[0] == '~' && (path[1] == '/' || path[1] == '\0')) {
        auto_free char *full = xasprintf("%s%s", home, path + 1);
        return path_clean(full);
    }
    return xstrdup(path);
}

bool path_below(const char *root, const char *path)
{
    auto_free char *r = path_clean(root);
    auto_free char *p = path_clean(path);
    size_t n = strlen(r);
    if (strcmp(r, "/") == 0)
        return path_is_abs(p);
    return strncmp(p, r, n) == 0 && (p[n] == '/' || p[n] == '\0');
}

char *path_real(const char *path, struct error *err)
{
    char *real = realpath(path, NULL);
    if (!real)
        error_errno(err, "resolve '%s'", path);
    return real;
}

char *path_relative(const char *from, const char *to)
{
    auto_strv struct strv a = STRV_INIT;
    auto_strv struct strv b = STRV_INIT;
    auto_strv struct strv out = STRV_INIT;
    strv_split(&a, from, "/");
    strv_split(&b, to, "/");
    size_t common = 0;
    while (common < a.len && common < b.len && strcmp(a.items[common], b.items[common]) == 0)
        common++;
    for (size_t i = common; i < a.len; i++)
        strv_add(&out, "..");
    for (size_t i = common; i < b.len; i++)
        strv_add(&out, b.items[i]);
    return out.len ? strv_join(&out, "/") : xstrdup(".");
}

char *path_show(const char *path)
{
    auto_free char *clean = path_clean(path);
    auto_free char *cwd = path_is_abs(clean) ? getcwd(NULL, 0) : NULL;
    if (!cwd)
        return take(clean);
    auto_free char *seen = path_relative(cwd, clean);
    return strlen(seen) < strlen(clean) ? take(seen) : take(clean);
}

/* An absolute path from the environment; relative ones are to be ignored (XDG). */
static const char *env_dir(const char *name)
{
    const char *value = getenv(name);
    return value && path_is_abs(value) ? value : NULL;
}

/*
 * Makes a folder that nobody else can look into. In /tmp somebody else may have made the name
 * first, as a folder or as a link to one, hence lstat() and the owner.
 */
static int make_private(const char *path, struct error *err)
{
    struct stat st;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "make folder '%s'", path);
    if (lstat(path, &st) < 0)
        return error_errno(err, "look at '%s'", path);
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
        return 0;
    error_set(err, ERR_CONFLICT, 0, "'%s' is not a folder that only this user can enter", path);
    return error_hint(err, "remove it, or set XDG_RUNTIME_DIR");
}

char *path_runtime_dir(struct error *err)
{
    const char *base = env_dir("XDG_RUNTIME_DIR");
    auto_free char *dir = base ? path_join(base, "stack") : NULL;
    /* The variable outlives the folder after su(1) and the like. */
    if (dir && make_private(dir, NULL) == 0)
        return take(dir);
    auto_free char *fallback = xasprintf("/tmp/stack-%lu", (unsigned long)geteuid());
    if (make_private(fallback, err) < 0)
        return NULL;
    return take(fallback);
}

char *path_cache_dir(struct error *err)
{
    const char *cache = env_dir("XDG_CACHE_HOME");
    const char *home = env_dir("HOME");
    if (!cache && !home) {
        error_set(err, ERR_USAGE, 0, "no folder for the cache: HOME is not set");
        error_hint(err, "set HOME or XDG_CACHE_HOME");
        return NULL;
    }
    auto_free char *dir = cache ? path_join(cache, "stack") : path_join(home, ".cache/stack");
    if (file_mkdirs(dir, 0700, err) < 0)
        return NULL;
    return take(dir);
}
