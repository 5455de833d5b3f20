/* Hashes: whether what runs is what the file says. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "model/loader.h"

/*
 * Form 1. A SHA-256 over the canonical configuration, fed as it is walked: for each node its kind,
 * then for a scalar its text, for a list its items, for a map its entries by sorted key; every text
 * with its length. Of a service what does not make a container is left out (`not_hashed`, and all
 * that begins with x-); its image's name, whether it gets link variables and the bytes of the
 * configs and secrets that it uses are added. A change of this
 * form is a new number, so that an upgrade can tell "changed" from "hashed differently".
 */
#define HASH_FORM "1"

#define HASH_MAX_FILE ((size_t)256 << 20) /* of a config or secret */

static const char *const not_hashed[] = {
    "attach",
    "build",
    "depends_on",
    "develop",
    "image",
    "profiles",
    "pull_policy",
    "ready",
    "scale",
    "link_environment",
    "pull_refresh_after",
};

bool service_key_is_hashed(const char *key)
{
    for (size_t i = 0; i < countof(not_hashed); i++)
        if (!strcmp(key, not_hashed[i]))
            return false;
    return strncmp(key, "x-", 2) != 0;
}

static void add_node(struct digest *d, const struct node *n);

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A map's entries by sorted key, without those that `keep` (may be NULL) refuses. */
static void add_map(struct digest *d, const struct node *map, bool (*keep)(const char *key))
{
    const char **keys = xcalloc(map->len + 1, sizeof(*keys));
    size_t n = 0;
    node_each (i, map)
        if (!keep || keep(map->keys[i]))
            keys[n++] = map->keys[i];
    qsort(keys, n, sizeof(*keys), by_text);
    for (size_t i = 0; i < n; i++) {
        digest_add_str(d, keys[i]);
        add_node(d, node_get(map, keys[i]));
    }
    free(keys);
}

static void add_node(struct digest *d, const struct node *n)
{
    static const char *const kinds[] = { "null", "bool", "int", "float", "string", "list", "map" };
    digest_add_str(d, kinds[n->kind]);
    if (n->kind == NODE_MAP)
        add_map(d, n, NULL);
    else if (n->kind == NODE_LIST)
        node_each (i, n)
            add_node(d, n->items[i]);
    else
        digest_add_str(d, node_text(n));
    digest_add_str(d, "end");
}

static bool is_hashed_deploy(const char *key)
{
    return strcmp(key, "replicas") != 0;
}

static bool is_hashed_plain(const char *key)
{
    return service_key_is_hashed(key) && strcmp(key, "deploy") != 0;
}

static void add_content(struct digest *d, const struct file_object *o)
{
    digest_add_str(d, o->key);
    if (o->content) {
        digest_add_str(d, "content");
        digest_add_str(d, o->content);
        return;
    }
    auto_free char *bytes = NULL;
    size_t len;
    if (o->file && file_read(&bytes, &len, o->file, HASH_MAX_FILE, NULL) == 0) {
        digest_add_str(d, "file");
        digest_add(d, bytes, len);
    }
    digest_add_str(d, "end");
}

static void hash_service(struct service *s)
{
    struct digest *d = digest_new();
    char hex[DIGEST_HEX_LEN + 1];
    const struct node *deploy = node_get(s->config, "deploy");
    digest_add_str(d, s->image);
    digest_add_str(d, s->link_environment ? "link_environment" : NULL);
    add_map(d, s->config, is_hashed_plain);
    if (deploy && deploy->kind == NODE_MAP)
        add_map(d, deploy, is_hashed_deploy);
    for (size_t i = 0; i < s->nfiles; i++)
        add_content(d, s->files[i].object);
    digest_end(d, hex);
    memcpy(s->hash, HASH_FORM ":", sizeof(HASH_FORM));
    memcpy(s->hash + sizeof(HASH_FORM), hex, sizeof(hex));
}

static void hash_config(char out[DIGEST_HEX_LEN + 1], const struct node *config)
{
    struct digest *d = digest_new();
    digest_add_str(d, HASH_FORM);
    add_node(d, config);
    digest_end(d, out);
}

void hash_stack(struct stack *st)
{
    for (size_t i = 0; i < st->nservices; i++)
        hash_service((struct service *)(uintptr_t)&st->services[i]);
    for (size_t i = 0; i < st->nnetworks; i++)
        hash_config(((struct network *)(uintptr_t)&st->networks[i])->hash, st->networks[i].config);
    for (size_t i = 0; i < st->nvolumes; i++)
        hash_config(((struct volume *)(uintptr_t)&st->volumes[i])->hash, st->volumes[i].config);
}
