/* An engine in memory: see sim.h. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "engine/create.h"
#include "model/labels.h"
#include "model/load.h"
#include "plan/labels.h"

struct stack *sim_stack(const char *yaml)
{
    static const char *const files[] = { "-", NULL }, *const environ[] = { NULL };
    struct load_options opt = { .files = files,
                                .stdin_text = yaml,
                                .stdin_len = strlen(yaml),
                                .cwd = "/srv/demo",
                                .environ = environ,
                                .lenient = true };
    auto_(arena_freep) struct arena *arena = arena_new();
    struct error err = ERROR_INIT;
    struct stack *st = NULL;
    struct diag d;
    diag_init(&d, arena);
    if (stack_load(&st, &opt, &d, &err) < 0) {
        struct str text = STR_INIT;
        diag_print(&text, &d, true);
        fprintf(stderr, "%s\n%s\n", err.msg, text.buf);
        abort();
    }
    diag_clear(&d);
    return st;
}

void sim_init(struct sim *s)
{
    *s = (struct sim){ .containers = json_array(),
                       .networks = json_array(),
                       .volumes = json_array(),
                       .images = json_array() };
}

void sim_clear(struct sim *s)
{
    json_decref(s->containers);
    json_decref(s->networks);
    json_decref(s->volumes);
    json_decref(s->images);
}

void sim_copy(struct sim *to, const struct sim *from)
{
    *to = *from;
    to->containers = json_deep_copy(from->containers);
    to->networks = json_deep_copy(from->networks);
    to->volumes = json_deep_copy(from->volumes);
    to->images = json_deep_copy(from->images);
}

struct snapshot *sim_snapshot(const struct sim *s)
{
    struct snapshot *snapshot = snapshot_new();
    auto_json json_t *volumes = json_pack("{s:O}", "Volumes", s->volumes);
    if (snapshot_read_containers(snapshot, s->containers, NULL) < 0 ||
        snapshot_read_networks(snapshot, s->networks, NULL) < 0 ||
        snapshot_read_volumes(snapshot, volumes, NULL) < 0 ||
        snapshot_read_images(snapshot, s->images, NULL) < 0)
        abort();
    snapshot->api = s->api_one_network ? 43 : 44;
    return snapshot;
}

/* --- looking --- */

static const char *field(const json_t *j, const char *key)
{
    return json_string_value(json_object_get(j, key));
}

static void set(json_t *j, const char *key, const char *value)
{
    json_object_set_new(j, key, json_string(value));
}

static const char *label(const json_t *j, const char *key)
{
    const char *value = field(json_object_get(j, "Labels"), key);
    return value ? value : "";
}

static const char *name_of(const json_t *container)
{
    return json_string_value(json_array_get(json_object_get(container, "Names"), 0)) + 1;
}

static json_t *find(json_t *list, const char *key, const char *value)
{
    size_t i;
    json_t *j;
    json_array_foreach (list, i, j)
        if (str_eq(field(j, key), value))
            return j;
    return NULL;
}

static json_t *find_container(struct sim *s, const char *name)
{
    size_t i;
    json_t *j;
    json_array_foreach (s->containers, i, j)
        if (str_eq(name_of(j), name))
            return j;
    return NULL;
}

static void drop(json_t *list, const json_t *item)
{
    size_t i;
    json_t *j;
    json_array_foreach (list, i, j)
        if (j == item) {
            json_array_remove(list, i);
            return;
        }
}

static bool is_up(const json_t *c)
{
    return str_eq(field(c, "State"), "running") || str_eq(field(c, "State"), "paused");
}

static void set_state(json_t *c, const char *state, const char *status)
{
    set(c, "State", state);
    set(c, "Status", status);
}

static bool fail(struct sim *s, const struct op *op, const char *what)
{
    snprintf(s->error, sizeof(s->error), "%s %s: %s", op_words[op->kind].verb, op->subject, what);
    return false;
}

/* --- ids, images --- */

static char *new_id(struct sim *s)
{
    /* The number stands in front, so that the first 12 characters tell ids apart. */
    return xasprintf("%08u%056x", ++s->ids, 0xabcd);
}

static char *image_id(const char *ref, const char *what)
{
    char hex[DIGEST_HEX_LEN + 1];
    auto_free char *text = xasprintf("%s %s", ref, what);
    digest_hex(hex, text, strlen(text));
    return xasprintf("sha256:%s", hex);
}

static char *with_tag(const char *ref)
{
    const char *slash = strrchr(ref, '/');
    return strchr(slash ? slash : ref, ':') ? xstrdup(ref) : xasprintf("%s:latest", ref);
}

static json_t *find_image(struct sim *s, const char *ref)
{
    auto_free char *tagged = with_tag(ref);
    size_t i;
    json_t *j;
    json_array_foreach (s->images, i, j)
        if (str_eq(json_string_value(json_array_get(json_object_get(j, "RepoTags"), 0)), tagged))
            return j;
    return NULL;
}

void sim_add_image(struct sim *s, const char *ref, const char *fingerprint)
{
    auto_free char *generation = xasprintf("%u", s->pulls);
    auto_free char *id = image_id(ref, fingerprint ? fingerprint : generation);
    auto_free char *tagged = with_tag(ref);
    drop(s->images, find_image(s, ref));
    json_t *labels = json_object();
    if (fingerprint)
        set(labels, LABEL_FINGERPRINT, fingerprint);
    json_array_append_new(
        s->images, json_pack("{s:s, s:[s], s:o}", "Id", id, "RepoTags", tagged, "Labels", labels));
}

/* --- create --- */

static const char *made_id(void *ctx, const struct op *create)
{
    return ((struct sim_run *)ctx)->ids[create->index];
}

static const char *brought_image(void *ctx, const char *ref)
{
    struct sim_run *r = ctx;
    for (size_t i = 0; i < r->plan->nops; i++) {
        const struct op *op = r->plan->ops[i];
        if ((op->kind == OP_IMAGE_PULL || op->kind == OP_IMAGE_BUILD) && r->done[i] &&
            str_eq(op->ref, ref))
            return field(find_image(r->sim, ref), "Id");
    }
    return NULL;
}

struct create_ctx {
    struct sim_run *r;
    const struct op *op;
};

static const char *network_id(void *ctx, const char *name)
{
    struct create_ctx *c = ctx;
    return field(find(c->r->sim->networks, "Name", name), "Id");
}

static const char *parent_id(void *ctx, const char *service)
{
    struct create_ctx *c = ctx;
    for (size_t i = 0; i < c->op->nparents; i++) {
        const struct op_parent *p = &c->op->parents[i];
        if (str_eq(p->service->name, service))
            return p->create ? made_id(c->r, p->create) : p->id;
    }
    return NULL;
}

/* Named volumes, and an anonymous one at /anon: the old container's, or a new one. */
static json_t *make_mounts(struct sim *s, const struct op *op)
{
    json_t *mounts = json_array();
    for (size_t i = 0; i < op->service->nmounts; i++) {
        const struct volume *v = op->service->mounts[i].volume;
        if (v)
            json_array_append_new(mounts,
                                  json_pack("{s:s, s:s, s:s}", "Type", "volume", "Name", v->name,
                                            "Destination", op->service->mounts[i].target));
    }
    auto_free char *anonymous = NULL;
    for (size_t i = 0; op->old && !op->renew_anon_volumes && i < op->old->nmounts; i++)
        if (str_eq(op->old->mounts[i].target, "/anon"))
            anonymous = xstrdup(op->old->mounts[i].name);
    if (!anonymous) {
        anonymous = new_id(s);
        json_array_append_new(s->volumes, json_pack("{s:s}", "Name", anonymous));
    }
    json_array_append_new(mounts, json_pack("{s:s, s:s, s:s}", "Type", "volume", "Name", anonymous,
                                            "Destination", "/anon"));
    return mounts;
}

static bool create(struct sim_run *r, const struct op *op)
{
    struct sim *s = r->sim;
    const json_t *image = find_image(s, op->ref);
    if (find_container(s, op->name))
        return fail(s, op, "the name is in use");
    if (!image)
        return fail(s, op, "no such image");
    if (op->image_id && !str_eq(op->image_id, field(image, "Id")))
        return fail(s, op, "the image is another");
    for (size_t i = 0; i < op->nparents; i++)
        if (!find(s->containers, "Id",
                  op->parents[i].create ? made_id(r, op->parents[i].create) : op->parents[i].id))
            return fail(s, op, "its parent is not there");
    auto_strv struct strv labels = STRV_INIT;
    struct plan_ids ids = { brought_image, made_id, r };
    plan_labels(&labels, r->st, r->now, op, &ids);
    struct create_ctx ctx = { r, op };
    struct create_input in = { .stack = r->st,
                               .service = op->service,
                               .name = op->subject,
                               .image = op->ref,
                               .number = op->number,
                               .api = s->api_one_network ? 43 : 44,
                               .labels = (const char *const *)labels.items,
                               .network_id = network_id,
                               .container_id = parent_id,
                               .ctx = &ctx };
    auto_json json_t *body = NULL;
    struct error err = ERROR_INIT;
    if (create_container_body(&body, &in, &err) < 0)
        return fail(s, op, err.msg);

    json_t *networks = json_object();
    for (size_t i = 0; i < op->service->nendpoints && (i == 0 || !s->api_one_network); i++) {
        const char *network = op->service->endpoints[i].network->name;
        if (!find(s->networks, "Name", network)) {
            json_decref(networks);
            return fail(s, op, "no such network");
        }
        json_object_set_new(networks, network, json_pack("{s:s}", "NetworkID", ""));
    }
    for (size_t i = 0; i < op->service->nmounts; i++) {
        const struct volume *v = op->service->mounts[i].volume;
        if (v && !find(s->volumes, "Name", v->name)) {
            json_decref(networks);
            return fail(s, op, "no such volume");
        }
    }
    r->ids[op->index] = new_id(s);
    auto_free char *name = xasprintf("/%s", op->name);
    json_array_append_new(s->containers,
                          json_pack("{s:s, s:[s], s:s, s:s, s:s, s:s, s:i, s:O, s:{s:o}, s:o}",
                                    "Id", r->ids[op->index], "Names", name, "Image", op->ref,
                                    "ImageID", field(image, "Id"), "State", "created", "Status",
                                    "Created", "Created", (int)s->ids, "Labels",
                                    json_object_get(body, "Labels"), "NetworkSettings", "Networks",
                                    networks, "Mounts", make_mounts(s, op)));
    return true;
}

/* --- start, wait --- */

static bool container_fulfils(const json_t *c, const struct service *service, enum condition cond)
{
    bool job_done = str_eq(field(c, "Status"), "Exited (0) now");
    bool healthy = str_eq(field(c, "Status"), "Up (healthy)");
    switch (cond) {
    case COND_COMPLETED:
        return job_done;
    case COND_STARTED:
        return is_up(c) || job_done;
    case COND_HEALTHY:
    case COND_READY:
        break;
    }
    return service && service->health.set ? healthy : is_up(c);
}

/* Whether the service's containers fulfil the condition now; not those that are to go. */
static bool fulfilled(struct sim *s, const struct service *service, enum condition cond)
{
    size_t i;
    json_t *c;
    json_array_foreach (s->containers, i, c) {
        int64_t number = 0;
        num_int(&number, label(c, LABEL_NUMBER));
        bool unfinished = strspn(name_of(c), "0123456789abcdef") == 12;
        if (str_eq(label(c, LABEL_SERVICE), service->name) && !unfinished &&
            number <= service->replicas && !container_fulfils(c, service, cond))
            return false;
    }
    return true;
}

static int64_t published(const struct op *op, size_t i)
{
    int64_t port = 0;
    num_int(&port, op->service->ports[i].published);
    return port;
}

static bool ports_free(struct sim *s, const struct op *op)
{
    for (size_t k = 0; k < op->service->nports; k++) {
        int64_t wanted = published(op, k);
        size_t i;
        json_t *c;
        json_array_foreach (s->containers, i, c)
            if (is_up(c) && json_int(json_array_get(json_object_get(c, "Ports"), 0), "PublicPort",
                                     -1) == wanted)
                return false;
    }
    return true;
}

static bool start(struct sim_run *r, const struct op *op, json_t *c)
{
    struct sim *s = r->sim;
    if (is_up(c))
        return fail(s, op, "it runs already");
    if (!str_eq(name_of(c), op->subject))
        return fail(s, op, "it starts under another name");
    for (size_t i = 0; i < op->service->ndeps; i++)
        if (op->service->deps[i].required &&
            !fulfilled(s, op->service->deps[i].service, op->service->deps[i].condition))
            return fail(s, op, "a dependency is not ready");
    const char *name;
    json_t *use;
    json_object_foreach (json_at(c, "NetworkSettings.Networks"), name, use) {
        const char *id = field(find(s->networks, "Name", name), "Id");
        if (!id || (*field(use, "NetworkID") && !str_eq(field(use, "NetworkID"), id)))
            return fail(s, op, "its network is gone");
        set(use, "NetworkID", id);
    }
    for (size_t i = 0; i < op->service->nendpoints; i++)
        if (!json_object_get(json_at(c, "NetworkSettings.Networks"),
                             op->service->endpoints[i].network->name))
            return fail(s, op, "it is not on all of its networks");
    size_t i;
    json_t *other;
    json_array_foreach (s->containers, i, other)
        if (is_up(other) && str_eq(label(other, LABEL_SERVICE), label(c, LABEL_SERVICE)) &&
            str_eq(label(other, LABEL_NUMBER), label(c, LABEL_NUMBER)))
            return fail(s, op, "two containers of the same number run");
    if (!ports_free(s, op))
        return fail(s, op, "its port is taken");
    if (op->service->nports)
        json_object_set_new(c, "Ports",
                            json_pack("[{s:i, s:I, s:s}]", "PrivatePort",
                                      op->service->ports[0].target, "PublicPort",
                                      (json_int_t)published(op, 0), "Type", "tcp"));
    s->jobs += op->service->job;
    set_state(c, "running",
              op->service->job          ? "Up (job)"
              : op->service->health.set ? "Up (health: starting)"
                                        : "Up");
    return true;
}

static void settle_container(json_t *c)
{
    if (str_eq(field(c, "Status"), "Up (job)"))
        set_state(c, "exited", "Exited (0) now");
    else if (str_eq(field(c, "Status"), "Up (health: starting)"))
        set_state(c, "running", "Up (healthy)");
}

void sim_settle(struct sim *s)
{
    size_t i;
    json_t *c;
    json_array_foreach (s->containers, i, c)
        settle_container(c);
}

/* Time passes for one container that is waited for. */
static bool wait_for_one(struct sim_run *r, const struct op *op, const char *id)
{
    json_t *c = id ? find(r->sim->containers, "Id", id) : NULL;
    if (!c)
        return fail(r->sim, op, "no such container");
    settle_container(c);
    return container_fulfils(c, op->service, op->condition) ||
           fail(r->sim, op, "the condition is not fulfilled");
}

static bool wait_for(struct sim_run *r, const struct op *op)
{
    bool ok = true;
    for (struct op *const *o = op->waits; ok && *o; o++)
        ok = wait_for_one(r, op, (*o)->target ? made_id(r, (*o)->target) : (*o)->id);
    for (const struct seen_container *const *c = op->wait_seen; ok && *c; c++)
        ok = wait_for_one(r, op, (*c)->id);
    return ok;
}

/* --- the rest --- */

static bool remove_container(struct sim_run *r, const struct op *op, json_t *c)
{
    if (is_up(c))
        return fail(r->sim, op, "it runs");
    size_t i;
    json_t *m;
    json_array_foreach (json_object_get(c, "Mounts"), i, m)
        if (op->volumes && str_eq(field(m, "Destination"), "/anon"))
            drop(r->sim->volumes, find(r->sim->volumes, "Name", field(m, "Name")));
    drop(r->sim->containers, c);
    return true;
}

static bool on_container(struct sim_run *r, const struct op *op)
{
    struct sim *s = r->sim;
    const char *id = op->target ? made_id(r, op->target) : op->id;
    json_t *c = id ? find(s->containers, "Id", id) : NULL;
    if (!c)
        return fail(s, op, "no such container");
    switch (op->kind) {
    case OP_START:
        return start(r, op, c);
    case OP_STOP:
        if (!is_up(c))
            return fail(s, op, "it does not run");
        set_state(c, "exited", "Exited (143) now");
        json_object_del(c, "Ports");
        return true;
    case OP_REMOVE:
        return remove_container(r, op, c);
    case OP_RENAME: {
        if (find_container(s, op->name))
            return fail(s, op, "the name is in use");
        auto_free char *name = xasprintf("/%s", op->name);
        json_object_set_new(c, "Names", json_pack("[s]", name));
        return true;
    }
    case OP_CONNECT: {
        const char *network = field(find(s->networks, "Name", op->network->name), "Id");
        json_t *uses = json_at(c, "NetworkSettings.Networks");
        if (!network || json_object_get(uses, op->network->name))
            return fail(s, op, network ? "it is on it already" : "no such network");
        json_object_set_new(uses, op->network->name, json_pack("{s:s}", "NetworkID", network));
        return true;
    }
    case OP_FILES:
        return !is_up(c) || fail(s, op, "it runs already");
    case OP_HOOK:
        return is_up(c) || fail(s, op, "it does not run");
    case OP_UNPAUSE:
        if (!str_eq(field(c, "State"), "paused"))
            return fail(s, op, "it is not paused");
        set_state(c, "running", "Up");
        return true;
    default:
        return fail(s, op, "not an operation that is known here");
    }
}

static bool on_network(struct sim *s, const struct op *op)
{
    json_t *n = find(s->networks, "Name", op->subject);
    if (op->kind == OP_NETWORK_CREATE) {
        if (n)
            return fail(s, op, "it is there already");
        auto_free char *id = new_id(s);
        json_array_append_new(s->networks,
                              json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "Name", op->subject, "Id",
                                        id, "Labels", LABEL_STACK, "demo", LABEL_NETWORK,
                                        op->network->key, LABEL_HASH, op->network->hash));
        return true;
    }
    size_t i;
    json_t *c;
    json_array_foreach (s->containers, i, c)
        if (is_up(c) && json_object_get(json_at(c, "NetworkSettings.Networks"), op->subject))
            return fail(s, op, "a running container is on it");
    drop(s->networks, n);
    return n || fail(s, op, "no such network");
}

static bool on_volume(struct sim *s, const struct op *op)
{
    json_t *v = find(s->volumes, "Name", op->subject);
    if (op->kind == OP_VOLUME_CREATE) {
        if (v)
            return fail(s, op, "it is there already");
        json_array_append_new(s->volumes, json_pack("{s:s, s:{s:s, s:s, s:s}}", "Name", op->subject,
                                                    "Labels", LABEL_STACK, "demo", LABEL_VOLUME,
                                                    op->volume->key, LABEL_HASH, op->volume->hash));
        return true;
    }
    if (!s->volumes_may_go)
        return fail(s, op, "a volume is never removed");
    size_t i, k;
    json_t *c, *m;
    json_array_foreach (s->containers, i, c)
        json_array_foreach (json_object_get(c, "Mounts"), k, m)
            if (str_eq(field(m, "Name"), op->subject))
                return fail(s, op, "a container has it");
    drop(s->volumes, v);
    return true;
}

bool sim_step(struct sim_run *r, const struct op *op)
{
    struct sim *s = r->sim;
    bool ok = true;
    for (size_t i = 0; i < op->nneeds; i++)
        if (!r->done[op->needs[i].op->index])
            return fail(s, op, "it comes before what it needs");
    switch (op->kind) {
    case OP_NETWORK_CREATE:
    case OP_NETWORK_REMOVE:
        ok = on_network(s, op);
        break;
    case OP_VOLUME_CREATE:
    case OP_VOLUME_REMOVE:
        ok = on_volume(s, op);
        break;
    case OP_IMAGE_PULL:
        sim_add_image(s, op->ref, NULL);
        break;
    case OP_IMAGE_BUILD:
        sim_add_image(s, op->ref, op->fingerprint);
        break;
    case OP_IMAGE_PUSH:
        ok = find_image(s, op->ref);
        break;
    case OP_IMAGE_REMOVE:
        drop(s->images, find_image(s, op->ref));
        break;
    case OP_CREATE:
        ok = create(r, op);
        break;
    case OP_WAIT:
        ok = wait_for(r, op);
        break;
    default:
        ok = on_container(r, op);
    }
    r->done[op->index] = true;
    r->ndone++;
    return ok;
}

void sim_run_init(struct sim_run *r, struct sim *s, const struct stack *st,
                  const struct snapshot *now, const struct plan *plan)
{
    *r = (struct sim_run){ .sim = s, .st = st, .now = now, .plan = plan };
    r->ids = xcalloc(plan->nops + 1, sizeof(*r->ids));
    r->done = xcalloc(plan->nops + 1, sizeof(*r->done));
}

void sim_run_clear(struct sim_run *r)
{
    for (size_t i = 0; i < r->plan->nops; i++)
        free(r->ids[i]);
    free(r->ids);
    free(r->done);
}

const struct op *sim_next(struct sim_run *r, unsigned choice)
{
    size_t n = 0;
    auto_free const struct op **ready = xcalloc(r->plan->nops + 1, sizeof(*ready));
    for (size_t i = 0; i < r->plan->nops; i++) {
        const struct op *op = r->plan->ops[i];
        bool free_now = !r->done[i];
        for (size_t k = 0; free_now && k < op->nneeds; k++)
            free_now = r->done[op->needs[k].op->index];
        if (free_now)
            ready[n++] = op;
    }
    return n ? ready[choice % n] : NULL;
}

/* --- describing --- */

/* The number that an id begins with. */
static unsigned number_of(const char *id)
{
    int64_t number = 0;
    auto_free char *text = xstrndup(id, 8);
    num_int(&number, text);
    return (unsigned)number;
}

/* Ids from after `known` become the name of their container, or "new". */
static void add_text(struct str *out, const struct sim *s, const char *text, unsigned known)
{
    for (const char *at = text; *at;) {
        size_t hex = strspn(at, "0123456789abcdef");
        if (hex != 12 && hex != 64) {
            str_addn(out, at, hex ? hex : 1);
            at += hex ? hex : 1;
            continue;
        }
        auto_free char *id = xstrndup(at, hex);
        const char *name = NULL;
        size_t i;
        json_t *c;
        json_array_foreach (s->containers, i, c)
            if (str_starts(field(c, "Id"), id))
                name = name_of(c);
        if (name)
            str_addf(out, "<%s>", name);
        else
            str_add(out, number_of(id) <= known ? id : "new");
        at += hex;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_sorted(struct str *out, struct strv *lines)
{
    if (lines->len)
        qsort(lines->items, lines->len, sizeof(*lines->items), by_text);
    strv_each (line, lines)
        str_add(out, *line);
    strv_clear(lines);
}

static void describe_container(struct str *out, const struct sim *s, json_t *c, unsigned known)
{
    const char *key;
    json_t *value;
    size_t i;
    str_addf(out, "container %s %s '%s' %s\n", name_of(c), field(c, "State"), field(c, "Status"),
             field(c, "ImageID"));
    auto_strv struct strv lines = STRV_INIT;
    json_object_foreach (json_object_get(c, "Labels"), key, value) {
        auto_str struct str text = STR_INIT;
        add_text(&text, s, json_string_value(value), known);
        strv_addf(&lines, "  %s=%s\n", key, text.buf);
    }
    json_object_foreach (json_at(c, "NetworkSettings.Networks"), key, value)
        strv_addf(&lines, "  network %s\n", key);
    json_array_foreach (json_object_get(c, "Mounts"), i, value) {
        auto_str struct str text = STR_INIT;
        add_text(&text, s, field(value, "Name"), known);
        strv_addf(&lines, "  mount %s\n", text.buf);
    }
    add_sorted(out, &lines);
}

char *sim_describe(const struct sim *s, unsigned known)
{
    struct str out = STR_INIT;
    auto_strv struct strv lines = STRV_INIT;
    size_t i;
    json_t *j;
    json_array_foreach (s->containers, i, j) {
        auto_str struct str text = STR_INIT;
        describe_container(&text, s, j, known);
        strv_add(&lines, text.buf);
    }
    add_sorted(&out, &lines);
    json_array_foreach (s->networks, i, j)
        strv_addf(&lines, "network %s %s\n", field(j, "Name"), label(j, LABEL_HASH));
    add_sorted(&out, &lines);
    /* Anonymous volumes of containers that were made and given up in between do not count. */
    json_array_foreach (s->volumes, i, j) {
        bool anonymous = strlen(field(j, "Name")) == 64;
        if (!anonymous || number_of(field(j, "Name")) <= known)
            strv_addf(&lines, "volume %s %s\n", field(j, "Name"), label(j, LABEL_HASH));
    }
    add_sorted(&out, &lines);
    return str_detach(&out);
}
