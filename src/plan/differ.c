/*
 * Whether a container is what the stack declares: the first difference, as a reason for people.
 *
 * Only what cannot be changed on a container that exists counts. A network that it is merely not
 * connected to is no difference: it is connected.
 */
#include <string.h>

#include "base/str.h"
#include "model/labels.h"
#include "plan/keys.h"
#include "plan/up.h"

static const char *config_differs(struct up *u, const struct service *s,
                                  const struct seen_container *c)
{
    const char *hash = container_label(c, LABEL_HASH);
    if (str_eq(hash, s->hash))
        return NULL;
    if (!*hash)
        return *container_label(c, LABEL_CONFIG_HASH) ? "it was made by docker compose"
                                                      : "it was not made by stack";
    size_t form = strcspn(hash, ":");
    if (strncmp(hash, s->hash, form + 1) != 0)
        return "it was made by another version of stack";
    auto_free char *keys = keys_changed(s, container_label(c, LABEL_KEYS));
    return arena_strdup(u->p.arena, keys);
}

/* Engines list the id of a container's image in one of two ways: that of the image, or that of the
 * part for this platform. The label has the former. */
static const char *image_differs(struct up *u, const struct member *m,
                                 const struct seen_container *c)
{
    if (m->image_reason)
        return arena_printf(u->p.arena, "image '%s': %s", m->s->image, m->image_reason);
    if (!m->image_id || str_eq(c->image_id, m->image_id) ||
        str_eq(container_label(c, LABEL_IMAGE), m->image_id))
        return NULL;
    return arena_printf(u->p.arena, "image '%s' changed", m->s->image);
}

/* On a network of the stack that once had this key and now has another name. */
static bool uses_old_name(struct up *u, const struct network *n, const struct seen_container *c)
{
    for (size_t i = 0; i < c->nnetworks; i++) {
        const struct seen_network *seen = snapshot_network(u->p.now, c->networks[i].name);
        if (seen && !str_eq(seen->name, n->name) &&
            str_eq(label_get(seen->labels, seen->nlabels, LABEL_STACK), u->p.name) &&
            str_eq(label_get(seen->labels, seen->nlabels, LABEL_NETWORK), n->key))
            return true;
    }
    return false;
}

static const char *networks_differ(struct up *u, const struct member *m,
                                   const struct seen_container *c)
{
    if (m->network_reason)
        return m->network_reason;
    for (size_t i = 0; i < m->s->nendpoints; i++) {
        const struct network *n = m->s->endpoints[i].network;
        const struct object *o = network_of(u, n);
        /* A network that will be made has no id that one could be on already. */
        const char *id = o->state == OBJECT_CREATE ? "" : o->id;
        if (uses_network(c, n->name, NULL) && !uses_network(c, n->name, id))
            return arena_printf(u->p.arena, "network '%s' was replaced", n->name);
        if (!uses_network(c, n->name, NULL) && uses_old_name(u, n, c))
            return arena_printf(u->p.arena, "network '%s' has another name", n->key);
    }
    return NULL;
}

static const char *mounts_differ(struct up *u, const struct member *m,
                                 const struct seen_container *c)
{
    for (size_t i = 0; i < m->s->nmounts; i++) {
        const struct volume *v = m->s->mounts[i].volume;
        bool there = !v;
        for (size_t k = 0; !there && k < c->nmounts; k++)
            there = str_eq(c->mounts[k].type, "volume") && str_eq(c->mounts[k].name, v->name);
        if (!there)
            return arena_printf(u->p.arena, "volume '%s' is not mounted", v->name);
    }
    return NULL;
}

static const char *parents_differ(struct up *u, const struct member *m,
                                  const struct seen_container *c)
{
    if (!m->nparents ||
        (m->parents_text && str_eq(container_label(c, LABEL_PARENTS), m->parents_text)))
        return NULL;
    for (size_t i = 0; i < m->nparents; i++)
        if (m->parents[i].id)
            return arena_printf(u->p.arena, "the container of '%s' that it uses is another",
                                m->parents[i].service->name);
    return arena_printf(u->p.arena, "the container of '%s' that it uses is replaced",
                        m->parents[0].service->name);
}

/* The first dependency whose word is not on the label. */
static const char *deps_differ(struct up *u, const struct member *m, const struct seen_container *c)
{
    const char *label = container_label(c, LABEL_DEPS);
    if (!m->s->job || (m->deps_text && str_eq(label, m->deps_text)))
        return NULL;
    if (!*label)
        return "it was no job when it was made";
    for (const char *word = m->deps_text; word && *word; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");
        auto_free char *one = xstrndup(word, len);
        if (!strstr(label, one))
            return arena_printf(u->p.arena, "'%.*s' changed since it ran", (int)strcspn(word, "="),
                                word);
        word += len;
    }
    for (size_t i = 0; i < m->s->ndeps; i++) {
        const struct member *dep = &u->members[m->s->deps[i].service->index];
        if ((dep->image_op && dep->image_reason) || dep->below_new)
            return arena_printf(u->p.arena, "'%s' changes", dep->s->name);
    }
    return "what it depended on is not known";
}

const char *differs(struct up *u, const struct member *m, const struct seen_container *c)
{
    const char *reason = NULL;
    if (c->state == CONTAINER_DEAD || c->state == CONTAINER_REMOVING)
        return "it is broken";
    if (!container_is_from_our_file(&u->p, c))
        return arena_printf(u->p.arena, "it was made from '%s'", container_file(&u->p, c));
    if (!reason)
        reason = config_differs(u, m->s, c);
    if (!reason)
        reason = image_differs(u, m, c);
    if (!reason)
        reason = networks_differ(u, m, c);
    if (!reason)
        reason = mounts_differ(u, m, c);
    if (!reason)
        reason = parents_differ(u, m, c);
    if (!reason && m->s->link_environment && m->s->nlinks &&
        !(m->links_text && str_eq(container_label(c, LABEL_LINKS), m->links_text)))
        reason = "what it is linked to changed";
    return reason ? reason : deps_differ(u, m, c);
}
