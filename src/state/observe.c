/* The four list calls, sent together; their answers are read as they come. */
#include "state/observe.h"

#include "engine/requests.h"

typedef int read_fn(struct snapshot *s, const json_t *answer, struct error *err);

struct observation {
    struct snapshot *snapshot;
    struct error err; /* the first one */
    size_t pending;
    bool done;
};

struct list_call {
    struct observation *observation;
    enum observe_what what;
    read_fn *read;
    const char *objects;
};

static void list_done(void *ctx, const struct engine_answer *answer, const struct error *err)
{
    struct list_call *call = ctx;
    struct observation *ob = call->observation;
    auto_error struct error own = ERROR_INIT;
    if (err)
        error_copy(&own, err);
    if (err || call->read(ob->snapshot, answer->json, &own) < 0) {
        error_wrap(&own, "list %s", call->objects);
        if (!ob->err.kind)
            error_move(&ob->err, &own);
    }
    if (--ob->pending == 0)
        ob->done = true;
}

static void request_list(request_out rq, enum observe_what what, const struct observe_options *opt)
{
    switch (what) {
    case OBSERVE_CONTAINERS:
        rq_containers(rq, opt->stack, !opt->running_only);
        break;
    case OBSERVE_NETWORKS:
        if (opt->any_network)
            rq_networks_named(rq, NULL, 0);
        else
            rq_networks(rq, opt->stack);
        break;
    case OBSERVE_VOLUMES:
        if (opt->any_volume)
            rq_volumes_named(rq, NULL, 0);
        else
            rq_volumes(rq, opt->stack);
        break;
    case OBSERVE_IMAGES:
    case OBSERVE_ALL:
        rq_images(rq, opt->image_refs, opt->nimage_refs);
        break;
    }
}

int state_observe(struct snapshot **out, struct engine *e, const struct observe_options *opt,
                  struct error *err)
{
    auto_(snapshot_freep) struct snapshot *snapshot = snapshot_new();
    struct observation ob = { .snapshot = snapshot };
    struct list_call calls[] = {
        { &ob, OBSERVE_CONTAINERS, snapshot_read_containers, "containers" },
        { &ob, OBSERVE_IMAGES, snapshot_read_images, "images" },
        { &ob, OBSERVE_NETWORKS, snapshot_read_networks, "networks" },
        { &ob, OBSERVE_VOLUMES, snapshot_read_volumes, "volumes" },
    };
    for (size_t i = 0; i < countof(calls); i++) {
        if (!(opt->what & calls[i].what))
            continue;
        struct engine_request rq = { 0 };
        request_list(&rq, calls[i].what, opt);
        ob.pending++;
        engine_start(e, &rq, &(struct engine_handlers){ .done = list_done, .ctx = &calls[i] });
    }
    if (ob.pending && !loop_wait(engine_loop(e), &ob.done))
        return error_set(err, ERR_NETWORK, 0, "list containers: the engine did not answer");
    if (ob.err.kind)
        return error_move(err, &ob.err);
    snapshot->api = engine_api(e);
    *out = take(snapshot);
    return 0;
}
