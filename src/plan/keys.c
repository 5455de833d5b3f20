/* A word for each key, so that a change can be named without keeping the values. */
#include "plan/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strmap.h"
#include "base/strv.h"
#include "text/yaml.h"

#define NAMED_MAX 3

/* Blanks separate the words and the last '=' ends a key. */
static void add_word(struct strv *out, const char *key, const char *below, const char *value)
{
    auto_str struct str name = STR_INIT;
    str_addf(&name, "%s%s%s", key, below ? "." : "", below ? below : "");
    for (char *c = name.buf; *c; c++)
        if ((unsigned char)*c <= ' ')
            *c = '_';
    char hex[DIGEST_HEX_LEN + 1];
    digest_hex(hex, value, strlen(value));
    strv_addf(out, "%s=%.4s", name.buf, hex);
}

static void add_node(struct strv *out, const char *key, const char *below, const struct node *n)
{
    auto_str struct str value = STR_INIT;
    node_write_json(&value, n, NODE_JSON_COMPACT);
    add_word(out, key, below, value.buf);
}

static void service_words(struct strv *out, const struct service *s)
{
    /* The reference, which is there without the key too. */
    add_word(out, "image", NULL, s->image ? s->image : "");
    node_each (i, s->config) {
        const char *key = s->config->keys[i];
        const struct node *value = s->config->items[i];
        if (!service_key_is_hashed(key))
            continue;
        if (value->kind != NODE_MAP)
            add_node(out, key, NULL, value);
        else
            node_each (k, value)
                if (!str_eq(key, "deploy") || !str_eq(value->keys[k], "replicas"))
                    add_node(out, key, value->keys[k], value->items[k]);
    }
    strv_sort(out);
}

char *keys_text(const struct service *s)
{
    auto_strv struct strv words = STRV_INIT;
    service_words(&words, s);
    return strv_join(&words, " ");
}

/* Where the key stands: its own line, else the line of the map that holds it. */
static struct span key_span(const struct service *s, const char *word)
{
    const char *dot = strchr(word, '.');
    auto_free char *top = dot ? xstrndup(word, (size_t)(dot - word)) : xstrdup(word);
    struct span span = node_key_span(s->config, top);
    if (dot) {
        struct span below = node_key_span(node_get(s->config, top), dot + 1);
        if (below.source)
            span = below;
    }
    return span;
}

struct change {
    struct str *out;
    size_t count;
    const struct service *service;
};

static void add_change(struct change *c, const char *key, const char *what)
{
    if (c->count++ >= NAMED_MAX)
        return;
    str_addf(c->out, "%s%s %s", c->out->len ? "; " : "", key, what);
    struct span span = key_span(c->service, key);
    if (span.source && !str_eq(what, "removed"))
        str_addf(c->out, ", %s:%d", span.source->shown, span.line);
}

/* "key=digest" -> the digest as value of the key. */
static void split_words(struct strmap *out, struct strv *words)
{
    strv_each (word, words) {
        char *equals = strrchr(*word, '=');
        if (!equals)
            continue;
        *equals = '\0';
        strmap_set(out, *word, equals + 1);
    }
}

char *keys_changed(const struct service *s, const char *label)
{
    auto_strv struct strv now = STRV_INIT, then = STRV_INIT;
    struct strmap now_map = STRMAP_INIT, then_map = STRMAP_INIT;
    auto_str struct str out = STR_INIT;
    struct change c = { &out, 0, s };

    service_words(&now, s);
    strv_split(&then, label, " ");
    split_words(&now_map, &now);
    split_words(&then_map, &then);
    strmap_each (it, &now_map) {
        const char *before = strmap_get(&then_map, it->key);
        if (!before)
            add_change(&c, it->key, "added");
        else if (!str_eq(before, it->value))
            add_change(&c, it->key, "changed");
    }
    strmap_each (it, &then_map)
        if (!strmap_has(&now_map, it->key))
            add_change(&c, it->key, "removed");
    strmap_clear(&now_map, NULL);
    strmap_clear(&then_map, NULL);

    if (c.count > NAMED_MAX)
        str_addf(&out, "; %zu more", c.count - NAMED_MAX);
    if (!c.count)
        str_add(&out, s->nfiles ? "the content of a config or secret changed"
                                : "its configuration changed");
    return str_detach(&out);
}
