/*
 * Running `stack` against the engine made of JSON.
 *
 * The child does not begin a new program: it is a copy of the test that calls cli_main(), which
 * saves loading the program and its libraries thousands of times. Nothing else of the test runs in
 * it.
 */
#include "trial.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"
#include "cli/cli.h"

#define OUTPUT_MOST (1 << 20)

static int unnamed_file(void)
{
    auto_free char *name =
        xasprintf("%s/output-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    int fd = mkstemp(name);
    assert(fd >= 0);
    unlink(name);
    return fd;
}

static char *content(int fd)
{
    char *text = xcalloc(1, OUTPUT_MOST + 1);
    ssize_t n = pread(fd, text, OUTPUT_MOST, 0);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}

static int run(const struct trial *c, const char *host, const char *args)
{
    auto_strv struct strv argv = STRV_INIT;
    strv_add(&argv, "stack");
    strv_split(&argv, args, " ");
    setenv("DOCKER_HOST", host, 1);
    /* The test's own handlers would take a crash of the command for one of the test. */
    static const int signals[] = { SIGINT, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    for (size_t i = 0; i < countof(signals); i++)
        signal(signals[i], SIG_DFL);
    int in = open("/dev/null", O_RDONLY);
    dup2(in, STDIN_FILENO);
    dup2(c->out_fd, STDOUT_FILENO);
    dup2(c->err_fd, STDERR_FILENO);
    close(in);
    return cli_main((int)argv.len, argv.items);
}

void trial_start(struct trial *c, struct fake *f, const char *args)
{
    *c = (struct trial){ .out_fd = unnamed_file(), .err_fd = unnamed_file() };
    fflush(NULL);
    c->pid = fork();
    assert(c->pid >= 0);
    if (c->pid == 0)
        exit(run(c, fake_host(f), args));
    fake_set_client(f, c->pid);
}

void trial_wait(struct trial *c, struct fake *f, int limit_ms)
{
    int64_t end = clock_ms() + limit_ms;
    int status;
    while (waitpid(c->pid, &status, WNOHANG) == 0) {
        if (clock_ms() > end) {
            c->late = true;
            kill(c->pid, SIGKILL);
            waitpid(c->pid, &status, 0);
            break;
        }
        fake_serve(f, 5);
    }
    c->ended = true;
    c->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    c->out = content(c->out_fd);
    c->err = content(c->err_fd);
    fake_serve(f, 0); /* it sees the connections end */
}

void trial_run(struct trial *c, struct fake *f, const char *args)
{
    trial_start(c, f, args);
    trial_wait(c, f, TRIAL_LIMIT_MS);
}

void trial_clear(struct trial *c)
{
    assert(c->ended || !c->pid);
    free(take(c->out));
    free(take(c->err));
}

bool text_is_safe(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;
        if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f || c1)
            return false;
    }
    return true;
}
