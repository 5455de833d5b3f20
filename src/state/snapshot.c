/* Making a snapshot and finding things in it: everything is sorted, so looking up is a search. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "state/private.h"
#include "text/imageref.h"

const char *const container_state_names[] = {
    [CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
    [CONTAINER_PAUSED] = "paused",     [CONTAINER_RESTARTING] = "restarting",
    [CONTAINER_REMOVING] = "removing", [CONTAINER_EXITED] = "exited",
    [CONTAINER_DEAD] = "dead",
};

struct snapshot *snapshot_new(void)
{
    struct snapshot *s = xnew(struct snapshot);
    s->arena = arena_new();
    return s;
}

void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    arena_free(s->arena);
    free(s);
}

const char *label_get(const struct label *labels, size_t n, const char *key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(labels[middle].key, key);
        if (order == 0)
            return labels[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return "";
}

const struct seen_container *snapshot_service(size_t *n, const struct snapshot *s,
                                              const char *service)
{
    size_t low = 0, high = s->ncontainers;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(s->containers[middle].service, service) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < s->ncontainers && strcmp(s->containers[end].service, service) == 0)
        end++;
    *n = end - low;
    return *n ? s->containers + low : NULL;
}

static int network_order(const void *name, const void *network)
{
    return strcmp(name, ((const struct seen_network *)network)->name);
}

const struct seen_network *snapshot_network(const struct snapshot *s, const char *name)
{
    return s->nnetworks
               ? bsearch(name, s->networks, s->nnetworks, sizeof(*s->networks), network_order)
               : NULL;
}

static int volume_order(const void *name, const void *volume)
{
    return strcmp(name, ((const struct seen_volume *)volume)->name);
}

const struct seen_volume *snapshot_volume(const struct snapshot *s, const char *name)
{
    return s->nvolumes ? bsearch(name, s->volumes, s->nvolumes, sizeof(*s->volumes), volume_order)
                       : NULL;
}

static int ref_order(const void *text, const void *ref)
{
    return strcmp(text, ((const struct snapshot_ref *)ref)->text);
}

const struct seen_image *snapshot_image(const struct snapshot *s, const char *ref)
{
    auto_free char *text = ref_normal(ref);
    const struct snapshot_ref *found =
        s->nrefs ? bsearch(text, s->refs, s->nrefs, sizeof(*s->refs), ref_order) : NULL;
    return found ? found->image : NULL;
}

char *ref_normal(const char *ref)
{
    static const char *const defaults[] = { "docker.io/", "index.docker.io/", "library/",
                                            "localhost/" };
    for (size_t i = 0; i < countof(defaults); i++)
        if (str_starts(ref, defaults[i]))
            ref += strlen(defaults[i]);
    if (str_starts(ref, "sha256:") || imageref_is_id(ref))
        return xasprintf("%s%s", str_starts(ref, "sha256:") ? "" : "sha256:", ref);
    const char *slash = strrchr(ref, '/'), *last = slash ? slash + 1 : ref;
    const char *digest = strchr(last, '@'), *tag = strchr(last, ':');
    if (digest && tag && tag < digest) /* the digest decides */
        return xasprintf("%.*s%s", (int)(tag - ref), ref, digest);
    return digest || tag ? xstrdup(ref) : xasprintf("%s:latest", ref);
}
