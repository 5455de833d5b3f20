/*
 * `stack env`: the published ports as variables, for scripts and for programs on this machine.
 *
 * For a service `web`: WEB_HOST, WEB_PORT, WEB_URL of its lowest port, tcp before udp, and
 * WEB_PORT_8080, WEB_URL_8080 for each by its number in the container. Of several replicas the
 * first one that publishes has these names, the others WEB_2_PORT and so on.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/listing.h"
#include "model/labels.h"

struct env_options {
    const char *format;
};
#define OPTIONS env_options

static const char *const formats[] = { "sh", "dotenv", "json", NULL };
static const struct option rows[] = {
    ROW_CHOICE(0, "format", format, formats, "Form of the output (default sh: export lines)"),
};

/* What is not spoken over HTTP, by its usual port. */
static const struct {
    int port;
    const char *scheme;
} schemes[] = {
    { 21, "ftp" },     { 22, "ssh" },     { 25, "smtp" },        { 53, "dns" },
    { 389, "ldap" },   { 443, "https" },  { 1025, "smtp" },      { 1433, "mssql" },
    { 1883, "mqtt" },  { 3306, "mysql" }, { 4222, "nats" },      { 5432, "postgres" },
    { 5672, "amqp" },  { 6379, "redis" }, { 8443, "https" },     { 9042, "cassandra" },
    { 9092, "kafka" }, { 6443, "https" }, { 11211, "memcache" }, { 27017, "mongodb" },
};

static const char *scheme_of(const struct seen_port *p)
{
    if (!str_eq(p->protocol, "tcp"))
        return p->protocol;
    for (size_t i = 0; i < countof(schemes); i++)
        if (schemes[i].port == p->target)
            return schemes[i].scheme;
    return "http";
}

/* "WEB_API" for "web-api"; a leading digit gets '_' before it. */
static char *variable_prefix(const char *service)
{
    char *out = xasprintf("%s%s", isdigit((unsigned char)*service) ? "_" : "", service);
    for (char *p = out; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
    return out;
}

/* The machine of the engine as a published port is reached from here; owned by the caller. */
static char *engine_host(const struct engine_endpoint *ep)
{
    const char *host = strstr(ep->host, "://");
    if (ep->local || !host)
        return xstrdup("127.0.0.1");
    host += strlen("://");
    const char *at = strchr(host, '@');
    host = at ? at + 1 : host;
    if (*host == '[')
        return xstrndup(host + 1, strcspn(host + 1, "]"));
    return xstrndup(host, strcspn(host, ":/"));
}

static void set(json_t *out, const char *prefix, const char *what, const char *value)
{
    auto_free char *name = xasprintf("%s_%s", prefix, what);
    if (!json_object_get(out, name))
        json_object_set_new(out, name, json_string(value));
}

static void add_port(json_t *out, const char *prefix, const char *engine_at,
                     const struct seen_port *p)
{
    bool any = !*p->host_ip || str_eq(p->host_ip, "0.0.0.0") || str_eq(p->host_ip, "::");
    const char *host = any ? engine_at : p->host_ip;
    bool v6 = strchr(host, ':') != NULL;
    auto_free char *port = xasprintf("%d", p->published);
    auto_free char *url =
        xasprintf("%s://%s%s%s:%d", scheme_of(p), v6 ? "[" : "", host, v6 ? "]" : "", p->published);
    auto_free char *port_key = xasprintf("PORT_%d", p->target);
    auto_free char *url_key = xasprintf("URL_%d", p->target);
    set(out, prefix, "HOST", host);
    set(out, prefix, "PORT", port);
    set(out, prefix, "URL", url);
    set(out, prefix, port_key, port);
    set(out, prefix, url_key, url);
}

/* tcp before the others, then by number; the address of IPv4 before that of IPv6. */
static int by_port(const void *a, const void *b)
{
    const struct seen_port *pa = *(const struct seen_port *const *)a;
    const struct seen_port *pb = *(const struct seen_port *const *)b;
    int tcp = str_eq(pb->protocol, "tcp") - str_eq(pa->protocol, "tcp");
    if (tcp || pa->target != pb->target)
        return tcp ? tcp : pa->target - pb->target;
    return (strchr(pa->host_ip, ':') != NULL) - (strchr(pb->host_ip, ':') != NULL);
}

static void add_container(json_t *out, const char *engine_at, const struct seen_container *c,
                          bool first)
{
    size_t n = 0;
    auto_free const struct seen_port **ports = xcalloc(c->nports + 1, sizeof(*ports));
    for (size_t i = 0; i < c->nports; i++)
        if (c->ports[i].published)
            ports[n++] = &c->ports[i];
    qsort(ports, n, sizeof(*ports), by_port);
    auto_free char *name = variable_prefix(c->service);
    auto_free char *numbered = xasprintf("%s_%d", name, c->number);
    for (size_t i = 0; i < n; i++)
        add_port(out, first ? name : numbered, engine_at, ports[i]);
}

static bool publishes(const struct seen_container *c)
{
    for (size_t i = 0; i < c->nports; i++)
        if (c->ports[i].published)
            return true;
    return false;
}

static void print(const json_t *out, const char *format)
{
    const char *name;
    json_t *value;
    if (str_eq(format, "json")) {
        json_dumpf(out, stdout, JSON_INDENT(2));
        putchar('\n');
        return;
    }
    const char *lead = str_eq(format, "dotenv") ? "" : "export ";
    json_object_foreach ((json_t *)(uintptr_t)out, name, value) {
        auto_free char *line = xasprintf("%s%s=%s", lead, name, json_string_value(value));
        listing_line(stdout, line);
    }
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct env_options *o = values;
    auto_(snapshot_freep) struct snapshot *now = NULL;
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(&now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    auto_free char *engine_at = engine_host(engine_endpoint(cli->engine));
    auto_json json_t *out = json_object();
    const char *last = NULL;
    json_object_set_new(out, "STACK_NAME", json_string(cli->stack_name));
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (c->oneoff || !publishes(c) || (args->len && !strv_has(args, c->service)))
            continue;
        add_container(out, engine_at, c, !str_eq(c->service, last));
        last = c->service;
    }
    print(out, o->format);
    return EXIT_DONE;
}

static const char *const examples[] = {
    "eval \"$(stack env)\"; curl \"$WEB_URL\"",
    "Reach a service wherever it is published",
    "stack env --format dotenv > ports.env",
    "As a file for other tools",
    NULL,
};

extern const struct command cmd_env;
const struct command cmd_env = {
    .name = "env",
    .group = "Inspect",
    .usage = "[OPTIONS] [SERVICE...]",
    .summary = "Print published ports and URLs as variables for scripts",
    .text = "For a service web: WEB_HOST, WEB_PORT and WEB_URL of its lowest port, and\n"
            "WEB_PORT_8080, WEB_URL_8080 for each port by its number in the container.\n"
            "Of several containers the others are WEB_2_PORT and so on.",
    .examples = examples,
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct env_options),
    .max_args = -1,
    .args = COMPLETE_SERVICE,
    .run = run,
};
