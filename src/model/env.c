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

/* What an env file sees: everything that is set, then its own earlier lines. */
struct file_view {
    const struct env *env;
    const struct strmap *file;
};

static const char *file_view_get(void *ctx, const char *name)
{
    const struct file_view *view = ctx;
    const char *value = env_get(view->env, name);
    return value ? value : strmap_get(view->file, name);
}

int env_add_file(struct env *e, struct arena *a, const char *path, struct diag *d)
{
    const struct source *src = NULL;
    auto_error struct error err = ERROR_INIT;
    if (source_read(&src, a, path, &err) < 0) {
        diag_error(d, (struct span){ 0 }, "%s", err.msg);
        return -1;
    }
    struct strmap file = STRMAP_INIT;
    struct file_view view = { e, &file };
    struct variables vars = { .get = file_view_get, .ctx = &view };
    struct dotenv entries = { 0 };
    int rc = dotenv_parse(&entries, a, src, DOTENV_COMPOSE, &vars, d);
    vec_each (it, &entries) {
        const char *value = it->value ? it->value : env_get(e, it->name);
        if (value)
            strmap_set(&file, it->name, arena_strdup(a, value));
    }
    vec_free(&entries);
    strmap_each(it, &file) if (!strmap_has(&e->map, it->key))
        strmap_set(&e->map, it->key, it->value);
    strmap_clear(&file, NULL);
    return rc;
}
