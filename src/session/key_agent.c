/*
 * ssh-agent runs a shell, which gives it the key, says so, and waits for the end of its standard
 * input: a socket whose other end is here alone. Then it ends the agent, and removes the folder
 * that the socket is in.
 */
#include "session/key_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/safe.h"
#include "base/str.h"
#include "loop/child.h"

#define PATIENCE_MS 10000
#define SAID_MOST ((size_t)4096)
#define READY "has the key\n"

/* $1 the key, $2 the folder. It must not be killed before it has cleaned up. Without a terminal and
 * askpass nobody is asked for a passphrase. A key on standard input may be readable for others, as
 * docker has it. */
static const char script[] = "trap '' TERM\n"
                             "trap 'kill \"$SSH_AGENT_PID\"; rm -rf \"$2\"' EXIT\n"
                             "SSH_ASKPASS_REQUIRE=never ssh-add -q - <\"$1\" 2>&1 || exit\n"
                             "echo 'has the key'\n"
                             "cat\n";

struct key_agent {
    struct child *child; /* NULL: it has ended */
    int fd;              /* its standard input and output */
    char *socket;
};

static void on_ended(void *ctx, const struct child_result *result, const struct error *err)
{
    (void)result, (void)err;
    ((struct key_agent *)ctx)->child = NULL;
}

/* What is said until it is ready, or ends. */
static bool wait_until_ready(struct str *said, int fd)
{
    int64_t end_ms = clock_ms() + PATIENCE_MS;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char piece[512];
    while (said->len < SAID_MOST && !str_ends(said->buf, READY)) {
        int64_t left = end_ms - clock_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n < 0 && errno == EINTR)
            continue;
        ssize_t got = n > 0 ? read(fd, piece, sizeof(piece)) : 0;
        if (got <= 0)
            return false;
        str_addn(said, piece, (size_t)got);
    }
    return str_ends(said->buf, READY);
}

static char *make_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = xasprintf("%s/stack-ssh-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(folder))
        free(take(folder));
    return folder;
}

static int start_child(struct key_agent *k, struct loop *l, const char *path, const char *folder,
                       struct error *err)
{
    int ends[2];
    const char *argv[] = { "ssh-agent", "-a",    k->socket, "sh",   "-c",
                           script,      "stack", path,      folder, NULL };
    struct child_options opt = { .argv = argv, .own_session = true };
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return error_errno(err, "make a socket");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    k->fd = ends[0];
    opt.stdio_fd = ends[1];
    k->child = child_start(l, &opt, on_ended, k);
    close(ends[1]);
    return 0;
}

int key_agent_start(struct key_agent **out, struct loop *l, const char *path, struct error *err)
{
    auto_(key_agent_stopp) struct key_agent *k = xnew(struct key_agent);
    auto_str struct str said = STR_INIT;
    k->fd = -1;
    auto_free char *folder = make_folder();
    if (!folder)
        return error_errno(err, "make a folder for an SSH agent");
    k->socket = xasprintf("%s/agent", folder);
    if (start_child(k, l, path, folder, err) < 0)
        return -1;
    if (!wait_until_ready(&said, k->fd)) {
        while (str_ends(said.buf, "\n"))
            str_truncate(&said, said.len - 1);
        auto_free char *text = safe_text(said.buf, SAFE_LINE);
        rmdir(folder); /* nothing has run that would */
        error_set(err, ERR_INPUT, 0, "no SSH agent takes '%s' as a key%s%s", path,
                  said.len ? ": " : "", text);
        return error_hint(err,
                          "a key with a passphrase goes to an agent with 'ssh-add %s', and the "
                          "build gets that: 'ssh: [default]'",
                          path);
    }
    *out = take(k);
    return 0;
}

const char *key_agent_socket(const struct key_agent *k)
{
    return k->socket;
}

void key_agent_stop(struct key_agent *k)
{
    if (!k)
        return;
    if (k->fd >= 0)
        close(k->fd);
    if (k->child)
        child_cancel(k->child);
    free(k->socket);
    free(k);
}
