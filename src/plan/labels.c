/*
 * Labels that record what a container was made from beyond its own configuration.
 *
 * A job runs again when something that it depends on changed: LABEL_DEPS has a digest for each of
 * its dependencies, over hashes and image ids, theirs included. A service with link variables holds
 * facts of its targets: LABEL_LINKS is the same over them. LABEL_PARENTS names the containers whose
 * namespaces or volumes it uses; it is useless once one of them is gone.
 */
#include "plan/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/labels.h"
#include "plan/keys.h"
#include "plan/private.h"

const char *image_id_of(const struct service *s, const struct snapshot *now,
                        const struct plan_ids *ids)
{
    if (!s->image)
        return "";
    const char *id = ids && ids->image ? ids->image(ids->ctx, s->image) : NULL;
    if (id)
        return id;
    const struct seen_image *image = snapshot_image(now, s->image);
    if (image)
        return image->id;
    /* The reference is gone, but a container still runs what it meant. */
    size_t n;
    const struct seen_container *c = snapshot_service(&n, now, s->name);
    for (size_t i = 0; i < n; i++)
        if (!c[i].oneoff)
            return c[i].image_id;
    return "";
}

void digest_service(hex_digest *digests, const struct service *s, const struct snapshot *now,
                    const struct plan_ids *ids)
{
    struct digest *d = digest_new();
    digest_add_str(d, s->name);
    digest_add_str(d, s->hash);
    digest_add_str(d, image_id_of(s, now, ids));
    for (size_t i = 0; i < s->ndeps; i++)
        digest_add_str(d, digests[s->deps[i].service->index]);
    digest_end(d, digests[s->index]);
}

void deps_text(struct str *out, const struct service *s, hex_digest *digests)
{
    for (size_t i = 0; i < s->ndeps; i++)
        str_addf(out, "%s%s=%.16s", i ? " " : "", s->deps[i].service->name,
                 digests[s->deps[i].service->index]);
}

/* The same in a run, where nothing is kept between containers: all below `s` is digested. */
static void deps_text_now(struct str *out, const struct stack *st, const struct service *s,
                          const struct snapshot *now, const struct plan_ids *ids)
{
    struct service_list below = { 0 };
    auto_free unsigned char *seen = xcalloc(st->nservices, 1);
    auto_free hex_digest *digests = xcalloc(st->nservices, sizeof(*digests));
    services_collect(&below, seen, s, NULL);
    vec_each (it, &below)
        digest_service(digests, *it, now, ids);
    vec_free(&below);
    deps_text(out, s, digests);
}

void links_text(struct str *out, const struct service *s, const struct snapshot *now,
                const struct plan_ids *ids)
{
    struct digest *d = digest_new();
    hex_digest hex;
    for (size_t i = 0; i < s->nlinks; i++) {
        digest_add_str(d, s->links[i].alias);
        digest_add_str(d, s->links[i].service->hash);
        digest_add_str(d, image_id_of(s->links[i].service, now, ids));
    }
    digest_end(d, hex);
    str_addf(out, "%.16s", hex);
}

static void add_label(struct strv *out, const char *key, const char *value)
{
    strv_add(out, key);
    strv_add(out, value);
}

void plan_labels(struct strv *out, const struct stack *st, const struct snapshot *now,
                 const struct op *create, const struct plan_ids *ids)
{
    const struct service *s = create->service;
    auto_str struct str deps = STR_INIT, links = STR_INIT, parents = STR_INIT;

    add_label(out, LABEL_IMAGE, image_id_of(s, now, ids));
    auto_free char *keys = keys_text(s);
    add_label(out, LABEL_KEYS, keys);
    if (s->job) {
        deps_text_now(&deps, st, s, now, ids);
        add_label(out, LABEL_DEPS, deps.buf);
    }
    if (s->link_environment && s->nlinks) {
        links_text(&links, s, now, ids);
        add_label(out, LABEL_LINKS, links.buf);
    }
    for (size_t i = 0; i < create->nparents; i++) {
        const struct op_parent *parent = &create->parents[i];
        const char *id = parent->create ? ids->container(ids->ctx, parent->create) : parent->id;
        str_addf(&parents, "%s%s=%.*s", i ? " " : "", parent->service->name, SHORT_ID, id);
    }
    if (create->nparents)
        add_label(out, LABEL_PARENTS, parents.buf);
}
