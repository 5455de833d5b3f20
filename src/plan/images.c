/*
 * Images: which must be built or pulled, and why.
 *
 * An image that this stack builds is built when there is none, or when the fingerprint on it is not
 * the one of its sources now. Where a build or pull was only asked for (--build, --pull always) the
 * result may well be the image that is there.
 */
#include "plan/images.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "text/imageref.h"

void image_ops_init(struct image_ops *ops, struct planner *p, const struct plan_image *surveys,
                    size_t nsurveys)
{
    *ops = (struct image_ops){ .p = p,
                               .surveys = surveys,
                               .nsurveys = nsurveys,
                               .builds = xcalloc(p->st->nimages, sizeof(*ops->builds)),
                               .fetches = xcalloc(p->st->nimages, sizeof(*ops->fetches)),
                               .pulls = STRMAP_INIT };
}

void image_ops_clear(struct image_ops *ops)
{
    free(ops->builds);
    free(ops->fetches);
    strmap_clear(&ops->pulls, NULL);
    strv_clear(&ops->unbuilt);
}

static const struct plan_image *survey_of(const struct image_ops *ops, const struct image *image)
{
    size_t at = (size_t)(image - ops->p->st->images);
    if (at < ops->nsurveys && ops->surveys[at].image == image)
        return &ops->surveys[at];
    for (size_t i = 0; i < ops->nsurveys; i++)
        if (ops->surveys[i].image == image)
            return &ops->surveys[i];
    return NULL;
}

/* Whether it came from the stack's registry: it has a name there. */
static bool is_fetched(const struct stack *st, const struct seen_image *seen)
{
    for (size_t i = 0; st->registry && i < seen->nrefs; i++)
        if (str_starts(seen->refs[i], st->registry))
            return true;
    return false;
}

/* Where bases are unknown here, or somebody else decided about them, the sources alone count. */
static bool is_current(const struct stack *st, const struct plan_image *survey,
                       const struct seen_image *seen)
{
    if (str_eq(label_get(seen->labels, seen->nlabels, LABEL_FINGERPRINT), survey->fingerprint))
        return true;
    return (survey->incomplete || is_fetched(st, seen)) &&
           str_eq(label_get(seen->labels, seen->nlabels, LABEL_SOURCE), survey->source);
}

static bool has_ref(const struct seen_image *seen, const char *ref)
{
    for (size_t i = 0; seen && i < seen->nrefs; i++)
        if (str_eq(seen->refs[i], ref))
            return true;
    return false;
}

static enum image_need build_need(const char **reason, const struct image_ops *ops,
                                  const struct image *image, bool always)
{
    const struct plan_image *survey = survey_of(ops, image);
    const struct seen_image *seen = snapshot_image(ops->p->now, image->ref);
    const char *label = seen ? label_get(seen->labels, seen->nlabels, LABEL_FINGERPRINT) : NULL;
    *reason = NULL;
    if (image->locked)
        *reason = has_ref(seen, image->locked) ? NULL : "not the one of the lock file";
    else if (!seen)
        *reason = "not built yet";
    else if (survey && survey->fingerprint && !is_current(ops->p->st, survey, seen))
        *reason = *label ? "its sources changed" : "it was not built by stack";
    if (*reason)
        return IMAGE_CHANGES;
    return always && !ops->p->opt->second ? IMAGE_MAY_CHANGE : IMAGE_STAYS;
}

bool image_is_unknown(const struct image_ops *ops, const struct image *image)
{
    const struct plan_image *survey = survey_of(ops, image);
    return survey && !survey->fingerprint;
}

/* The look into the registry that comes before a build: only for what a project of the native form
 * owns, as only that is pushed there. */
static struct op *image_fetch(struct image_ops *ops, const struct image *image, const char *reason)
{
    struct op **slot = &ops->fetches[image - ops->p->st->images];
    if (*slot || !ops->p->st->registry || !image->project || image->remote_context ||
        str_eq(ops->p->opt->pull, "never"))
        return *slot;
    *slot = graph_add(&ops->p->graph, OP_IMAGE_FETCH, image->ref, reason);
    (*slot)->service_name = image->name;
    (*slot)->image = image;
    (*slot)->ref = image->ref;
    (*slot)->must = ops->p->opt->no_build || image->locked;
    (*slot)->exact = ops->exact;
    return *slot;
}

enum image_need image_build(struct op **op, const char **reason, struct image_ops *ops,
                            const struct image *image, bool always)
{
    struct op **slot = &ops->builds[image - ops->p->st->images];
    enum image_need need = build_need(reason, ops, image, always);
    if (need == IMAGE_STAYS)
        return need;
    bool no_build = ops->p->opt->no_build || image->locked;
    struct op *fetch = always && !image->locked ? NULL : image_fetch(ops, image, *reason);
    if (no_build && !fetch)
        return IMAGE_STAYS;
    if (no_build)
        *slot = fetch;
    if (!*slot) {
        const struct plan_image *survey = survey_of(ops, image);
        *slot =
            graph_add(&ops->p->graph, OP_IMAGE_BUILD, image->ref, *reason ? *reason : "asked for");
        (*slot)->service_name = image->name;
        (*slot)->image = image;
        (*slot)->ref = image->ref;
        (*slot)->platform = image->platform;
        (*slot)->fingerprint = survey ? survey->fingerprint : NULL;
        (*slot)->fetch = fetch;
        if (fetch)
            graph_need(&ops->p->graph, *slot, fetch, false);
        for (size_t i = 0; survey && i < survey->nbases; i++) {
            struct op *base = NULL;
            const char *ignored;
            const struct image *image_of_base = ops->surveys[survey->bases[i]].image;
            image_build(&base, &ignored, ops, image_of_base,
                        ops->always || image_is_unknown(ops, image_of_base));
            graph_need(&ops->p->graph, *slot, base, false);
        }
    }
    *op = *slot;
    return need;
}

static char *pull_key(const struct service *s)
{
    return xasprintf("%s %s", s->image, s->platform ? s->platform : "");
}

bool image_is_pulled(const struct image_ops *ops, const struct service *s)
{
    if (!ops->pulls.head || !s->image)
        return false;
    auto_free char *key = pull_key(s);
    return strmap_has(&ops->pulls, key);
}

struct op *image_pull(struct image_ops *ops, const struct service *s, const char *reason)
{
    auto_free char *key = pull_key(s);
    struct op *op = strmap_get(&ops->pulls, key);
    if (!op) {
        op = graph_add(&ops->p->graph, OP_IMAGE_PULL, s->image, reason);
        op->service = s;
        op->service_name = s->name;
        op->ref = s->image;
        op->platform = s->platform;
        strmap_set(&ops->pulls, key, op);
    }
    return op;
}

enum pull_policy image_policy(const struct planner *p, const struct service *s)
{
    static const struct {
        const char *text;
        enum pull_policy policy;
    } named[] = { { "always", PULL_ALWAYS },
                  { "missing", PULL_MISSING },
                  { "never", PULL_NEVER },
                  { "build", PULL_BUILD } };
    for (size_t i = 0; p->opt->pull && !p->opt->second && i < countof(named); i++)
        if (str_eq(p->opt->pull, named[i].text))
            return named[i].policy;
    bool forced = s->pull_policy != PULL_MISSING && s->pull_policy != PULL_NEVER;
    return p->opt->second && forced ? PULL_MISSING : s->pull_policy;
}

const char *image_pull_reason(const struct planner *p, const struct service *s,
                              const struct seen_image *seen)
{
    switch (image_policy(p, s)) {
    case PULL_ALWAYS:
        return p->opt->pull ? "--pull always" : "pull_policy: always";
    case PULL_EVERY:
        if (seen && p->opt->now - seen->created > s->pull_every_s)
            return "pull_policy: older than asked for";
        break;
    case PULL_MISSING:
    case PULL_NEVER:
    case PULL_BUILD:
        break;
    }
    return NULL;
}

/* --- plan_images --- */

static void add_build(struct image_ops *ops, const struct image *image)
{
    struct op *op = NULL;
    const char *reason;
    image_build(&op, &reason, ops, image, ops->always || image_is_unknown(ops, image));
}

/* Layers go up one image after the other, as images that are FROM others share theirs, and there
 * are registries that fail when one comes twice at a time. An image's further names need no more;
 * with `hold` they wait for a success. `first`: of the image before, and then of this one. */
static struct op *push_next(struct planner *p, struct op **first, const char *image,
                            const char *ref, bool hold)
{
    struct op *op = graph_add(&p->graph, OP_IMAGE_PUSH, ref, NULL);
    bool same = *first && str_eq((*first)->service_name, image);
    op->service_name = image;
    op->ref = ref;
    graph_need(&p->graph, op, *first, !same || !hold);
    if (!same)
        *first = op;
    return op;
}

static void push_one(struct image_ops *ops, const struct service *s, const char *ref)
{
    if (strmap_has(&ops->pulls, ref))
        return;
    struct op *op = push_next(ops->p, &ops->pushed, s->name, ref, false);
    op->service = s;
    strmap_set(&ops->pulls, ref, op);
}

/* What is built here under a name that the file gives, with the other names that it gives. */
static void add_push(struct image_ops *ops, const struct service *s, bool named)
{
    const struct node *tags = s->build ? node_get(s->build->config, "tags") : NULL;
    bool has_name = node_text_at(s->config, "image");
    if (named && (!s->build || !has_name))
        planner_note(ops->p, "service '%s' is not pushed: it has no '%s'", s->name,
                     s->build ? "image" : "build");
    if (!s->build || !has_name)
        return;
    push_one(ops, s, s->image);
    for (size_t i = 0; tags && i < tags->len; i++)
        push_one(ops, s, node_text(tags->items[i]));
}

/* Whether the name is expected to move: its tag is "latest", said or not. */
static bool is_moving(struct arena *a, const char *text)
{
    struct imageref ref;
    return imageref_parse(&ref, a, text, NULL) == 0 && !ref.digest && str_eq(ref.tag, "latest");
}

/* Why `pull` leaves the image of a service alone; NULL: it does not. Somebody who says `pull` wants
 * to have what is new: "missing" counts where it is written, and not for a name that moves. */
static const char *skip_reason(const struct planner *p, const struct service *s, bool there)
{
    if (s->build)
        return "Image can be built";
    switch (image_policy(p, s)) {
    case PULL_MISSING:
        if (there && (p->opt->pull ||
                      (node_get(s->config, "pull_policy") && !is_moving(p->arena, s->image))))
            return "Image is already present locally";
        break;
    case PULL_NEVER:
    case PULL_BUILD:
        return "its pull_policy is not to pull";
    case PULL_ALWAYS:
    case PULL_EVERY:
        break;
    }
    return NULL;
}

static void add_pull(struct image_ops *ops, const struct service *s)
{
    struct planner *p = ops->p;
    bool there = s->image && snapshot_image(p->now, s->image);
    if (!s->image || (s->build && !node_get(s->config, "image"))) {
        planner_note(p, "%s Skipped No image to be pulled", s->name);
        return;
    }
    const char *skip = skip_reason(p, s, there);
    if (skip)
        planner_note(p, "Image %s Skipped %s", s->image, skip);
    else
        image_pull(ops, s, there ? "look for a newer one" : "not on this engine");
    if (s->build && !there)
        strv_add(&ops->unbuilt, s->name);
}

/* Of the images that are not pulled because they can be built, those that are missing. */
static void note_unbuilt(const struct image_ops *ops)
{
    auto_str struct str names = STR_INIT;
    strv_each (name, &ops->unbuilt)
        str_addf(&names, " %s", *name);
    if (ops->unbuilt.len)
        planner_note(ops->p,
                     "Some service image(s) must be built from source by running: stack build%s",
                     names.buf);
}

static void add_service_image(struct image_ops *ops, enum op_kind kind, const struct service *s,
                              bool named)
{
    if (kind == OP_IMAGE_PUSH)
        add_push(ops, s, named);
    else if (kind == OP_IMAGE_PULL)
        add_pull(ops, s);
    else if (s->build)
        add_build(ops, s->build);
}

/* A name on the command line: a service, or for builds an image of a project too. */
static int add_named(struct image_ops *ops, enum op_kind kind, const char *name, struct error *err)
{
    const struct stack *st = ops->p->st;
    const struct service *s = stack_service(st, name);
    if (s) {
        add_service_image(ops, kind, s, true);
        return 0;
    }
    for (size_t i = 0; i < st->nimages && kind == OP_IMAGE_BUILD; i++)
        if (str_eq(st->images[i].name, name)) {
            add_build(ops, &st->images[i]);
            return 0;
        }
    return no_such_service(ops->p, name, err);
}

int plan_images(struct plan **out, enum op_kind kind, const struct stack *st,
                const struct snapshot *now, const struct plan_image *images, size_t nimages,
                const struct plan_options *opt, struct error *err)
{
    struct planner p;
    struct image_ops ops;
    int result = 0;
    planner_init(&p, st, st->name, now, opt);
    image_ops_init(&ops, &p, images, nimages);
    ops.always = opt->build;
    if (opt->services && *opt->services) {
        for (const char *const *name = opt->services; *name && result == 0; name++)
            result = add_named(&ops, kind, *name, err);
    } else {
        for (size_t i = 0; i < st->nservices; i++)
            add_service_image(&ops, kind, &st->services[i], false);
        for (size_t i = 0; i < st->nimages && kind == OP_IMAGE_BUILD; i++)
            add_build(&ops, &st->images[i]);
    }
    note_unbuilt(&ops);
    if (result == 0)
        result = planner_finish(out, &p, err);
    image_ops_clear(&ops);
    planner_clear(&p);
    return result;
}

int plan_rebuild(struct plan **out, const struct stack *st, const struct snapshot *now,
                 const struct plan_image *images, size_t nimages, const bool *wanted,
                 const struct plan_options *opt, struct error *err)
{
    struct planner p;
    struct image_ops ops;
    planner_init(&p, st, st->name, now, opt);
    image_ops_init(&ops, &p, images, nimages);
    ops.always = opt->build;
    ops.exact = true; /* the commit's image has the bases that there were then */
    for (size_t i = 0; i < st->nimages; i++)
        if (wanted[i])
            add_build(&ops, &st->images[i]);
    int result = planner_finish(out, &p, err);
    image_ops_clear(&ops);
    planner_clear(&p);
    return result;
}

int plan_push(struct plan **out, const struct stack *st, const struct push_ref *refs, size_t n,
              const struct plan_options *opt, struct error *err)
{
    struct planner p;
    planner_init(&p, st, st->name, NULL, opt);
    struct op *first = NULL; /* of the image */
    for (size_t i = 0; i < n; i++)
        push_next(&p, &first, refs[i].image, refs[i].ref, true);
    int result = planner_finish(out, &p, err);
    planner_clear(&p);
    return result;
}
