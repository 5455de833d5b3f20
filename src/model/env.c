/* The variables that interpolation sees. */
#include <string.h>

#include "base/file.h"
#include "model/loader.h"

/*
 * Precedence is first come, first kept: the process's variables are added first, then the files'
 * (of several files together, the last one wins, as in one longer file). A child asks its parent
 * first, so that an include's own .env only adds what nobody has set.
 */

void env_init(struct env *e, const struct env *parent)
{
    *e = (struct env){ .map = STRMAP_INIT, .parent = parent };
}

void env_clear(struct env *e)
{
    strmap_clear(&e->map, NULL);
    e->parent = NULL;
}

const char *env_get(const struct env *e, const char *name)
{
    const char *value = e->parent ? env_get(e->parent, name) : NULL;
    return value ? value : strmap_get(&e->map, name);
}

const char *env_setting(const struct env *e, const char *name)
{
    const char *suffix = strchr(name, '_');
    auto_str struct str twin = STR_INIT;
    str_addf(&twin, "STACK%s", suffix ? suffix : name);
    const char *value = env_get(e, twin.buf);
    return value && *value ? value : env_get(e, name);
}

bool env_truth(const struct env *e, const char *name)
{
    return str_is_true(env_setting(e, name));
}

void env_set(struct env *e, struct arena *a, const char *name, const char *value)
{
    strmap_set(&e->map, name, arena_strdup(a, value));
}

void env_add_environ(struct env *e, struct arena *a, const char *const *environ_)
{
    for (; *environ_; environ_++) {
        const char *eq = strchr(*environ_, '=');
        if (!eq || eq == *environ_)
            continue;
        const char *name = arena_strndup(a, *environ_, (size_t)(eq - *environ_));
        if (!strmap_has(&e->map, name))
            env_set(e, a, name, eq + 1);
    }
}

static const char *view_get(void *ctx, const char *name)
{
    return env_get(ctx, name);
}

static int read_file(struct dotenv *out, struct env *e, struct arena *a, const char *path,
                     struct diag *d)
{
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;
    struct variables vars = { .get = view_get, .ctx = e };
    if (source_read(&src, a, path, &err) == 0)
        return dotenv_parse(out, a, src, DOTENV_COMPOSE, &vars, d);
    diag_error(d, (struct span){ 0 }, "%s", err.msg);
    return -1;
}

int env_add_files(struct env *e, struct arena *a, const char *const *paths, size_t n,
                  struct diag *d)
{
    struct dotenv entries = { 0 };
    struct strmap last = STRMAP_INIT;
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        if (read_file(&entries, e, a, paths[i], d) < 0)
            rc = -1;
    vec_each (it, &entries) {
        const char *value = it->value ? it->value : env_get(e, it->name);
        if (value)
            strmap_set(&last, it->name, (void *)(uintptr_t)value);
    }
    strmap_each (it, &last)
        if (!strmap_has(&e->map, it->key))
            strmap_set(&e->map, it->key, it->value);
    strmap_clear(&last, NULL);
    vec_free(&entries);
    return rc;
}
