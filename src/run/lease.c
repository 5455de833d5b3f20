/*
 * Leases of ports. Which block an instance has stands in the labels of its containers, so that
 * nothing can be forgotten or lost. A new instance looks at the labels of all containers, and on
 * this machine tries to bind what it would publish. Where it begins to look follows from its name:
 * the same name mostly gets the same ports again, and two that begin at once seldom want the same
 * block. If they do, they may share it as long as no port is wanted twice; then the engine refuses
 * the later one, and its next run finds another block.
 */
#include "run/lease.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "engine/requests.h"
#include "model/instance.h"
#include "model/labels.h"
#include "run/ports.h"

/* Below the ports that Linux (32768) and macOS (49152) give to outgoing connections. */
#define FIRST_PORT 20000
#define BLOCKS 127

static int block_in(const char *label)
{
    int64_t block;
    bool is =
        label && num_range(&block, label, FIRST_PORT, FIRST_PORT + BLOCKS * PORT_BLOCK - 1) == 0;
    return is ? (int)block : 0;
}

static int block_of_ours(const struct snapshot *now)
{
    int block = 0;
    for (size_t i = 0; i < now->ncontainers && !block; i++)
        block = block_in(
            label_get(now->containers[i].labels, now->containers[i].nlabels, LABEL_PORT_BLOCK));
    return block;
}

static int find_leased(bool leased[BLOCKS], struct engine *e, struct error *err)
{
    auto_json json_t *all = NULL;
    struct engine_request rq;
    rq_containers_any(&rq, "label", LABEL_PORT_BLOCK);
    if (engine_do(&all, e, &rq, err) < 0)
        return error_wrap(err, "look for free ports: list containers");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *labels = json_object_get(json_array_get(all, i), "Labels");
        int block = block_in(json_string_value(json_object_get(labels, LABEL_PORT_BLOCK)));
        if (block)
            leased[(block - FIRST_PORT) / PORT_BLOCK] = true;
    }
    return 0;
}

static bool is_free(const struct instance_port *ports, size_t n, int block)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k <= ports[i].last - ports[i].first; k++) {
            int port = block + ports[i].offset + k;
            if (port_is_taken("", port, false) || port_is_taken("", port, true))
                return false;
        }
    return true;
}

static size_t first_try(const char *name)
{
    size_t sum = 5381;
    for (; *name; name++)
        sum = sum * 33 + (unsigned char)*name;
    return sum % BLOCKS;
}

static int choose(int *block, struct engine *e, const struct stack *st,
                  const struct instance_port *ports, size_t n, struct error *err)
{
    bool leased[BLOCKS] = { false };
    if (find_leased(leased, e, err) < 0)
        return -1;
    size_t start = first_try(st->name);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t at = (start + i) % BLOCKS;
        *block = FIRST_PORT + (int)at * PORT_BLOCK;
        if (!leased[at] && (!engine_endpoint(e)->local || is_free(ports, n, *block)))
            return 0;
    }
    error_set(err, ERR_CONFLICT, 0,
              "instance '%s': no block of %d host ports is free between %d "
              "and %d",
              st->instance, PORT_BLOCK, FIRST_PORT, FIRST_PORT + BLOCKS * PORT_BLOCK - 1);
    return error_hint(err, "take another instance down: 'stack ls' lists them");
}

int lease_ports(struct engine *e, struct stack *st, const struct snapshot *now, struct error *err)
{
    auto_free struct instance_port *ports = NULL;
    size_t n = 0;
    if (!st->instance || st->port_block)
        return 0;
    if (instance_ports(&ports, &n, st, err) < 0)
        return -1;
    int block = block_of_ours(now);
    if (n && !block && choose(&block, e, st, ports, n, err) < 0)
        return -1;
    if (n)
        instance_move_ports(st, ports, n, block);
    return 0;
}
