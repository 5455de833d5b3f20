/* `stack lock`: writes down which commits and images the stack is made from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"
#include "build/fetch.h"
#include "cli/change.h"
#include "cli/listing.h"
#include "cli/locked.h"
#include "cli/registry.h"
#include "text/imageref.h"

struct lock_options {
    bool diff, check;
    const char *output;
};
#define OPTIONS lock_options

static const struct option rows[] = {
    ROW_FLAG(0, "diff", diff,
             "Write nothing; print what differs: between two files, or from one (default "
             "stack.lock) to what would be written"),
    ROW_FLAG(0, "check", check, "Write nothing; fail if the file is not what would be written"),
    ROW_STRING('o', "output", output, "FILE", COMPLETE_FILE,
               "Write to another file than stack.lock beside the stack file"),
};

struct locking {
    struct cli *cli;
    const struct snapshot *now;
    struct lockfile lock;
    struct {
        VEC(struct lock_image);
    } images;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct lock_image *)a)->name, ((const struct lock_image *)b)->name);
}

static void note_unlocked(struct locking *l, const char *name, const char *image)
{
    struct change c = { .cli = l->cli };
    change_note(&c, "'%s' is not locked: its image was never in the registry as '%s'", name, image);
}

static void add_image(struct locking *l, const char *name, const char *image, const char *digest)
{
    struct arena *a = l->cli->arena;
    *vec_push(&l->images) = (struct lock_image){ arena_strdup(a, name), arena_strdup(a, image),
                                                 arena_strdup(a, digest) };
}

/* The digest that the engine's image has in that repository; NULL: it never was there. */
static const char *local_digest(const struct locking *l, const char *ref, const char *repository)
{
    const struct seen_image *seen = snapshot_image(l->now, ref);
    size_t len = strlen(repository);
    for (size_t i = 0; seen && i < seen->nrefs; i++)
        if (str_starts(seen->refs[i], repository) && seen->refs[i][len] == '@')
            return seen->refs[i] + len + 1;
    return NULL;
}

/* What runs here counts; what is not here, as the registry has it. */
static int lock_service(struct locking *l, const struct service *s, struct error *err)
{
    struct imageref ref;
    auto_free char *asked = NULL;
    if (imageref_parse(&ref, l->cli->arena, s->image, err) < 0)
        return error_wrap(err, "service '%s'", s->name);
    const char *digest = ref.digest ? ref.digest : local_digest(l, s->image, ref.name);
    if (!digest && snapshot_image(l->now, s->image)) {
        note_unlocked(l, s->name, s->image);
        add_image(l, s->name, s->image, NULL);
        return 0;
    }
    if (!digest && registry_digest(&asked, l->cli, ref.familiar, err) < 0)
        return error_wrap(err, "service '%s'", s->name);
    add_image(l, s->name, s->image, digest ? digest : asked);
    return 0;
}

/* An image that the stack builds is locked if it is in the registry. */
static void lock_built(struct locking *l, const struct image *image)
{
    if (!l->cli->stack->registry || !image->project)
        return;
    auto_free char *repository = fetch_repository(l->cli->stack->registry, image);
    const char *digest = local_digest(l, image->ref, repository);
    if (digest)
        add_image(l, image->name, repository, digest);
    else
        note_unlocked(l, image->name, repository);
}

/* Whether the engine's image is what the sources of the project give now. */
static bool is_current(const struct plan *plan, const struct image *image)
{
    for (size_t i = 0; i < plan->nops; i++)
        if (plan->ops[i]->image == image)
            return false;
    return true;
}

static int lock_images(struct locking *l, struct change *c, struct error *err)
{
    const struct stack *st = l->cli->stack;
    const struct plan_options opt = { .timeout_s = -1 };
    const struct build_survey *s = c->survey;
    auto_free bool *all = xcalloc(st->nimages + 1, sizeof(*all));
    memset(all, true, st->nimages * sizeof(*all));
    if (plan_rebuild(&c->plan, st, c->now, s ? s->images : NULL, s ? s->nimages : 0, all, &opt,
                     err) < 0)
        return -1;
    l->now = c->now;
    for (size_t i = 0; i < st->nservices; i++)
        if (st->services[i].image && !st->services[i].build &&
            lock_service(l, &st->services[i], err) < 0)
            return -1;
    for (size_t i = 0; i < st->nimages; i++)
        if (is_current(c->plan, &st->images[i]))
            lock_built(l, &st->images[i]);
        else
            change_note(c, "image '%s' is not locked: it is not built from its sources as they are",
                        st->images[i].name);
    l->lock.images = l->images.items;
    l->lock.nimages = l->images.len;
    if (l->images.len)
        qsort(l->images.items, l->images.len, sizeof(*l->images.items), by_name);
    return 0;
}

static int collect(struct locking *l, struct error *err)
{
    struct change c = { .cli = l->cli, .digests = true };
    int rc = cli_engine(l->cli, err);
    if (rc == 0)
        rc = locked_projects(&l->lock, l->cli->arena, l->cli->stack, true, err);
    if (rc == 0)
        rc = change_observe_up(&c, NULL, err);
    if (rc == 0)
        rc = lock_images(l, &c, err);
    change_end(&c);
    return rc;
}

static int print_diff(const struct lockfile *before, const struct lockfile *after)
{
    auto_str struct str text = STR_INIT;
    lockfile_diff(&text, before, after);
    fputs(text.buf ? text.buf : "", stdout);
    return text.len ? EXIT_FAILED : EXIT_DONE;
}

static int write_lock(struct locking *l, const char *path, struct error *err)
{
    auto_str struct str text = STR_INIT;
    lockfile_print(&text, &l->lock);
    if (l->cli->global.dry_run) {
        fputs(text.buf, stdout);
        return EXIT_DONE;
    }
    if (file_write_atomic(path, text.buf, text.len, 0644, err) < 0)
        return -1;
    auto_free char *shown = path_show(path);
    auto_free char *line = xasprintf("%s: %zu project%s, %zu image%s", shown, l->lock.nprojects,
                                     l->lock.nprojects == 1 ? "" : "s", l->lock.nimages,
                                     l->lock.nimages == 1 ? "" : "s");
    listing_line(stdout, line);
    return EXIT_DONE;
}

static int lock(struct locking *l, const struct lock_options *o, const struct strv *args,
                struct error *err)
{
    struct cli *cli = l->cli;
    struct lockfile before;
    if (args->len == 2) {
        struct lockfile after;
        if (lockfile_read(&before, cli->arena, args->items[0], &cli->diag, err) < 0 ||
            lockfile_read(&after, cli->arena, args->items[1], &cli->diag, err) < 0)
            return -1;
        return print_diff(&before, &after);
    }
    if (cli_load(cli, NULL, err) < 0)
        return -1;
    const char *given = o->output ? o->output : args->len ? args->items[0] : NULL;
    auto_free char *path = given ? xstrdup(given) : path_join(cli->stack->dir, LOCKFILE_NAME);
    bool reads = o->diff || o->check;
    if ((reads && lockfile_read(&before, cli->arena, path, &cli->diag, err) < 0) ||
        collect(l, err) < 0)
        return -1;
    return reads ? print_diff(&before, &l->lock) : write_lock(l, path, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct lock_options *o = values;
    struct locking l = { .cli = cli };
    if (args->len && !o->diff)
        return error_set(err, ERR_USAGE, 0, "files are compared with --diff");
    int code = lock(&l, o, args, err);
    vec_free(&l.images);
    return code;
}

static const char *const examples[] = {
    "stack lock",
    "Write stack.lock, to be committed",
    "stack up -d --locked",
    "The same cluster elsewhere",
    "git show HEAD~1:stack.lock > old; stack lock --diff old stack.lock",
    "What a commit changed",
    NULL,
};

extern const struct command cmd_lock;
const struct command cmd_lock = {
    .name = "lock",
    .group = "Images",
    .usage = "[OPTIONS] [--diff [OLD [NEW]]]",
    .summary = "Write down the commits and image digests of the stack, for up --locked",
    .text = "Commits are those that the projects have now; digests those of the images that the\n"
            "engine has, else those of the registries. What was built here and is in no registry\n"
            "has no digest: others build it from the locked commit. With --diff and --check the\n"
            "exit code is 1 when something differs.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct lock_options),
    .max_args = 2,
    .args = COMPLETE_FILE,
    .run = run,
};
