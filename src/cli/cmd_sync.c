/* `stack sync`: projects from git as their repositories have them now. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/listing.h"

struct sync_options {
    bool force;
    const char *format;
};
#define OPTIONS sync_options

static const char *const formats[] = { "table", "json", NULL };
static const struct option rows[] = {
    ROW_FLAG(0, "force", force, "Throw away changes in work trees of the cache"),
    ROW_CHOICE(0, "format", format, formats, "Form of the output"),
};

static const struct listing_column columns[] = {
    { "PROJECT", "Project" }, { "REF", "Ref" }, { "COMMIT", "Commit" }, { "BEFORE", "Before" }
};

static int check_names(struct cli *cli, const struct strv *names, struct error *err)
{
    for (size_t i = 0; i < names->len; i++) {
        const struct git_source *s = sources_named(&cli->sources, names->items[i]);
        if (!s)
            return error_set(err, ERR_NOTFOUND, 0, "no project '%s' of this stack comes from git",
                             names->items[i]);
        if (s->dev) {
            error_set(err, ERR_CONFLICT, 0, "'%s' stands in for project '%s'", s->dev, s->project);
            return error_hint(err, "use git there, or go back with 'stack undev %s'", s->project);
        }
    }
    return 0;
}

static void add_row(struct listing *l, const struct git_source *s)
{
    const char *ref = s->ref ? s->ref : "";
    bool moved = s->before && strcmp(s->before, s->commit) != 0;
    auto_free char *commit = xstrndup(s->commit, 12);
    auto_free char *before = moved ? xstrndup(s->before, 12) : xstrdup("");
    const char *const cells[] = { s->project, ref, commit, before };
    listing_add(l,
                json_pack("{s:s, s:s, s:s, s:s}", "Project", s->project, "Ref", ref, "Commit",
                          s->commit, "Before", moved ? s->before : ""),
                cells);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct sync_options *o = values;
    struct sources_options get = { .sync = true, .force = o->force, .names = args, .report = true };
    if (cli->global.offline)
        return error_set(err, ERR_USAGE, 0, "sync and --offline exclude each other");
    if (cli_probe(cli, err) < 0 || check_names(cli, args, err) < 0)
        return -1;
    auto_error struct error failed = ERROR_INIT;
    int rc = sources_get(cli, &get, &failed);
    if (cli->global.dry_run)
        return EXIT_DONE;
    auto_(listing_freep) struct listing *l = listing_new(columns, countof(columns));
    size_t n = 0;
    vec_each (s, &cli->sources) {
        if (!s->commit || s->dev || (args->len && !strv_has(args, s->project)))
            continue;
        add_row(l, s);
        n++;
    }
    int code = n || rc == 0 ? listing_print(l, o->format, false, false, stdout, err) : EXIT_DONE;
    return rc < 0 && code == EXIT_DONE ? exit_code_of(&failed) : code;
}

extern const struct command cmd_sync;
const struct command cmd_sync = {
    .name = "sync",
    .group = "Projects",
    .usage = "[OPTIONS] [PROJECT...]",
    .summary = "Fetch the projects that come from git, and check out what they are now",
    .text = "Nothing else fetches: 'stack up' clones what is missing and otherwise takes what is "
            "there ('stack up --sync' does both). Work trees are in the cache; one with changes in "
            "it is left as it is. Projects that 'stack dev' gave a checkout of your own stay as "
            "they are, too.",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct sync_options),
    .max_args = -1,
    .args = COMPLETE_PROJECT,
    .run = run,
};
