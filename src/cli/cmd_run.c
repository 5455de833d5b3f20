/*
 * `stack run`: a command in a container of its own. What the service depends on is brought up and
 * waited for, the container is made beside those of the service, with this terminal attached, and
 * the exit code is the command's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/change.h"
#include "cli/oneoff.h"
#include "model/labels.h"
#include "model/schema.h"
#include "text/dotenv.h"

struct run_options_cli {
    bool detach, rm, no_tty, interactive, tty, no_deps, use_aliases, service_ports, build;
    bool quiet_pull, quiet_build, remove_orphans, quiet;
    struct strv env, env_files, labels, volumes, publish, cap_add, cap_drop;
    const char *name, *user, *workdir, *entrypoint, *pull, *detach_keys;
};
#define OPTIONS run_options_cli

static const char *const pulls[] = { "always", "missing", "never", "policy", NULL };

static const struct option rows[] = {
    ROW_FLAG('d', "detach", detach, "Run it in the background and print its name"),
    ROW_FLAG(0, "rm", rm, "Remove the container when it ends"),
    ROW_STRINGS('e', "env", env, "NAME=VALUE", COMPLETE_NONE,
                "Set a variable; repeatable, NAME alone takes it from here"),
    ROW_STRINGS(0, "env-from-file", env_files, "FILE", COMPLETE_FILE,
                "Set the variables of a file; repeatable"),
    ROW_STRINGS('l', "label", labels, "NAME=VALUE", COMPLETE_NONE, "Add a label; repeatable"),
    ROW_STRINGS('v', "volume", volumes, "SOURCE:TARGET[:ro]", COMPLETE_NONE,
                "Mount a folder or a volume; repeatable"),
    ROW_STRINGS('p', "publish", publish, "[[IP:]PORT:]PORT", COMPLETE_NONE,
                "Publish a port; repeatable"),
    ROW_FLAG('P', "service-ports", service_ports, "Publish the ports of the service"),
    ROW_FLAG(0, "use-aliases", use_aliases, "Be found by the service's name on its networks"),
    ROW_STRING(0, "name", name, "NAME", COMPLETE_NONE, "Name of the container"),
    ROW_STRING(0, "entrypoint", entrypoint, "COMMAND", COMPLETE_NONE,
               "Another entrypoint than the image's"),
    ROW_STRING('u', "user", user, "USER[:GROUP]", COMPLETE_NONE, "Run as"),
    ROW_STRING('w', "workdir", workdir, "DIR", COMPLETE_NONE, "Run in"),
    ROW_FLAG('T', "no-tty", no_tty,
             "No terminal in the container (default: one if there is one here)"),
    ROW_STRING(0, "detach-keys", detach_keys, "KEYS", COMPLETE_NONE,
               "Keys that end the session and leave the container running (default ctrl-p,ctrl-q)"),
    ROW_FLAG(0, "no-deps", no_deps, "Do not start what the service depends on"),
    ROW_FLAG(0, "build", build, "Build its image first"),
    ROW_CHOICE(0, "pull", pull, pulls, "When to pull its image"),
    ROW_STRINGS(0, "cap-add", cap_add, "CAP", COMPLETE_NONE, "Add a capability; repeatable"),
    ROW_STRINGS(0, "cap-drop", cap_drop, "CAP", COMPLETE_NONE, "Drop a capability; repeatable"),
    ROW_FLAG(0, "quiet-pull", quiet_pull, "Pull without showing layers"),
    ROW_FLAG(0, "quiet-build", quiet_build, "Build without showing steps"),
    ROW_FLAG('q', "quiet", quiet, "Show nothing of what is done before"),
    ROW_FLAG(0, "remove-orphans", remove_orphans,
             "Remove containers of services that the file no longer has"),
    ROW_HIDDEN(0, "no-TTY", no_tty),
    ROW_HIDDEN('i', "interactive", interactive),
    ROW_HIDDEN('t', "tty", tty),
};

static void defaults(void *values)
{
    ((struct run_options_cli *)values)->interactive = true;
}

struct session {
    struct cli *cli;
    const struct run_options_cli *opt;
    const struct strv *args;
    const struct service *service;
    char *name;
    struct strv environment; /* of files and options, in order */
    struct strv entrypoint;  /* words of --entrypoint */
    struct oneoff life;
    bool made;
};

/* --- the container: the service's, with what the command line says --- */

static void set_text(json_t *body, const char *field, const char *text)
{
    if (text)
        json_object_set_new(body, field, json_string(text));
}

static json_t *texts(const struct strv *list, size_t from)
{
    json_t *out = json_array();
    for (size_t i = from; i < list->len; i++)
        json_array_append_new(out, json_string(list->items[i]));
    return out;
}

static void append_texts(json_t *object, const char *field, const struct strv *list)
{
    if (list->len == 0)
        return;
    json_t *array = json_object_get(object, field);
    if (!array) {
        array = json_array();
        json_object_set_new(object, field, array);
    }
    for (size_t i = 0; i < list->len; i++)
        json_array_append_new(array, json_string(list->items[i]));
}

/* Later settings of a variable win. */
static void set_environment(json_t *body, const struct strv *settings)
{
    json_t *list = json_object_get(body, "Env");
    for (size_t i = 0; i < settings->len; i++) {
        size_t len = strcspn(settings->items[i], "=");
        for (size_t k = json_array_size(list); k-- > 0;) {
            const char *old = json_string_value(json_array_get(list, k));
            if (strncmp(old, settings->items[i], len) == 0 && (old[len] == '=' || !old[len]))
                json_array_remove(list, k);
        }
        json_array_append_new(list, json_string(settings->items[i]));
    }
}

static void set_labels(json_t *body, const struct session *s)
{
    json_t *labels = json_object_get(body, "Labels");
    char slug[DIGEST_HEX_LEN + 1];
    random_hex(slug, DIGEST_LEN);
    json_object_set_new(labels, LABEL_ONEOFF, json_string("True"));
    json_object_set_new(labels, LABEL_SLUG, json_string(slug));
    for (size_t i = 0; i < s->opt->labels.len; i++) {
        const char *text = s->opt->labels.items[i];
        auto_free char *key = xstrndup(text, strcspn(text, "="));
        const char *value = strchr(text, '=');
        json_object_set_new(labels, key, json_string(value ? value + 1 : ""));
    }
}

/* "[[IP:]PORT:]PORT[/PROTOCOL]". */
static void publish(json_t *body, json_t *bindings, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *target = colon ? colon + 1 : text;
    auto_free char *left = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup("");
    char *split = strrchr(left, ':');
    const char *port = split ? split + 1 : left;
    auto_free char *ip = split ? xstrndup(left, (size_t)(split - left)) : xstrdup("");
    auto_free char *key = strchr(target, '/') ? xstrdup(target) : xasprintf("%s/tcp", target);
    json_object_set_new(json_object_get(body, "ExposedPorts"), key, json_object());
    json_object_set_new(bindings, key, json_pack("[{s:s, s:s}]", "HostIp", ip, "HostPort", port));
}

static void set_ports(json_t *body, json_t *host, const struct run_options_cli *opt)
{
    json_t *bindings = json_object_get(host, "PortBindings");
    if (!opt->service_ports)
        json_object_clear(bindings);
    for (size_t i = 0; i < opt->publish.len; i++)
        publish(body, bindings, opt->publish.items[i]);
}

static void drop_aliases(json_t *body, const struct run_options_cli *opt)
{
    const char *key;
    json_t *endpoint;
    if (opt->use_aliases)
        return;
    json_object_foreach (json_at(body, "NetworkingConfig.EndpointsConfig"), key, endpoint)
        json_object_del(endpoint, "Aliases");
}

static void adjust(void *ctx, const struct op *op, json_t *body)
{
    struct session *s = ctx;
    const struct run_options_cli *opt = s->opt;
    json_t *host = json_object_get(body, "HostConfig");
    if (op->kind == OP_CONNECT && str_eq(op->subject, s->name) && !opt->use_aliases)
        json_object_del(json_object_get(body, "EndpointConfig"), "Aliases");
    if (op->kind == OP_CONNECT || !str_eq(op->name, s->name))
        return;
    if (s->args->len > 1)
        json_object_set_new(body, "Cmd", texts(s->args, 1));
    if (s->entrypoint.len) {
        json_object_set_new(body, "Entrypoint", texts(&s->entrypoint, 0));
        if (s->args->len == 1)
            json_object_del(body, "Cmd");
    }
    set_text(body, "User", opt->user);
    set_text(body, "WorkingDir", opt->workdir);
    set_environment(body, &s->environment);
    set_labels(body, s);
    set_ports(body, host, opt);
    drop_aliases(body, opt);
    append_texts(host, "CapAdd", &opt->cap_add);
    append_texts(host, "CapDrop", &opt->cap_drop);
    append_texts(host, "Binds", &opt->volumes);
    json_object_set_new(host, "RestartPolicy", json_pack("{s:s}", "Name", "no"));
    bool input = s->life.terminal.input;
    terminal_size_at_start(&s->life.terminal, host);
    json_object_set_new(body, "Tty", json_boolean(s->life.terminal.tty));
    /* Nobody is there to write to one that is detached; but it is not at the end of its input. */
    json_object_set_new(body, "OpenStdin", json_boolean(opt->interactive));
    json_object_set_new(body, "StdinOnce", json_boolean(input));
    json_object_set_new(body, "AttachStdin", json_boolean(input));
    json_object_set_new(body, "AttachStdout", json_boolean(!opt->detach));
    json_object_set_new(body, "AttachStderr", json_boolean(!opt->detach));
    /* The engine does that, whether somebody is left here at its end or not. */
    if (opt->rm)
        json_object_set_new(host, "AutoRemove", json_true());
}

/* --- the command --- */

static int add_env_file(struct session *s, const char *path, struct error *err)
{
    const struct source *source;
    struct dotenv file = { 0 };
    size_t errors = s->cli->diag.errors;
    if (source_read(&source, s->cli->arena, path, err) < 0)
        return error_wrap(err, "--env-from-file");
    dotenv_parse(&file, s->cli->arena, source, DOTENV_RAW, NULL, &s->cli->diag);
    vec_each (entry, &file)
        if (entry->value)
            strv_addf(&s->environment, "%s=%s", entry->name, entry->value);
    vec_free(&file);
    if (s->cli->diag.errors > errors)
        return error_set(err, ERR_INPUT, 0, "the environment file is wrong");
    return 0;
}

static int collect_environment(struct session *s, struct error *err)
{
    for (size_t i = 0; i < s->opt->env_files.len; i++)
        if (add_env_file(s, s->opt->env_files.items[i], err) < 0)
            return -1;
    for (size_t i = 0; i < s->opt->env.len; i++) {
        const char *text = s->opt->env.items[i];
        /* Without a value it is the environment's, that of .env included. */
        const char *value =
            strchr(text, '=') ? NULL : node_text(node_get(s->cli->stack->environment, text));
        if (value)
            strv_addf(&s->environment, "%s=%s", text, value);
        else if (strchr(text, '='))
            strv_add(&s->environment, text);
    }
    return 0;
}

static void on_event(void *ctx, const struct event *e)
{
    struct session *s = ctx;
    s->made |= e->kind == EVENT_ENDED && e->op->kind == OP_CREATE && e->outcome == OUTCOME_DONE &&
               str_eq(e->op->name, s->name);
}

/* Brings up what it needs and creates it; the lock is given back before the command runs. */
static int prepare(struct session *s, struct change *c, struct error *err)
{
    struct cli *cli = s->cli;
    const char *services[] = { s->service->name, NULL };
    struct plan_options opt = {
        .services = services,
        .timeout_s = -1,
        .same_file = change_same_file,
        .no_deps = s->opt->no_deps,
        .build = s->opt->build,
        .pull = str_eq(s->opt->pull, "policy") ? NULL : s->opt->pull,
        .remove_orphans = s->opt->remove_orphans || cli_switch(s->cli, "REMOVE_ORPHANS"),
        .ignore_orphans = cli_switch(s->cli, "IGNORE_ORPHANS"),
        .oneoff = s->service->name,
        .oneoff_name = s->name,
    };
    if (change_begin(c, cli, "run", err) < 0 || change_observe_up(c, services, err) < 0 ||
        plan_up(&c->plan, cli->stack, c->now, c->survey ? c->survey->images : NULL,
                c->survey ? c->survey->nimages : 0, &opt, err) < 0)
        return -1;
    c->quiet_pull = s->opt->quiet_pull;
    c->quiet_build = s->opt->quiet_build;
    c->run.adjust = adjust;
    c->run.adjust_ctx = s;
    c->seen = on_event;
    c->seen_ctx = s;
    return change_run(c, err);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct run_options_cli *opt = values;
    if (opt->tty && opt->interactive && !opt->detach && !isatty(STDIN_FILENO))
        return error_set(err, ERR_USAGE, 0,
                         "cannot attach stdin to a TTY-enabled container because stdin is not a "
                         "terminal");
    struct strv named = STRV_INIT;
    strv_add(&named, args->items[0]);
    int loaded = cli_load(cli, &named, err);
    strv_clear(&named);
    if (loaded < 0)
        return -1;
    struct session s = { .cli = cli, .opt = opt, .args = args };
    s.service = stack_service(cli->stack, args->items[0]);
    if (!s.service)
        return error_set(err, ERR_NOTFOUND, 0, "no such service: %s", args->items[0]);
    char slug[13], sep = cli->stack->separator;
    random_hex(slug, 6);
    s.name = opt->name ? xstrdup(opt->name)
                       : xasprintf("%s%c%s%crun%c%s", cli->stack_name, sep, s.service->name, sep,
                                   sep, slug);
    s.life.terminal.cli = cli;
    s.life.terminal.tty = !opt->no_tty && !opt->detach && terminal_there();
    s.life.terminal.input = opt->interactive && !opt->detach;
    if (opt->quiet)
        cli->global.progress = "quiet";
    struct change c = { 0 };
    int code = terminal_keys(&s.life.terminal, opt->detach_keys, err);
    if (code == 0)
        code = collect_environment(&s, err);
    if (code == 0 && opt->entrypoint && schema_split(&s.entrypoint, opt->entrypoint) < 0)
        code = error_set(err, ERR_USAGE, 0, "--entrypoint: a quote or bracket is not closed");
    if (code == 0)
        code = prepare(&s, &c, err);
    change_end(&c);
    lock_release(take(cli->lock));
    s.life.cli = cli;
    s.life.service = s.service->name;
    s.life.name = s.name;
    s.life.rm = opt->rm;
    if (code != 0 && s.made) /* something else failed, or the user interrupted it */
        oneoff_remove(&s.life, NULL);
    if (code == 0 && !cli->global.dry_run)
        code = opt->detach ? oneoff_detached(&s.life, err) : oneoff_attached(&s.life, err);
    terminal_clear(&s.life.terminal);
    strv_clear(&s.environment);
    strv_clear(&s.entrypoint);
    free(s.name);
    return code;
}

static const char *const examples[] = {
    "stack run --rm web sh",
    "a shell in a container of its own",
    "stack run --rm -e DEBUG=1 job",
    "the service's command, with a variable",
    NULL,
};

extern const struct command cmd_run;
const struct command cmd_run = {
    .name = "run",
    .group = "Containers",
    .usage = "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
    .summary = "Run a command in a container of its own",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct run_options_cli),
    .defaults = defaults,
    .min_args = 1,
    .max_args = -1,
    .stop_at_arg = true,
    .args = COMPLETE_SERVICE,
    .run = run,
};
