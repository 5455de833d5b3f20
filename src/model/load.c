/* From options to a stack: the steps of loading, in their order. See load.h. */
#include "model/load.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "model/loader.h"
#include "text/yaml.h"

/* Between the parts of names. */
static char separator(const struct load_options *opt, const struct env *env)
{
    return opt->compatibility || env_truth(env, "COMPOSE_COMPATIBILITY") ? '_' : '-';
}

static void loader_clear(struct loader *ld)
{
    vec_each (it, &ld->envs)
        env_clear(*it);
    vec_free(&ld->envs);
    vec_free(&ld->images);
    vec_free(&ld->faults);
    strmap_clear(&ld->documents, NULL);
    strmap_clear(&ld->trees, NULL);
    strmap_clear(&ld->sources, NULL);
    strmap_clear(&ld->projects, NULL);
    strmap_clear(&ld->project_dirs, NULL);
    strmap_clear(&ld->secret_values, NULL);
    env_clear(&ld->env);
}

/* The `name:` of the files (the last one that has one), before variables can be replaced anywhere
 * else: COMPOSE_PROJECT_NAME is one of them. */
static const char *name_of_files(struct loader *ld)
{
    const char *name = NULL;
    for (size_t i = 0; i < ld->found.nfiles; i++) {
        const struct source *src = document_source(ld, ld->found.files[i], (struct span){ 0 });
        if (!src)
            continue;
        const char *own = document_name(ld, src);
        if (own && *own)
            name = own;
    }
    return name;
}

static int set_name(struct loader *ld, struct error *err)
{
    struct stack *st = ld->st;
    st->name = ld->found.name;
    if (!ld->found.name_given) {
        const char *own = name_of_files(ld);
        if (own && *own)
            st->name = find_normal_name(ld->a, own);
    }
    if (!*st->name) {
        error_set(err, ERR_USAGE, 0,
                  "the stack has no name: no letter or digit could be part of it");
        return error_hint(err, "give one with -p NAME, or with 'name:' in the file");
    }
    st->instance = ld->found.instance;
    if (st->instance)
        st->name = arena_printf(ld->a, "%s%c%s", st->name, st->separator, st->instance);
    env_set(&ld->env, ld->a, "COMPOSE_PROJECT_NAME", st->name);
    return 0;
}

static int read_lock(struct loader *ld, struct error *err)
{
    auto_free char *path = path_join(ld->st->dir, LOCKFILE_NAME);
    struct lockfile *lock = arena_new_(ld->a, struct lockfile);
    if (lockfile_read(lock, ld->a, path, ld->d, err) < 0)
        return -1;
    ld->lock = *lock;
    ld->st->lock = lock;
    return 0;
}

/* All files as one document, not yet complete. */
static struct node *read_files(struct loader *ld)
{
    struct node *doc = ld->found.docstack ? native_own_project(ld, ld->found.dir) : NULL;
    struct context ctx = { .env = &ld->env, .dir = ld->found.dir };
    for (size_t i = 0; i < ld->found.nfiles; i++) {
        const struct source *src = document_source(ld, ld->found.files[i], (struct span){ 0 });
        struct node *part = src ? document_load(ld, src, &ctx) : NULL;
        if (!part)
            continue;
        fig_give_way_all(ld, doc, part);
        doc = schema_merge_documents(ld->a, doc, part);
    }
    return doc;
}

void loader_fault(struct loader *ld, const struct fault *f)
{
    if (ld->opt->lenient) {
        *vec_push(&ld->faults) = *f;
        return;
    }
    diag_error(ld->d, f->span, "%s", f->text);
    if (f->hint)
        diag_hint(ld->d, "%s", f->hint);
}

static void load_document(struct loader *ld)
{
    const struct load_options *opt = ld->opt;
    struct stack *st = ld->st;
    struct node *doc = read_files(ld);
    if (!doc)
        return;
    if (doc->len == (node_get(doc, "version") ? 1 : 0) && !ld->d->errors) {
        diag_error(ld->d, doc->span, "the stack file is empty");
        return;
    }
    fig_resolve(ld, doc);
    if (ld->native)
        native_resolve(ld, doc);
    node_remove(doc, "images");
    node_remove(doc, "requires");
    schema_finish(ld->a, doc, ld->native ? FORM_NATIVE : FORM_COMPOSE, opt->no_interpolate, ld->d);
    if (!opt->no_resolve_paths)
        paths_resolve(ld->a, doc, st->dir);
    if (!opt->no_interpolate)
        resolve_files(ld, doc, &ld->env);
    if (!opt->no_normalize || (!opt->no_interpolate && !node_text_at(doc, "name")))
        node_set_string(ld->a, doc, "name", st->name);
    if (!opt->no_normalize)
        normalise(ld, doc);
    profiles_apply(ld, doc);
    if (opt->locked)
        locked_images(ld, doc);
    if (!opt->no_consistency && !opt->no_interpolate)
        validate(ld, doc);
    if (!opt->no_interpolate)
        resolve_environment(ld, doc);
    st->tree = doc;
    if (!ld->d->errors)
        extract(ld, doc);
    if (!ld->d->errors)
        hash_stack(st);
    struct fault *faults = arena_alloc(ld->a, ld->faults.len * sizeof(*faults));
    for (size_t i = 0; i < ld->faults.len; i++)
        faults[i] = ld->faults.items[i];
    st->faults = faults;
    st->nfaults = ld->faults.len;
}

/* Entries of d outlive the stack: the sources that they name move to d's arena. */
static void keep_sources(struct diag *d)
{
    struct strmap kept = STRMAP_INIT;
    vec_each (it, d) {
        const struct source *src = it->span.source;
        if (!src)
            continue;
        const char *key = arena_printf(d->arena, "%p", (const void *)src);
        struct source *copy = strmap_get(&kept, key);
        if (!copy) {
            copy = arena_new_(d->arena, struct source);
            *copy = (struct source){ arena_strdup(d->arena, src->path),
                                     arena_strdup(d->arena, src->shown),
                                     arena_strndup(d->arena, src->text, src->len), src->len };
            strmap_set(&kept, key, copy);
        }
        it->span.source = copy;
    }
    strmap_clear(&kept, NULL);
}

static const struct node *environment_map(struct loader *ld)
{
    struct node *map = node_new(ld->a, NODE_MAP, (struct span){ 0 });
    strmap_each (it, &ld->env.map)
        node_set_string(ld->a, map, it->key, it->value);
    node_sort_keys(map);
    return map;
}

static const char *const *absolute(struct arena *a, const char *const *files, size_t n)
{
    const char **out = arena_alloc(a, (n + 1) * sizeof(*out));
    for (size_t i = 0; i < n; i++)
        out[i] = arena_strdup(a, files[i]);
    return out;
}

int stack_load(struct stack **out, const struct load_options *opt, struct diag *d,
               struct error *err)
{
    struct arena *a = arena_new();
    struct loader ld = { .a = a, .d = d, .opt = opt };
    size_t errors = d->errors;
    ld.st = arena_new_(a, struct stack);
    ld.st->arena = a;
    ld.variables = node_new(a, NODE_MAP, (struct span){ 0 });
    env_init(&ld.env, NULL);
    env_add_environ(&ld.env, a, opt->environ ? opt->environ : (const char *const *)environ);
    int rc = find_stack(&ld.found, &ld.env, a, opt, d, err);
    if (rc == 0) {
        ld.st->separator = separator(opt, &ld.env);
        ld.st->dir = ld.found.dir;
        ld.st->files = absolute(a, ld.found.files, ld.found.nfiles);
        ld.st->env_files = absolute(a, ld.found.env_files, ld.found.nenv_files);
        rc = set_name(&ld, err);
    }
    if (rc == 0 && opt->locked)
        rc = read_lock(&ld, err);
    if (rc == 0) {
        load_document(&ld);
        ld.st->variables = ld.variables;
        ld.st->environment = environment_map(&ld);
        size_t n = d->errors - errors;
        if (n || !ld.st->tree)
            rc = error_set(err, ERR_INPUT, 0,
                           n == 1 ? "%zu error in the stack file" : "%zu errors in the stack file",
                           n);
    }
    loader_clear(&ld);
    keep_sources(d);
    if (rc < 0) {
        arena_free(a);
        return -1;
    }
    *out = ld.st;
    return 0;
}

/* Without a file: -p, else STACK_PROJECT_NAME / COMPOSE_PROJECT_NAME, with the instance that was
 * asked for; owned by the caller, or NULL. */
static char *name_without_file(const struct load_options *opt)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct env env;
    env_init(&env, NULL);
    env_add_environ(&env, a, opt->environ ? opt->environ : (const char *const *)environ);
    const char *name = opt->project_name, *instance = opt->instance;
    if (!name || !*name)
        name = env_setting(&env, "COMPOSE_PROJECT_NAME");
    if (!instance)
        instance = env_get(&env, "STACK_INSTANCE");
    char *out = NULL;
    if (name && *name && !strcmp(name, find_normal_name(a, name)))
        out = instance && *instance ? xasprintf("%s%c%s", name, separator(opt, &env), instance)
                                    : xstrdup(name);
    env_clear(&env);
    return out;
}

int stack_load_name(char **out_name, struct stack **out_stack, const struct load_options *opt,
                    struct diag *d, struct error *err)
{
    if (opt->project_name && *opt->project_name && !(opt->files && *opt->files)) {
        char *given = name_without_file(opt);
        *out_name = given ? given : xstrdup(opt->project_name);
        *out_stack = NULL;
        return 0;
    }
    struct stack *st = NULL;
    auto_error struct error why = ERROR_INIT;
    if (stack_load(&st, opt, d, &why) == 0) {
        *out_name = xstrdup(st->name);
        *out_stack = st;
        return 0;
    }
    char *name = why.kind == ERR_NOFILE ? name_without_file(opt) : NULL;
    if (!name)
        return error_move(err, &why);
    *out_name = name;
    *out_stack = NULL;
    return 0;
}
