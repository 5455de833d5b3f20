/* Which files make the stack, where it lives, what it may be called. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "model/instance.h"
#include "model/loader.h"

/*
 * First what the command line names, then STACK_FILE / COMPOSE_FILE, then the folder and each of
 * its parents: the nearest folder that has anything wins. COMPOSE_FILE may stand in `.env`, so
 * that the `.env` of the starting folder is read before looking, and the one beside the file that
 * was found after it.
 */

struct finder {
    struct arena *a;
    const struct load_options *opt;
    struct env *env;
    struct diag *d;
    struct found out;
    struct strv files;
    struct strv env_files;
};

/* In the order in which they win. */
static const char *const native_names[] = { "stack.yaml", "stack.yml", NULL };
static const char *const native_overrides[] = { "stack.override.yaml", "stack.override.yml", NULL };
static const char *const compose_names[] = { "compose.yaml", "compose.yml", "docker-compose.yml",
                                             "docker-compose.yaml", NULL };
static const char *const compose_overrides[] = { "compose.override.yml", "compose.override.yaml",
                                                 "docker-compose.override.yml",
                                                 "docker-compose.override.yaml", NULL };
static const char *const fig_names[] = { "fig.yml", "fig.yaml", NULL };
static const char *const fig_overrides[] = { "fig.override.yml", "fig.override.yaml", NULL };

static const struct {
    const char *const *names;
    const char *const *overrides;
} families[] = {
    { native_names, native_overrides },
    { compose_names, compose_overrides },
    { fig_names, fig_overrides },
};

static const char *join(struct finder *f, const char *dir, const char *name)
{
    auto_free char *path = path_join(dir, name);
    return arena_strdup(f->a, path);
}

static const char *dir_of(struct finder *f, const char *path)
{
    auto_free char *dir = path_dir(path);
    return arena_strdup(f->a, dir);
}

const char *find_normal_name(struct arena *a, const char *name)
{
    char *out = arena_strdup(a, name ? name : "");
    size_t n = 0;
    for (const char *p = out; *p; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (n && (c == '_' || c == '-')))
            out[n++] = c;
    }
    out[n] = '\0';
    return out;
}

/* The first of the names that is a file in `dir`; a warning when there are several. */
static const char *first_of(struct finder *f, const char *dir, const char *const *names)
{
    const char *winner = NULL;
    bool warned = false;
    for (; *names; names++) {
        const char *path = join(f, dir, *names);
        if (!file_exists(path) || file_is_dir(path))
            continue;
        if (winner && !warned) {
            diag_warning(f->d, (struct span){ 0 },
                         "several files with names that are looked for in '%s', '%s' is used", dir,
                         path_base(winner));
            warned = true;
        }
        if (!winner)
            winner = path;
    }
    return winner;
}

static bool find_in(struct finder *f, const char *dir)
{
    for (size_t i = 0; i < countof(families); i++) {
        const char *path = first_of(f, dir, families[i].names);
        if (!path)
            continue;
        strv_add(&f->files, path);
        const char *override = first_of(f, dir, families[i].overrides);
        if (override)
            strv_add(&f->files, override);
        return true;
    }
    const char *path = join(f, dir, "stacks/default.yaml");
    if (file_exists(path)) {
        strv_add(&f->files, path);
        f->out.name = find_normal_name(f->a, path_base(dir));
        return true;
    }
    if (file_is_dir(join(f, dir, "docstack"))) {
        f->out.docstack = true;
        f->out.dir = dir;
        return true;
    }
    return false;
}

static int not_found(struct finder *f, const char *start, struct error *err)
{
    if (f->opt->stack_name)
        error_set(err, ERR_NOFILE, 0, "no stack '%s': no stacks/%s.yaml in '%s' or a folder above",
                  f->opt->stack_name, f->opt->stack_name, start);
    else
        error_set(err, ERR_NOFILE, 0,
                  "no stack file in '%s' or a folder above: looked for stack.yaml, stack.yml, "
                  "compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml, fig.yml, "
                  "stacks/default.yaml and a docstack/ folder",
                  start);
    return error_hint(err, "name a file with -f FILE, a stack of stacks/ with -s NAME, or a "
                           "running stack with -p NAME ('stack ls' lists them)");
}

/* stacks/NAME.yaml here or in the nearest folder above. */
static int find_named(struct finder *f, const char *start, struct error *err)
{
    const char *name = f->opt->stack_name;
    if (!*name || strchr(name, '/') || *name == '.')
        return error_set(err, ERR_USAGE, 0, "'%s' is not the name of a stack", name);
    for (const char *dir = start;; dir = dir_of(f, dir)) {
        static const char *const suffixes[] = { "yaml", "yml" };
        for (size_t i = 0; i < countof(suffixes); i++) {
            const char *path = join(f, dir, arena_printf(f->a, "stacks/%s.%s", name, suffixes[i]));
            if (file_exists(path) && !file_is_dir(path)) {
                strv_add(&f->files, path);
                f->out.name = find_normal_name(f->a, name);
                return 0;
            }
        }
        if (!strcmp(dir, "/"))
            return not_found(f, start, err);
    }
}

static int discover(struct finder *f, const char *start, struct error *err)
{
    for (const char *dir = start;; dir = dir_of(f, dir)) {
        if (find_in(f, dir))
            return 0;
        if (!strcmp(dir, "/"))
            return not_found(f, start, err);
    }
}

static int add_file(struct finder *f, const char *path, struct error *err)
{
    if (!strcmp(path, "-")) {
        strv_add(&f->files, path);
        return 0;
    }
    const char *abs = join(f, f->out.cwd, path);
    if (!file_exists(abs))
        return error_set(err, ERR_NOFILE, 0, "no file '%s'", path);
    if (file_is_dir(abs))
        return error_set(err, ERR_NOFILE, 0, "'%s' is a folder, not a stack file", path);
    strv_add(&f->files, abs);
    return 0;
}

/* STACK_FILE / COMPOSE_FILE: several between separators. */
static int add_from_setting(struct finder *f, const char *setting, struct error *err)
{
    const char *sep = env_setting(f->env, "COMPOSE_PATH_SEPARATOR");
    if (!sep || !*sep)
        sep = ":";
    for (const char *p = setting;;) {
        const char *end = strstr(p, sep);
        const char *part = end ? arena_strndup(f->a, p, (size_t)(end - p)) : p;
        if (*part && add_file(f, part, err) < 0)
            return -1;
        if (!end)
            return 0;
        p = end + strlen(sep);
    }
}

/* The folder that relative paths start from, as far as it is known. */
static const char *working_dir(struct finder *f)
{
    if (f->opt->project_directory && *f->opt->project_directory)
        return join(f, f->out.cwd, f->opt->project_directory);
    strv_each (it, &f->files)
        if (strcmp(*it, "-") != 0)
            return dir_of(f, *it);
    return f->out.dir ? f->out.dir : f->out.cwd;
}

/* The file `name`, as the command line has it. */
static int add_env_file(struct finder *f, const char *name, struct error *err)
{
    const char *path = join(f, f->out.cwd, name);
    if (!file_exists(path))
        return error_set(err, ERR_NOFILE, 0, "no environment file '%s'", name);
    if (file_is_dir(path))
        return error_set(err, ERR_NOFILE, 0, "environment file '%s' is a folder", name);
    strv_add(&f->env_files, path);
    return 0;
}

/* The .env of the folder, where there is one. */
static void read_default_env(struct finder *f)
{
    const char *path = join(f, working_dir(f), ".env");
    if (env_truth(f->env, "COMPOSE_DISABLE_ENV_FILE") || !file_exists(path) || file_is_dir(path) ||
        strv_has(&f->env_files, path))
        return;
    strv_add(&f->env_files, path);
    env_add_files(f->env, f->a, &path, 1, f->d); /* mistakes are in d */
}

/* --env-file, else STACK_ENV_FILES / COMPOSE_ENV_FILES, else .env in the folder. */
static int read_env(struct finder *f, struct error *err)
{
    auto_strv struct strv names = STRV_INIT;
    if (f->opt->env_files)
        for (const char *const *p = f->opt->env_files; *p; p++)
            strv_add(&names, *p);
    const char *setting = env_setting(f->env, "COMPOSE_ENV_FILES");
    if (!names.len && setting)
        strv_split(&names, setting, ",");
    if (!names.len) {
        read_default_env(f);
        return 0;
    }
    if (f->env_files.len)
        return 0; /* read already, before the stack was looked for */
    strv_each (it, &names)
        if (add_env_file(f, *it, err) < 0)
            return -1;
    env_add_files(f->env, f->a, (const char *const *)f->env_files.items, f->env_files.len, f->d);
    return 0;
}

static int find_files(struct finder *f, struct error *err)
{
    const struct load_options *opt = f->opt;
    if (opt->files && *opt->files) {
        for (const char *const *p = opt->files; *p; p++)
            if (add_file(f, *p, err) < 0)
                return -1;
        return read_env(f, err);
    }
    if (read_env(f, err) < 0)
        return -1;
    const char *start = working_dir(f);
    const char *setting = env_setting(f->env, "COMPOSE_FILE");
    int rc;
    if (opt->stack_name)
        rc = find_named(f, start, err);
    else if (setting && *setting)
        rc = add_from_setting(f, setting, err);
    else
        rc = discover(f, start, err);
    return rc < 0 ? -1 : read_env(f, err);
}

/* --instance, else STACK_INSTANCE, else the linked work tree of git, unless the stack's name was
 * given: that is taken as it is. `tree` is the work tree. */
static int find_instance(struct finder *f, const struct worktree *tree, struct error *err)
{
    const char *name = f->opt->instance;
    if (!name)
        name = env_get(f->env, "STACK_INSTANCE");
    if (!name && !f->out.name_given)
        name = tree->name;
    if (!name || !*name)
        return 0;
    if (strcmp(name, find_normal_name(f->a, name)) != 0) {
        error_set(err, ERR_USAGE, 0, "'%s' cannot be the name of an instance", name);
        return error_hint(err, "lower-case letters, digits, '-' and '_', beginning with a letter "
                               "or digit");
    }
    f->out.instance = arena_strdup(f->a, name);
    return 0;
}

static int find_name(struct finder *f, struct error *err)
{
    struct worktree tree;
    instance_worktree(&tree, f->a, f->out.dir);
    const char *name = f->opt->project_name;
    if (!name || !*name)
        name = env_setting(f->env, "COMPOSE_PROJECT_NAME");
    if (name && *name) {
        if (strcmp(name, find_normal_name(f->a, name)) != 0) {
            error_set(err, ERR_USAGE, 0, "'%s' cannot be the name of a stack", name);
            return error_hint(err, "lower-case letters, digits, '-' and '_', beginning with a "
                                   "letter or digit");
        }
        f->out.name = arena_strdup(f->a, name);
        f->out.name_given = true;
    } else if (!f->out.name) {
        /* A linked work tree's folder is called as its instance is. */
        bool linked = tree.main && !strcmp(tree.top, f->out.dir);
        f->out.name = find_normal_name(f->a, path_base(linked ? tree.main : f->out.dir));
    }
    return find_instance(f, &tree, err);
}

static const char **to_array(struct arena *a, const struct strv *v)
{
    const char **out = arena_alloc(a, (v->len + 1) * sizeof(*out));
    for (size_t i = 0; i < v->len; i++)
        out[i] = arena_strdup(a, v->items[i]);
    return out;
}

static int current_dir(struct finder *f, struct error *err)
{
    if (f->opt->cwd) {
        f->out.cwd = arena_strdup(f->a, f->opt->cwd);
        return 0;
    }
    auto_free char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return error_errno(err, "find the current folder");
    f->out.cwd = arena_strdup(f->a, cwd);
    return 0;
}

int find_stack(struct found *out, struct env *env, struct arena *a, const struct load_options *opt,
               struct diag *d, struct error *err)
{
    struct finder f = { .a = a, .opt = opt, .env = env, .d = d };
    int rc = current_dir(&f, err);
    if (rc == 0) {
        if (!env_get(env, "PWD"))
            env_set(env, a, "PWD", f.out.cwd);
        rc = find_files(&f, err);
    }
    if (rc == 0) {
        f.out.dir = working_dir(&f);
        rc = find_name(&f, err);
    }
    if (rc == 0) {
        f.out.files = to_array(a, &f.files);
        f.out.nfiles = f.files.len;
        f.out.env_files = to_array(a, &f.env_files);
        f.out.nenv_files = f.env_files.len;
        *out = f.out;
    }
    strv_clear(&f.files);
    strv_clear(&f.env_files);
    return rc;
}
