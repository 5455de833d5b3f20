/*
 * The shells' scripts only pass on the words; everything is decided here from the tables, so that
 * completion knows what the program knows. Services come from the stack file, without the engine;
 * stacks and containers from one list call.
 */
#include "cli/complete.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "model/labels.h"

static void add(struct strv *out, const char *begin, const char *word, const char *text)
{
    if (!str_starts(word, begin))
        return;
    if (text)
        strv_addf(out, "%s\t%s", word, text);
    else
        strv_add(out, word);
}

static void add_options(struct strv *out, const struct option *options, size_t n, const char *begin)
{
    for (size_t i = 0; i < n; i++) {
        if (options[i].hidden)
            continue;
        auto_free char *word = xasprintf("--%s", options[i].name);
        add(out, begin, word, options[i].help);
    }
}

static void add_services(struct strv *out, struct cli *cli, const char *begin)
{
    if (cli_load_name(cli, NULL) < 0 || !cli->stack)
        return;
    for (size_t i = 0; i < cli->stack->nservices; i++)
        add(out, begin, cli->stack->services[i].name, NULL);
}

static void add_projects(struct strv *out, struct cli *cli, const char *begin)
{
    if (cli_probe(cli, NULL) < 0)
        return;
    for (size_t i = 0; cli->stack && i < cli->stack->nprojects; i++)
        add(out, begin, cli->stack->projects[i].name, NULL);
    for (size_t i = 0; !cli->stack && i < cli->sources.len; i++)
        add(out, begin, cli->sources.items[i].project, NULL);
}

static void add_profiles(struct strv *out, struct cli *cli, const char *begin)
{
    auto_strv struct strv names = STRV_INIT;
    if (cli_load_name(cli, NULL) < 0 || !cli->stack)
        return;
    for (size_t i = 0; i < cli->stack->nservices; i++) {
        const struct node *list = node_get(cli->stack->services[i].config, "profiles");
        node_each (k, list)
            if (node_text(list->items[k]) && !strv_has(&names, node_text(list->items[k])))
                strv_add(&names, node_text(list->items[k]));
    }
    strv_each (name, &names)
        add(out, begin, *name, NULL);
}

static void add_seen(struct strv *out, struct cli *cli, const char *begin, bool stacks)
{
    auto_(snapshot_freep) struct snapshot *now = NULL;
    auto_strv struct strv names = STRV_INIT;
    if (cli_engine(cli, NULL) < 0)
        return;
    struct observe_options opt = { .what = OBSERVE_CONTAINERS };
    if (state_observe(&now, cli->engine, &opt, NULL) < 0)
        return;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        const char *name = stacks ? label_get(c->labels, c->nlabels, LABEL_STACK) : c->name;
        if (!strv_has(&names, name))
            strv_add(&names, name);
    }
    strv_each (name, &names)
        add(out, begin, *name, NULL);
}

/* Names of docker's contexts: each has a folder with a meta.json. */
static void add_contexts(struct strv *out, const char *begin)
{
    const char *config = getenv("DOCKER_CONFIG");
    auto_free char *dir = config ? xasprintf("%s/contexts/meta", config)
                                 : path_expand_home("~/.docker/contexts/meta");
    DIR *d = opendir(dir);
    add(out, begin, "default", NULL);
    for (struct dirent *entry; d && (entry = readdir(d));) {
        auto_free char *path = xasprintf("%s/%s/meta.json", dir, entry->d_name);
        auto_free char *text = NULL;
        size_t len = 0;
        if (entry->d_name[0] == '.' || file_read(&text, &len, path, 1 << 20, NULL) < 0)
            continue;
        auto_json json_t *meta = json_parse(text, len, path, NULL);
        if (json_str(meta, "Name"))
            add(out, begin, json_str(meta, "Name"), NULL);
    }
    if (d)
        closedir(d);
}

/* A path of this machine has a '/' or begins with '.'; anything else may become SERVICE:PATH. */
static void add_service_paths(struct strv *out, struct cli *cli, const char *begin)
{
    auto_strv struct strv services = STRV_INIT;
    if (!strpbrk(begin, "/:") && *begin != '.')
        add_services(&services, cli, begin);
    strv_each (service, &services)
        strv_addf(out, "%.*s:", (int)strcspn(*service, "\t"), *service);
    if (!services.len)
        strv_add(out, ":file");
}

static void add_kind(struct strv *out, struct cli *cli, enum complete_kind kind, const char *begin)
{
    switch (kind) {
    case COMPLETE_NONE:
        break;
    case COMPLETE_FILE:
        strv_add(out, ":file");
        break;
    case COMPLETE_DIR:
        strv_add(out, ":dir");
        break;
    case COMPLETE_SERVICE:
        add_services(out, cli, begin);
        break;
    case COMPLETE_PROJECT:
        add_projects(out, cli, begin);
        break;
    case COMPLETE_SERVICE_PATH:
        add_service_paths(out, cli, begin);
        break;
    case COMPLETE_STACK:
        add_seen(out, cli, begin, true);
        break;
    case COMPLETE_CONTAINER:
        add_seen(out, cli, begin, false);
        break;
    case COMPLETE_CONTEXT:
        add_contexts(out, begin);
        break;
    case COMPLETE_PROFILE:
        add_profiles(out, cli, begin);
        break;
    case COMPLETE_COMMAND:
        for (const struct command *const *c = commands; *c; c++)
            if (!(*c)->hidden)
                add(out, begin, (*c)->name, (*c)->summary);
        break;
    }
}

static const struct option *find(const struct option *options, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        bool named = str_starts(word, "--") && str_eq(word + 2, options[i].name);
        bool lettered = word[0] == '-' && word[1] == options[i].letter && word[1] && !word[2];
        if (named || lettered)
            return &options[i];
    }
    return NULL;
}

/* The option that a word is, the command's before the global ones. */
static const struct option *find_option(const struct command *c, const char *word)
{
    const struct option *o = c ? find(c->options, c->noptions, word) : NULL;
    return o ? o : find(global_options, global_options_len, word);
}

static void note_global(struct cli *cli, const struct option *o, const char *value)
{
    if (o < global_options || o >= global_options + global_options_len)
        return;
    char *slot = (char *)&cli->global + o->offset;
    if (o->kind == OPT_STRINGS)
        strv_add((struct strv *)slot, value);
    else if (o->kind == OPT_STRING)
        *(const char **)slot = value;
}

void complete_words(struct strv *out, struct cli *cli, const struct strv *words)
{
    const struct command *command = NULL;
    const struct option *pending = NULL; /* the option whose value comes next */
    for (size_t i = 0; i + 1 < words->len; i++) {
        const char *word = words->items[i];
        if (pending) {
            note_global(cli, pending, word);
            pending = NULL;
        } else if (word[0] == '-') {
            const struct option *o = find_option(command, word);
            pending = o && o->kind != OPT_FLAG ? o : NULL;
        } else if (!command) {
            command = command_find(word);
        }
    }
    const char *begin = words->len ? words->items[words->len - 1] : "";
    if (pending) {
        for (const char *const *v = pending->values; v && *v; v++)
            add(out, begin, *v, NULL);
        add_kind(out, cli, pending->complete, begin);
    } else if (begin[0] == '-') {
        if (command)
            add_options(out, command->options, command->noptions, begin);
        add_options(out, global_options, global_options_len, begin);
    } else {
        add_kind(out, cli, command ? command->args : COMPLETE_COMMAND, begin);
    }
}
