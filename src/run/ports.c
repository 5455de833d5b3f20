/*
 * Published ports that are taken. A bind(2) of our own tells; it is given up at once. Only then the
 * engine is asked which container publishes the port, or the system which process listens.
 *
 * A range ("8000-8010" for one container port) is the engine's to choose from: taken when all of it
 * is.
 */
#include "run/ports.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/requests.h"
#include "model/labels.h"

#define RANGE_MOST 1000 /* ports of a range that are tried */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

/* Whether `host_ip` is an address. */
static bool make_address(struct address *out, const char *host_ip, int port)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host_ip, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        out->len = sizeof(out->v4);
        return true;
    }
    if (inet_pton(AF_INET6, host_ip, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)port);
        out->len = sizeof(out->v6);
        return true;
    }
    return false;
}

bool port_is_taken(const char *host_ip, int port, bool udp)
{
    struct address at;
    if (!make_address(&at, *host_ip ? host_ip : "0.0.0.0", port))
        return false;
    int fd = socket(at.any.sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int on = 1;
    /* Connections of an earlier listener that linger are no obstacle. For UDP the option would let
     * two sockets share the port. */
    if (!udp)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    bool taken = bind(fd, &at.any, at.len) < 0 && errno == EADDRINUSE;
    close(fd);
    return taken;
}

static bool held_by_us(const struct snapshot *now, int port, const char *protocol)
{
    for (size_t i = 0; i < now->ncontainers; i++)
        for (size_t k = 0; k < now->containers[i].nports; k++) {
            const struct seen_port *p = &now->containers[i].ports[k];
            if (p->published == port && str_eq(p->protocol, protocol))
                return true;
        }
    return false;
}

/* Finds the container that publishes the port, in the engine's list of all; "" otherwise. */
static char *find_container(const json_t *all, int port, const char *protocol)
{
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *c = json_array_get(all, i), *ports = json_object_get(c, "Ports");
        for (size_t k = 0; k < json_array_size(ports); k++) {
            const json_t *p = json_array_get(ports, k);
            if (json_int(p, "PublicPort", 0) != port || !str_eq(json_str(p, "Type"), protocol))
                continue;
            const char *name = json_string_value(json_array_get(json_object_get(c, "Names"), 0));
            const json_t *labels = json_object_get(c, "Labels");
            const char *stack = json_string_value(json_object_get(labels, LABEL_STACK));
            name = name && *name == '/' ? name + 1 : name ? name : "?";
            return stack ? xasprintf("container '%s' of stack '%s'", name, stack)
                         : xasprintf("container '%s'", name);
        }
    }
    return NULL;
}

/* The inode of the socket that has the port, from a table of /proc/net; 0: none. */
static unsigned long find_inode(const char *table, int port, bool udp)
{
    char line[512];
    unsigned long found = 0;
    auto_fclose FILE *f = fopen(table, "re");
    while (f && !found && fgets(line, sizeof(line), f)) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu",
                   &local, &state, &inode) == 3 &&
            (int)local == port && (udp || state == 0x0a /* listening */))
            found = inode;
    }
    return found;
}

static bool has_socket(const char *pid, const char *socket)
{
    char path[300], target[64];
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    bool found = false;
    for (const struct dirent *e; dir && !found && (e = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        target[n < 0 ? 0 : n] = '\0';
        found = str_eq(target, socket);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* The process that has the port, as far as we may see it; NULL otherwise. */
static char *find_process(int port, bool udp)
{
    const char *const tables[] = { udp ? "/proc/net/udp" : "/proc/net/tcp",
                                   udp ? "/proc/net/udp6" : "/proc/net/tcp6" };
    unsigned long inode = find_inode(tables[0], port, udp);
    if (!inode)
        inode = find_inode(tables[1], port, udp);
    if (!inode)
        return NULL;
    auto_free char *socket = xasprintf("socket:[%lu]", inode);
    char *holder = NULL;
    DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc && !holder && (e = readdir(proc));) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || !has_socket(e->d_name, socket))
            continue;
        char path[300], name[64] = "?";
        snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
        auto_fclose FILE *f = fopen(path, "re");
        if (f && fgets(name, sizeof(name), f))
            name[strcspn(name, "\n")] = '\0';
        holder = xasprintf("process %s (%s)", e->d_name, name);
    }
    if (proc)
        closedir(proc);
    return holder;
}

char *port_holder(const json_t *all, bool here, const char *host_ip, int port, const char *protocol)
{
    bool udp = str_eq(protocol, "udp");
    char *holder = find_container(all, port, protocol);
    if (holder || !here || (!udp && !str_eq(protocol, "tcp")) || !port_is_taken(host_ip, port, udp))
        return holder;
    holder = find_process(port, udp);
    return holder ? holder : xstrdup("another program");
}

struct check {
    struct engine *engine;
    const struct snapshot *now;
    json_t *all; /* every container of the engine; NULL: not asked yet */
    struct str text;
};

static void add_taken(struct check *c, const struct service *s, const struct port *p, int port)
{
    bool udp = str_eq(p->protocol, "udp");
    if (!c->all) {
        struct engine_request rq;
        rq_containers_any(&rq, "status", "running");
        if (engine_do(&c->all, c->engine, &rq, NULL) < 0)
            c->all = json_array();
    }
    auto_free char *holder = find_container(c->all, port, p->protocol);
    if (!holder)
        holder = find_process(port, udp);
    str_addf(&c->text, "%sport %s/%s of service '%s' is taken by %s", c->text.len ? "; " : "",
             p->published, p->protocol, s->name, holder ? holder : "another program");
}

static void check_port(struct check *c, const struct service *s, const struct port *p)
{
    bool udp = str_eq(p->protocol, "udp");
    int first, last;
    if ((!udp && !str_eq(p->protocol, "tcp")) || !port_numbers(&first, &last, p->published))
        return;
    if (last - first >= RANGE_MOST)
        last = first + RANGE_MOST - 1;
    for (int port = first; port <= last; port++)
        if (held_by_us(c->now, port, p->protocol) || !port_is_taken(p->host_ip, port, udp))
            return;
    add_taken(c, s, p, first);
}

int ports_check(struct engine *e, const struct stack *st, const struct plan *plan,
                const struct snapshot *now, struct error *err)
{
    if (!engine_endpoint(e)->local)
        return 0;
    struct check c = { .engine = e, .now = now, .text = STR_INIT };
    auto_free bool *seen = xcalloc(st->nservices + 1, sizeof(*seen));
    for (size_t i = 0; i < plan->nops; i++) {
        const struct service *s = plan->ops[i]->service;
        bool publishes = plan->ops[i]->kind == OP_CREATE || plan->ops[i]->kind == OP_START;
        if (!s || !publishes || seen[s->index])
            continue;
        seen[s->index] = true;
        for (size_t k = 0; k < s->nports; k++)
            check_port(&c, s, &s->ports[k]);
    }
    int rc = 0;
    if (c.text.len) {
        rc = error_set(err, ERR_CONFLICT, 0, "%s", c.text.buf);
        error_hint(err, "stop what holds it, or publish another port");
    }
    json_decref(c.all);
    str_clear(&c.text);
    return rc;
}
