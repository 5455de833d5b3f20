/* Choosing a container of a service. */
#include "cli/pick.h"

#include "base/str.h"

/* Names of the stack's services that have containers, for a message. */
static void add_services(struct str *out, const struct snapshot *now)
{
    const char *last = NULL;
    for (size_t i = 0; i < now->ncontainers; i++) {
        const struct seen_container *c = &now->containers[i];
        if (c->oneoff || str_eq(c->service, last))
            continue;
        str_addf(out, "%s%s", last ? ", " : "", c->service);
        last = c->service;
    }
}

static int not_there(const struct snapshot *now, struct cli *cli, const char *service, int index,
                     bool any, struct error *err)
{
    auto_str struct str names = STR_INIT;
    if (any && index) /* the words of docker compose */
        return error_set(err, ERR_NOTFOUND, 0, "service \"%s\" is not running container #%d",
                         service, index);
    if (cli->stack && stack_service(cli->stack, service)) {
        error_set(err, ERR_NOTFOUND, 0, "service '%s' has no container", service);
        return error_hint(err, "start it: 'stack up -d %s'", service);
    }
    add_services(&names, now);
    error_set(err, ERR_NOTFOUND, 0, "stack '%s' has no service '%s'", cli->stack_name, service);
    return names.len ? error_hint(err, "running are: %s", names.buf)
                     : error_hint(err, "nothing of it runs; 'stack up -d' starts it");
}

/* The containers of `run` are for when there is no other. */
static bool is_better(const struct seen_container *c, const struct seen_container *than)
{
    if (!than || c->oneoff != than->oneoff)
        return !than || than->oneoff;
    return than->state != CONTAINER_RUNNING && c->state == CONTAINER_RUNNING;
}

int pick_container(struct snapshot **now, const struct seen_container **out, struct cli *cli,
                   const char *service, int index, struct error *err)
{
    if (cli_load_name(cli, err) < 0 || cli_engine(cli, err) < 0 ||
        cli_observe(now, cli, OBSERVE_CONTAINERS, NULL, 0, err) < 0)
        return -1;
    const struct seen_container *found = NULL;
    bool any = false;
    for (size_t i = 0; i < (*now)->ncontainers; i++) {
        const struct seen_container *c = &(*now)->containers[i];
        if (!str_eq(c->service, service))
            continue;
        any = true;
        if (index ? !c->oneoff && c->number == index : is_better(c, found))
            found = c;
    }
    if (!found)
        return not_there(*now, cli, service, index, any, err);
    *out = found;
    return 0;
}
