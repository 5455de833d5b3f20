/* `stack status`: where each project comes from, what it has checked out, whose its images are. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/change.h"
#include "cli/listing.h"
#include "git/cache.h"
#include "git/identity.h"
#include "git/objects.h"

struct status_options {
    const char *format;
};
#define OPTIONS status_options

static const char *const formats[] = { "table", "json", NULL };
static const struct option rows[] = { ROW_CHOICE(0, "format", format, formats,
                                                 "Form of the output") };

static const struct listing_column columns[] = {
    { "PROJECT", "Project" }, { "SOURCE", "Source" },   { "REF", "Ref" },
    { "COMMIT", "Commit" },   { "CHANGES", "Changes" }, { "IMAGES", "Images" },
};

/* A project as one line tells it. */
struct line {
    const char *name, *source, *path;
    const char *ref; /* "" where there is none */
    char *url;       /* without credentials, or NULL */
    struct repo_identity id;
    bool known; /* id is filled */
    size_t ahead, behind;
};

/* The cache's work trees follow no branch: what the mirror has now is compared. */
static void compare_mirror(struct line *line, const struct git_source *s)
{
    char now[REPO_ID_LEN + 1];
    auto_repo_url struct repo_url url = { 0 };
    auto_(repo_closep) struct repo *mirror = NULL;
    auto_free char *cache = repo_cache_dir(NULL);
    if (!cache || repo_url_parse(&url, s->url, NULL, NULL) < 0)
        return;
    auto_free char *path = repo_mirror_path(cache, &url), *name = NULL;
    if (repo_open(&mirror, path, NULL) < 0 || repo_resolve(now, &name, mirror, s->ref, NULL) < 0)
        return;
    repo_ahead_behind(&line->ahead, &line->behind, mirror, line->id.commit, now, NULL);
    if (!line->id.branch && str_starts(name, "refs/heads/"))
        line->id.branch = xstrdup(name + strlen("refs/heads/"));
}

static void identify(struct line *line, const struct git_source *s)
{
    if (!line->path || repo_identify(&line->id, line->path, REPO_DIRTY | REPO_UPSTREAM, NULL) < 0)
        return;
    line->known = true;
    line->ahead = line->id.ahead;
    line->behind = line->id.behind;
    if (s && !s->dev && line->id.commit)
        compare_mirror(line, s);
    if (!*line->ref && line->id.branch)
        line->ref = line->id.branch;
}

static void fill_source(struct line *line, const struct git_source *s)
{
    auto_repo_url struct repo_url url = { 0 };
    line->source = s->dev ? "dev" : "git";
    if (!s->dev)
        line->ref = s->ref ? s->ref : "";
    if (repo_url_parse(&url, s->url, NULL, NULL) == 0)
        line->url = take(url.url);
}

static char *changes_text(const struct line *line)
{
    struct str out = STR_INIT;
    if (line->ahead)
        str_addf(&out, "%zu ahead", line->ahead);
    if (line->behind)
        str_addf(&out, "%s%zu behind", out.len ? ", " : "", line->behind);
    if (line->id.changed)
        str_addf(&out, "%s%zu changed", out.len ? ", " : "", line->id.changed);
    return str_detach(&out);
}

/* --- images --- */

/* Only a registry gives digests of its own; where they are the images' ids, the name tells. */
static bool is_of_registry(const struct change *c, const struct seen_image *seen, const char *ref)
{
    const char *registry = c->cli->stack->registry, *at = strchr(ref, '@');
    return at && (!str_eq(at + 1, seen->id) || (registry && str_starts(ref, registry)));
}

/* Images and why they would be made: NULL when no engine could be asked. */
static const char *image_state(const struct change *c, const struct image *image)
{
    if (!c->plan)
        return "unknown";
    const struct seen_image *seen = snapshot_image(c->now, image->ref);
    if (!seen)
        return "absent";
    for (size_t i = 0; i < c->plan->nops; i++)
        if ((c->plan->ops[i]->kind == OP_IMAGE_BUILD && c->plan->ops[i]->image == image) ||
            (c->plan->ops[i]->kind == OP_IMAGE_PULL && str_eq(c->plan->ops[i]->ref, image->ref)))
            return "stale";
    for (size_t i = 0; i < seen->nrefs; i++)
        if (is_of_registry(c, seen, seen->refs[i]))
            return "pulled";
    return "built here";
}

static void observe(struct change *c, struct cli *cli)
{
    struct plan_options opt = { .timeout_s = -1, .same_file = change_same_file, .adopt = true };
    auto_error struct error err = ERROR_INIT;
    *c = (struct change){ .cli = cli };
    if (!cli->stack)
        return;
    if (cli_engine(cli, &err) == 0 && change_observe_up(c, NULL, &err) == 0)
        plan_up(&c->plan, cli->stack, c->now, c->survey ? c->survey->images : NULL,
                c->survey ? c->survey->nimages : 0, &opt, &err);
    if (err.kind && cli->stack->nimages)
        change_note(c, "images are unknown: %s", err.msg);
}

/* "built here", or with several "web built here, web-db absent". */
static char *images_text(json_t *list)
{
    struct str out = STR_INIT;
    const char *first = json_str_or(json_array_get(list, 0), "State", "");
    bool same = true;
    size_t i;
    json_t *image;
    json_array_foreach (list, i, image)
        same &= str_eq(json_str_or(image, "State", ""), first);
    if (same)
        str_add(&out, first);
    json_array_foreach (same ? NULL : list, i, image)
        str_addf(&out, "%s%s %s", i ? ", " : "", json_str_or(image, "Name", ""),
                 json_str_or(image, "State", ""));
    return str_detach(&out);
}

static json_t *images_of(const struct change *c, const char *project)
{
    const struct stack *st = c->cli->stack;
    json_t *list = json_array();
    for (size_t i = 0; st && i < st->nimages; i++)
        if (str_eq(st->images[i].project, project))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "Name", st->images[i].name,
                                                  "Image", st->images[i].ref, "State",
                                                  image_state(c, &st->images[i])));
    return list;
}

static void add_line(struct listing *l, const struct change *c, struct line *line)
{
    const char *commit = line->id.commit ? line->id.commit : "";
    json_t *images = images_of(c, line->name);
    auto_free char *changes = !line->path    ? xstrdup("not cloned")
                              : !line->known ? xstrdup("not in git")
                                             : changes_text(line);
    auto_free char *short_commit = xstrndup(commit, 12), *state = images_text(images);
    const char *const cells[] = {
        line->name, line->source, line->ref, short_commit, changes, state
    };
    listing_add(l,
                json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:I, s:I, s:o}", "Project",
                          line->name, "Source", line->source, "Ref", line->ref, "Commit", commit,
                          "Branch", line->id.branch, "Path", line->path, "Url", line->url, "Ahead",
                          (json_int_t)line->ahead, "Behind", (json_int_t)line->behind, "Changed",
                          (json_int_t)line->id.changed, "Images", images),
                cells);
    repo_identity_clear(&line->id);
    free(line->url);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct status_options *o = values;
    struct change c;
    (void)args;
    if (cli_probe(cli, err) < 0)
        return -1;
    observe(&c, cli);
    auto_(listing_freep) struct listing *l = listing_new(columns, countof(columns));
    const struct stack *st = cli->stack;
    for (size_t i = 0; st && i < st->nprojects; i++) {
        const struct git_source *s = sources_named(&cli->sources, st->projects[i].name);
        struct line line = {
            .name = st->projects[i].name, .source = "path", .path = st->projects[i].dir, .ref = ""
        };
        if (s)
            fill_source(&line, s);
        identify(&line, s);
        add_line(l, &c, &line);
    }
    /* A stack of which something is missing could not be loaded: what is known of it. */
    for (size_t i = 0; !st && i < cli->sources.len; i++) {
        const struct git_source *s = &cli->sources.items[i];
        struct line line = { .name = s->project,
                             .path = s->dev      ? s->dev
                                     : s->commit ? s->tree
                                                 : NULL,
                             .ref = "" };
        fill_source(&line, s);
        identify(&line, s);
        add_line(l, &c, &line);
    }
    change_end(&c);
    return listing_print(l, o->format, false, false, stdout, err);
}

extern const struct command cmd_status;
const struct command cmd_status = {
    .name = "status",
    .group = "Projects",
    .usage = "[OPTIONS]",
    .summary = "Show the projects of the stack: commit, changes, images",
    .text = "SOURCE is git, path (a folder that the stack file names) or dev (a checkout of your "
            "own: 'stack dev'). CHANGES counts commits ahead of and behind the branch that is "
            "followed, as of the last fetch, and files that are changed or new. Images are built "
            "here, pulled, stale (the next 'up' makes or pulls them), or absent.",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct status_options),
    .run = run,
};
