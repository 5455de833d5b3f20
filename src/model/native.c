/* The native form: projects with their manifests, infrastructure, what projects require. */
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "model/loader.h"

/*
 * The stack file says where projects are; each project's docstack/ says how it is deployed. Here
 * both become plain services: a manifest is read like a stack file of its own whose paths start
 * from (and stay in) the project's root, then merged with what the stack file overrides. What
 * projects require is gathered last: one entry of the stack wins over every default, equal defaults
 * are one service, different ones are a question that only the stack file can answer.
 */

struct need {
    const char *name;
    const char *project;
    struct node *service; /* NULL: no default */
    struct span span;
};

struct native {
    struct loader *ld;
    struct node *doc;
    struct project *projects; /* becomes the stack's */
    struct {
        VEC(struct need);
    } needs;
};

struct taken {
    const char *name;
    const char *root;
    struct node *entry; /* of the stack file */
    struct span span;
};

/* "service 'db' stands twice: here and at FILE:LINE". */
static void report_twice(struct loader *ld, const char *kind, const char *name, struct span here,
                         struct span other)
{
    const char *of = strmap_get(&ld->projects, name);
    if (!strcmp(kind, "service") && of)
        diag_error(ld->d, here, "%s '%s' is also a %s of project '%s'", kind, name, kind, of);
    else
        diag_error(ld->d, here, "%s '%s' is in the stack twice", kind, name);
    if (other.source)
        diag_hint(ld->d, "the other one is at %s:%d:%d", other.source->shown, other.line,
                  other.column);
}

static void add_service(struct loader *ld, struct node *services, const char *name,
                        struct node *service, struct span at)
{
    if (node_get(services, name)) {
        report_twice(ld, "service", name, at, node_key_span(services, name));
        return;
    }
    node_set(ld->a, services, name, service);
    services->key_spans[services->len - 1] = at;
}

void native_take_infrastructure(struct loader *ld, struct node *doc)
{
    struct node *infrastructure = node_get(doc, "infrastructure");
    struct node *services = map_at(ld, doc, "services");
    if (infrastructure && infrastructure->kind == NODE_MAP && services)
        node_each (i, infrastructure)
            add_service(ld, services, infrastructure->keys[i], infrastructure->items[i],
                        infrastructure->key_spans[i]);
    node_remove(doc, "infrastructure");
}

/* Where a project is. */

static const char *join(struct loader *ld, const char *dir, const char *path)
{
    auto_free char *home = path_expand_home(path);
    auto_free char *joined = path_join(dir, home);
    return arena_strdup(ld->a, joined);
}

/* What of a project from git is wanted: its own ref, else what the whole stack follows. */
static const char *ref_of(const struct loader *ld, const struct taken *p)
{
    const char *own = node_text_at(p->entry, "ref");
    return own ? own : ld->st->track;
}

static const char *git_root(struct native *n, const struct taken *p, const struct node *git)
{
    struct loader *ld = n->ld;
    const char *submodules = node_text_at(p->entry, "submodules");
    const struct lock_project *lock = lockfile_project(&ld->lock, p->name);
    struct load_git_source source = {
        .project = p->name,
        .url = node_text(git),
        .ref = ref_of(ld, p),
        .commit = lock ? lock->commit : NULL,
        .submodules = submodules && !strcmp(submodules, "true"),
        .stack_name = ld->st->name,
        .stack_dir = ld->found.dir,
    };
    const char *below = node_text_at(p->entry, "path");
    if (ld->opt->locked && !lock) {
        diag_error(ld->d, git->span, "the lock file has no commit for project '%s'", p->name);
        diag_hint(ld->d, "write it anew with 'stack lock'");
        return NULL;
    }
    if (!ld->opt->git) {
        diag_error(ld->d, git->span, "project '%s' is not cloned yet", p->name);
        return NULL;
    }
    auto_free char *dir = NULL;
    auto_error struct error err = ERROR_INIT;
    if (ld->opt->git(&dir, ld->opt->git_ctx, &source, &err) < 0) {
        diag_error(ld->d, git->span, "project '%s': %s", p->name, err.msg);
        if (err.hint)
            diag_hint(ld->d, "%s", err.hint);
        return NULL;
    }
    if (!below || !*below)
        return arena_strdup(ld->a, dir);
    auto_free char *root = path_join(dir, below);
    if (path_below(dir, root) && paths_stay_inside(dir, root))
        return arena_strdup(ld->a, root);
    diag_error(ld->d, node_get(p->entry, "path")->span, "this folder is not in the checkout");
    return NULL;
}

static bool find_root(struct native *n, struct taken *p)
{
    struct loader *ld = n->ld;
    const struct node *git = node_get(p->entry, "git"), *path = node_get(p->entry, "path");
    if (node_text(git))
        p->root = git_root(n, p, git);
    else if (node_text(path) && *node_text(path))
        p->root = join(ld, ld->found.dir, node_text(path));
    if (!p->root)
        return false;
    struct span at = git ? git->span : path->span;
    auto_free char *shown = path_show(p->root);
    if (!file_is_dir(p->root)) {
        diag_error(ld->d, at, "project '%s': there is no folder '%s'", p->name, shown);
        return false;
    }
    if (!file_is_dir(join(ld, p->root, "docstack"))) {
        diag_error(ld->d, at, "project '%s' has no docstack/ folder in '%s'", p->name, shown);
        diag_hint(ld->d, "docstack/Dockerfile is enough to begin with");
        return false;
    }
    return true;
}

/* What commands will know of it. */
static void note_project(struct native *n, const struct taken *p)
{
    struct stack *st = n->ld->st;
    const char *below = node_text_at(p->entry, "path");
    const char *submodules = node_text_at(p->entry, "submodules");
    n->projects[st->nprojects++] = (struct project){
        .name = p->name,
        .dir = p->root,
        .url = node_text_at(p->entry, "git"),
        .ref = node_get(p->entry, "git") ? ref_of(n->ld, p) : NULL,
        .below = below && node_get(p->entry, "git") ? below : "",
        .submodules = submodules && !strcmp(submodules, "true"),
        .span = p->span,
    };
}

/* Its manifest. */

static struct node *read_manifest(struct native *n, const struct taken *p)
{
    static const char *const names[] = { "docstack/docstack.yaml", "docstack/docstack.yml" };
    struct loader *ld = n->ld;
    for (size_t i = 0; i < countof(names); i++) {
        const char *path = join(ld, p->root, names[i]);
        if (!file_exists(path))
            continue;
        if (!paths_stay_inside(p->root, path)) {
            auto_free char *shown = path_show(path);
            diag_error(ld->d, p->span, "'%s' leads out of the folder of project '%s'", shown,
                       p->name);
            return NULL;
        }
        const struct source *src = document_source(ld, path, p->span);
        if (!src)
            return NULL;
        struct context ctx = { .env = &ld->env, .dir = p->root, .root = p->root };
        struct node *doc = document_read(ld, src, ctx.env, true, NULL);
        if (!doc)
            return NULL;
        extends_resolve(ld, doc, src, &ctx);
        return doc;
    }
    return node_new(ld->a, NODE_MAP, p->span);
}

/* `build:` is implied; the project's root is the context, docstack/Dockerfile the recipe. */
static void imply_build(struct native *n, const struct taken *p, struct node *s, const char *name,
                        struct span at)
{
    struct loader *ld = n->ld;
    struct node *build = node_get(s, "build");
    bool implied = !build || build->kind != NODE_MAP;
    if (implied && (node_get(s, "image") || node_get(s, "provider")))
        return;
    if (implied) {
        if (!file_exists(join(ld, p->root, "docstack/Dockerfile"))) {
            diag_error(ld->d, at,
                       "service '%s' of project '%s' needs docstack/Dockerfile, an "
                       "image or a build",
                       name, p->name);
            return;
        }
        build = node_new(ld->a, NODE_MAP, at);
        node_set(ld->a, s, "build", build);
    }
    if (node_get(build, "context"))
        return;
    node_set_string(ld->a, build, "context", ".");
    if (!node_get(build, "dockerfile") && !node_get(build, "dockerfile_inline"))
        node_set_string(ld->a, build, "dockerfile", "docstack/Dockerfile");
}

static void complete_manifest(struct native *n, const struct taken *p, struct node *doc)
{
    struct loader *ld = n->ld;
    struct node *services = node_get(doc, "services");
    if (!services || services->kind == NODE_NULL) {
        services = map_at(ld, doc, "services");
        node_set(ld->a, services, p->name, node_new(ld->a, NODE_MAP, p->span));
    }
    node_each (i, services) {
        if (services->kind != NODE_MAP)
            break;
        if (services->items[i]->kind == NODE_NULL)
            services->items[i] = node_new(ld->a, NODE_MAP, services->key_spans[i]);
        if (services->items[i]->kind == NODE_MAP)
            imply_build(n, p, services->items[i], services->keys[i], services->key_spans[i]);
    }
    struct node *images = node_get(doc, "images");
    node_each (i, images) {
        struct node *image = images->items[i];
        if (image->kind != NODE_MAP || node_get(image, "context"))
            continue;
        node_set_string(ld->a, image, "context", ".");
        if (!node_get(image, "dockerfile") && !node_get(image, "dockerfile_inline"))
            node_set_string(ld->a, image, "dockerfile", "docstack/Dockerfile");
    }
    schema_finish(ld->a, doc, FORM_MANIFEST, ld->opt->no_interpolate, ld->d);
    paths_resolve(ld->a, doc, p->root);
    paths_confine(ld, doc, p->root, p->name);
}

/* Into the stack. */

static void take_services(struct native *n, const struct taken *p, const struct node *manifest)
{
    struct loader *ld = n->ld;
    struct node *to = map_at(ld, n->doc, "services");
    const struct node *from = node_get(manifest, "services");
    const struct node *overrides = node_get(p->entry, "services");
    node_each (i, overrides)
        if (from && overrides->kind == NODE_MAP && !node_get(from, overrides->keys[i])) {
            diag_error(ld->d, overrides->key_spans[i], "project '%s' has no service '%s'", p->name,
                       overrides->keys[i]);
            suggest_key(ld, overrides->keys[i], from);
        }
    node_each (i, from) {
        if (!to || from->kind != NODE_MAP)
            break;
        const char *name = from->keys[i];
        struct node *service = from->items[i];
        struct node *over = node_get(overrides, name);
        if (over && over->kind == NODE_MAP)
            service = schema_merge_services(ld->a, service, over);
        add_service(ld, to, name, service, from->key_spans[i]);
        if (!strmap_has(&ld->projects, name))
            strmap_set(&ld->projects, name, (void *)(uintptr_t)p->name);
    }
}

static void take_resources(struct native *n, const struct node *manifest)
{
    static const struct {
        const char *section, *kind;
    } sections[] = { { "networks", "network" },
                     { "volumes", "volume" },
                     { "configs", "config" },
                     { "secrets", "secret" } };
    struct loader *ld = n->ld;
    for (size_t k = 0; k < countof(sections); k++) {
        const struct node *from = node_get(manifest, sections[k].section);
        struct node *to = from ? map_at(ld, n->doc, sections[k].section) : NULL;
        node_each (i, from) {
            if (!to || from->kind != NODE_MAP)
                break;
            const struct node *here = node_get(to, from->keys[i]);
            if (here && !node_equal(here, from->items[i])) {
                report_twice(ld, sections[k].kind, from->keys[i], from->key_spans[i],
                             node_key_span(to, from->keys[i]));
            } else if (!here) {
                node_set(ld->a, to, from->keys[i], from->items[i]);
                to->key_spans[to->len - 1] = from->key_spans[i];
            }
        }
    }
}

static void take_images(struct native *n, const struct taken *p, const struct node *manifest)
{
    struct loader *ld = n->ld;
    const struct node *images = node_get(manifest, "images");
    node_each (i, images) {
        struct node *build = images->items[i];
        if (images->kind != NODE_MAP || build->kind != NODE_MAP)
            continue;
        vec_each (it, &ld->images)
            if (!strcmp(it->name, images->keys[i]))
                diag_error(ld->d, images->key_spans[i],
                           "image '%s' is also an image of project '%s'", it->name, it->project);
        struct image_decl *decl = vec_push(&ld->images);
        decl->name = images->keys[i];
        decl->project = p->name;
        decl->ref = node_text_at(build, "image");
        decl->span = images->key_spans[i];
        node_remove(build, "image");
        if (!node_get(build, "dockerfile") && !node_get(build, "dockerfile_inline"))
            node_set_string(ld->a, build, "dockerfile", "Dockerfile");
        decl->build = build;
    }
}

static void take_needs(struct native *n, const struct taken *p, const struct node *manifest)
{
    const struct node *requires = node_get(manifest, "requires");
    node_each (i, requires) {
        if (requires->kind != NODE_MAP)
            break;
        struct node *service = requires->items[i];
        struct need *need = vec_push(&n->needs);
        need->name = requires->keys[i];
        need->project = p->name;
        need->service = service->kind == NODE_MAP && service->len ? service : NULL;
        need->span = requires->key_spans[i];
    }
}

static void take_project(struct native *n, struct taken *p)
{
    if (!find_root(n, p))
        return;
    note_project(n, p);
    strmap_set(&n->ld->project_dirs, p->name, (void *)(uintptr_t)p->root);
    struct node *manifest = read_manifest(n, p);
    if (!manifest)
        return;
    complete_manifest(n, p, manifest);
    take_services(n, p, manifest);
    take_resources(n, manifest);
    take_images(n, p, manifest);
    take_needs(n, p, manifest);
}

/* Whether an earlier need of the name says the same; reports it when it says something else. */
static bool settled(struct native *n, size_t i)
{
    const struct need *need = &n->needs.items[i];
    for (size_t k = 0; k < i; k++) {
        const struct need *other = &n->needs.items[k];
        if (strcmp(other->name, need->name) != 0 || !other->service)
            continue;
        if (need->service && !node_equal(need->service, other->service)) {
            diag_error(n->ld->d, need->span,
                       "projects '%s' and '%s' require different '%s', and the stack does not say "
                       "which",
                       other->project, need->project, need->name);
            diag_hint(n->ld->d, "name one in the stack file: infrastructure: { %s: IMAGE }",
                      need->name);
        }
        return true;
    }
    return false;
}

static void take_required(struct native *n)
{
    struct loader *ld = n->ld;
    struct node *services = map_at(ld, n->doc, "services");
    struct node *required = node_new(ld->a, NODE_MAP, n->doc->span);
    for (size_t i = 0; services && i < n->needs.len; i++) {
        const struct need *need = &n->needs.items[i];
        if (node_get(services, need->name) || settled(n, i) || !need->service)
            continue;
        node_set(ld->a, required, need->name, need->service);
        required->key_spans[required->len - 1] = need->span;
    }
    vec_each (it, &n->needs) {
        if (!services || node_get(services, it->name) || node_get(required, it->name))
            continue;
        diag_error(ld->d, it->span, "project '%s' requires '%s', and nothing says what that is",
                   it->project, it->name);
        diag_hint(ld->d, "name it in the stack file: infrastructure: { %s: IMAGE }", it->name);
    }
    node_each (i, required)
        add_service(ld, services, required->keys[i], required->items[i], required->key_spans[i]);
}

void native_resolve(struct loader *ld, struct node *doc)
{
    struct native n = { .ld = ld, .doc = doc };
    struct node *projects = node_get(doc, "projects");
    ld->st->registry = node_text_at(doc, "registry");
    ld->st->track = ld->opt->track ? ld->opt->track : node_text_at(doc, "track");
    if (projects && projects->kind == NODE_MAP) {
        paths_resolve(ld->a, doc, ld->found.dir);
        n.projects = arena_alloc(ld->a, (projects->len + 1) * sizeof(*n.projects));
        ld->st->projects = n.projects;
        node_each (i, projects) {
            struct taken p = { projects->keys[i], NULL, projects->items[i],
                               projects->key_spans[i] };
            if (p.entry->kind == NODE_MAP)
                take_project(&n, &p);
        }
        take_required(&n);
    }
    vec_free(&n.needs);
    static const char *const own[] = { "projects", "infrastructure", "registry", "track" };
    for (size_t i = 0; i < countof(own); i++)
        node_remove(doc, own[i]);
}

struct node *native_own_project(struct loader *ld, const char *dir)
{
    struct span none = { 0 };
    struct node *doc = node_new(ld->a, NODE_MAP, none);
    struct node *projects = node_new(ld->a, NODE_MAP, none);
    struct node *entry = node_new(ld->a, NODE_MAP, none);
    node_set_string(ld->a, entry, "path", dir);
    node_set(ld->a, projects, find_normal_name(ld->a, path_base(dir)), entry);
    node_set(ld->a, doc, "projects", projects);
    ld->native = true;
    return doc;
}
