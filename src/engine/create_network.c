/* Networks: which ones a container joins and how, and the bodies that create networks, volumes. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/create_private.h"
#include "model/labels.h"

static void add_unique(json_t *list, const char *text)
{
    size_t i;
    json_t *it;
    json_array_foreach (list, i, it)
        if (str_eq(json_string_value(it), text))
            return;
    json_array_append_new(list, json_string_nocheck(text));
}

/* "db-1" and "app-db-1" for a replica of db, as links had them. */
static void add_numbers(json_t *list, const struct create_input *in, const struct service *target,
                        int number, char separator)
{
    auto_free char *container = service_container_name(in->stack, target, number);
    for (int whole = 0; whole < 2; whole++) {
        auto_free char *name = service_link_name(in->stack, target, number, separator, whole);
        auto_free char *entry = xasprintf("%s:%s", container, name);
        add_unique(list, entry);
    }
}

/* "container:alias" of each replica of a linked service, and of external links. Owned by the
 * caller. */
static json_t *links_of(const struct create_input *in)
{
    json_t *list = json_array();
    for (size_t i = 0; i < in->service->nlinks; i++) {
        const struct link *l = &in->service->links[i];
        for (int n = 1; n <= (l->service->replicas > 0 ? l->service->replicas : 1); n++) {
            auto_free char *name = service_container_name(in->stack, l->service, n);
            auto_free char *entry = xasprintf("%s:%s", name, l->alias);
            add_unique(list, entry);
            add_numbers(list, in, l->service, n, in->stack->separator ? in->stack->separator : '-');
            if (in->service->link_numbers)
                add_numbers(list, in, l->service, n, '_');
        }
    }
    const struct node *external = node_get(in->service->config, "external_links");
    node_each (i, external) {
        const char *text = node_text(external->items[i]);
        if (!text)
            continue;
        auto_free char *entry = strchr(text, ':') ? xstrdup(text) : xasprintf("%s:%s", text, text);
        add_unique(list, entry);
    }
    return list;
}

static void add_links(json_t *object, const struct create_input *in)
{
    json_t *list = links_of(in);
    if (json_array_size(list))
        json_object_set_new(object, "Links", list);
    else
        json_decref(list);
}

json_t *create_endpoint_config(const struct create_input *in, const struct endpoint *ep)
{
    json_t *endpoint = json_object();
    json_t *aliases = json_array();
    add_unique(aliases, in->name);
    add_unique(aliases, in->service->name);
    const struct node *list = node_get(ep->config, "aliases");
    node_each (i, list)
        if (node_text(list->items[i]))
            add_unique(aliases, node_text(list->items[i]));
    json_object_set_new(endpoint, "Aliases", aliases);
    add_links(endpoint, in);

    const char *ipv4 = node_text_at(ep->config, "ipv4_address");
    const char *ipv6 = node_text_at(ep->config, "ipv6_address");
    const struct node *local = node_get(ep->config, "link_local_ips");
    if (ipv4 || ipv6 || local) {
        json_t *ipam = json_object();
        if (ipv4)
            json_object_set_new(ipam, "IPv4Address", json_string_nocheck(ipv4));
        if (ipv6)
            json_object_set_new(ipam, "IPv6Address", json_string_nocheck(ipv6));
        if (local)
            json_object_set_new(ipam, "LinkLocalIPs", create_texts(local));
        json_object_set_new(endpoint, "IPAMConfig", ipam);
    }
    const char *mac = node_text_at(ep->config, "mac_address");
    if (!mac && ep == in->service->endpoints) /* the service's is that of its first network */
        mac = node_text_at(in->service->config, "mac_address");
    if (mac && in->api >= 44)
        json_object_set_new(endpoint, "MacAddress", json_string_nocheck(mac));
    const struct node *driver = node_get(ep->config, "driver_opts");
    const char *interface = node_text_at(ep->config, "interface_name");
    if (driver || interface) {
        json_t *options = create_text_map(driver);
        if (interface)
            json_object_set_new(options, "com.docker.network.endpoint.ifname",
                                json_string_nocheck(interface));
        json_object_set_new(endpoint, "DriverOpts", options);
    }
    if (node_get(ep->config, "gw_priority") && in->api >= 48)
        json_object_set_new(endpoint, "GwPriority",
                            json_integer(node_int_at(ep->config, "gw_priority", 0)));
    return endpoint;
}

/* The id of a network as run knows it, else its name. */
static const char *network_ref(const struct create_input *in, const struct network *n)
{
    const char *id = in->network_id ? in->network_id(in->ctx, n->name) : NULL;
    return id ? id : n->name;
}

/* On the engine's own bridge links are the container's, and name others by their ids. */
static void add_bridge_links(json_t *host, const struct create_input *in)
{
    json_t *list = json_array();
    for (size_t i = 0; i < in->service->nlinks; i++) {
        const struct link *l = &in->service->links[i];
        const char *id = in->container_id ? in->container_id(in->ctx, l->service->name) : NULL;
        auto_free char *entry = id ? xasprintf("%s:%s", id, l->alias) : NULL;
        if (entry)
            add_unique(list, entry);
    }
    if (json_array_size(list))
        json_object_set_new(host, "Links", list);
    else
        json_decref(list);
}

static int shared_mode(json_t *host, const struct create_input *in, const char *mode,
                       struct error *err)
{
    if (!str_starts(mode, "service:")) {
        json_object_set_new(host, "NetworkMode", json_string_nocheck(mode));
        if (str_eq(mode, "bridge"))
            add_bridge_links(host, in);
        return 0;
    }
    const char *id = in->container_id ? in->container_id(in->ctx, mode + strlen("service:")) : NULL;
    if (!id)
        return error_set(err, ERR_NOTFOUND, 0,
                         "no container of service '%s' to share networks with",
                         mode + strlen("service:"));
    auto_free char *text = xasprintf("container:%s", id);
    json_object_set_new(host, "NetworkMode", json_string_nocheck(text));
    return 0;
}

int create_endpoints(json_t *config, json_t *host, const struct create_input *in, struct error *err)
{
    const struct service *s = in->service;
    const char *mac = node_text_at(s->config, "mac_address");
    if (mac && in->api < 44)
        json_object_set_new(config, "MacAddress", json_string_nocheck(mac));
    if (s->network_mode)
        return shared_mode(host, in, s->network_mode, err);
    if (s->nendpoints == 0) {
        json_object_set_new(host, "NetworkMode", json_string("none"));
        return 0;
    }
    for (size_t i = 0; i < s->nendpoints && in->api < 49; i++)
        if (node_text_at(s->endpoints[i].config, "interface_name"))
            return error_set(err, ERR_INPUT, 0,
                             "interface_name needs an engine with API 1.49, this one speaks 1.%d",
                             in->api);
    /* Before 1.44 the address goes to the network of that name, and to none by its id. */
    const char *first = mac && in->api < 44 ? s->endpoints[0].network->name
                                            : network_ref(in, s->endpoints[0].network);
    json_object_set_new(host, "NetworkMode", json_string_nocheck(first));
    if (!in->podman)
        add_links(host, in);
    json_t *endpoints = json_object();
    size_t n = in->api >= 44 ? s->nendpoints : 1;
    for (size_t i = 0; i < n; i++)
        json_object_set_new_nocheck(endpoints,
                                    i == 0 ? first : network_ref(in, s->endpoints[i].network),
                                    create_endpoint_config(in, &s->endpoints[i]));
    json_object_set_new(config, "NetworkingConfig",
                        json_pack("{s:o}", "EndpointsConfig", endpoints));
    return 0;
}

static void add_object_labels(json_t *body, const struct node *config, const struct stack *st,
                              const char *kind, const char *key, const char *hash)
{
    json_t *labels = create_text_map(node_get(config, "labels"));
    json_object_set_new(labels, LABEL_STACK, json_string_nocheck(st->name));
    json_object_set_new(labels, kind, json_string_nocheck(key));
    json_object_set_new(labels, LABEL_VERSION, json_string(STACK_VERSION));
    json_object_set_new(labels, LABEL_CONFIG_HASH, json_string_nocheck(hash));
    json_object_set_new(labels, LABEL_HASH, json_string_nocheck(hash));
    json_object_set_new(body, "Labels", labels);
}

static json_t *ipam_body(const struct node *ipam)
{
    json_t *body = json_object();
    const char *driver = node_text_at(ipam, "driver");
    if (driver)
        json_object_set_new(body, "Driver", json_string_nocheck(driver));
    const struct node *options = node_get(ipam, "options");
    if (options)
        json_object_set_new(body, "Options", create_text_map(options));
    const struct node *pools = node_get(ipam, "config");
    json_t *list = json_array();
    node_each (i, pools) {
        static const char *const fields[][2] = { { "subnet", "Subnet" },
                                                 { "ip_range", "IPRange" },
                                                 { "gateway", "Gateway" } };
        json_t *pool = json_object();
        for (size_t f = 0; f < countof(fields); f++) {
            const char *text = node_text_at(pools->items[i], fields[f][0]);
            if (text)
                json_object_set_new(pool, fields[f][1], json_string_nocheck(text));
        }
        const struct node *aux = node_get(pools->items[i], "aux_addresses");
        if (aux)
            json_object_set_new(pool, "AuxiliaryAddresses", create_text_map(aux));
        json_array_append_new(list, pool);
    }
    json_object_set_new(body, "Config", list);
    return body;
}

json_t *create_network_body(const struct stack *st, const struct network *n)
{
    const char *driver = node_text_at(n->config, "driver");
    json_t *body = json_pack("{s:s, s:b}", "Name", n->name, "CheckDuplicate", 1);
    json_object_set_new(body, "Driver", json_string_nocheck(driver ? driver : "bridge"));
    json_object_set_new(body, "Options", create_text_map(node_get(n->config, "driver_opts")));
    json_object_set_new(body, "Internal", json_boolean(node_bool_at(n->config, "internal", false)));
    json_object_set_new(body, "Attachable",
                        json_boolean(node_bool_at(n->config, "attachable", false)));
    if (node_get(n->config, "enable_ipv6"))
        json_object_set_new(body, "EnableIPv6",
                            json_boolean(node_bool_at(n->config, "enable_ipv6", false)));
    if (node_get(n->config, "enable_ipv4"))
        json_object_set_new(body, "EnableIPv4",
                            json_boolean(node_bool_at(n->config, "enable_ipv4", true)));
    if (node_get(node_get(n->config, "ipam"), "config") || node_at(n->config, "ipam.driver"))
        json_object_set_new(body, "IPAM", ipam_body(node_get(n->config, "ipam")));
    add_object_labels(body, n->config, st, LABEL_NETWORK, n->key, n->hash);
    return body;
}

json_t *create_volume_body(const struct stack *st, const struct volume *v)
{
    const char *driver = node_text_at(v->config, "driver");
    json_t *body = json_pack("{s:s}", "Name", v->name);
    if (driver)
        json_object_set_new(body, "Driver", json_string_nocheck(driver));
    json_object_set_new(body, "DriverOpts", create_text_map(node_get(v->config, "driver_opts")));
    add_object_labels(body, v->config, st, LABEL_VOLUME, v->key, v->hash);
    return body;
}
