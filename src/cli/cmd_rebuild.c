/*
 * `stack rebuild`: for pipelines. Brings the images of some projects, and all that is FROM them, to
 * what their sources are now: takes those that the registry has, builds the others, and with --push
 * gives each the tags under which `stack up` of others finds it. What happened is printed as JSON.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "build/fetch.h"
#include "cli/change.h"
#include "cli/command.h"
#include "engine/requests.h"
#include "git/identity.h"
#include "git/objects.h"
#include "model/labels.h"

struct rebuild_options {
    bool push, force, no_cache, pull;
    const char *ref, *format;
    struct strv tags;
};
#define OPTIONS rebuild_options

static const char *const formats[] = { "text", "json", NULL };
static const struct option rows[] = {
    ROW_STRING(0, "ref", ref, "REF", COMPLETE_NONE,
               "Branch, tag or commit of the projects; fetched first. Default: the stack file's"),
    ROW_FLAG(0, "push", push, "Push to the stack's registry, with all tags"),
    ROW_STRINGS(0, "tag", tags, "TAG", COMPLETE_NONE, "A further tag: a release; repeatable"),
    ROW_FLAG(0, "force", force, "Build although the registry or the engine has the image"),
    ROW_FLAG(0, "no-cache", no_cache, "Do not use the builder's cache"),
    ROW_FLAG(0, "pull", pull, "Always look for newer base images"),
    ROW_CHOICE(0, "format", format, formats, "Form of the result (default text)"),
};

/* What became of one image. */
struct outcome_of {
    const struct image *image;
    const char *action; /* "present", "fetched", "built", "failed" */
    char *id, *architecture, *fingerprint;
    struct strv refs; /* its tags in the registry */
    struct strv pushed;
};

/* The commit of a project. */
struct source_of {
    const struct project *project;
    char *commit; /* NULL: none, or local changes */
    struct strv tags;
    bool dirty;
};

struct rebuild {
    struct change change;
    const struct rebuild_options *opt;
    const struct strv *names; /* of projects; none: all */
    bool *wanted;             /* by position in stack->images */
    struct {
        VEC(struct outcome_of);
    } images;
    struct {
        VEC(struct source_of);
    } sources;
};

static void rebuild_clear(struct rebuild *r)
{
    vec_each (o, &r->images) {
        free(o->id);
        free(o->architecture);
        free(o->fingerprint);
        strv_clear(&o->refs);
        strv_clear(&o->pushed);
    }
    vec_each (s, &r->sources) {
        free(s->commit);
        strv_clear(&s->tags);
    }
    vec_free(&r->images);
    vec_free(&r->sources);
    free(r->wanted);
    change_end(&r->change);
}

/* --- which --- */

static const struct project *find_project(const struct stack *st, const char *name)
{
    for (size_t i = 0; i < st->nprojects; i++)
        if (str_eq(st->projects[i].name, name))
            return &st->projects[i];
    return NULL;
}

static int check_projects(const struct stack *st, const struct strv *names, const char *ref,
                          struct error *err)
{
    strv_each (name, names) {
        const struct project *p = find_project(st, *name);
        if (p && (!ref || p->url))
            continue;
        if (p)
            return error_set(err, ERR_USAGE, 0,
                             "--ref is for projects from git; '%s' is the folder '%s'", p->name,
                             p->dir);
        auto_str struct str known = STR_INIT;
        for (size_t i = 0; i < st->nprojects; i++)
            str_addf(&known, "%s%s", i ? ", " : "", st->projects[i].name);
        error_set(err, ERR_NOTFOUND, 0, "the stack has no project '%s'", *name);
        return error_hint(err, known.len ? "its projects are: %s" : "it has no projects%s",
                          known.buf ? known.buf : "");
    }
    return 0;
}

/* The images of the projects, and what is FROM one of those, however far. */
static void choose(struct rebuild *r, const struct strv *names)
{
    const struct stack *st = r->change.cli->stack;
    const struct build_survey *s = r->change.survey;
    r->wanted = xcalloc(st->nimages + 1, sizeof(*r->wanted));
    for (size_t i = 0; i < st->nimages; i++)
        r->wanted[i] =
            st->images[i].project && (!names->len || strv_has(names, st->images[i].project));
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < s->nimages; i++)
            for (size_t k = 0; !r->wanted[i] && k < s->images[i].nbases; k++)
                more |= r->wanted[i] = r->wanted[s->images[i].bases[k]];
    }
    for (size_t i = 0; i < st->nimages; i++)
        if (r->wanted[i])
            *vec_push(&r->images) =
                (struct outcome_of){ .image = &st->images[i], .action = "present" };
}

/* --- sources --- */

static void find_source(struct rebuild *r, const struct project *p)
{
    struct source_of *s = vec_push(&r->sources);
    *s = (struct source_of){ .project = p };
    auto_repo_identity struct repo_identity id = { 0 };
    auto_(repo_closep) struct repo *repo = NULL;
    if (repo_identify(&id, p->dir, REPO_DIRTY, NULL) < 0)
        return;
    s->dirty = id.dirty;
    if (id.dirty || !id.commit)
        return;
    s->commit = xstrdup(id.commit);
    if (id.branch)
        strv_add(&s->tags, id.branch);
    if (repo_open(&repo, id.root, NULL) == 0)
        repo_tags_of(&s->tags, repo, id.commit, NULL);
}

static struct source_of *source_of(struct rebuild *r, const char *project)
{
    vec_each (s, &r->sources)
        if (str_eq(s->project->name, project))
            return s;
    return NULL;
}

static void find_sources(struct rebuild *r)
{
    vec_each (o, &r->images) {
        const struct project *p =
            o->image->project ? find_project(r->change.cli->stack, o->image->project) : NULL;
        if (p && !source_of(r, p->name))
            find_source(r, p);
    }
}

/* --- tags --- */

/* A text as a tag of an image: "feature/x" is "feature-x"; owned by the caller. */
static char *tag_text(const char *text)
{
    char *out = xasprintf("%s%.127s", isalnum((unsigned char)*text) ? "" : "_", text);
    for (char *p = out; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
            *p = '-';
    return out;
}

static void add_ref(struct outcome_of *o, const char *repository, const char *tag)
{
    auto_free char *text = tag_text(tag);
    auto_free char *ref = xasprintf("%s:%s", repository, text);
    if (!strv_has(&o->refs, ref))
        strv_add(&o->refs, ref);
}

/* The branch or tag by which the project was asked for. */
static void add_line(const struct rebuild *r, struct outcome_of *o, const char *repository,
                     const struct source_of *s)
{
    bool moved = r->opt->ref && (!r->names->len || strv_has(r->names, s->project->name));
    const char *ref = moved ? r->opt->ref : s->project->url ? s->project->ref : NULL;
    if (!ref || str_starts(s->commit, ref))
        return;
    const char *slash = str_starts(ref, "refs/") ? strchr(ref + strlen("refs/"), '/') : NULL;
    add_ref(o, repository, slash ? slash + 1 : ref);
}

/* A project's own names count for its images alone: what is FROM them in another project has its
 * content and that project's commit. */
static void find_tags(struct rebuild *r, struct outcome_of *o)
{
    const struct source_of *s = o->image->project ? source_of(r, o->image->project) : NULL;
    const char *registry = r->change.cli->stack->registry;
    if (!registry)
        return;
    auto_free char *repository = fetch_repository(registry, o->image);
    if (o->fingerprint) {
        auto_free char *content = fetch_content_tag(o->fingerprint, o->architecture);
        add_ref(o, repository, content);
    }
    if (s && s->commit) {
        auto_free char *commit = fetch_commit_tag(s->commit);
        add_ref(o, repository, commit);
        add_line(r, o, repository, s);
        strv_each (tag, &s->tags)
            add_ref(o, repository, *tag);
    }
    strv_each (tag, &r->opt->tags)
        add_ref(o, repository, *tag);
}

/* What the engine has now under the image's reference. */
static int inspect(struct rebuild *r, struct outcome_of *o, struct error *err)
{
    auto_json json_t *seen = NULL;
    struct engine_request rq;
    rq_image_inspect(&rq, o->image->ref);
    if (engine_do(&seen, r->change.cli->engine, &rq, err) < 0)
        return error_wrap(err, "image '%s'", o->image->name);
    const json_t *labels = json_at(seen, "Config.Labels");
    const char *print = json_string_value(json_object_get(labels, LABEL_FINGERPRINT));
    o->id = xstrdup(json_str_or(seen, "Id", ""));
    o->architecture = xstrdup(json_str_or(seen, "Architecture", ""));
    o->fingerprint = xstrdup(print);
    find_tags(r, o);
    return 0;
}

/* --- push --- */

static int tag_all(struct rebuild *r, struct error *err)
{
    vec_each (o, &r->images)
        strv_each (ref, &o->refs) {
            const char *colon = strrchr(*ref, ':');
            auto_free char *repo = xstrndup(*ref, (size_t)(colon - *ref));
            struct engine_request rq;
            rq_image_tag(&rq, o->image->ref, repo, colon + 1);
            if (engine_do(NULL, r->change.cli->engine, &rq, err) < 0)
                return error_wrap(err, "tag image '%s' as '%s'", o->image->name, *ref);
        }
    return 0;
}

static void note_push(struct rebuild *r, const struct event *e)
{
    vec_each (o, &r->images)
        if (strv_has(&o->refs, e->op->ref) && !strv_has(&o->pushed, e->op->ref))
            strv_add(&o->pushed, e->op->ref);
}

static int push(struct rebuild *r, const struct plan_options *opt, struct error *err)
{
    struct change *c = &r->change;
    struct {
        VEC(struct push_ref);
    } refs = { 0 };
    if (tag_all(r, err) < 0)
        return -1;
    vec_each (o, &r->images)
        strv_each (ref, &o->refs)
            *vec_push(&refs) = (struct push_ref){ o->image->name, *ref };
    plan_free(take(c->plan));
    int code = plan_push(&c->plan, c->cli->stack, refs.items, refs.len, opt, err);
    vec_free(&refs);
    c->verb = "push";
    return code < 0 ? -1 : change_run(c, err);
}

/* --- the run --- */

static void on_event(void *ctx, const struct event *e)
{
    struct rebuild *r = ctx;
    if (e->kind != EVENT_ENDED || !e->op)
        return;
    if (e->op->kind == OP_IMAGE_PUSH && e->outcome == OUTCOME_DONE)
        note_push(r, e);
    vec_each (o, &r->images) {
        if (o->image != e->op->image)
            continue;
        bool build = e->op->kind == OP_IMAGE_BUILD;
        if (e->outcome == OUTCOME_DONE)
            o->action = build ? "built" : "fetched";
        else if (e->outcome != OUTCOME_SKIPPED)
            o->action = "failed";
    }
}

static int bring(struct rebuild *r, const struct strv *projects, struct error *err)
{
    struct change *c = &r->change;
    struct plan_options opt = { .build = r->opt->force, .timeout_s = -1 };
    if (change_observe_up(c, NULL, err) < 0)
        return -1;
    choose(r, projects);
    find_sources(r);
    const struct build_survey *s = c->survey;
    if (plan_rebuild(&c->plan, c->cli->stack, c->now, s ? s->images : NULL, s ? s->nimages : 0,
                     r->wanted, &opt, err) < 0)
        return -1;
    c->seen = on_event;
    c->seen_ctx = r;
    int code = change_run(c, err);
    if (code != EXIT_DONE || c->cli->global.dry_run)
        return code;
    vec_each (o, &r->images)
        if (inspect(r, o, err) < 0)
            return -1;
    return r->opt->push ? push(r, &opt, err) : EXIT_DONE;
}

/* --- the result --- */

static json_t *texts(const struct strv *list)
{
    json_t *out = json_array();
    strv_each (text, list)
        json_array_append_new(out, json_string(*text));
    return out;
}

static json_t *image_json(struct rebuild *r, const struct outcome_of *o)
{
    const struct source_of *s = o->image->project ? source_of(r, o->image->project) : NULL;
    json_t *out = json_pack("{s:s, s:s*, s:s, s:s, s:s*, s:s*}", "image", o->image->name, "project",
                            o->image->project, "reference", o->image->ref, "action", o->action,
                            "id", o->id, "fingerprint", o->fingerprint);
    if (s)
        json_object_update_new(out,
                               json_pack("{s:s*, s:b}", "commit", s->commit, "dirty", s->dirty));
    json_object_set_new(out, "tags", texts(&o->refs));
    json_object_set_new(out, "pushed", texts(&o->pushed));
    return out;
}

static void print_json(struct rebuild *r, int code)
{
    json_t *images = json_array();
    vec_each (o, &r->images)
        json_array_append_new(images, image_json(r, o));
    auto_json json_t *out = json_pack("{s:s, s:b, s:o}", "stack", r->change.cli->stack_name, "ok",
                                      code == EXIT_DONE, "images", images);
    json_dumpf(out, stdout, JSON_INDENT(2));
    putchar('\n');
}

static void print_text(struct rebuild *r)
{
    vec_each (o, &r->images) {
        printf("%s: %s\n", o->image->name, o->action);
        strv_each (ref, r->opt->push ? &o->pushed : &o->refs)
            printf("  %s\n", *ref);
    }
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct rebuild_options *o = values;
    struct rebuild r = { .opt = o, .names = args };
    cli->at.ref = o->ref;
    cli->at.projects = args;
    if (cli_load(cli, NULL, err) < 0 || check_projects(cli->stack, args, o->ref, err) < 0)
        return -1;
    if (o->push && !cli->stack->registry) {
        error_set(err, ERR_INPUT, 0, "the stack file names no registry to push to");
        return error_hint(err, "add 'registry: HOST/PATH' at its top");
    }
    int code = change_begin(&r.change, cli, "rebuild", err);
    r.change.build.no_cache = o->no_cache;
    r.change.build.pull = o->pull;
    if (code == 0)
        code = bring(&r, args, err);
    if (!cli->global.dry_run && str_eq(o->format, "json"))
        print_json(&r, code);
    else if (!cli->global.dry_run && code == EXIT_DONE)
        print_text(&r);
    rebuild_clear(&r);
    return code;
}

static const char *const examples[] = {
    "stack rebuild keystone --ref main --push --format json",
    "After a push to main, in a pipeline",
    "stack --dry-run rebuild keystone",
    "What would be built",
    NULL,
};

extern const struct command cmd_rebuild;
const struct command cmd_rebuild = {
    .name = "rebuild",
    .group = "Images",
    .usage = "[OPTIONS] [PROJECT...]",
    .summary = "Build and push the images of projects, and of what is FROM them",
    .text = "Made for pipelines. Takes from the registry what it has of that very content, and\n"
            "builds the rest. With --push each image gets these tags: its content, git-COMMIT,\n"
            "the branch, and the tags of the commit; those by which 'stack up' finds it.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct rebuild_options),
    .max_args = -1,
    .args = COMPLETE_PROJECT,
    .run = run,
};
