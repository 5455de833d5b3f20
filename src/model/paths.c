/* Relative host paths of a document: where they start from, and that a project's stay in it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/loader.h"

/*
 * One walk knows where a document holds host paths; what is done with each of them is a visitor:
 * making it absolute, or checking that it does not leave a project's folder.
 */

enum path_kind {
    PATH_PLAIN,   /* on this machine */
    PATH_UNIX,    /* on the engine's machine: a Windows path is absolute too */
    PATH_CONTEXT, /* may also be a URL, service:NAME, docker-image://... */
    PATH_WATCHED, /* symbolic links are followed */
    PATH_GIT,     /* may also be a URL, or [USER@]HOST:PATH */
};

typedef struct node *visit_path(void *ctx, struct node *value, enum path_kind kind);

struct walk {
    visit_path *visit;
    void *ctx;
    bool all_devices; /* also of volumes that are mounted in other ways than `o: bind` */
};

static void visit_at(const struct walk *w, struct node *map, const char *key, enum path_kind kind)
{
    struct node *value = node_get(map, key);
    if (value && value->kind == NODE_STRING && value->mark != MARK_RESET)
        map->items[node_index(map, key)] = w->visit(w->ctx, value, kind);
}

static void visit_items(const struct walk *w, struct node *n, enum path_kind kind)
{
    node_each (i, n)
        if (n->items[i]->kind == NODE_STRING)
            n->items[i] = w->visit(w->ctx, n->items[i], kind);
}

static void visit_each(const struct walk *w, struct node *n, const char *key, enum path_kind kind)
{
    node_each (i, n)
        visit_at(w, n->items[i], key, kind);
}

static void visit_build(const struct walk *w, struct node *build)
{
    visit_at(w, build, "context", PATH_CONTEXT);
    visit_items(w, node_get(build, "additional_contexts"), PATH_CONTEXT);
    visit_items(w, node_get(build, "ssh"), PATH_UNIX);
}

static void visit_service(const struct walk *w, struct node *s)
{
    visit_build(w, node_get(s, "build"));
    visit_each(w, node_get(s, "env_file"), "path", PATH_PLAIN);
    visit_items(w, node_get(s, "label_file"), PATH_PLAIN);
    visit_at(w, node_get(s, "extends"), "file", PATH_PLAIN);
    visit_each(w, node_at(s, "develop.watch"), "path", PATH_WATCHED);
    struct node *volumes = node_get(s, "volumes");
    node_each (i, volumes) {
        const char *type = node_text_at(volumes->items[i], "type");
        if (type && !strcmp(type, "bind"))
            visit_at(w, volumes->items[i], "source", PATH_UNIX);
    }
}

static void visit_services(const struct walk *w, struct node *services)
{
    node_each (i, services)
        visit_service(w, services->items[i]);
}

static void visit_document(const struct walk *w, struct node *doc)
{
    visit_services(w, node_get(doc, "services"));
    visit_services(w, node_get(doc, "infrastructure"));
    visit_services(w, node_get(doc, "requires"));
    struct node *projects = node_get(doc, "projects");
    node_each (i, projects) {
        struct node *p = projects->items[i];
        visit_at(w, p, "git", PATH_GIT);
        if (!node_get(p, "git"))
            visit_at(w, p, "path", PATH_PLAIN);
        visit_services(w, node_get(p, "services"));
    }
    struct node *images = node_get(doc, "images");
    node_each (i, images)
        visit_build(w, images->items[i]);
    visit_each(w, node_get(doc, "configs"), "file", PATH_UNIX);
    visit_each(w, node_get(doc, "secrets"), "file", PATH_UNIX);
    struct node *volumes = node_get(doc, "volumes");
    node_each (i, volumes) {
        struct node *v = volumes->items[i];
        const char *driver = node_text_at(v, "driver"), *o = node_text_at(v, "driver_opts.o");
        if (w->all_devices || (driver && !strcmp(driver, "local") && o && !strcmp(o, "bind")))
            visit_at(w, node_get(v, "driver_opts"), "device", PATH_UNIX);
    }
}

/* Making absolute. */

struct resolver {
    struct arena *a;
    const char *base;
};

bool paths_is_remote(const char *context)
{
    static const char *const prefixes[] = { "https://",    "http://", "git://",  "ssh://",
                                            "github.com/", "git@",    "service:" };
    for (size_t i = 0; i < countof(prefixes); i++)
        if (str_starts(context, prefixes[i]))
            return true;
    return strstr(context, "://") != NULL;
}

static bool is_windows_abs(const char *p)
{
    if (str_starts(p, "\\\\"))
        return true;
    return isalpha((unsigned char)p[0]) && p[1] == ':' && (p[2] == '\\' || p[2] == '/');
}

/* The same path with the symbolic links of what exists of it followed. */
static char *follow_links(const char *path)
{
    auto_free char *dir = path_dir(path);
    char *real = path_real(path, NULL);
    if (real || !strcmp(dir, path) || !strcmp(dir, "."))
        return real ? real : xstrdup(path);
    auto_free char *real_dir = follow_links(dir);
    return path_join(real_dir, path_base(path));
}

static struct node *make_absolute(void *ctx, struct node *value, enum path_kind kind)
{
    const struct resolver *r = ctx;
    if (kind == PATH_CONTEXT && paths_is_remote(value->text))
        return value;
    if (kind == PATH_GIT && value->text[strcspn(value->text, ":/")] == ':')
        return value;
    if (!*value->text && kind != PATH_UNIX)
        return value;
    auto_free char *path = path_expand_home(value->text);
    if (!path_is_abs(path) && !(kind == PATH_UNIX && is_windows_abs(path))) {
        char *joined = path_join(r->base, path);
        free(path);
        path = joined;
    }
    if (kind == PATH_WATCHED && path_is_abs(path)) {
        char *real = follow_links(path);
        free(path);
        path = real;
    }
    if (!strcmp(path, value->text))
        return value;
    struct node *out = node_string(r->a, path, value->span);
    out->mark = value->mark;
    out->quoted = value->quoted;
    return out;
}

void paths_resolve(struct arena *a, struct node *doc, const char *base)
{
    struct resolver r = { a, base };
    visit_document(&(struct walk){ make_absolute, &r, false }, doc);
}

const char *paths_base(struct loader *ld, const char *dir, const char *from)
{
    if (!ld->opt->no_resolve_paths)
        return dir;
    auto_free char *seen = path_relative(from, dir);
    return arena_strdup(ld->a, seen);
}

/* Staying inside. */

bool paths_stay_inside(const char *root, const char *path)
{
    auto_free char *real_root = follow_links(root);
    auto_free char *real = follow_links(path);
    return path_below(real_root, real);
}

struct fence {
    struct loader *ld;
    const char *root;
    const char *real_root;
    const char *project;
};

static void report_outside(const struct fence *f, struct span at)
{
    diag_error(f->ld->d, at, "this path leaves the folder of project '%s'", f->project);
    diag_hint(f->ld->d,
              "what the project needs from outside is said by the stack file, in "
              "projects.%s.services",
              f->project);
}

static struct node *check_inside(void *ctx, struct node *value, enum path_kind kind)
{
    const struct fence *f = ctx;
    if (kind == PATH_CONTEXT && strncasecmp(value->text, "file:", 5) == 0) {
        report_outside(f, value->span);
        return value;
    }
    if (kind == PATH_CONTEXT && paths_is_remote(value->text))
        return value;
    if (!path_is_abs(value->text))
        return value;
    auto_free char *clean = path_clean(value->text);
    auto_free char *real = follow_links(clean);
    if (path_below(f->root, clean) && path_below(f->real_root, real))
        return value;
    report_outside(f, value->span);
    return value;
}

/* A Dockerfile's path is relative to its context, so that it stays as the file has it. */
static void check_dockerfile(struct fence *f, const struct node *build)
{
    const char *context = node_text_at(build, "context");
    const struct node *file = node_get(build, "dockerfile");
    if (!context || !node_text(file) || !path_below(f->root, context))
        return;
    auto_free char *path = path_join(context, node_text(file));
    struct node *whole = node_string(f->ld->a, path, file->span);
    check_inside(f, whole, PATH_PLAIN);
}

/* Where a bind starts from is absolute; the layers of an overlay are paths that nobody looks at. */
static void check_volume(struct fence *f, const struct node *volume)
{
    const struct node *device = node_at(volume, "driver_opts.device");
    const struct node *o = node_at(volume, "driver_opts.o");
    const char *from = node_text(device), *options = node_text(o);
    bool bind = options && strstr(options, "bind") && from && !path_is_abs(from);
    if (bind || (options && strstr(options, "dir=")))
        report_outside(f, bind ? device->span : o->span);
}

void paths_confine(struct loader *ld, struct node *doc, const char *root, const char *project)
{
    auto_free char *real_root = path_real(root, NULL);
    struct fence f = { ld, root, real_root ? real_root : root, project };
    visit_document(&(struct walk){ check_inside, &f, true }, doc);
    struct node *services = node_get(doc, "services"), *images = node_get(doc, "images");
    node_each (i, services)
        check_dockerfile(&f, node_get(services->items[i], "build"));
    node_each (i, images)
        check_dockerfile(&f, images->items[i]);
    struct node *volumes = node_get(doc, "volumes");
    node_each (i, volumes)
        check_volume(&f, volumes->items[i]);
}
