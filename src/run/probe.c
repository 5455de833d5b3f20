/* A connection, an HTTP request or a command: one attempt each. */
#include "run/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"
#include "run/exec.h"

#define ROUTE_MS 1000 /* a container of this machine accepts or refuses within this */

struct probe {
    struct engine *engine;
    enum probe_verdict verdict;
    char *text;
    void (*done)(void *ctx, enum probe_verdict verdict, const char *text);
    void *ctx;
    int want_status;
    /* whichever the attempt uses */
    int fd;
    struct loop_io *io;
    struct loop_timer *timer;
    struct http *http;
    struct http_call *call;
    struct exec *exec;
};

static void free_probe(struct probe *p)
{
    loop_io_cancel(&p->io);
    loop_timer_cancel(&p->timer);
    if (p->fd >= 0)
        close(p->fd);
    if (p->call)
        http_cancel(p->call);
    http_close(p->http);
    exec_cancel(p->exec);
    free(p->text);
    free(p);
}

void probe_cancel(struct probe *p)
{
    if (p)
        free_probe(p);
}

static void report(void *ctx)
{
    struct probe *p = ctx;
    p->done(p->ctx, p->verdict, p->text);
    free_probe(p);
}

/* Notes the verdict; it is told in a later turn, when nothing of the attempt is on the stack. */
static void conclude(struct probe *p, enum probe_verdict verdict, const char *text)
{
    p->verdict = verdict;
    free(p->text);
    p->text = xstrdup(text);
    loop_io_cancel(&p->io);
    loop_timer_cancel(&p->timer);
    loop_after(&p->timer, engine_loop(p->engine), 0, report, p);
}

static bool unreachable(int code)
{
    return code == EHOSTUNREACH || code == ENETUNREACH || code == ETIMEDOUT || code == EACCES ||
           code == EPERM;
}

/* --- tcp --- */

static void on_connected(void *ctx, int events)
{
    struct probe *p = ctx;
    int code = 0;
    socklen_t len = sizeof(code);
    (void)events;
    getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &code, &len);
    if (code == 0)
        conclude(p, PROBE_READY, "connected");
    else
        conclude(p, unreachable(code) ? PROBE_NO_ROUTE : PROBE_NOT_YET, strerror(code));
}

static void on_no_answer(void *ctx)
{
    conclude(ctx, PROBE_NO_ROUTE, "no answer");
}

static void start_tcp(struct probe *p, const struct probe_spec *spec)
{
    struct sockaddr_storage to = { 0 };
    struct sockaddr_in *v4 = (struct sockaddr_in *)&to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to;
    socklen_t len = sizeof(*v4);
    if (inet_pton(AF_INET, spec->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)spec->port);
    } else if (inet_pton(AF_INET6, spec->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)spec->port);
        len = sizeof(*v6);
    } else {
        conclude(p, PROBE_NO_ROUTE, "no address");
        return;
    }
    p->fd = socket(to.ss_family, SOCK_STREAM, 0);
    if (p->fd < 0) {
        conclude(p, PROBE_NO_ROUTE, strerror(errno));
        return;
    }
    fcntl(p->fd, F_SETFD, FD_CLOEXEC);
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    if (connect(p->fd, (struct sockaddr *)&to, len) == 0) {
        conclude(p, PROBE_READY, "connected");
    } else if (errno != EINPROGRESS) {
        conclude(p, unreachable(errno) ? PROBE_NO_ROUTE : PROBE_NOT_YET, strerror(errno));
    } else {
        p->io = loop_io(engine_loop(p->engine), p->fd, LOOP_WRITE, on_connected, p);
        loop_after(&p->timer, engine_loop(p->engine), ROUTE_MS, on_no_answer, p);
    }
}

/* --- http --- */

static void judge_status(struct probe *p, int status)
{
    bool ready = p->want_status ? status == p->want_status : status >= 200 && status < 400;
    auto_free char *text = xasprintf("HTTP status %d", status);
    conclude(p, ready ? PROBE_READY : PROBE_NOT_YET, text);
}

static bool drop_data(void *ctx, const char *data, size_t len)
{
    (void)ctx, (void)data, (void)len;
    return true;
}

static void on_http(void *ctx, const struct http_response *r, const struct error *err)
{
    struct probe *p = ctx;
    p->call = NULL;
    if (r)
        judge_status(p, r->status);
    else
        conclude(p, PROBE_NOT_YET, err->msg);
}

static void start_http(struct probe *p, const struct probe_spec *spec)
{
    auto_free char *url = xasprintf(strchr(spec->address, ':') ? "http://[%s]:%d" : "http://%s:%d",
                                    spec->address, spec->port);
    struct http_endpoint ep = { .base_url = url, .max_connections = 1 };
    struct error err = ERROR_INIT;
    auto_strv struct strv headers = STRV_INIT;
    if (http_open(&p->http, engine_loop(p->engine), &ep, &err) < 0) {
        conclude(p, PROBE_NO_ROUTE, err.msg);
        error_clear(&err);
        return;
    }
    if (spec->host)
        strv_addf(&headers, "Host: %s", spec->host);
    struct http_request rq = {
        .method = "GET", .path = spec->path, .headers = &headers, .silence_ms = spec->timeout_ms
    };
    struct http_handlers hd = { .on_data = drop_data, .done = on_http, .ctx = p };
    p->call = http_start(p->http, &rq, &hd);
}

/* --- inside the container --- */

static void on_exec(void *ctx, int code, const char *output, const struct error *err)
{
    struct probe *p = ctx;
    p->exec = NULL;
    if (err) {
        conclude(p, PROBE_NOT_YET, err->msg);
        return;
    }
    size_t len = strlen(output);
    while (len && (output[len - 1] == '\n' || output[len - 1] == '\r'))
        len--;
    auto_free char *text = len ? xasprintf("exit code %d: %.*s", code, (int)len, output)
                               : xasprintf("exit code %d", code);
    conclude(p, code == 0 ? PROBE_READY : PROBE_NOT_YET, text);
}

static json_t *exec_body(const char *const *argv)
{
    json_t *cmd = json_array();
    for (; *argv; argv++)
        json_array_append_new(cmd, json_string(*argv));
    return json_pack("{s:b, s:b, s:o}", "AttachStdout", 1, "AttachStderr", 1, "Cmd", cmd);
}

/* Listening sockets are in /proc/net/tcp and tcp6: local port in hex, state 0A. */
static char *tcp_script(int port)
{
    return xasprintf("cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q ':%04X [0-9A-F]*:0000 "
                     "0A'",
                     (unsigned)port);
}

/* The path and host are handed over as arguments, not as part of the script. */
static const char http_script[] =
    "if command -v curl >/dev/null 2>&1; then"
    "  s=$(curl -s -o /dev/null -m 5 -w '%{http_code}' ${2:+-H \"Host: $2\"} \"$1\") || exit 1;"
    "  case $3 in 0) case $s in 2*|3*) exit 0;; esac;; \"$s\") exit 0;; esac;"
    "  echo \"HTTP status $s\"; exit 1;"
    "elif command -v wget >/dev/null 2>&1; then"
    "  wget -q -O /dev/null ${2:+--header \"Host: $2\"} \"$1\";"
    "else echo 'neither curl nor wget is in the image'; exit 1; fi";

static void start_inside(struct probe *p, const struct probe_spec *spec)
{
    json_t *body;
    if (spec->kind == PROBE_EXEC) {
        body = exec_body(spec->argv);
    } else if (spec->kind == PROBE_TCP) {
        auto_free char *script = tcp_script(spec->port);
        body = exec_body((const char *const[]){ "/bin/sh", "-c", script, NULL });
    } else {
        auto_free char *url = xasprintf("http://127.0.0.1:%d%s", spec->port, spec->path);
        auto_free char *status = xasprintf("%d", spec->status);
        body = exec_body((const char *const[]){ "/bin/sh", "-c", http_script, "probe", url,
                                                spec->host ? spec->host : "", status, NULL });
    }
    p->exec = exec_start(p->engine, spec->container, body, spec->timeout_ms, on_exec, p);
}

struct probe *probe_start(struct engine *e, const struct probe_spec *spec,
                          void (*done)(void *ctx, enum probe_verdict verdict, const char *text),
                          void *ctx)
{
    struct probe *p = xnew(struct probe);
    p->engine = e;
    p->done = done;
    p->ctx = ctx;
    p->fd = -1;
    p->want_status = spec->status;
    if (spec->kind == PROBE_EXEC || !spec->address)
        start_inside(p, spec);
    else if (spec->kind == PROBE_TCP)
        start_tcp(p, spec);
    else
        start_http(p, spec);
    return p;
}
