/* The process that stands between the server and a job's command. */
#include "server/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "loop/loop.h"

enum {
    KILL_AFTER_MS = 3000,    /* from SIGTERM to SIGKILL */
    BURY_MS = 10000,         /* what survives SIGKILL so long hangs in the kernel */
    READ_AT_ONCE = 64 << 10, /* bytes of output */
};

/* --- orders and ends as text --- */

void supervise_order_clear(struct supervise_order *o)
{
    strv_clear(&o->argv);
    free(o->log);
    free(o->lock);
    *o = (struct supervise_order){ 0 };
}

char *supervise_order_text(const struct supervise_order *o)
{
    const struct hook_limits *m = &o->limits;
    auto_json json_t *argv = json_array();
    strv_each (it, &o->argv)
        json_array_append_new(argv, json_string(*it));
    auto_json json_t *j =
        json_pack("{s:O, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "argv", argv, "log", o->log, "lock",
                  o->lock, "time_ms", (json_int_t)m->time_ms, "cpu_ms", (json_int_t)m->cpu_ms,
                  "memory", (json_int_t)m->memory, "file_size", (json_int_t)m->file_size, "log_max",
                  (json_int_t)m->log);
    return json_dumps(j, JSON_COMPACT);
}

int supervise_order_read(struct supervise_order *out, const char *text, struct error *err)
{
    auto_json json_t *j = json_parse(text, strlen(text), "order", err);
    if (!j)
        return -1;
    const json_t *argv = json_object_get(j, "argv");
    const char *log = json_str(j, "log"), *lock = json_str(j, "lock");
    struct supervise_order o = { 0 };
    size_t i;
    json_t *word;
    json_array_foreach (argv, i, word)
        if (json_is_string(word))
            strv_add(&o.argv, json_string_value(word));
    if (!o.argv.len || o.argv.len != json_array_size(argv) || !log || !lock) {
        supervise_order_clear(&o);
        return error_set(err, ERR_PROTOCOL, 0, "order: argv, log or lock is missing");
    }
    o.log = xstrdup(log);
    o.lock = xstrdup(lock);
    o.limits = (struct hook_limits){
        .time_ms = json_int(j, "time_ms", 0),
        .cpu_ms = json_int(j, "cpu_ms", 0),
        .memory = json_int(j, "memory", 0),
        .file_size = json_int(j, "file_size", 0),
        .log = json_int(j, "log_max", 0),
    };
    *out = o;
    return 0;
}

static const char *const hows[] = { "exited", "signal", "timeout", "stopped" };

char *supervise_end_text(const struct supervise_end *e)
{
    return xasprintf("{\"how\":\"%s\",\"code\":%d}\n", hows[e->how], e->code);
}

int supervise_end_read(struct supervise_end *out, const char *text, size_t len, struct error *err)
{
    auto_json json_t *j = json_parse(text, len, "the end of a command", err);
    if (!j)
        return -1;
    for (size_t i = 0; i < countof(hows); i++)
        if (str_eq(hows[i], json_str(j, "how"))) {
            *out = (struct supervise_end){ (enum supervise_how)i, (int)json_int(j, "code", 0) };
            return 0;
        }
    return error_set(err, ERR_PROTOCOL, 0, "the end of a command: unknown 'how'");
}

/* --- the log: the last bytes in two files --- */

struct log {
    const char *path;
    int fd;
    int64_t half, size;
};

static int log_open(struct log *log, const struct supervise_order *o, struct error *err)
{
    struct stat st;
    log->path = o->log;
    log->half = o->limits.log > 0 ? o->limits.log / 2 : INT64_MAX;
    log->fd = open(o->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log->fd < 0)
        return error_errno(err, "open '%s'", o->log);
    log->size = fstat(log->fd, &st) == 0 ? st.st_size : 0;
    return 0;
}

static void log_turn(struct log *log)
{
    auto_free char *before = xasprintf("%s.1", log->path);
    if (rename(log->path, before) < 0)
        return;
    close(log->fd);
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log->size = 0;
}

/* A full disk ends the log, not the job. */
static void log_add(struct log *log, const char *data, size_t len)
{
    while (len && log->fd >= 0) {
        if (log->size >= log->half)
            log_turn(log);
        int64_t room = log->half - log->size;
        ssize_t n = write(log->fd, data, (int64_t)len < room ? len : (size_t)room);
        if (n <= 0)
            return;
        log->size += n;
        data += n;
        len -= (size_t)n;
    }
}

/* --- the command --- */

struct command {
    const struct supervise_order *order;
    struct supervise_end *end;
    struct loop *loop;
    struct log log;
    pid_t pid;
    int out_fd; /* of its output, at our end */
    struct loop_io *out, *life;
    struct loop_signal *child, *term;
    struct loop_timer *time, *kill;
    bool done;
};

static void limit(int which, int64_t value, int64_t more)
{
    struct rlimit r = { .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)(value + more) };
    if (value > 0)
        setrlimit(which, &r);
}

/* In the child. What it inherits but these three is closed by the exec. */
static void __attribute__((noreturn)) become(const struct supervise_order *o, int out_fd)
{
    const struct hook_limits *m = &o->limits;
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0)
        _exit(126);
    if (null_fd > 2)
        close(null_fd);
    limit(RLIMIT_CPU, (m->cpu_ms + 999) / 1000, 5); /* SIGXCPU, then SIGKILL */
    limit(RLIMIT_AS, m->memory, 0);
    limit(RLIMIT_FSIZE, m->file_size, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    execvp(o->argv.items[0], o->argv.items);
    int code = errno == ENOENT ? 127 : 126;
    const char *const said[] = { o->argv.items[0], ": ", strerror(errno), "\n" };
    for (size_t i = 0; i < countof(said); i++)
        if (write(2, said[i], strlen(said[i])) < 0)
            break;
    _exit(code);
}

static void read_output(struct command *c)
{
    char buf[READ_AT_ONCE];
    ssize_t n;
    while ((n = read(c->out_fd, buf, sizeof(buf))) > 0)
        log_add(&c->log, buf, (size_t)n);
    if (n == 0)
        loop_io_cancel(&c->out);
}

static void on_output(void *ctx, int events)
{
    (void)events;
    read_output(ctx);
}

/* Kills the children that this process has now; orphans of the command are among them. */
static void kill_children(void)
{
#ifdef __linux__
    auto_fclose FILE *list = fopen("/proc/thread-self/children", "re");
    int pid;
    while (list && fscanf(list, "%d", &pid) == 1)
        kill(pid, SIGKILL);
#endif
}

/* Until nothing of the command is left. Its group is killed before it is waited for, while its
 * number can be nobody else's. */
static void bury(struct command *c)
{
    int64_t end = clock_ms() + BURY_MS;
    kill(-c->pid, SIGKILL);
    for (;;) {
        pid_t pid;
        int status;
        kill_children();
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            ;
        if (pid < 0 || clock_ms() > end)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
}

/* The command itself has ended. */
static void on_child(void *ctx, int signum)
{
    struct command *c = ctx;
    siginfo_t info = { 0 };
    (void)signum;
    if (c->done || waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
        info.si_pid != c->pid)
        return;
    if (c->end->how == SUPERVISE_EXITED) {
        c->end->how = info.si_code == CLD_EXITED ? SUPERVISE_EXITED : SUPERVISE_SIGNAL;
        c->end->code = info.si_status;
    }
    bury(c);
    read_output(c);
    c->done = true;
}

/* Again and again: it can be on its way into its own group, and the loop needs a reason to run. */
static void kill_now(void *ctx)
{
    struct command *c = ctx;
    loop_timer_cancel(&c->kill);
    kill(-c->pid, SIGKILL);
    loop_after(&c->kill, c->loop, 100, kill_now, c);
}

static void end_it(struct command *c, enum supervise_how how)
{
    if (c->end->how == SUPERVISE_EXITED)
        c->end->how = how;
    kill(-c->pid, SIGTERM);
    if (!c->kill)
        loop_after(&c->kill, c->loop, KILL_AFTER_MS, kill_now, c);
}

static void on_time(void *ctx)
{
    end_it(ctx, SUPERVISE_TIMEOUT);
}

static void on_term(void *ctx, int signum)
{
    (void)signum;
    end_it(ctx, SUPERVISE_STOPPED);
}

/* Nobody waits for an orderly end any more. */
static void on_life(void *ctx, int events)
{
    struct command *c = ctx;
    (void)events;
    loop_io_cancel(&c->life);
    c->end->how = SUPERVISE_STOPPED;
    kill_now(c);
}

static void say(struct command *c, const char *text)
{
    log_add(&c->log, text, strlen(text));
}

static void say_end(struct command *c, int64_t began_ms)
{
    char time[NUM_TEXT_MAX];
    num_elapsed_text(time, clock_ms() - began_ms);
    const char *how = c->end->how == SUPERVISE_TIMEOUT   ? "killed: its time was over"
                      : c->end->how == SUPERVISE_STOPPED ? "killed: the server stopped"
                      : c->end->how == SUPERVISE_SIGNAL  ? strsignal(c->end->code)
                                                         : NULL;
    auto_free char *line = how ? xasprintf("[%s, after %s]\n", how, time)
                               : xasprintf("[exit %d, after %s]\n", c->end->code, time);
    say(c, line);
}

static int start(struct command *c, struct error *err)
{
    int fds[2];
    if (pipe(fds) < 0)
        return error_errno(err, "make a pipe");
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    c->out_fd = fds[0];
    /* Watched before there is anything to miss. */
    c->child = loop_signal(c->loop, SIGCHLD, on_child, c);
    c->term = loop_signal(c->loop, SIGTERM, on_term, c);
    c->pid = fork();
    if (c->pid == 0)
        become(c->order, fds[1]);
    close(fds[1]);
    if (c->pid < 0)
        return error_errno(err, "start a process");
    setpgid(c->pid, c->pid); /* here too: whoever comes first */
    return 0;
}

static int take_lock(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, "open '%s'", path);
    /* Whoever holds it is on the way out: it belongs to a server that died. */
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) {
            close(fd);
            return error_errno(err, "lock '%s'", path);
        }
    return fd;
}

int supervise_run(struct supervise_end *out, const struct supervise_order *o, int life_fd,
                  struct error *err)
{
    struct supervise_end end = { SUPERVISE_EXITED, 0 };
    struct command c = { .order = o, .end = &end, .out_fd = -1 };
    auto_close int lock = take_lock(o->lock, err);
    if (lock < 0 || log_open(&c.log, o, err) < 0)
        return -1;
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
    if (poll(&(struct pollfd){ .fd = life_fd, .events = POLLIN }, 1, 0) > 0) {
        auto_close_p(&c.log.fd); /* the server died while we waited for the lock */
        *out = (struct supervise_end){ SUPERVISE_STOPPED, 0 };
        return 0;
    }
    auto_free char *words = strv_join(&o->argv, " ");
    auto_free char *title = xasprintf("$ %s\n", words);
    int64_t began_ms = clock_ms();
    auto_(loop_freep) struct loop *l = loop_new();
    c.loop = l;
    say(&c, title);
    int result = start(&c, err);
    if (result == 0) {
        c.out = loop_io(l, c.out_fd, LOOP_READ, on_output, &c);
        c.life = loop_io(l, life_fd, LOOP_READ, on_life, &c);
        if (o->limits.time_ms > 0)
            loop_after(&c.time, l, o->limits.time_ms, on_time, &c);
        loop_wait(l, &c.done);
        say_end(&c, began_ms);
        *out = end;
    }
    if (c.out)
        loop_io_cancel(&c.out);
    if (c.life)
        loop_io_cancel(&c.life);
    loop_signal_cancel(&c.child);
    loop_signal_cancel(&c.term);
    loop_timer_cancel(&c.time);
    loop_timer_cancel(&c.kill);
    auto_close_p(&c.out_fd);
    auto_close_p(&c.log.fd);
    return result;
}
