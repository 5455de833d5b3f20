/* `stack dev` and `stack undev`: a checkout of your own instead of the one in the cache. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/dev.h"
#include "cli/listing.h"
#include "git/checkout.h"
#include "git/identity.h"
#include "git/url.h"

struct cloning {
    bool done;
    struct error err;
};

static void on_cloned(void *ctx, const struct repo_got *got, const struct error *err)
{
    struct cloning *c = ctx;
    (void)got;
    c->done = true;
    if (err)
        error_copy(&c->err, err);
}

static int clone(struct cli *cli, const struct git_source *s, const char *path, struct error *err)
{
    struct cloning c = { 0 };
    struct repo_want want = {
        .name = s->project,
        .url = s->url,
        .ref = s->ref,
        .tree = path,
        .own = true,
        .fetch = cli->global.offline ? REPO_FETCH_NEVER : REPO_FETCH_MISSING,
    };
    repo_checkout_start(cli_loop(cli), &want,
                        &(struct repo_handlers){ .done = on_cloned, .ctx = &c });
    loop_wait(cli_loop(cli), &c.done);
    return c.err.kind ? sources_failed(err, &c.err) : 0;
}

/* What has to come from elsewhere is shown on its way to the cache; the rest is copying. */
static int get(struct cli *cli, const struct git_source *s, const char *path, struct error *err)
{
    auto_strv struct strv only = STRV_INIT;
    strv_add(&only, s->project);
    struct sources_options fetch = { .sync = true, .names = &only };
    if (!s->commit && sources_wanted(&cli->sources, &fetch) && sources_get(cli, &fetch, err) < 0)
        return -1;
    return clone(cli, s, path, err) < 0 ? error_wrap(err, "project '%s'", s->project) : 0;
}

static struct git_source *find(struct cli *cli, const char *project, struct error *err)
{
    if (cli_probe(cli, err) < 0)
        return NULL;
    struct git_source *s = sources_named(&cli->sources, project);
    if (!s)
        error_set(err, ERR_NOTFOUND, 0, "no project '%s' of this stack comes from git", project);
    return s;
}

/* A checkout of something else is nobody's intention, but may be one. */
static void check_origin(struct cli *cli, const struct git_source *s, const char *path)
{
    auto_repo_identity struct repo_identity id = { 0 };
    auto_repo_url struct repo_url wanted = { 0 }, has = { 0 };
    if (repo_identify(&id, path, 0, NULL) < 0 || !id.origin ||
        repo_url_parse(&wanted, s->url, NULL, NULL) < 0 ||
        repo_url_parse(&has, id.origin, path, NULL) < 0 || str_eq(wanted.key, has.key))
        return;
    auto_free char *text =
        xasprintf("note: '%s' is a checkout of %s, not of %s", path, has.url, wanted.url);
    struct sink sink = view_sink(cli_view(cli, NULL));
    sink.event(sink.ctx, &(struct event){ .kind = EVENT_NOTE, .text = text, .len = strlen(text) });
}

static int run_dev(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    (void)values;
    const struct git_source *s = find(cli, args->items[0], err);
    if (!s)
        return -1;
    auto_free char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return error_errno(err, "find the current folder");
    auto_free char *path =
        args->len > 1 ? path_join(cwd, args->items[1]) : path_join(s->stack_dir, s->project);
    auto_free char *git = path_join(path, ".git"), *docstack = path_join(path, "docstack");
    bool there = file_exists(git) || file_exists(docstack);
    if (!there && get(cli, s, path, err) < 0)
        return -1;
    auto_free char *real = path_real(path, err);
    if (!real || dev_set(s->stack_dir, s->project, real, err) < 0)
        return -1;
    check_origin(cli, s, real);
    auto_free char *line = xasprintf("%s  %s", s->project, real);
    listing_line(stdout, line);
    return EXIT_DONE;
}

static int run_undev(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    (void)values;
    const struct git_source *s = find(cli, args->items[0], err);
    if (!s)
        return -1;
    if (!s->dev)
        return error_set(err, ERR_NOTFOUND, 0, "project '%s' has no checkout of your own",
                         s->project);
    auto_repo_url struct repo_url url = { 0 };
    if (repo_url_parse(&url, s->url, NULL, err) < 0 ||
        dev_set(s->stack_dir, s->project, NULL, err) < 0)
        return -1;
    auto_free char *line = xasprintf("%s  %s", s->project, url.url);
    listing_line(stdout, line);
    return EXIT_DONE;
}

static const char *const dev_examples[] = {
    "stack dev glance",
    "clone it to ./glance and use that from now on",
    "stack dev glance ~/src/glance",
    "use the checkout that is there",
    NULL,
};

extern const struct command cmd_dev, cmd_undev;
const struct command cmd_dev = {
    .name = "dev",
    .group = "Projects",
    .usage = "PROJECT [PATH]",
    .summary = "Use a checkout of your own for a project that comes from git",
    .text = "Where PATH (default: a folder of the project's name beside the stack file) is not "
            "there, the repository is cloned to it, with its branch. The next 'stack up' builds "
            "from it. It is noted in .stack/dev.json beside the stack file, which stays as it is; "
            "git ignores that folder.",
    .examples = dev_examples,
    .min_args = 1,
    .max_args = 2,
    .args = COMPLETE_PROJECT,
    .run = run_dev,
};
const struct command cmd_undev = {
    .name = "undev",
    .group = "Projects",
    .usage = "PROJECT",
    .summary = "Use the repository again that the stack file names",
    .text = "The checkout stays where it is.",
    .min_args = 1,
    .max_args = 1,
    .args = COMPLETE_PROJECT,
    .run = run_undev,
};
