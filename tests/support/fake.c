/*
 * The engine made of JSON: sockets, HTTP, routes, faults.
 *
 * One poll() loop, no threads. A request is taken apart (struct exchange), its handler fills the
 * answer, and the fault that is due spoils it on its way out.
 */
#include "fake_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utlist.h>

#include "base/clock.h"
#include "base/num.h"

/* --- small helpers for the handlers --- */

json_t *fake_part(const struct fake *f, const char *part)
{
    return json_object_get(f->state, part);
}

int64_t fake_serial(struct fake *f)
{
    json_t *serial = fake_part(f, "serial");
    json_integer_set(serial, json_integer_value(serial) + 1);
    return json_integer_value(serial);
}

/* 64 hex digits, whose first twelve already differ. */
char *fake_new_id(struct fake *f)
{
    int64_t n = fake_serial(f);
    return xasprintf("f%011llx%052llx", (long long)n, (long long)n);
}

void fake_set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text ? text : ""));
}

const char *fake_query_text(const struct exchange *x, const char *key)
{
    const json_t *values = json_object_get(x->rq->query, key);
    size_t n = json_array_size(values);
    return n ? json_string_value(json_array_get(values, n - 1)) : NULL;
}

bool fake_query_flag(const struct exchange *x, const char *key)
{
    const char *text = fake_query_text(x, key);
    return text && *text && !str_eq(text, "0") && !str_eq(text, "false");
}

/* {"label": ["a=b"]}, also of what came as {"label": {"a=b": true}}. */
json_t *fake_query_filters(const struct exchange *x)
{
    const char *text = fake_query_text(x, "filters"), *kind, *key;
    auto_json json_t *said = text ? json_loads(text, 0, NULL) : NULL;
    json_t *filters = json_object(), *values, *value;
    json_object_foreach (said, kind, values) {
        json_t *list = json_is_array(values) ? json_incref(values) : json_array();
        json_object_foreach (values, key, value)
            json_array_append_new(list, json_string(key));
        json_object_set_new(filters, kind, list);
    }
    return filters;
}

bool fake_fits_pattern(const char *pattern, const char *text)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
        return false;
    bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return fits;
}

static bool has_label(const json_t *labels, const char *wanted)
{
    auto_free char *key = xstrndup(wanted, strcspn(wanted, "="));
    const char *value = json_string_value(json_object_get(labels, key));
    return value && (!wanted[strlen(key)] || str_eq(value, wanted + strlen(key) + 1));
}

bool fake_fits_filters(const json_t *filters, const json_t *labels, const char *name)
{
    size_t i;
    json_t *value;
    const json_t *wanted = json_object_get(filters, "label");
    const json_t *names = json_object_get(filters, "name");
    json_array_foreach (wanted, i, value) {
        if (!has_label(labels, json_string_value(value)))
            return false;
    }
    bool fits = json_array_size(names) == 0;
    json_array_foreach (names, i, value)
        fits |= fake_fits_pattern(json_string_value(value), name);
    return fits;
}

void fake_answer_error(struct exchange *x, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    auto_free char *message = xvasprintf(fmt, ap);
    va_end(ap);
    /* Podman has one code for what the engine could not do. */
    if (x->f->kind.podman && (status == 409 || status == 403))
        status = 500;
    x->status = status;
    x->json = x->f->kind.podman ? json_pack("{s:s, s:s, s:i}", "cause", message, "message", message,
                                            "response", status)
                                : json_pack("{s:s}", "message", message);
}

/* --- system --- */

static void ping(struct exchange *x)
{
    x->type = "text/plain; charset=utf-8";
    str_add(&x->text, "OK");
}

static void version(struct exchange *x)
{
    auto_free char *api = xasprintf("1.%d", x->f->kind.api);
    auto_free char *oldest = xasprintf("1.%d", x->f->kind.api_min);
    x->json = json_pack("{s:s, s:s, s:s, s:s, s:s}", "Version", "20.10.24", "ApiVersion", api,
                        "MinAPIVersion", oldest, "Os", "linux", "Arch", "amd64");
}

static void info(struct exchange *x)
{
    x->json = json_pack("{s:s, s:s, s:s, s:s, s:i, s:{s:s}}", "ID", "FAKE", "OSType", "linux",
                        "Architecture", "x86_64", "ServerVersion", "20.10.24", "NCPU", 2, "Swarm",
                        "LocalNodeState", "inactive");
}

static void disk_usage(struct exchange *x)
{
    x->json = json_pack("{s:I, s:[], s:[{s:i}], s:[{s:{s:i}}], s:[]}", "LayersSize",
                        (json_int_t)5000000, "Images", "Containers", "SizeRw", 2000, "Volumes",
                        "UsageData", "Size", 3000, "BuildCache");
}

/* --- routes --- */

typedef void handler(struct exchange *x);

static const struct {
    const char *method, *path; /* '*' stands for a name */
    handler *handle;
} routes[] = {
    { "GET", "/_ping", ping },
    { "HEAD", "/_ping", ping },
    { "GET", "/version", version },
    { "GET", "/info", info },
    { "GET", "/system/df", disk_usage },
    { "GET", "/events", fake_events },
    { "POST", "/build", fake_image_build },
    { "GET", "/containers/json", fake_container_list },
    { "POST", "/containers/create", fake_container_create },
    { "GET", "/containers/*/json", fake_container_inspect },
    { "POST", "/containers/*/start", fake_container_start },
    { "POST", "/containers/*/stop", fake_container_stop },
    { "POST", "/containers/*/restart", fake_container_restart },
    { "POST", "/containers/*/kill", fake_container_kill },
    { "POST", "/containers/*/pause", fake_container_pause },
    { "POST", "/containers/*/unpause", fake_container_unpause },
    { "POST", "/containers/*/rename", fake_container_rename },
    { "POST", "/containers/*/wait", fake_container_wait },
    { "GET", "/containers/*/logs", fake_container_logs },
    { "GET", "/containers/*/stats", fake_container_stats },
    { "PUT", "/containers/*/archive", fake_container_archive_put },
    { "HEAD", "/containers/*/archive", fake_container_archive_stat },
    { "GET", "/containers/*/archive", fake_container_archive_get },
    { "GET", "/containers/*/export", fake_container_export },
    { "POST", "/commit", fake_container_commit },
    { "POST", "/containers/*/exec", fake_exec_create },
    { "DELETE", "/containers/*", fake_container_remove },
    { "POST", "/exec/*/start", fake_exec_start },
    { "GET", "/exec/*/json", fake_exec_inspect },
    { "GET", "/images/json", fake_image_list },
    { "POST", "/images/create", fake_image_pull },
    { "GET", "/images/*/json", fake_image_inspect },
    { "POST", "/images/*/tag", fake_image_tag },
    { "POST", "/images/*/push", fake_image_push },
    { "DELETE", "/images/*", fake_image_remove },
    { "GET", "/networks", fake_network_list },
    { "POST", "/networks/create", fake_network_create },
    { "POST", "/networks/*/connect", fake_network_connect },
    { "POST", "/networks/*/disconnect", fake_network_disconnect },
    { "GET", "/networks/*", fake_network_inspect },
    { "DELETE", "/networks/*", fake_network_remove },
    { "GET", "/volumes", fake_volume_list },
    { "POST", "/volumes/create", fake_volume_create },
    { "GET", "/volumes/*", fake_volume_inspect },
    { "DELETE", "/volumes/*", fake_volume_remove },
};

/* The name in `path` where the route has its '*', "" where it has none; NULL: another route. */
static char *route_name(const char *route, const char *path)
{
    const char *star = strchr(route, '*');
    if (!star)
        return str_eq(route, path) ? xstrdup("") : NULL;
    size_t before = (size_t)(star - route), after = strlen(star + 1), len = strlen(path);
    if (len <= before + after || strncmp(route, path, before) != 0 || !str_ends(path, star + 1))
        return NULL;
    return xstrndup(path + before, len - before - after);
}

static void handle(struct exchange *x)
{
    const struct fake_kind *kind = &x->f->kind;
    struct fake_request *rq = x->rq;
    if (rq->api > kind->api && !kind->podman) {
        fake_answer_error(x, 400,
                          "client version 1.%d is too new. Maximum supported API version is 1.%d",
                          rq->api, kind->api);
        return;
    }
    if (rq->api && rq->api < kind->api_min) {
        x->status = 400;
        x->type = "text/plain; charset=utf-8";
        str_addf(&x->text,
                 "client version 1.%d is too old. Minimum supported API version is 1.%d, please "
                 "upgrade your client to a newer version\n",
                 rq->api, kind->api_min);
        return;
    }
    for (size_t i = 0; i < countof(routes); i++) {
        if (!str_eq(routes[i].method, rq->method))
            continue;
        x->name = route_name(routes[i].path, rq->path);
        if (x->name) {
            routes[i].handle(x);
            return;
        }
    }
    fake_answer_error(x, 404, "page not found");
}

/* --- answers --- */

static const char *status_text(int status)
{
    return status < 300 ? "OK" : status < 400 ? "Not Modified" : "Error";
}

static void add_head(struct str *out, const struct exchange *x)
{
    const struct fake_kind *kind = &x->f->kind;
    bool raw = x->upgrade && x->stream == STREAM_EXEC;
    str_addf(out, "HTTP/1.1 %d %s\r\nApi-Version: 1.%d\r\nOstype: linux\r\nServer: %s\r\n",
             raw ? 101 : x->status, raw ? "UPGRADED" : status_text(x->status), kind->api,
             kind->podman ? "Libpod/4.3.1 (linux)" : "Docker/20.10.24 (linux)");
    if (kind->api >= 43)
        str_add(out, "Builder-Version: 2\r\n");
    if (raw)
        str_add(out, "Connection: Upgrade\r\nUpgrade: tcp\r\n"
                     "Content-Type: application/vnd.docker.raw-stream\r\n");
    else
        str_addf(out, "Content-Type: %s\r\n", x->type ? x->type : "application/json");
    if (x->header)
        str_addf(out, "%s\r\n", x->header);
}

static void add_answer(struct str *out, const struct exchange *x)
{
    add_head(out, x);
    auto_free char *json = x->json ? json_dumps(x->json, JSON_COMPACT) : NULL;
    if (x->stream != STREAM_NONE) {
        str_add(out, x->c->chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    } else if (x->status == 204 || x->status == 304) {
        str_add(out, "\r\n");
    } else {
        const char *body = json ? json : x->text.buf;
        size_t len = json ? strlen(json) : x->text.len;
        str_addf(out, "Content-Length: %zu\r\n\r\n", len);
        if (!str_eq(x->rq->method, "HEAD"))
            str_addn(out, body, len);
    }
}

void fake_stream_write(struct connection *c, const char *data, size_t len)
{
    if (c->silent || !len)
        return;
    if (c->chunked)
        str_addf(&c->out, "%zx\r\n", len);
    str_addn(&c->out, data, len);
    if (c->chunked)
        str_add(&c->out, "\r\n");
}

void fake_stream_begin(struct exchange *x, enum stream stream, const char *id)
{
    x->stream = x->c->stream = stream;
    x->c->chunked = stream != STREAM_EXEC;
    free(x->c->id);
    x->c->id = xstrdup(id);
}

void fake_stream_end(struct connection *c)
{
    c->stream = STREAM_NONE;
    if (c->chunked)
        str_add(&c->out, "0\r\n\r\n");
    else
        c->closing = true;
}

/* --- faults --- */

/* What is done instead of the request; false: it goes on. */
static bool spoil_before(struct exchange *x)
{
    static const char ansi[] = "\x1b]0;owned\a\x1b[2J\x1b[31mred\x1b[0m \xc2\x9b"
                               "2J end";
    struct connection *c = x->c;
    switch (x->f->fault) {
    case FAULT_STATUS:
        fake_answer_error(x, x->f->fault_arg, "spoiled by the test");
        x->status = x->f->fault_arg;
        return true;
    case FAULT_ANSI:
        fake_answer_error(x, 500, "%s", ansi);
        return true;
    case FAULT_LONG: {
        auto_str struct str text = STR_INIT;
        while (text.len < 2 << 20)
            str_add(&text, "a long line of the engine ");
        fake_answer_error(x, 500, "%s", text.buf);
        return true;
    }
    case FAULT_DROP_BEFORE:
        c->silent = c->closing = true;
        return true;
    case FAULT_SILENT:
        c->silent = true;
        return true;
    case FAULT_KILL_BEFORE:
        kill(x->f->client, x->f->fault_arg);
        c->silent = c->closing = x->f->fault_arg == SIGKILL;
        return c->silent;
    default:
        return false;
    }
}

/* What becomes of the answer; false: it goes out as it is. */
static bool spoil_after(struct exchange *x, struct str *answer)
{
    static const char no_json[] = "{\"a\": \x1b[2J ,", odd_json[] = "[[1],{\"Id\":{\"x\":null}}]";
    static const char head[] = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n"
                               "Content-Type: application/json\r\nContent-Length: ";
    struct connection *c = x->c;
    size_t len = answer->len;
    switch (x->f->fault) {
    case FAULT_DROP_AFTER:
        str_truncate(answer, 0);
        break;
    case FAULT_CUT:
        str_truncate(answer, len - (len / 8 + 2));
        break;
    case FAULT_BAD_HTTP:
        str_truncate(answer, 0);
        str_add(answer, "\x01\x02 what is this \x1b[2J\r\n\r\n");
        break;
    case FAULT_NOT_JSON:
        str_truncate(answer, 0);
        str_addf(answer, "%s%zu\r\n\r\n%s", head, sizeof(no_json) - 1, no_json);
        break;
    case FAULT_ODD_JSON:
        str_truncate(answer, 0);
        str_addf(answer, "%s%zu\r\n\r\n%s", head, sizeof(odd_json) - 1, odd_json);
        break;
    case FAULT_MUTE:
        str_truncate(answer, 0);
        c->silent = true;
        return true;
    case FAULT_KILL_AFTER:
        kill(x->f->client, x->f->fault_arg);
        if (x->f->fault_arg != SIGKILL)
            return false;
        str_truncate(answer, 0);
        break;
    default:
        return false;
    }
    c->closing = true;
    c->stream = STREAM_NONE;
    return true;
}

static void respond(struct exchange *x)
{
    struct fake *f = x->f;
    struct connection *c = x->c;
    bool strikes = f->fault != FAULT_NONE && f->requests.len == f->fault_at;
    f->spoiled |= strikes;
    x->status = 200;
    /* A handler may write what a stream says at once: it goes behind the head. */
    struct str before = c->out;
    c->out = STR_INIT;
    if (!strikes || !spoil_before(x))
        handle(x);
    struct str said = c->out, answer = STR_INIT;
    c->out = before;
    if (!c->silent) {
        add_answer(&answer, x);
        bool spoiled = strikes && spoil_after(x, &answer);
        str_addn(&c->out, answer.buf, answer.len);
        if (!spoiled)
            str_addn(&c->out, said.buf, said.len);
        if (answer.len)
            x->rq->status = x->status;
    }
    str_clear(&answer);
    str_clear(&said);
}

/* --- requests --- */

static char *decoded(const char *text, size_t len)
{
    struct str out = STR_INIT;
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (text[i] == '%' && i + 2 < len && sscanf(text + i + 1, "%2x", &byte) == 1) {
            str_addc(&out, (char)byte);
            i += 2;
        } else {
            str_addc(&out, text[i] == '+' ? ' ' : text[i]);
        }
    }
    return str_detach(&out);
}

static json_t *parse_query(const char *text, size_t len)
{
    json_t *query = json_object();
    for (size_t at = 0; at < len;) {
        size_t pair = 0, key = 0;
        while (at + pair < len && text[at + pair] != '&')
            pair++;
        while (key < pair && text[at + key] != '=')
            key++;
        auto_free char *name = decoded(text + at, key);
        auto_free char *value =
            key < pair ? decoded(text + at + key + 1, pair - key - 1) : xstrdup("");
        if (!json_object_get(query, name))
            json_object_set_new(query, name, json_array());
        json_array_append_new(json_object_get(query, name), json_string(value));
        at += pair + 1;
    }
    return query;
}

/* The value of a header, owned by the caller, or NULL. */
static char *header(const char *head, size_t len, const char *name)
{
    auto_free char *copy = xstrndup(head, len);
    auto_free char *start = xasprintf("\r\n%s: ", name);
    const char *at = strcasestr(copy, start);
    at = at ? at + strlen(start) : NULL;
    return at ? xstrndup(at, strcspn(at, "\r")) : NULL;
}

/* The chunks of a body joined into `out`: the bytes they took, or 0 while some are missing. */
static size_t read_chunks(struct str *out, const char *data, size_t len)
{
    for (size_t at = 0;;) {
        const char *line = memmem(data + at, len - at, "\r\n", 2);
        unsigned long size;
        if (!line || sscanf(data + at, "%lx", &size) != 1)
            return 0;
        at = (size_t)(line - data) + 2;
        if (len - at < size + 2)
            return 0;
        str_addn(out, data + at, size);
        at += size + 2;
        if (!size)
            return at;
    }
}

static void take_request(struct connection *c, const char *head, size_t head_len, const char *body,
                         size_t body_len)
{
    struct fake *f = c->f;
    struct fake_request *rq = vec_push(&f->requests);
    struct exchange x = { .f = f, .c = c, .rq = rq, .raw = body, .raw_len = body_len };
    size_t method = strcspn(head, " "), target = strcspn(head + method + 1, " ");
    const char *url = head + method + 1;
    size_t path = strcspn(url, "? "), prefix = 0;
    x.text = STR_INIT;
    int consumed = 0;
    if (sscanf(url, "/v1.%d%n", &rq->api, &consumed) == 1 && url[consumed] == '/')
        prefix = (size_t)consumed;
    else
        rq->api = 0;
    rq->method = xstrndup(head, method);
    rq->path = decoded(url + prefix, path - prefix);
    rq->query = path < target ? parse_query(url + path + 1, target - path - 1) : json_object();
    rq->body = body_len ? json_loadb(body, body_len, 0, NULL) : NULL;
    rq->head = xstrndup(head, head_len);
    rq->registry_auth = header(head, head_len, "X-Registry-Auth");
    auto_free char *upgrade = header(head, head_len, "Upgrade");
    x.upgrade = upgrade != NULL;
    respond(&x);
    json_decref(x.json);
    str_clear(&x.text);
    free(x.name);
    free(x.header);
}

/* Takes the first whole request out of `in`; false when there is none. */
static bool next_request(struct connection *c)
{
    const char *end = c->in.len ? memmem(c->in.buf, c->in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    size_t head = (size_t)(end - c->in.buf) + 4, used = head;
    auto_free char *length = header(c->in.buf, head, "Content-Length");
    auto_free char *coding = header(c->in.buf, head, "Transfer-Encoding");
    auto_str struct str body = STR_INIT;
    if (coding) {
        size_t n = read_chunks(&body, c->in.buf + head, c->in.len - head);
        used += n;
        if (!n)
            return false;
    } else if (length) {
        int64_t n = 0;
        assert(num_int(&n, length) == 0);
        used += (size_t)n;
        if (c->in.len < used)
            return false;
        str_addn(&body, c->in.buf + head, (size_t)n);
    }
    auto_free char *text = xstrndup(c->in.buf, head);
    str_consume(&c->in, used);
    take_request(c, text, head, body.buf, body.len);
    return true;
}

/* --- connections --- */

static void drop(struct connection *c)
{
    DL_DELETE(c->f->connections, c);
    close(c->fd);
    str_clear(&c->in);
    str_clear(&c->out);
    json_decref(c->filters);
    free(c->id);
    free(c);
}

static void accept_one(struct fake *f)
{
    int fd = accept(f->fd, NULL, NULL);
    if (fd < 0)
        return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    struct connection *c = xnew(struct connection);
    c->f = f;
    c->fd = fd;
    c->in = STR_INIT;
    c->out = STR_INIT;
    DL_APPEND(f->connections, c);
}

/* False when the connection has ended. */
static bool read_some(struct connection *c)
{
    char buf[65536];
    ssize_t n = read(c->fd, buf, sizeof(buf));
    if (n == 0 || (n < 0 && errno != EAGAIN))
        return false;
    if (n > 0 && !c->silent)
        str_addn(&c->in, buf, (size_t)n);
    while (!c->silent && c->stream == STREAM_NONE && next_request(c))
        ;
    return true;
}

static bool write_some(struct connection *c)
{
    while (c->out.len) {
        ssize_t n = send(c->fd, c->out.buf, c->out.len, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN;
        str_consume(&c->out, (size_t)n);
    }
    return !c->closing;
}

static int until_timer(const struct fake *f, int timeout_ms)
{
    const struct timer *t;
    int64_t now = clock_ms();
    DL_FOREACH (f->timers, t)
        if (t->at_ms - now < timeout_ms)
            timeout_ms = t->at_ms > now ? (int)(t->at_ms - now) : 0;
    return timeout_ms;
}

void fake_serve(struct fake *f, int timeout_ms)
{
    enum { MOST = 256 };
    struct pollfd fds[MOST] = { { .fd = f->fd, .events = POLLIN } };
    struct connection *c, *next, *by_index[MOST];
    nfds_t n = 1;
    DL_FOREACH (f->connections, c)
        if (n < MOST) {
            by_index[n] = c;
            fds[n++] = (struct pollfd){ .fd = c->fd,
                                        .events = (short)(POLLIN | (c->out.len ? POLLOUT : 0)) };
        }
    if (poll(fds, n, until_timer(f, timeout_ms)) < 0)
        return;
    for (nfds_t i = 1; i < n; i++)
        if (fds[i].revents && !read_some(by_index[i]))
            drop(by_index[i]);
    if (fds[0].revents)
        accept_one(f);
    fake_timers_run(f);
    DL_FOREACH_SAFE(f->connections, c, next)
    if (!write_some(c))
        drop(c);
}

void fake_hang_up(struct fake *f)
{
    while (f->connections)
        drop(f->connections);
    fake_timers_drop(f, NULL);
}

/* --- life --- */

struct fake *fake_new(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct fake *f = xnew(struct fake);
    f->archive = STR_INIT;
    assert(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    f->host = xasprintf("unix://%s", path);
    f->kind = (struct fake_kind){ .api = 41, .api_min = 12 };
    f->state = json_pack("{s:{}, s:{}, s:{}, s:{}, s:{}, s:{}, s:[], s:i}", "containers",
                         "networks", "volumes", "images", "remote", "execs", "events", "serial", 0);
    fake_network_defaults(f);
    f->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    fcntl(f->fd, F_SETFD, FD_CLOEXEC);
    fcntl(f->fd, F_SETFL, O_NONBLOCK);
    int rc = bind(f->fd, (struct sockaddr *)&address, sizeof(address));
    assert(rc == 0);
    rc = listen(f->fd, 128);
    assert(rc == 0);
    return f;
}

void fake_free(struct fake *f)
{
    fake_hang_up(f);
    fake_forget(f);
    vec_free(&f->requests);
    close(f->fd);
    unlink(f->host + strlen("unix://"));
    free(f->host);
    json_decref(f->state);
    free(f->path_stat);
    str_clear(&f->archive);
    free(f);
}

const char *fake_host(const struct fake *f)
{
    return f->host;
}

void fake_become(struct fake *f, struct fake_kind kind)
{
    f->kind = kind;
}

json_t *fake_save(const struct fake *f)
{
    return json_deep_copy(f->state);
}

void fake_restore(struct fake *f, const json_t *saved)
{
    fake_hang_up(f);
    fake_forget(f);
    json_decref(f->state);
    f->state = json_deep_copy(saved);
}

void fake_set_age(struct fake *f, int age)
{
    f->age = age;
}

size_t fake_count(const struct fake *f)
{
    return f->requests.len;
}

const struct fake_request *fake_request(const struct fake *f, size_t k)
{
    return k < f->requests.len ? &f->requests.items[k] : NULL;
}

const struct fake_request *fake_find(const struct fake *f, const char *what, size_t n)
{
    size_t len = strlen(what);
    bool any = len && what[len - 1] == '*';
    for (size_t i = 0; i < f->requests.len; i++) {
        const struct fake_request *rq = &f->requests.items[i];
        auto_free char *text = xasprintf("%s %s", rq->method, rq->path);
        bool fits = any ? strncmp(text, what, len - 1) == 0 : str_eq(text, what);
        if (fits && n-- == 0)
            return rq;
    }
    return NULL;
}

void fake_forget(struct fake *f)
{
    vec_each (rq, &f->requests) {
        free(rq->method);
        free(rq->path);
        free(rq->registry_auth);
        free(rq->head);
        json_decref(rq->query);
        json_decref(rq->body);
    }
    f->requests.len = 0;
    f->fault = FAULT_NONE;
    f->spoiled = false;
}

void fake_spoil(struct fake *f, enum fake_fault fault, int arg, size_t k)
{
    f->fault = fault;
    f->fault_arg = arg;
    f->fault_at = f->requests.len + k;
    f->spoiled = false;
}

void fake_set_client(struct fake *f, pid_t client)
{
    f->client = client;
}

bool fake_spoiled(const struct fake *f)
{
    return f->spoiled;
}
