/* `stack build`, `pull` and `push`: only the images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/bake.h"
#include "cli/change.h"
#include "text/node.h"

struct image_options {
    bool no_cache, pull, quiet, with_deps, changed;
    bool ignore_buildable, ignore_failures;
    struct strv args, ssh;
    const char *policy;
    const char *memory, *builder, *provenance, *sbom;
    bool check, print, push;
    bool ignored; /* what others took, and says nothing here: steps are always removed */
};
#define OPTIONS image_options

static const char *const policies[] = { "missing", "always", NULL };

/* Accepted as docker compose has them: --sbom, --sbom=false, --provenance=mode=max. */
#define OPT_ATTESTATION(name_, field)                                                           \
    {                                                                                           \
        .name = name_, .kind = OPT_STRING, .offset = OPT_AT(field), .hidden = true, .help = "", \
        .arg = "WHAT", .optional_arg = true                                                     \
    }

static const struct option build_rows[] = {
    ROW_STRINGS(0, "build-arg", args, "NAME=VALUE", COMPLETE_NONE,
                "Set a build argument, over the file's; repeatable"),
    ROW_FLAG(0, "changed", changed, "Only images whose sources have changed since they were built"),
    ROW_FLAG(0, "no-cache", no_cache, "Run every step again"),
    ROW_FLAG(0, "pull", pull, "Look for newer base images"),
    ROW_FLAG(0, "print", print, "Build nothing: print a file for 'docker buildx bake'"),
    ROW_FLAG(0, "push", push, "Push the images that were built"),
    ROW_STRINGS(0, "ssh", ssh, "default|ID=PATH", COMPLETE_NONE,
                "Let the steps use an SSH agent, or a key, over the file's; repeatable"),
    ROW_STRING('m', "memory", memory, "BYTES", COMPLETE_NONE,
               "Memory of each step; the classic builder alone has such a limit"),
    ROW_STRING(0, "builder", builder, "NAME", COMPLETE_NONE,
               "Only 'default': the builder of the engine"),
    OPT_ATTESTATION("provenance", provenance),
    OPT_ATTESTATION("sbom", sbom),
    ROW_HIDDEN(0, "check", check),
    ROW_HIDDEN(0, "compress", ignored),
    ROW_HIDDEN(0, "force-rm", ignored),
    ROW_HIDDEN(0, "no-rm", ignored),
    ROW_HIDDEN(0, "parallel", ignored),
    ROW_FLAG(0, "with-dependencies", with_deps, "Build also what the named services depend on"),
    ROW_FLAG('q', "quiet", quiet, "No output of builds"),
};

static const struct option pull_rows[] = {
    ROW_CHOICE(0, "policy", policy, policies, "Which images: those that are missing, or all"),
    ROW_FLAG(0, "include-deps", with_deps, "Pull also what the named services depend on"),
    ROW_FLAG(0, "ignore-pull-failures", ignore_failures, "End with success when a pull failed"),
    ROW_HIDDEN(0, "ignore-buildable", ignore_buildable),
    ROW_HIDDEN(0, "parallel", ignored),
    ROW_HIDDEN(0, "no-parallel", ignored),
    ROW_FLAG('q', "quiet", quiet, "No progress"),
};

static const struct option push_rows[] = {
    ROW_FLAG(0, "include-deps", with_deps, "Push also what the named services depend on"),
    ROW_FLAG(0, "ignore-push-failures", ignore_failures, "End with success when a push failed"),
    ROW_FLAG('q', "quiet", quiet, "No progress"),
};

/* "NAME=VALUE", or "NAME" for the value that it has in our environment. */
static struct node *read_arguments(struct arena *a, const struct strv *args)
{
    struct node *map = node_new(a, NODE_MAP, (struct span){ 0 });
    for (size_t i = 0; i < args->len; i++) {
        const char *equals = strchr(args->items[i], '=');
        size_t len = equals ? (size_t)(equals - args->items[i]) : strlen(args->items[i]);
        auto_free char *name = xstrndup(args->items[i], len);
        const char *value = equals ? equals + 1 : getenv(name);
        if (value)
            node_set_string(a, map, name, value);
    }
    return map->len ? map : NULL;
}

/* "default", "ID=PATH": as build.ssh has them. */
static int read_agents(const struct node **out, struct arena *a, const struct strv *list,
                       struct error *err)
{
    struct node *map = node_new(a, NODE_MAP, (struct span){ 0 });
    for (size_t i = 0; i < list->len; i++) {
        const char *equals = strchr(list->items[i], '=');
        size_t len = equals ? (size_t)(equals - list->items[i]) : strlen(list->items[i]);
        auto_free char *id = xstrndup(list->items[i], len);
        if (!len || (!equals && strcmp(id, "default") != 0))
            return error_set(err, ERR_USAGE, 0, "--ssh: '%s' is neither 'default' nor ID=PATH",
                             list->items[i]);
        node_set_string(a, map, id, equals ? equals + 1 : "");
    }
    if (map->len)
        *out = map;
    return 0;
}

static bool asks_for(const char *attestation)
{
    return attestation && strcmp(attestation, "false") != 0;
}

/* What else the command line says of builds; what cannot be done is told. */
static int read_build_options(struct change *c, const struct image_options *o, struct error *err)
{
    c->build.no_cache = o->no_cache;
    c->build.pull = o->pull;
    c->build.args = read_arguments(c->cli->arena, &o->args);
    if (o->check)
        return error_set(err, ERR_USAGE, 0,
                         "--check: the engine's build request has no checks without a build");
    if (o->builder && *o->builder && strcmp(o->builder, "default") != 0)
        return error_set(err, ERR_USAGE, 0,
                         "--builder: there is no '%s': the engine builds by itself", o->builder);
    if (o->memory && num_bytes(&c->build.memory, o->memory) < 0)
        return error_set(err, ERR_USAGE, 0, "--memory: '%s' is no size", o->memory);
    if (c->build.memory && !c->build.classic)
        change_note(c, "--memory: BuildKit has no such limit");
    if (asks_for(o->provenance) || asks_for(o->sbom))
        change_note(c, "provenance and bills of materials are not made: the engine's build request "
                       "has no such parameter");
    return read_agents(&c->build.ssh, c->cli->arena, &o->ssh, err);
}

/* The names on the command line, with all that they depend on. */
static void with_dependencies(struct strv *out, const struct stack *st, const struct strv *args)
{
    auto_free bool *selected = change_selected(st, (const char *const *)args->items, false);
    for (size_t i = 0; i < st->nservices; i++)
        if (selected[i])
            strv_add(out, st->services[i].name);
}

/* Whether all names are services: only those tell which images need a survey. */
static const char *const *surveyed(const struct stack *st, const struct strv *names)
{
    for (size_t i = 0; i < names->len; i++)
        if (!stack_service(st, names->items[i]))
            return NULL;
    return names->len ? (const char *const *)names->items : NULL;
}

static int run_change(struct change *c, enum op_kind kind, const struct image_options *o,
                      const struct strv *args, struct error *err)
{
    struct cli *cli = c->cli;
    auto_strv struct strv all = STRV_INIT;
    if (args->len && o->with_deps)
        with_dependencies(&all, cli->stack, args);
    const struct strv *names = all.len ? &all : args;
    struct plan_options opt = {
        .services = names->len ? (const char *const *)names->items : NULL,
        .build = !o->changed,
        .pull = o->policy,
        .timeout_s = -1,
        .same_file = change_same_file,
        .now = clock_unix_ns() / 1000000000,
    };
    /* A push changes nothing of the stack: it takes no lock and has to look at nothing. */
    bool push = kind == OP_IMAGE_PUSH;
    if ((push ? cli_engine(cli, err) : change_begin(c, cli, c->verb, err)) < 0)
        return -1;
    c->quiet_pull = c->quiet_build = o->quiet;
    c->no_build = kind == OP_IMAGE_PULL;
    if (read_build_options(c, o, err) < 0)
        return -1;
    if (!push && change_observe_up(c, surveyed(cli->stack, names), err) < 0)
        return -1;
    const struct build_survey *s = c->survey;
    if (plan_images(&c->plan, kind, cli->stack, c->now, s ? s->images : NULL, s ? s->nimages : 0,
                    &opt, err) < 0)
        return -1;
    int code = change_run(c, err);
    return code == EXIT_PULL && o->ignore_failures ? EXIT_DONE : code;
}

static int run_images(struct cli *cli, enum op_kind kind, const char *verb,
                      const struct image_options *o, const struct strv *args, struct error *err)
{
    struct change c = { .cli = cli, .verb = verb };
    if (cli_load(cli, args, err) < 0)
        return -1;
    int code = run_change(&c, kind, o, args, err);
    change_end(&c);
    return code;
}

static int print_bake(struct cli *cli, const struct image_options *o, const struct strv *args,
                      struct error *err)
{
    auto_strv struct strv all = STRV_INIT;
    if (cli_load(cli, args, err) < 0)
        return -1;
    if (args->len && o->with_deps)
        with_dependencies(&all, cli->stack, args);
    auto_free char *text = bake_text(cli->stack, all.len ? &all : args);
    fputs(text, stdout);
    return EXIT_DONE;
}

static int run_build(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct image_options *o = values;
    if (o->print)
        return print_bake(cli, o, args, err);
    cli->logs.builds = true;
    int code = run_images(cli, OP_IMAGE_BUILD, "build", o, args, err);
    if (code != EXIT_DONE || !o->push)
        return code;
    const struct image_options push = { .with_deps = o->with_deps, .quiet = o->quiet };
    return run_images(cli, OP_IMAGE_PUSH, "push", &push, args, err);
}

static int run_pull(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    return run_images(cli, OP_IMAGE_PULL, "pull", values, args, err);
}

static int run_push(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    return run_images(cli, OP_IMAGE_PUSH, "push", values, args, err);
}

extern const struct command cmd_build, cmd_pull, cmd_push;
const struct command cmd_build = {
    .name = "build",
    .group = "Images",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Build the images of the stack, or of some services and projects",
    .text = "Images that others of the stack are FROM are built first, independent ones side by "
            "side. 'stack up' builds what has changed by itself.",
    .options = build_rows,
    .noptions = countof(build_rows),
    .options_size = sizeof(struct image_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_build,
};

const struct command cmd_pull = {
    .name = "pull",
    .group = "Images",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Pull the images that the stack does not build",
    .options = pull_rows,
    .noptions = countof(pull_rows),
    .options_size = sizeof(struct image_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_pull,
};

const struct command cmd_push = {
    .name = "push",
    .group = "Images",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Push the images that the stack builds to their registries",
    .text = "Those of services that have both 'build' and 'image', with the names under "
            "'build.tags'. Logins are those of 'docker login'.",
    .options = push_rows,
    .noptions = countof(push_rows),
    .options_size = sizeof(struct image_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run_push,
};
