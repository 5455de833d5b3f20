/*
 * `stack stats`: what the containers use, as `docker stats` shows it. On a terminal a table that
 * repaints in place until it is interrupted; elsewhere it is printed once. JSON and templates are
 * for programs, which read a stream of them.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/containers.h"
#include "cli/listing.h"
#include "live/stats.h"
#include "loop/tty.h"

#define TABLE_MS 250 /* samples of all containers come within a second, at any time of it */
#define LINES_MS 1000

struct stats_options {
    bool all, no_stream, no_trunc;
    const char *format;
};
#define OPTIONS stats_options

static const struct option rows[] = {
    ROW_FLAG('a', "all", all, "Show containers that do not run, too"),
    ROW_STRING(0, "format", format, "FORMAT", COMPLETE_NONE,
               "table (default), json, or a template: '{{.Name}} {{.CPUPerc}}'"),
    ROW_FLAG(0, "no-stream", no_stream, "Print one sample of each and end"),
    ROW_FLAG(0, "no-trunc", no_trunc, "Do not shorten anything"),
};

struct watching {
    const struct stats_options *opt;
    struct loop *loop;
    struct live_stats *stats;
    struct block *block; /* a table on a terminal */
    struct loop_timer *timer;
    bool over;
    int signum;
    struct error err;
};

/* The columns, and the order in which they go where a terminal is too narrow for all: what remains
 * is what stats are mostly looked at for. */
enum { ID, NAME, CPU, MEMORY, PERCENT, NET, BLOCK, PIDS, COLUMNS };
static const struct listing_column columns[COLUMNS] = {
    [ID] = { "CONTAINER ID", "ID" },      [NAME] = { "NAME", "Name" },
    [CPU] = { "CPU %", "CPUPerc" },       [MEMORY] = { "MEM USAGE / LIMIT", "MemUsage" },
    [PERCENT] = { "MEM %", "MemPerc" },   [NET] = { "NET I/O", "NetIO" },
    [BLOCK] = { "BLOCK I/O", "BlockIO" }, [PIDS] = { "PIDS", "PIDs" },
};
static const int dispensable[] = { ID, BLOCK, PIDS, NET };

/* --- numbers, as docker writes them --- */

/* "1.5GiB", four digits, powers of 1024. */
static void add_binary(struct str *out, int64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t i = 0;
    for (; value >= 1024 && i + 1 < countof(units); i++)
        value /= 1024;
    str_addf(out, "%.4g%s", value, units[i]);
}

/* "1.5GB", three digits, powers of 1000. */
static void add_decimal(struct str *out, int64_t bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
    double value = (double)bytes;
    size_t i = 0;
    for (; value >= 1000 && i + 1 < countof(units); i++)
        value /= 1000;
    str_addf(out, "%.3g%s", value, units[i]);
}

static json_t *pair(void (*add)(struct str *out, int64_t bytes), int64_t a, int64_t b)
{
    auto_str struct str text = STR_INIT;
    add(&text, a);
    str_add(&text, " / ");
    add(&text, b);
    return json_string(text.buf);
}

static json_t *percent(bool known, double value)
{
    auto_free char *text = known ? xasprintf("%.2f%%", value) : xstrdup("--");
    return json_string(text);
}

/* A row; what is not known (yet) is two dashes, of a container that does not run all is 0. */
static json_t *row_of(const struct live_stat *s, bool no_trunc)
{
    const struct stat_sample *n = &s->sample;
    bool known = s->sampled || !s->up;
    auto_free char *id = xstrndup(s->id, no_trunc ? strlen(s->id) : 12);
    auto_free char *pids = known ? xasprintf("%lld", (long long)n->pids) : xstrdup("--");
    json_t *row = json_object();
    json_t *none = json_string("-- / --");
    json_object_set_new(row, "BlockIO",
                        known ? pair(add_decimal, n->read, n->written) : json_incref(none));
    json_object_set_new(row, "CPUPerc", percent(known && (n->has_cpu || !n->runs), n->cpu));
    json_object_set_new(row, "Container", json_string(id));
    json_object_set_new(row, "ID", json_string(id));
    json_object_set_new(row, "MemPerc", percent(known, n->memory_percent));
    json_object_set_new(row, "MemUsage",
                        known ? pair(add_binary, n->memory, n->memory_limit) : json_incref(none));
    json_object_set_new(row, "Name", json_string(s->name));
    json_object_set_new(row, "NetIO",
                        known ? pair(add_decimal, n->received, n->sent) : json_incref(none));
    json_object_set_new(row, "PIDs", json_string(pids));
    json_object_set_new(row, "Service", json_string(s->service));
    json_decref(none);
    return row;
}

/* --- showing --- */

static bool is_shown(const struct watching *w, const struct live_stat *s)
{
    return w->opt->all || (s->up && (!s->sampled || s->sample.runs));
}

/* What is printed, with the first n of `chosen`. */
static int print(struct watching *w, FILE *f, const struct listing_column *chosen, size_t n,
                 struct error *err)
{
    size_t count;
    const struct live_stat *list = live_stats_list(&count, w->stats);
    auto_(listing_freep) struct listing *l = listing_new(chosen, n);
    for (size_t i = 0; i < count; i++)
        if (is_shown(w, &list[i]))
            listing_add(l, row_of(&list[i], w->opt->no_trunc), NULL);
    return listing_print(l, w->opt->format, true, w->opt->no_trunc, f, err);
}

static int print_to(char **out, struct watching *w, const struct listing_column *chosen, size_t n,
                    struct error *err)
{
    size_t len;
    auto_free char *text = NULL;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return error_errno(err, "print a table");
    int rc = print(w, f, chosen, n, err);
    fclose(f);
    if (rc == 0)
        *out = take(text);
    return rc;
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;
    while (*text) {
        size_t len = strcspn(text, "\n");
        auto_free char *line = xstrndup(text, len);
        size_t width = safe_width(line);
        widest = width > widest ? width : widest;
        text += len + (text[len] == '\n');
    }
    return widest;
}

static int paint(struct watching *w, struct error *err)
{
    struct listing_column chosen[COLUMNS];
    bool left_out[COLUMNS] = { false };
    auto_free char *text = NULL;
    for (size_t gone = 0;; gone++) {
        size_t n = 0;
        for (size_t i = 0; i < COLUMNS; i++)
            if (!left_out[i])
                chosen[n++] = columns[i];
        free(take(text));
        if (print_to(&text, w, chosen, n, err) < 0)
            return -1;
        bool fits = widest_line(text) <= (size_t)block_width(w->block);
        if (fits || w->opt->no_trunc || gone == countof(dispensable))
            break;
        left_out[dispensable[gone]] = true;
    }
    block_paint(w->block, text);
    return 0;
}

static void show(void *ctx)
{
    struct watching *w = ctx;
    int rc = w->block ? paint(w, &w->err) : print(w, stdout, columns, COLUMNS, &w->err);
    fflush(stdout);
    w->over |= rc < 0 || ferror(stdout) != 0; /* a closed pipe: nobody reads on */
}

static void on_changed(void *ctx)
{
    struct watching *w = ctx;
    if (!w->timer)
        loop_after(&w->timer, w->loop, w->block ? TABLE_MS : LINES_MS, show, w);
}

static void on_ended(void *ctx, const struct error *err)
{
    struct watching *w = ctx;
    w->over = true;
    if (err)
        error_copy(&w->err, err);
}

static void on_signal(void *ctx, int signum)
{
    struct watching *w = ctx;
    w->signum = signum;
    w->over = true;
}

/* --- the command --- */

static bool is_table(const char *format)
{
    return !format || !*format || str_eq(format, "table") || str_starts(format, "table ");
}

static int watch(struct watching *w, struct cli *cli, const struct live_stats_options *opt,
                 const struct snapshot *now, struct error *err)
{
    struct loop_signal *interrupt = NULL, *terminate = NULL;
    if (opt->follow && is_table(w->opt->format))
        w->block = block_new(stdout, 0, 0);
    if (opt->follow) {
        interrupt = loop_signal(w->loop, SIGINT, on_signal, w);
        terminate = loop_signal(w->loop, SIGTERM, on_signal, w);
    }
    w->stats = live_stats_start(cli->engine, now, opt);
    if (w->block)
        show(w);
    loop_wait(w->loop, &w->over);
    if (!opt->follow && !w->err.kind)
        show(w);
    loop_timer_cancel(&w->timer);
    live_stats_cancel(w->stats);
    block_free(w->block);
    if (opt->follow) {
        loop_signal_cancel(&interrupt);
        loop_signal_cancel(&terminate);
    }
    if (w->err.kind)
        return error_move(err, &w->err);
    return w->signum ? 128 + w->signum : EXIT_DONE;
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct stats_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0 ||
        containers_check_services(cli->stack, now, args, err) < 0)
        return -1;
    struct watching w = { .opt = o, .loop = cli_loop(cli) };
    bool follow = !o->no_stream && (tty_is(STDOUT_FILENO) || !is_table(o->format));
    struct live_stats_options opt = {
        .stack_name = cli->stack_name,
        .services = args->len ? (const char *const *)args->items : NULL,
        .follow = follow,
        .changed = follow ? on_changed : NULL,
        .ended = on_ended,
        .ctx = &w,
    };
    return watch(&w, cli, &opt, now, err);
}

static const char *const examples[] = {
    "stack stats",
    "all running containers, until Ctrl-C",
    "stack stats --no-stream --format json",
    "an object a line, once",
    NULL,
};

extern const struct command cmd_stats;
const struct command cmd_stats = {
    .name = "stats",
    .group = "Inspect",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Show what the containers use: CPU, memory, network, disks",
    .text =
        "On a terminal the table is painted anew as numbers come; containers that start appear, "
        "those that end go. A terminal that is too narrow for all columns shows those that fit: "
        "--no-trunc, or a template, shows what one asks for. Off a terminal the table is "
        "printed once; JSON and templates are printed every second, or once with --no-stream.\n"
        "The numbers are those of 'docker stats': CPU % is of one processor, memory is without "
        "what only caches files.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct stats_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
