/*
 * One command line: global options, the command, its options, then the command's own run(). Errors
 * come back as data and are printed here, once; the exit code follows from their kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/options.h"

/* Names only, no values: shown to others as the holder of the lock. */
static char *argv_text(int argc, char **argv)
{
    struct str text = STR_INIT;
    str_add(&text, "stack");
    for (int i = 1; i < argc; i++)
        if (command_find(argv[i])) {
            str_addf(&text, " %s", argv[i]);
            break;
        }
    return str_detach(&text);
}

static const struct command *find_command(const char *name, struct error *err)
{
    const struct command *c = command_find(name);
    if (c)
        return c;
    const char *near = NULL;
    size_t best = 3;
    for (const struct command *const *it = commands; *it; it++) {
        size_t distance = (*it)->hidden ? best : str_distance(name, (*it)->name, best);
        if (distance < best) {
            best = distance;
            near = (*it)->name;
        }
    }
    error_set(err, ERR_USAGE, 0, "there is no command '%s'", name);
    if (near)
        error_hint(err, "did you mean 'stack %s'?", near);
    else
        error_hint(err, "'stack --help' lists the commands");
    return NULL;
}

/*
 * After the command's name its own options come first, and every global one that they do not
 * shadow: one table over one block of memory that holds both structs.
 */
struct joined {
    struct option *table;
    size_t n;
    size_t global_at; /* offset of the global options in the block */
    char *values;
};

static void join_options(struct joined *j, const struct command *c, struct global_options *global)
{
    size_t align = _Alignof(max_align_t);
    j->global_at = (c->options_size + align - 1) / align * align;
    j->values = xcalloc(1, j->global_at + sizeof(*global));
    j->table = xcalloc(c->noptions + global_options_len, sizeof(*j->table));
    for (size_t i = 0; i < c->noptions; i++)
        j->table[j->n++] = c->options[i];
    for (size_t i = 0; i < global_options_len; i++) {
        struct option o = global_options[i];
        bool shadowed = o.letter == 'v';
        for (size_t k = 0; k < c->noptions; k++) {
            if (str_eq(c->options[k].name, o.name))
                o.name = NULL;
            if (c->options[k].letter == o.letter)
                shadowed = true;
            if (!o.name)
                break;
        }
        if (!o.name)
            continue;
        if (shadowed)
            o.letter = 0;
        o.offset += j->global_at;
        j->table[j->n++] = o;
    }
    memcpy(j->values + j->global_at, global, sizeof(*global));
    if (c->defaults)
        c->defaults(j->values);
}

static int run_command(struct cli *cli, const struct command *c, int argc, char **argv, int at,
                       struct error *err)
{
    struct joined j = { 0 };
    auto_strv struct strv args = STRV_INIT;
    join_options(&j, c, &cli->global);
    int code = options_read(j.table, j.n, j.values, argc, argv, &at, c->stop_at_arg, &args, err);
    memcpy(&cli->global, j.values + j.global_at, sizeof(cli->global));
    for (; code == 0 && at < argc; at++)
        strv_add(&args, argv[at]);
    if (code == 0 && cli->global.debug)
        log_enable(true);
    if (code < 0) {
        error_wrap(err, "stack %s", c->name);
    } else if (cli->global.help) {
        auto_str struct str text = STR_INIT;
        help_command(&text, c);
        fputs(text.buf, stdout);
    } else if ((int)args.len < c->min_args || (c->max_args >= 0 && (int)args.len > c->max_args)) {
        error_set(err, ERR_USAGE, 0, "stack %s takes %s", c->name,
                  c->max_args == 0 ? "no arguments" : c->usage);
        code = error_hint(err, "see 'stack %s --help'", c->name);
    } else {
        code = c->run(cli, j.values, &args, err);
    }
    options_clear(c->options, c->noptions, j.values);
    free(j.values);
    free(j.table);
    return code;
}

static int run_line(struct cli *cli, int argc, char **argv, struct error *err)
{
    int at = 1;
    auto_strv struct strv none = STRV_INIT;
    if (options_read(global_options, global_options_len, &cli->global, argc, argv, &at, true, &none,
                     err) < 0)
        return -1;
    if (cli->global.version)
        return command_find("version")->run(cli, &(struct { char zero[256]; }){ { 0 } }, &none,
                                            err);
    if (at >= argc) {
        auto_str struct str text = STR_INIT;
        help_overview(&text);
        fputs(text.buf, cli->global.help ? stdout : stderr);
        return cli->global.help ? EXIT_DONE : EXIT_USAGE;
    }
    const struct command *c = find_command(argv[at], err);
    return c ? run_command(cli, c, argc, argv, at + 1, err) : -1;
}

/* A standard stream that is closed would be the next connection or file that is opened, and what is
 * printed go there. */
static void open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            abort();
}

/* A full disk behind standard output is a failure like any other; a reader that has gone wants no
 * more, and needs no explanation. */
static int finish_output(struct cli *cli, int code)
{
    struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    int why = errno; /* 0: it was an earlier line that could not be written */
    bool gone = why == EPIPE || (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)));
    auto_error struct error err = ERROR_INIT;
    error_set(&err, ERR_SYSTEM, why, "standard output cannot be written%s%s", why ? ": " : "",
              why ? strerror(why) : "");
    if (!gone)
        cli_report(cli, &err);
    return code == EXIT_DONE ? EXIT_FAILED : code;
}

int cli_main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    open_standard_streams();
    log_enable(getenv("STACK_DEBUG") != NULL);
    auto_error struct error err = ERROR_INIT;
    struct cli cli;
    auto_free char *text = argv_text(argc, argv);
    cli_init(&cli, text);
    int code = run_line(&cli, argc, argv, &err);
    if (code < 0) {
        engine_hint(&err);
        cli_report(&cli, &err);
        code = exit_code_of(&err);
    }
    code = finish_output(&cli, code);
    cli_clear(&cli);
    return code;
}
