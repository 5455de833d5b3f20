/* This machine: versions, programs and libraries that are opened on need; the stack file, and who
 * has the ports that it publishes. */
#include <git2/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/library.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/doctor.h"
#include "loop/child.h"
#include "model/labels.h"
#include "registry/config.h"
#include "run/ports.h"

#define COMPOSE_MS 3000

/* --- programs and libraries --- */

/* Whether a program is in PATH. */
static bool has_program(const char *name)
{
    auto_strv struct strv dirs = STRV_INIT;
    const char *path = getenv("PATH");
    strv_split(&dirs, path ? path : "/usr/bin:/bin", ":");
    strv_each (dir, &dirs) {
        auto_free char *file = path_join(*dir, name);
        if (access(file, X_OK) == 0)
            return true;
    }
    return false;
}

static void check_compose(struct doctor *d)
{
    /* Without the plugin the docker CLI asks the engine what else the words could mean: not ours.
     */
    static const char *const argv[] = { "docker",  "-H", "unix:///dev/null", "compose", "version",
                                        "--short", NULL };
    auto_error struct error err = ERROR_INIT;
    struct child_result r = { .out = STR_INIT, .err = STR_INIT };
    struct child_options opt = { .argv = argv, .output_max = 200, .timeout_ms = COMPOSE_MS };
    doctor_add(d, FINDING_OK, "stack", "version " STACK_VERSION);
    if (!has_program("docker"))
        doctor_add(d, FINDING_OK, "compose", "docker's command is not installed, nor needed");
    else if (child_run(&r, cli_loop(d->cli), &opt, &err) < 0 || r.status != 0 || !r.out.len)
        doctor_add(d, FINDING_OK, "compose", "docker compose is not installed, nor needed");
    else
        doctor_add(d, FINDING_OK, "compose", "docker compose %.*s is there, and not needed",
                   (int)strcspn(r.out.buf, "\r\n"), r.out.buf);
    str_clear(&r.out);
    str_clear(&r.err);
}

/* The helper that keeps registry passwords. */
static void check_helper(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    auto_json json_t *documents = NULL;
    const char *helper = NULL;
    if (config_read(&documents, &err) < 0 ||
        config_helper(&helper, documents, REGISTRY_HUB_KEY, &err) < 0) {
        doctor_add_error(d, FINDING_WARNING, "registries", &err);
        return;
    }
    auto_free char *program = helper ? xasprintf("docker-credential-%s", helper) : NULL;
    if (!program || has_program(program))
        return;
    doctor_add(d, FINDING_WARNING, "registries", "passwords are kept by '%s', which is not in PATH",
               program);
    doctor_next(d, "install it, or remove credsStore from docker's config.json: images that need "
                   "a login cannot be pulled");
}

static void check_libraries(struct doctor *d)
{
    static const struct {
        const char *sonames[3];
        const char *feature;
    } libraries[] = {
        { { "libarchive.so.13", "libarchive.13.dylib", NULL }, "copying files" },
        { { "libnghttp2.so.14", "libnghttp2.14.dylib", NULL }, "build secrets and ssh forwarding" },
        { { "libgit2.so." LIBGIT2_SOVERSION, "libgit2." LIBGIT2_SOVERSION ".dylib", NULL },
          "projects from git" },
        { { "libmicrohttpd.so.12", "libmicrohttpd.12.dylib", NULL }, "stack hook" },
    };
    struct {
        char none;
    } table;
    size_t there = 0;
    for (size_t i = 0; i < countof(libraries); i++) {
        auto_error struct error err = ERROR_INIT;
        if (library_open(&table, NULL, 0, libraries[i].sonames, libraries[i].feature, &err) == 0)
            there++;
        else
            doctor_add_error(d, FINDING_WARNING, "libraries", &err);
    }
    if (there == countof(libraries))
        doctor_add(d, FINDING_OK, "libraries", "all that are opened on need are there");
}

void doctor_look_here(struct doctor *d)
{
    check_compose(d);
    check_libraries(d);
    check_helper(d);
    const struct engine_endpoint *ep = d->cli->engine ? engine_endpoint(d->cli->engine) : NULL;
    if (ep && str_starts(ep->host, "ssh://") && !has_program("ssh")) {
        doctor_add(d, FINDING_ERROR, "ssh", "the engine is behind ssh, which is not in PATH");
        doctor_next(d, "install an ssh client");
    }
}

/* --- the stack --- */

static bool check_file(struct doctor *d)
{
    auto_error struct error err = ERROR_INIT;
    if (cli_load(d->cli, NULL, &err) == 0) {
        const struct stack *st = d->cli->stack;
        auto_free char *shown = st->files && st->files[0] ? path_show(st->files[0]) : NULL;
        doctor_add(d, FINDING_OK, "file", "%s: stack '%s', %zu service%s",
                   shown ? shown : "a project of its own", st->name, st->nservices,
                   st->nservices == 1 ? "" : "s");
        return true;
    }
    const struct diag *diag = &d->cli->diag;
    const char *first = NULL;
    for (size_t i = 0; i < diag->len && !first; i++)
        if (diag->items[i].level == DIAG_ERROR)
            first = diag->items[i].message;
    if (err.kind == ERR_NOFILE) {
        doctor_add_error(d, FINDING_WARNING, "file", &err);
    } else if (first) {
        doctor_add(d, FINDING_ERROR, "file", "%s: %s", err.msg, first);
        doctor_next(d, "'stack check' shows where");
    } else {
        doctor_add_error(d, FINDING_ERROR, "file", &err);
    }
    return false;
}

static bool is_ours(const struct doctor *d, const char *protocol, int port)
{
    size_t i, k;
    json_t *c, *p;
    json_array_foreach (d->running, i, c) {
        const json_t *labels = json_object_get(c, "Labels");
        const char *stack = json_string_value(json_object_get(labels, LABEL_STACK));
        json_array_foreach (json_object_get(c, "Ports"), k, p) {
            if (str_eq(stack, d->cli->stack_name) && json_int(p, "PublicPort", 0) == port &&
                str_eq(json_str(p, "Type"), protocol))
                return true;
        }
    }
    return false;
}

/* The first of a range stands for all: the engine chooses among them. */
static void check_port(struct doctor *d, const struct service *s, const struct port *p)
{
    int64_t port;
    auto_free char *first = xstrndup(p->published, strcspn(p->published, "-"));
    if (num_range(&port, first, 1, 65535) < 0)
        return; /* the engine's choice */
    if (is_ours(d, p->protocol, (int)port)) {
        doctor_add(d, FINDING_OK, "port", "%s/%s is published by this stack (%s)", p->published,
                   p->protocol, s->name);
        return;
    }
    bool here = d->cli->engine && engine_endpoint(d->cli->engine)->local;
    auto_free char *holder = port_holder(d->running, here, p->host_ip, (int)port, p->protocol);
    bool range = strchr(p->published, '-');
    if (!holder) {
        doctor_add(d, FINDING_OK, "port", "%s/%s of '%s' is free", p->published, p->protocol,
                   s->name);
        return;
    }
    doctor_add(d, range ? FINDING_WARNING : FINDING_ERROR, "port", "%d/%s of '%s' is taken by %s",
               (int)port, p->protocol, s->name, holder);
    doctor_next(d, "stop what holds it, or publish another port");
}

void doctor_look_at_stack(struct doctor *d)
{
    if (!check_file(d) || !d->answers)
        return;
    for (size_t i = 0; i < d->cli->stack->nservices; i++) {
        const struct service *s = &d->cli->stack->services[i];
        for (size_t k = 0; k < s->nports; k++)
            check_port(d, s, &s->ports[k]);
    }
}
