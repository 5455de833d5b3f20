/*
 * Ports: [[HOST_IP:][HOST_PORT[-END]]:]PORT[-END][/PROTOCOL] into the long form, a range into one
 * entry for each port. A range of host ports for one container port stays a range: the engine
 * chooses from it.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "model/schema_run.h"

/* Entries that one service's list may grow to. */
#define PORTS_MAX 65536

struct range {
    int64_t first, last;
};

static int parse_range(struct range *out, const char *text)
{
    const char *dash = strchr(text, '-');
    char first[8];
    size_t len = dash ? (size_t)(dash - text) : strlen(text);
    struct range r;

    if (len >= sizeof(first) || text[0] == '+')
        return -1;
    memcpy(first, text, len);
    first[len] = '\0';
    if (num_range(&r.first, first, 0, 65535) < 0)
        return -1;
    r.last = r.first;
    if (dash && (dash[1] == '+' || num_range(&r.last, dash + 1, r.first, 65535) < 0))
        return -1;
    *out = r;
    return 0;
}

static bool is_address(const char *text)
{
    unsigned char buf[16];

    return inet_pton(AF_INET, text, buf) == 1 || inet_pton(AF_INET6, text, buf) == 1;
}

void check_host_ip(const struct schema_run *run, const struct node *v)
{
    if (!is_address(v->text))
        run_error(run, v->span, "must be an IP address");
}

void check_port_number(const struct schema_run *run, const struct node *v)
{
    int64_t port;

    if (value_int(&port, v) == 0 && (port < 1 || port > 65535))
        run_error(run, v->span, "a port is a number from 1 to 65535");
}

void check_port_published(const struct schema_run *run, const struct node *v)
{
    struct range r;

    if (v->text[0] && parse_range(&r, v->value) < 0)
        run_error(run, v->span, "must be a port or a range of ports, 1 to 65535");
}

/* The parts of the short form, as text. */
struct spec {
    const char *host_ip, *published, *target, *protocol;
};

static int bad_spec(const struct schema_run *run, const struct node *item, const char *what)
{
    run_error(run, item->span, "%s", what);
    diag_hint(run->d, "a port is written [[HOST_IP:][HOST_PORT]:]PORT[/PROTOCOL]");
    return -1;
}

/* Cuts the text at its last two colons; brackets around an IPv6 address go. */
static int split_spec(struct spec *out, const struct schema_run *run, const struct node *item)
{
    struct spec s = { "", "", "", "tcp" };
    char *text = arena_strdup(run->arena, item->text);
    char *colon = strrchr(text, ':');
    char *target = colon ? colon + 1 : text;

    if (colon) {
        *colon = '\0';
        char *before = strrchr(text, ':');
        s.published = before ? before + 1 : text;
        if (before) {
            *before = '\0';
            s.host_ip = text;
        }
    }
    size_t len = strlen(s.host_ip);
    if (len > 1 && s.host_ip[0] == '[' && s.host_ip[len - 1] == ']')
        s.host_ip = arena_strndup(run->arena, s.host_ip + 1, len - 2);
    else if (strchr(s.host_ip, ':'))
        return bad_spec(run, item, "an IPv6 address must stand in brackets");
    if (*s.host_ip && !is_address(s.host_ip))
        return bad_spec(run, item, "the part before the ports must be an IP address");

    char *slash = strchr(target, '/');
    if (slash) {
        *slash = '\0';
        if (slash[1])
            s.protocol = slash + 1;
        for (char *p = slash + 1; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p - 'A' + 'a');
    }
    s.target = target;
    *out = s;
    return 0;
}

static void add_port(const struct schema_run *run, struct node *list, const struct node *item,
                     const struct spec *s, int64_t target, const char *published)
{
    struct arena *a = run->arena;
    struct node *map = node_new(a, NODE_MAP, item->span);

    node_set_string(a, map, "mode", "ingress");
    if (*s->host_ip)
        node_set_string(a, map, "host_ip", s->host_ip);
    node_set(a, map, "target", node_int(a, target, item->span));
    if (*published)
        node_set_string(a, map, "published", published);
    node_set_string(a, map, "protocol", s->protocol);
    node_append(a, list, map);
}

static int expand_spec(const struct schema_run *run, struct node *list, const struct node *item)
{
    struct range target, host = { 0, 0 };
    struct spec s;

    if (split_spec(&s, run, item) < 0)
        return -1;
    bool published = *s.published;
    bool known = strcmp(s.protocol, "tcp") == 0 || strcmp(s.protocol, "udp") == 0 ||
                 strcmp(s.protocol, "sctp") == 0;
    if (!*s.target)
        return bad_spec(run, item, "the container's port is missing");
    if (parse_range(&target, s.target) < 0 || target.first < 1)
        return bad_spec(run, item,
                        "the container's port must be a number from 1 to 65535 or a range");
    if (published && parse_range(&host, s.published) < 0)
        return bad_spec(run, item, "the host's port must be a number from 1 to 65535 or a range");
    if (!known)
        return bad_spec(run, item, "the protocol must be tcp, udp or sctp");
    int64_t ports = target.last - target.first, hosts = host.last - host.first;
    if (published && ports && ports != hosts)
        return bad_spec(run, item, "the two ranges of ports differ in length");
    if (list->len + (size_t)ports + 1 > PORTS_MAX)
        return bad_spec(run, item, "these are too many ports");

    for (int64_t i = 0; i <= ports; i++) {
        char text[32] = "";
        if (published && !ports && hosts)
            snprintf(text, sizeof(text), "%lld-%lld", (long long)host.first, (long long)host.last);
        else if (published)
            snprintf(text, sizeof(text), "%lld", (long long)(host.first + i));
        add_port(run, list, item, &s, target.first + i, text);
    }
    return 0;
}

struct node *expand_ports(const struct schema_run *run, struct node *v)
{
    if (v->kind != NODE_LIST)
        return v;
    struct node *list = node_new(run->arena, NODE_LIST, v->span);
    node_each (i, v) {
        struct node *item = v->items[i];
        size_t mark = run_enter_item(run, i);
        bool is_short = item->kind == NODE_STRING || item->kind == NODE_INT;
        if (is_short && item->mark != MARK_RESET && !run_is_open(run, item)) {
            if (item->kind == NODE_INT)
                item = node_string(run->arena, item->value, item->span);
            expand_spec(run, list, item);
        } else {
            node_append(run->arena, list, item);
        }
        run_leave(run, mark);
    }
    return list;
}
