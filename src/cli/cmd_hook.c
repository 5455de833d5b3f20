/* `stack hook`: the server that rebuilds at a push; with --send, the one that tells it of a push.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/cli.h"
#include "server/hook.h"
#include "server/send.h"

struct hook_options {
    const char *config, *listen, *queue;
    const char *send, *secret_file;
    bool check;
};
#define OPTIONS hook_options

static const struct option rows[] = {
    ROW_STRING(0, "config", config, "FILE", COMPLETE_FILE, "Configuration (default hook.yaml)"),
    ROW_STRING(0, "listen", listen, "ADDRESS:PORT", COMPLETE_NONE,
               "Where to listen (default 127.0.0.1:9666)"),
    ROW_STRING(0, "queue", queue, "DIR", COMPLETE_DIR, "Folder of the queue and the logs"),
    ROW_FLAG(0, "check", check, "Only check the configuration"),
    ROW_STRING(0, "send", send, "URL", COMPLETE_NONE,
               "Be git's post-receive: send the pushes on standard input to another hook"),
    ROW_STRING(0, "secret-file", secret_file, "FILE", COMPLETE_FILE, "With --send: the secret"),
};

enum {
    PUSHES_MAX = 1 << 20,
    SECRET_MAX = 4096,
};

/* --- the server --- */

struct serving {
    struct cli *cli;
    const struct hook_options *opt;
    struct hook *hook;
    bool stopped;
    int signum;
};

static void say(void *ctx, const char *line)
{
    (void)ctx;
    printf("%s\n", line);
    fflush(stdout);
}

static void on_stopped(void *ctx)
{
    struct serving *s = ctx;
    s->stopped = true;
}

static void on_stop(void *ctx, int signum)
{
    struct serving *s = ctx;
    s->signum = signum;
    hook_stop(s->hook);
}

/* What the command line says wins over the file. */
static int load(struct hook_config **out, struct serving *s, struct error *err)
{
    const struct hook_options *o = s->opt;
    auto_(hook_config_freep) struct hook_config *c = NULL;
    auto_free char *host = NULL;
    const char *path = o->config ? o->config : "hook.yaml";
    if (hook_config_load(&c, path, &s->cli->diag, err) < 0) {
        if (err->kind)
            return -1;
        return error_set(err, ERR_INPUT, 0, "%zu %s in '%s'", s->cli->diag.errors,
                         s->cli->diag.errors == 1 ? "error" : "errors", path);
    }
    if (o->listen) {
        if (hook_config_address(&host, &c->port, o->listen) < 0)
            return error_set(err, ERR_USAGE, 0, "--listen takes ADDRESS:PORT");
        c->host = arena_strdup(c->arena, host);
    }
    if (o->queue) {
        auto_free char *here = path_real(".", err);
        if (!here)
            return -1;
        auto_free char *whole = path_join(here, o->queue);
        c->queue = arena_strdup(c->arena, whole);
    }
    *out = take(c);
    return 0;
}

/* A file with mistakes changes nothing. */
static void on_reload(void *ctx, int signum)
{
    struct serving *s = ctx;
    struct hook_config *c = NULL;
    auto_error struct error err = ERROR_INIT;
    (void)signum;
    diag_clear(&s->cli->diag);
    diag_init(&s->cli->diag, s->cli->arena);
    s->cli->diag_shown = 0;
    if (load(&c, s, &err) < 0) {
        cli_report(s->cli, &err);
        say(NULL, "reload: the old configuration stays");
        return;
    }
    hook_reload(s->hook, c);
    say(NULL, "reload: done");
}

static int serve(struct cli *cli, const struct hook_options *o, struct error *err)
{
    struct serving s = { .cli = cli, .opt = o };
    struct hook_config *c = NULL;
    char self[PATH_MAX] = "stack";
    if (load(&c, &s, err) < 0)
        return -1;
    if (o->check) {
        printf("%zu projects\n", c->projects.len);
        hook_config_free(c);
        return EXIT_DONE;
    }
    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        memcpy(self, "stack", sizeof("stack"));
    struct loop *l = cli_loop(cli);
    struct hook_handlers hd = { .say = say, .stopped = on_stopped, .ctx = &s };
    if (hook_open(&s.hook, l, c, self, &hd, err) < 0)
        return -1;
    struct loop_signal *signals[] = { loop_signal(l, SIGTERM, on_stop, &s),
                                      loop_signal(l, SIGINT, on_stop, &s),
                                      loop_signal(l, SIGHUP, on_reload, &s) };
    auto_free char *text = xasprintf("listening at http://%s", hook_address(s.hook));
    say(NULL, text);
    loop_wait(l, &s.stopped);
    for (size_t i = 0; i < countof(signals); i++)
        loop_signal_cancel(&signals[i]);
    hook_close(s.hook);
    return EXIT_DONE;
}

/* --- the client --- */

static void said(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

static int send(struct cli *cli, const struct hook_options *o, struct error *err)
{
    auto_free char *pushes = NULL;
    char *bytes;
    size_t len, pushes_len;
    if (!o->secret_file)
        return error_set(err, ERR_USAGE, 0, "--send needs --secret-file");
    if (file_read(&pushes, &pushes_len, "-", PUSHES_MAX, err) < 0 ||
        file_read(&bytes, &len, o->secret_file, SECRET_MAX, err) < 0)
        return -1;
    struct secret key = { bytes, strcspn(bytes, "\r\n") };
    bytes[key.len] = '\0';
    int rc = key.len ? send_pushes(cli_loop(cli), o->send, &key, pushes, said, NULL, err)
                     : error_set(err, ERR_INPUT, 0, "'%s' is empty", o->secret_file);
    wipe(bytes, len);
    free(bytes);
    return rc < 0 ? -1 : EXIT_DONE;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct hook_options *o = values;
    (void)args;
    return o->send ? send(cli, o, err) : serve(cli, o, err);
}

static const char *const examples[] = {
    "stack hook --config /etc/stack/hook.yaml",
    "receive deliveries of the projects that the file lists",
    "stack hook --send http://ci:9666/hook/nova --secret-file /etc/stack/nova.secret",
    "the whole post-receive of a bare repository",
    NULL,
};

extern const struct command cmd_hook;
const struct command cmd_hook = {
    .name = "hook",
    .group = "Projects",
    .usage = "[OPTIONS]",
    .summary = "Rebuild projects when somebody pushes: a server for webhooks",
    .text =
        "Receives deliveries of GitHub, GitLab, Gitea, Forgejo and a generic signed form, or asks "
        "the repositories now and then, and rebuilds the project that was pushed to. SIGTERM "
        "stops it when the running jobs have ended, SIGHUP reads the configuration again. See "
        "docs/hook.md.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct hook_options),
    .run = run,
};
