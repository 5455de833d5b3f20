/* `stack config`: the stack as it is understood, in the form of docker compose. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/registry.h"
#include "model/export.h"
#include "text/imageref.h"

struct config_options {
    const char *format, *hash, *output;
    bool quiet;
    bool resolve_digests, lock_digests;
    bool no_interpolate, no_normalize, no_path_resolution, no_consistency, no_env_resolution;
    bool services, networks, volumes, models, profiles, images, variables, environment;
};

#define FIELD(name) offsetof(struct config_options, name)

static const char *const formats[] = { "yaml", "json", NULL };
static const struct option options[] = {
    { "format", 0, OPT_CHOICE, FIELD(format), NULL, "Form of the output (default yaml)", formats,
      COMPLETE_NONE, false, false },
    { "output", 'o', OPT_STRING, FIELD(output), "FILE", "Write to a file instead", NULL,
      COMPLETE_FILE, false, false },
    { "quiet", 'q', OPT_FLAG, FIELD(quiet), NULL, "Only check; print nothing", NULL, COMPLETE_NONE,
      false, false },
    { "services", 0, OPT_FLAG, FIELD(services), NULL, "Print the services, one a line", NULL,
      COMPLETE_NONE, false, false },
    { "images", 0, OPT_FLAG, FIELD(images), NULL, "Print the images, one a line", NULL,
      COMPLETE_NONE, false, false },
    { "networks", 0, OPT_FLAG, FIELD(networks), NULL, "Print the networks, one a line", NULL,
      COMPLETE_NONE, false, false },
    { "volumes", 0, OPT_FLAG, FIELD(volumes), NULL, "Print the volumes, one a line", NULL,
      COMPLETE_NONE, false, false },
    { "profiles", 0, OPT_FLAG, FIELD(profiles), NULL, "Print the profiles, one a line", NULL,
      COMPLETE_NONE, false, false },
    { "models", 0, OPT_FLAG, FIELD(models), NULL, "Print the language models, one a line", NULL,
      COMPLETE_NONE, false, false },
    { "hash", 0, OPT_STRING, FIELD(hash), "SERVICES",
      "Print the hash of services: names with commas between them, '*' is all", NULL,
      COMPLETE_SERVICE, false, false },
    { "variables", 0, OPT_FLAG, FIELD(variables), NULL,
      "Print the variables that the files mention, with their defaults", NULL, COMPLETE_NONE, false,
      false },
    { "environment", 0, OPT_FLAG, FIELD(environment), NULL,
      "Print the variables that are set for the files", NULL, COMPLETE_NONE, false, false },
    { "no-interpolate", 0, OPT_FLAG, FIELD(no_interpolate), NULL, "Leave variables as they stand",
      NULL, COMPLETE_NONE, false, false },
    { "no-normalize", 0, OPT_FLAG, FIELD(no_normalize), NULL, "Leave out what is only implied",
      NULL, COMPLETE_NONE, false, false },
    { "no-path-resolution", 0, OPT_FLAG, FIELD(no_path_resolution), NULL,
      "Leave relative paths as they stand", NULL, COMPLETE_NONE, false, false },
    { "no-env-resolution", 0, OPT_FLAG, FIELD(no_env_resolution), NULL,
      "Do not read the services' env_file", NULL, COMPLETE_NONE, false, false },
    { "no-consistency", 0, OPT_FLAG, FIELD(no_consistency), NULL,
      "Do not check that what is used is there", NULL, COMPLETE_NONE, false, false },
    { "resolve-image-digests", 0, OPT_FLAG, FIELD(resolve_digests), NULL,
      "Ask the registries for the digests of images, and print them", NULL, COMPLETE_NONE, false,
      false },
    { "lock-image-digests", 0, OPT_FLAG, FIELD(lock_digests), NULL,
      "Print an override file with the digests of images", NULL, COMPLETE_NONE, false, false },
};

/* The digest that the registry has for the image now, as "docker.io/library/busybox:1@sha256:..."
 */
static int add_digest(struct cli *cli, struct node *images, const char *service, const char *image,
                      struct error *err)
{
    struct imageref ref;
    if (imageref_parse(&ref, cli->arena, image, err) < 0)
        return error_wrap(err, "service %s: image", service);
    const char *digest = ref.digest, *tag = ref.digest ? NULL : ref.tag;
    auto_free char *asked = NULL;
    if (!digest && registry_digest(&asked, cli, ref.familiar, err) < 0)
        return error_wrap(err, "service %s", service);
    if (!digest)
        digest = asked;
    node_set_string(cli->arena, images, service,
                    arena_printf(cli->arena, "%s/%s%s%s@%s", ref.domain, ref.path, tag ? ":" : "",
                                 tag ? tag : "", digest));
    return 0;
}

static int resolve_digests(struct cli *cli, struct node **out, struct error *err)
{
    struct node *images = node_new(cli->arena, NODE_MAP, (struct span){ 0 });
    for (size_t i = 0; i < cli->stack->nservices; i++) {
        const struct service *s = &cli->stack->services[i];
        if (s->image && !s->build && add_digest(cli, images, s->name, s->image, err) < 0)
            return -1;
    }
    *out = images;
    return 0;
}

/* The list that was asked for, or -1: none. */
static int list_of(const struct config_options *opt)
{
    return opt->services   ? EXPORT_SERVICES
           : opt->volumes  ? EXPORT_VOLUMES
           : opt->networks ? EXPORT_NETWORKS
           : opt->models   ? EXPORT_MODELS
           : opt->profiles ? EXPORT_PROFILES
           : opt->images   ? EXPORT_IMAGES
                           : -1;
}

static int print_stack(struct str *out, struct cli *cli, const struct config_options *opt,
                       const struct strv *services, struct error *err)
{
    const struct stack *st = cli->stack;
    struct node *images = NULL;
    enum export_format format = str_eq(opt->format, "json") ? EXPORT_JSON : EXPORT_YAML;
    int list = list_of(opt);
    if (opt->hash)
        return export_hashes(out, st, opt->hash, err);
    if (opt->variables) {
        export_variables(out, st, opt->format ? &format : NULL);
        return 0;
    }
    if (opt->environment) {
        export_environment(out, st);
        return 0;
    }
    if ((opt->resolve_digests || opt->lock_digests) && resolve_digests(cli, &images, err) < 0)
        return -1;
    struct export_options export = {
        .format = format,
        .services = services->len ? (const char *const *)services->items : NULL,
        .all_resources = cli->global.all_resources,
        .raw = opt->no_interpolate && (list < 0 || opt->services),
        .images_only = opt->lock_digests,
        .images = images,
    };
    if (list >= 0)
        return export_names(out, st, (enum export_list)list, &export, err);
    return export_stack(out, st, &export, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct config_options *opt = values;
    struct load_options load;
    cli_load_options(&load, cli, args);
    /* The variables that files mention are listed even where one of them is required and unset. */
    load.no_interpolate = opt->no_interpolate || opt->variables;
    load.all_profiles = opt->no_interpolate && (list_of(opt) < 0 || opt->services);
    load.list_variables = opt->variables;
    load.no_normalize = opt->no_normalize || cli->global.compatibility;
    load.no_resolve_paths = opt->no_path_resolution;
    load.no_env_resolution = opt->no_env_resolution;
    load.no_consistency = opt->no_consistency;
    load.lenient = opt->hash; /* of those that are asked for */
    if (cli_load_with(cli, &load, err) < 0)
        return -1;
    auto_str struct str out = STR_INIT;
    if (print_stack(&out, cli, opt, args, err) < 0)
        return -1;
    if (opt->quiet)
        return EXIT_DONE;
    if (opt->output) {
        if (file_write_atomic(opt->output, out.buf, out.len, file_usual_mode(), err) < 0)
            return -1;
        return EXIT_DONE;
    }
    fwrite(out.buf, 1, out.len, stdout);
    return EXIT_DONE;
}

static const char *const examples[] = { "stack config -q",
                                        "Check the files",
                                        "stack config --format json | jq .services.web.image",
                                        "Ask for one thing",
                                        "stack config --variables",
                                        "See what can be set from outside",
                                        NULL };

extern const struct command cmd_config;
const struct command cmd_config = {
    .name = "config",
    .group = "Inspect",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Check the files and print the stack as it is understood",
    .text =
        "Prints one Compose file that means the same as all files together: variables replaced, "
        "short forms expanded, defaults filled in, projects and their manifests resolved. "
        "Secrets are not in it. With services, they and what they depend on.",
    .examples = examples,
    .options = options,
    .noptions = countof(options),
    .options_size = sizeof(struct config_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
