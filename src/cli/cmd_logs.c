/* `stack logs`. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/containers.h"
#include "live/logs.h"

#define BUFFER (64 << 10)
#define PATIENCE_MS 1500 /* for what is restarted by somebody else than `stack` */

struct logs_command {
    bool follow, timestamps, no_color, no_prefix, json;
    const char *tail, *since, *until;
    struct strv grep, not_;
    int index;
};
#define OPTIONS logs_command

static const struct option rows[] = {
    ROW_FLAG('f', "follow", follow, "Go on as more comes, also from containers that start later"),
    ROW_STRING('n', "tail", tail, "LINES", COMPLETE_NONE,
               "Only the last lines of each container (default all)"),
    ROW_STRING(0, "since", since, "TIME", COMPLETE_NONE,
               "Only what is newer: a time, or a span before now (10m)"),
    ROW_STRING(0, "until", until, "TIME", COMPLETE_NONE, "Only what is older"),
    ROW_STRINGS(0, "grep", grep, "REGEX", COMPLETE_NONE,
                "Only lines that it matches; repeatable: any of them"),
    ROW_STRINGS(0, "not", not_, "REGEX", COMPLETE_NONE,
                "Not the lines that it matches; repeatable"),
    ROW_FLAG('t', "timestamps", timestamps, "Show the time of each line"),
    ROW_INT(0, "index", index, "NUM", "Only this replica of the service"),
    ROW_FLAG(0, "no-log-prefix", no_prefix, "Without the names of containers"),
    ROW_FLAG(0, "no-color", no_color, "No colours"),
    ROW_FLAG(0, "json", json, "An object a line: time, service, container, stream, line"),
};

struct reading {
    struct cli *cli;
    struct sink sink;
    struct loop_timer *flush;
    bool live, over;
    int signum;
    struct error err;
};

/* Lines that came together are written together, and at once: somebody may read them live. */
static void on_flush(void *ctx)
{
    struct reading *r = ctx;
    fflush(stdout);
    r->over |= ferror(stdout) != 0; /* a closed pipe: nobody reads on */
}

static void on_event(void *ctx, const struct event *e)
{
    struct reading *r = ctx;
    r->sink.event(r->sink.ctx, e);
    r->over |= ferror(stdout) != 0;
    if (r->live && !r->flush)
        loop_after(&r->flush, r->cli->loop, 0, on_flush, r);
}

static void on_joined(void *ctx, const char *service, const char *label)
{
    (void)service;
    view_log_label(cli_view(((struct reading *)ctx)->cli, NULL), label);
}

static bool on_busy(void *ctx)
{
    return cli_locked(((struct reading *)ctx)->cli);
}

static void on_ended(void *ctx, const struct error *err)
{
    struct reading *r = ctx;
    r->over = true;
    if (err)
        error_copy(&r->err, err);
}

static void on_signal(void *ctx, int signum)
{
    struct reading *r = ctx;
    r->signum = signum;
    r->over = true;
}

/* Unix seconds with fraction, as the engine takes them; the caller's. */
static int read_time(char **out, const char *option, const char *text, struct error *err)
{
    int64_t at_ns;
    if (!text)
        return 0;
    if (clock_parse_when(&at_ns, text) < 0) {
        error_set(err, ERR_USAGE, 0, "%s takes a time, not '%s'", option, text);
        return error_hint(err, "such as 2026-11-21T10:00:00Z, 2026-11-21, 1795255200, or 10m");
    }
    *out =
        xasprintf("%lld.%09lld", (long long)(at_ns / 1000000000), (long long)(at_ns % 1000000000));
    return 0;
}

static int read_tail(int64_t *out, const char *text, struct error *err)
{
    *out = -1;
    if (!text || str_eq(text, "all") || str_eq(text, "-1"))
        return 0;
    if (num_range(out, text, 0, INT64_C(1000000000)) < 0)
        return error_set(err, ERR_USAGE, 0, "--tail takes a number of lines or 'all', not '%s'",
                         text);
    return 0;
}

/* Reads to the end, or until a signal or a closed pipe ends it. */
static int read_all(struct cli *cli, const struct snapshot *now, struct live_logs_options *opt,
                    struct error *err)
{
    struct loop *loop = cli_loop(cli);
    struct reading r = { .cli = cli,
                         .sink = view_sink(cli_view(cli, "logs")),
                         .live = opt->follow };
    struct sink sink = { on_event, &r };
    struct loop_signal *interrupt = loop_signal(loop, SIGINT, on_signal, &r);
    struct loop_signal *terminate = loop_signal(loop, SIGTERM, on_signal, &r);
    static char buffer[BUFFER];
    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    opt->joined = on_joined;
    opt->busy = on_busy;
    opt->patience_ms = PATIENCE_MS;
    struct live_logs *logs = live_logs_start(cli->engine, now, opt, &sink, on_ended, &r);
    loop_wait(loop, &r.over);
    live_logs_cancel(logs);
    loop_timer_cancel(&r.flush);
    loop_signal_cancel(&interrupt);
    loop_signal_cancel(&terminate);
    if (r.err.kind)
        return error_move(err, &r.err);
    return r.signum ? 128 + r.signum : EXIT_DONE;
}

static int read_logs(struct cli *cli, struct live_logs_options *opt, const struct strv *args,
                     struct error *err)
{
    auto_(snapshot_freep) struct snapshot *now = NULL;
    opt->from_ns = clock_unix_ns();
    if (cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0 ||
        containers_check_services(cli->stack, now, args, err) < 0)
        return -1;
    opt->stack_name = cli->stack_name;
    opt->services = args->len ? (const char *const *)args->items : NULL;
    int code = read_all(cli, now, opt, err);
    if (code >= 0 && opt->filter->gave_up)
        fprintf(stderr,
                "%zu lines are shown though it is not known whether they match: the search took "
                "too long\n",
                opt->filter->gave_up);
    return code;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct logs_command *o = values;
    auto_free char *since = NULL, *until = NULL;
    struct log_filter filter;
    struct live_logs_options opt = { .follow = o->follow, .index = o->index, .filter = &filter };
    if (read_tail(&opt.tail, o->tail, err) < 0 || read_time(&since, "--since", o->since, err) < 0 ||
        read_time(&until, "--until", o->until, err) < 0 || cli_load_name(cli, err) < 0 ||
        cli_engine(cli, err) < 0 || log_filter_open(&filter, &o->grep, &o->not_, err) < 0)
        return -1;
    cli->logs.no_color = o->no_color;
    cli->logs.no_prefix = o->no_prefix;
    cli->logs.timestamps = o->timestamps;
    cli->logs.json = o->json;
    opt.since = since;
    opt.until = until;
    int code = read_logs(cli, &opt, args, err);
    log_filter_close(&filter);
    return code;
}

static const char *const examples[] = {
    "stack logs -f web db",
    "two services, as more comes",
    "stack logs -n 20 --since 10m",
    "the last lines of each container",
    "stack logs -f --grep 'error|warn' --not healthcheck",
    "what matters",
    NULL,
};

extern const struct command cmd_logs;
const struct command cmd_logs = {
    .name = "logs",
    .group = "Everyday",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Show the output of containers, in the order of time",
    .text =
        "With -f it goes on until nothing of what it follows runs any more and no command is at "
        "work on the stack: a restart does not end it. --grep and --not look at lines without "
        "their prefix and without colours; what --tail counts is counted before.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct logs_command),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
