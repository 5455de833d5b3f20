/* Texts and JSON of one container, as `docker compose ps` prints them. */
#include "cli/containers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "cli/listing.h"

#define SHORT_ID 12
#define COMMAND_MOST 20
#define MOUNT_MOST 15

static int port_order(const void *pa, const void *pb)
{
    const struct seen_port *a = pa, *b = pb;
    int order = (a->target > b->target) - (a->target < b->target);
    if (order == 0)
        order = strcmp(a->host_ip, b->host_ip);
    if (order == 0)
        order = (a->published > b->published) - (a->published < b->published);
    return order ? order : strcmp(a->protocol, b->protocol);
}

/* The ports in docker's order; the caller's. */
static struct seen_port *sorted_ports(const struct seen_container *c)
{
    struct seen_port *ports = xcalloc(c->nports + 1, sizeof(*ports));
    if (c->nports) {
        memcpy(ports, c->ports, c->nports * sizeof(*ports));
        qsort(ports, c->nports, sizeof(*ports), port_order);
    }
    return ports;
}

/* A run of ports that follow each other and are published under the same number, or not at all. */
struct run_of_ports {
    const char *host_ip, *protocol;
    int first, last;
};

static void add_host(struct str *out, const char *host_ip)
{
    str_addf(out, strchr(host_ip, ':') ? "[%s]:" : "%s:", host_ip);
}

static void add_run(struct str *out, const struct run_of_ports *run)
{
    char range[32];
    snprintf(range, sizeof(range), run->last > run->first ? "%d-%d" : "%d", run->first, run->last);
    str_add(out, out->len ? ", " : "");
    if (*run->host_ip) {
        add_host(out, run->host_ip);
        str_addf(out, "%s->", range);
    }
    str_addf(out, "%s/%s", range, run->protocol);
}

static void add_mapping(struct str *out, const struct seen_port *p)
{
    str_add(out, out->len ? ", " : "");
    add_host(out, p->host_ip);
    str_addf(out, "%d->%d/%s", p->published, p->target, p->protocol);
}

char *container_ports_text(const struct seen_container *c)
{
    struct {
        VEC(struct run_of_ports);
    } runs = { 0 };
    struct str text = STR_INIT;
    auto_str struct str mappings = STR_INIT;
    auto_free struct seen_port *ports = sorted_ports(c);
    for (size_t i = 0; i < c->nports; i++) {
        const struct seen_port *p = &ports[i];
        if (*p->host_ip && p->published != p->target) {
            add_mapping(&mappings, p);
            continue;
        }
        struct run_of_ports *run = NULL;
        vec_each (it, &runs)
            if (str_eq(it->host_ip, p->host_ip) && str_eq(it->protocol, p->protocol) &&
                it->last + 1 == p->target)
                run = it;
        if (run)
            run->last = p->target;
        else
            *vec_push(&runs) =
                (struct run_of_ports){ p->host_ip, p->protocol, p->target, p->target };
    }
    vec_each (run, &runs)
        add_run(&text, run);
    vec_free(&runs);
    if (mappings.len)
        str_addf(&text, "%s%s", text.len ? ", " : "", mappings.buf);
    return str_detach(&text);
}

json_t *container_publishers(const struct seen_container *c)
{
    json_t *list = json_array();
    auto_free struct seen_port *ports = sorted_ports(c);
    for (size_t i = 0; i < c->nports; i++)
        json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s}", "URL", ports[i].host_ip,
                                              "TargetPort", ports[i].target, "PublishedPort",
                                              ports[i].published, "Protocol", ports[i].protocol));
    return list;
}

char *container_command_text(const struct seen_container *c, bool no_trunc)
{
    auto_free char *command =
        no_trunc ? xstrdup(c->command) : listing_cut(c->command, COMMAND_MOST);
    struct str text = STR_INIT;
    str_addc(&text, '"');
    for (const char *p = command; *p; p++) {
        if (*p == '"' || *p == '\\')
            str_addc(&text, '\\');
        if (*p == '\n' || *p == '\t')
            str_add(&text, *p == '\n' ? "\\n" : "\\t");
        else
            str_addc(&text, *p);
    }
    str_addc(&text, '"');
    return str_detach(&text);
}

static void set_text(json_t *row, const char *key, char *text)
{
    json_t *value = json_string(text);
    json_object_set_new(row, key, value ? value : json_string(""));
    free(text);
}

static char *networks_text(const struct seen_container *c)
{
    struct str text = STR_INIT;
    for (size_t i = 0; i < c->nnetworks; i++)
        str_addf(&text, "%s%s", i ? "," : "", c->networks[i].name);
    return str_detach(&text);
}

static char *mounts_text(const struct seen_container *c, bool no_trunc)
{
    struct str text = STR_INIT;
    for (size_t i = 0; i < c->nmounts; i++) {
        const char *name = *c->mounts[i].name ? c->mounts[i].name : c->mounts[i].source;
        auto_free char *cut = no_trunc ? xstrdup(name) : listing_cut(name, MOUNT_MOST);
        str_addf(&text, "%s%s", i ? "," : "", cut);
    }
    return str_detach(&text);
}

static size_t local_volumes(const struct seen_container *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->nmounts; i++)
        n += str_eq(c->mounts[i].type, "volume");
    return n;
}

static char *created_text(const struct seen_container *c)
{
    char text[64] = "";
    time_t at = (time_t)c->created;
    struct tm tm;
    if (localtime_r(&at, &tm))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z %Z", &tm);
    return xstrdup(text);
}

json_t *container_json(const struct seen_container *c, const char *stack_name, int64_t now,
                       bool no_trunc)
{
    static const char *const healths[] = { "", "starting", "healthy", "unhealthy" };
    char age[NUM_TEXT_MAX];
    json_t *row = json_object();
    set_text(row, "Command", container_command_text(c, no_trunc));
    set_text(row, "CreatedAt", created_text(c));
    json_object_set_new(row, "Created", json_integer(c->created));
    json_object_set_new(row, "ExitCode", json_integer(c->exit_code > 0 ? c->exit_code : 0));
    set_text(row, "Health", xstrdup(healths[c->health]));
    set_text(row, "ID", xstrndup(c->id, no_trunc ? strlen(c->id) : SHORT_ID));
    set_text(row, "Image", xstrdup(c->image));
    set_text(row, "Labels", listing_labels(c->labels, c->nlabels));
    set_text(row, "LocalVolumes", xasprintf("%zu", local_volumes(c)));
    set_text(row, "Mounts", mounts_text(c, no_trunc));
    set_text(row, "Name", xstrdup(c->name));
    set_text(row, "Names", xstrdup(c->name));
    set_text(row, "Networks", networks_text(c));
    set_text(row, "Ports", container_ports_text(c));
    set_text(row, "Project", xstrdup(stack_name));
    json_object_set_new(row, "Publishers", container_publishers(c));
    set_text(row, "RunningFor", xasprintf("%s ago", listing_age(age, now - c->created)));
    set_text(row, "Service", xstrdup(c->service));
    set_text(row, "Size", xstrdup("0B"));
    set_text(row, "State", xstrdup(container_state_names[c->state]));
    set_text(row, "Status", xstrdup(c->status));
    return row;
}

int containers_check_services(const struct stack *st, const struct snapshot *now,
                              const struct strv *names, struct error *err)
{
    for (size_t i = 0; i < names->len; i++) {
        size_t n = 0;
        snapshot_service(&n, now, names->items[i]);
        bool known =
            st && (stack_service(st, names->items[i]) || node_get(st->disabled, names->items[i]));
        if (!n && !known)
            return error_set(err, ERR_NOTFOUND, 0, "no such service: %s", names->items[i]);
    }
    return 0;
}
