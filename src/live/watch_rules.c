/* Rules of develop.watch: from paths that changed to what is done for which service. */
#include "live/watch_rules.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "build/context.h"
#include "loop/watch.h"

/* Never of interest: version control, and what editors and tools keep beside the files. */
static const char *const always_ignored[] = {
    "**/.git",        "**/.idea",  "**/*___jb_old___",  "**/*___jb_tmp___",
    "**/.#*",         "**/#*#",    "**/4913",           "**/*~",
    "**/.*.swp",      "**/.*.swx", "**/.*.swo",         "**/.*.swn",
    "**/.*.kate-swp", "**/.*.un~", "**/*-go-tmp-umask",
};

static const struct {
    const char *name;
    unsigned does;
} actions[] = {
    { "sync", WATCH_SYNC },
    { "restart", WATCH_RESTART },
    { "rebuild", WATCH_REBUILD },
    { "sync+restart", WATCH_SYNC | WATCH_RESTART },
    { "sync+exec", WATCH_SYNC | WATCH_EXEC },
};

/* --- making them --- */

static int add_patterns(struct ignore *ig, const struct node *list, struct error *err)
{
    node_each (i, list)
        if (ignore_add(ig, node_text(list->items[i]), err) < 0)
            return -1;
    return 0;
}

/* The .dockerignore of what the service is built from. */
static int find_context(struct watch_rules *r, struct watch_rule *rule, struct error *err)
{
    const struct service *s = rule->service;
    struct context_place place;
    if (!s->build || s->build->remote_context)
        return 0;
    if (context_find(&place, r->arena, s->build, err) < 0)
        return -1;
    struct ignore *rules = strmap_get(&r->contexts, s->name);
    if (!rules) {
        if (ignore_parse(&rules, place.ignore, place.ignore_path, err) < 0)
            return -1;
        strmap_set(&r->contexts, s->name, rules);
    }
    rule->context = rules;
    rule->context_root = place.root;
    return 0;
}

static bool is_bind_mounted(const struct service *s, const char *path)
{
    for (size_t i = 0; i < s->nmounts; i++) {
        const struct mount *m = &s->mounts[i];
        if (!str_eq(m->type, "bind") || !m->source || !path_is_abs(m->source))
            continue;
        auto_free char *real = path_real(m->source, NULL);
        if (path_below(real ? real : m->source, path))
            return true;
    }
    return false;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "stack.yaml:3:5: develop.watch of service 'web': " before the message. */
static int wrong(const struct service *s, const struct node *n, struct error *err)
{
    error_wrap(err, "develop.watch of service '%s'", s->name);
    if (n->span.source)
        error_wrap(err, "%s:%d:%d", n->span.source->shown, n->span.line, n->span.column);
    return -1;
}

static int fill_rule(struct watch_rules *r, struct watch_rule *rule, const struct node *n,
                     struct error *err)
{
    const char *target = node_text_at(n, "target");
    const struct node *include = node_get(n, "include");
    rule->action = node_text_at(n, "action");
    rule->path = path_clean(node_text_at(n, "path"));
    rule->folder = is_folder(rule->path);
    rule->hook = node_get(n, "exec");
    rule->initial_sync = node_bool_at(n, "initial_sync", node_bool_at(n, "x-initialSync", false));
    if (node_get(n, "x-initialSync"))
        strv_addf(
            &r->notes,
            "%s: x-initialSync is DEPRECATED, please use the official `initial_sync` attribute",
            rule->service->name);
    for (size_t i = 0; i < countof(actions); i++)
        if (str_eq(actions[i].name, rule->action))
            rule->does = actions[i].does;
    if (rule->does & WATCH_SYNC)
        rule->target = path_join("/", target ? target : "");
    const struct node *command = node_get(rule->hook, "command");
    if ((rule->does & WATCH_EXEC) && (!command || !command->len))
        return error_set(err, ERR_INPUT, 0, "sync+exec needs exec.command");
    if ((rule->does & WATCH_REBUILD) && !rule->service->build)
        return error_set(err, ERR_INPUT, 0, "rebuild needs a build: section");
    if (ignore_parse(&rule->ignored, NULL, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < countof(always_ignored); i++)
        if (ignore_add(rule->ignored, always_ignored[i], err) < 0)
            return -1;
    if (add_patterns(rule->ignored, node_get(n, "ignore"), err) < 0)
        return -1;
    if (include && include->len &&
        (ignore_parse(&rule->included, NULL, NULL, err) < 0 ||
         add_patterns(rule->included, include, err) < 0))
        return -1;
    return find_context(r, rule, err);
}

static void free_rule(struct watch_rule *rule)
{
    free(rule->path);
    free(rule->target);
    ignore_free(rule->ignored);
    ignore_free(rule->included);
}

static int add_rule(struct watch_rules *r, const struct service *s, const struct node *n,
                    struct error *err)
{
    struct watch_rule rule = { .service = s };
    if (fill_rule(r, &rule, n, err) < 0) {
        free_rule(&rule);
        return wrong(s, n, err);
    }
    if ((rule.does & WATCH_SYNC) && is_bind_mounted(s, rule.path)) {
        auto_free char *shown = path_show(rule.path);
        strv_addf(&r->notes, "%s: %s is not watched, as it is mounted into the container", s->name,
                  shown);
        free_rule(&rule);
        return 0;
    }
    *vec_push(r) = rule;
    return 0;
}

int watch_rules_make(struct watch_rules **out, const struct stack *st, const bool *selected,
                     struct error *err)
{
    auto_(watch_rules_freep) struct watch_rules *r = xnew(struct watch_rules);
    r->arena = arena_new();
    for (size_t i = 0; i < st->nservices; i++) {
        const struct service *s = &st->services[i];
        const struct node *list = selected[i] ? node_at(s->config, "develop.watch") : NULL;
        node_each (k, list)
            if (add_rule(r, s, list->items[k], err) < 0)
                return -1;
    }
    if (r->len == 0) {
        error_set(err, ERR_INPUT, 0, "none of the services says what to watch");
        return error_hint(err, "say it in a service's develop.watch: path, action, target");
    }
    *out = take(r);
    return 0;
}

static void free_context(void *rules)
{
    ignore_free(rules);
}

void watch_rules_free(struct watch_rules *r)
{
    if (!r)
        return;
    vec_each (rule, r)
        free_rule(rule);
    vec_free(r);
    strmap_clear(&r->contexts, free_context);
    strv_clear(&r->notes);
    arena_free(r->arena);
    free(r);
}

/* --- asking them --- */

/* `path` as it is below `root`: "." for that itself. */
static const char *relative(const char *root, const char *path)
{
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
    return path[n] ? path + n + 1 : ".";
}

static bool ignores(const struct ignore *ig, const char *root, const char *path, bool wholly)
{
    if (!ig || !path_below(root, path))
        return false;
    const char *name = relative(root, path);
    return ignore_match(ig, name) && !(wholly && ignore_may_keep_below(ig, name));
}

static bool is_ignored(const struct watch_rule *rule, const char *path, bool wholly)
{
    return ignores(rule->ignored, rule->path, path, wholly) ||
           ignores(rule->context, rule->context_root, path, wholly);
}

bool watch_rules_skip(const struct watch_rules *r, const char *dir)
{
    for (size_t i = 0; i < r->len; i++) {
        const struct watch_rule *rule = &r->items[i];
        if (path_below(dir, rule->path))
            return false;
        if (path_below(rule->path, dir) && !is_ignored(rule, dir, true))
            return false;
    }
    return true;
}

bool watch_rule_matches(const struct watch_rule *rule, const char *path)
{
    if (!path_below(rule->path, path) || is_ignored(rule, path, false))
        return false;
    return !rule->included || ignore_match(rule->included, relative(rule->path, path));
}

char *watch_rule_target(const struct watch_rule *rule, const char *path)
{
    bool itself = strcmp(path, rule->path) == 0;
    if (!rule->target || (itself && rule->folder))
        return NULL;
    return itself ? xstrdup(rule->target) : path_join(rule->target, relative(rule->path, path));
}

/* --- what is to be done --- */

static struct watch_work *work_for(struct watch_batch *b, const struct service *s)
{
    vec_each (w, b)
        if (w->service == s)
            return w;
    struct watch_work *w = vec_push(b);
    w->service = s;
    return w;
}

static void add_hook(struct watch_work *w, const struct node *hook)
{
    for (size_t i = 0; i < w->hooks.len; i++)
        if (w->hooks.items[i] == hook)
            return;
    *vec_push(&w->hooks) = hook;
}

static void add_file(struct watch_work *w, const struct watch_rule *rule, const char *path,
                     bool fresh)
{
    char *to = watch_rule_target(rule, path);
    if (to)
        *vec_push(&w->files) = (struct watch_file){ xstrdup(path), to, fresh };
}

static void free_file(struct watch_file *f)
{
    free(f->from);
    free(f->to);
}

static int by_target(const void *a, const void *b)
{
    const struct watch_file *x = a, *y = b;
    int order = stat_cache_order(x->to, y->to);
    return order ? order : strcmp(x->from, y->from);
}

/* Of two sources of one target the later one in the alphabet stays: the same each time. */
static void sort_files(struct watch_work *w)
{
    if (w->files.len)
        qsort(w->files.items, w->files.len, sizeof(*w->files.items), by_target);
    size_t kept = 0;
    for (size_t i = 0; i < w->files.len; i++) {
        if (i + 1 < w->files.len && strcmp(w->files.items[i].to, w->files.items[i + 1].to) == 0)
            free_file(&w->files.items[i]);
        else
            w->files.items[kept++] = w->files.items[i];
    }
    w->files.len = kept;
}

static void add_path(struct watch_batch *b, struct watch_rule *rule, const char *path, bool fresh)
{
    struct stat st;
    if (strcmp(path, rule->path) == 0 && lstat(path, &st) == 0)
        rule->folder = S_ISDIR(st.st_mode);
    if (!watch_rule_matches(rule, path))
        return;
    struct watch_work *w = work_for(b, rule->service);
    w->does |= rule->does;
    if (rule->does & WATCH_SYNC)
        add_file(w, rule, path, fresh);
    if (rule->does & WATCH_EXEC)
        add_hook(w, rule->hook);
}

void watch_rules_batch(struct watch_batch *out, struct watch_rules *r, const struct strmap *paths)
{
    *out = (struct watch_batch){ 0 };
    vec_each (rule, r)
        strmap_each (it, paths)
            add_path(out, rule, it->key, it->value);
    vec_each (w, out)
        sort_files(w);
}

static void collect(struct watch_work *w, const struct watch_rule *rule, const char *path,
                    size_t depth)
{
    if (watch_rule_matches(rule, path))
        add_file(w, rule, path, false);
    if (!is_folder(path) || is_ignored(rule, path, true) || depth > WATCH_MAX_DEPTH)
        return;
    DIR *dir = opendir(path);
    auto_strv struct strv names = STRV_INIT;
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            strv_add(&names, e->d_name);
    if (dir)
        closedir(dir);
    strv_each (name, &names) {
        auto_free char *below = path_join(path, *name);
        if (w->files.len < WATCH_MAX_ENTRIES)
            collect(w, rule, below, depth + 1);
    }
}

void watch_rules_initial(struct watch_work *out, struct watch_rules *r, const struct service *s)
{
    *out = (struct watch_work){ .service = s, .does = WATCH_SYNC };
    vec_each (rule, r)
        if (rule->service == s && rule->initial_sync && (rule->does & WATCH_SYNC))
            collect(out, rule, rule->path, 0);
    sort_files(out);
}

void watch_work_clear(struct watch_work *w)
{
    vec_each (f, &w->files)
        free_file(f);
    vec_free(&w->files);
    vec_free(&w->hooks);
}

void watch_batch_clear(struct watch_batch *b)
{
    vec_each (w, b)
        watch_work_clear(w);
    vec_free(b);
}
