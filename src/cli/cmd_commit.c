/* `stack commit`: a container, as it is now, as an image. */
#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/pick.h"
#include "engine/requests.h"
#include "text/imageref.h"

struct commit_command {
    const char *author, *message;
    struct strv changes;
    bool pause;
    int index;
};
#define OPTIONS commit_command

static const struct option rows[] = {
    ROW_STRING('a', "author", author, "TEXT", COMPLETE_NONE,
               "Who made it: 'Ada <ada@example.com>'"),
    ROW_STRINGS('c', "change", changes, "INSTRUCTION", COMPLETE_NONE,
                "Dockerfile instruction to apply: 'CMD [\"run\"]'; repeatable"),
    ROW_STRING('m', "message", message, "TEXT", COMPLETE_NONE, "What it is"),
    ROW_FLAG('p', "pause", pause, "Suspend the container meanwhile (the default)"),
    ROW_INT(0, "index", index, "N", "Number of the container, of a service that has several"),
};

static void defaults(void *values)
{
    ((struct commit_command *)values)->pause = true;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct commit_command *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    auto_(arena_freep) struct arena *arena = arena_new();
    auto_json json_t *made = NULL;
    const struct seen_container *c;
    struct imageref ref = { 0 };
    struct engine_request rq;
    const char *name = args->len > 1 ? args->items[1] : NULL;
    if (name && imageref_parse(&ref, arena, name, err) < 0)
        return -1;
    if (ref.digest)
        return error_set(err, ERR_USAGE, 0, "'%s': the digest of an image comes of itself", name);
    if (pick_container(&now, &c, cli, args->items[0], o->index, err) < 0)
        return -1;
    if (cli->global.dry_run) {
        printf("would commit container %s%s%s\n", c->name, name ? " as " : "",
               name ? ref.familiar : "");
        return EXIT_DONE;
    }
    struct commit_options opt = {
        .repo = ref.name,
        .tag = ref.tag,
        .author = o->author,
        .message = o->message,
        .changes = o->changes.len ? (const char *const *)o->changes.items : NULL,
        .pause = o->pause,
    };
    rq_container_commit(&rq, c->id, &opt);
    if (engine_do(&made, cli->engine, &rq, err) < 0)
        return error_wrap(err, "commit container %s", c->name);
    const char *id = json_str(made, "Id");
    if (!id)
        return error_set(err, ERR_PROTOCOL, 0, "the engine does not say which image that is");
    puts(id);
    return EXIT_DONE;
}

extern const struct command cmd_commit;
const struct command cmd_commit = {
    .name = "commit",
    .group = "Images",
    .usage = "[OPTIONS] SERVICE [REPOSITORY[:TAG]]",
    .summary = "Make an image of a container's files as they are now",
    .text = "Prints the id of the image. Volumes are not part of it.",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct commit_command),
    .defaults = defaults,
    .min_args = 1,
    .max_args = 2,
    .args = COMPLETE_SERVICE,
    .run = run,
};
