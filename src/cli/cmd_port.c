/* `stack port`: where a container's port is published. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/listing.h"
#include "cli/pick.h"

struct port_options {
    int index;
    const char *protocol;
};
#define OPTIONS port_options

static const char *const protocols[] = { "tcp", "udp", "sctp", NULL };
static const struct option rows[] = {
    ROW_INT(0, "index", index, "N", "Number of the container, of a service that has several"),
    { "protocol", 0, OPT_CHOICE, offsetof(struct port_options, protocol), NULL,
      "Protocol of the port (default tcp)", protocols, COMPLETE_NONE, false, false },
};

static void print(const struct seen_port *p, bool with_target)
{
    auto_str struct str line = STR_INIT;
    bool v6 = strchr(p->host_ip, ':') != NULL;
    if (with_target)
        str_addf(&line, "%d/%s -> ", p->target, p->protocol);
    str_addf(&line, v6 ? "[%s]:%d" : "%s:%d", p->host_ip, p->published);
    listing_line(stdout, line.buf);
}

static int run(struct cli *cli, void *values, const struct strv *args, struct error *err)
{
    const struct port_options *o = values;
    const char *protocol = o->protocol ? o->protocol : "tcp";
    auto_(snapshot_freep) struct snapshot *now = NULL;
    const struct seen_container *c;
    int64_t wanted = 0;
    if (args->len > 1) {
        auto_free char *number = xstrndup(args->items[1], strcspn(args->items[1], "/"));
        if (num_range(&wanted, number, 1, 65535) < 0)
            return error_set(err, ERR_USAGE, 0, "'%s' is not a port", args->items[1]);
        if (strchr(args->items[1], '/'))
            protocol = strchr(args->items[1], '/') + 1;
    }
    if (pick_container(&now, &c, cli, args->items[0], o->index, err) < 0)
        return -1;
    size_t found = 0;
    for (size_t i = 0; i < c->nports; i++) {
        const struct seen_port *p = &c->ports[i];
        if (!p->published || (wanted && (p->target != wanted || !str_eq(p->protocol, protocol))))
            continue;
        print(p, !wanted);
        found++;
        if (wanted) /* one line, as scripts read it; the same port of IPv6 comes after */
            break;
    }
    if (wanted && !found)
        return error_set(err, ERR_NOTFOUND, 0, "port %d/%s of container %s is not published",
                         (int)wanted, protocol, c->name);
    return EXIT_DONE;
}

extern const struct command cmd_port;
const struct command cmd_port = {
    .name = "port",
    .group = "Inspect",
    .usage = "[OPTIONS] SERVICE [PORT[/PROTOCOL]]",
    .summary = "Print where a container's port is published; without PORT all of them",
    .options = rows,
    .noptions = countof(rows),
    .options_size = sizeof(struct port_options),
    .min_args = 1,
    .max_args = 2,
    .args = COMPLETE_SERVICE,
    .run = run,
};
