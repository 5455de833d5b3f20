/* stack.lock: reading, writing, comparing. */
#include "model/lockfile.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/safe.h"
#include "text/yaml.h"

#define VERSION_TEXT "1"

/* --- reading --- */

struct reading {
    struct arena *a;
    struct diag *d;
};

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static bool is_commit(const char *text)
{
    return is_hex(text, 40);
}

static bool is_digest(const char *text)
{
    return str_starts(text, "sha256:") && is_hex(text + strlen("sha256:"), 64);
}

static bool is_line(const char *text)
{
    return *text && !strpbrk(text, "\r\n");
}

/* The text of one key of an entry; NULL, with a mistake noted, where it is not as it should be. */
static const char *read_text(struct reading *r, const struct node *entry, struct span at,
                             const char *key, bool required, bool (*valid)(const char *text),
                             const char *expected)
{
    const struct node *v = node_get(entry, key);
    if (!v) {
        if (required)
            diag_error(r->d, at, "%s is missing", key);
        return NULL;
    }
    const char *text = v->kind == NODE_STRING ? node_text(v) : NULL;
    if (text && valid(text))
        return arena_strdup(r->a, text);
    diag_error(r->d, v->span, "%s: expected %s", key, expected);
    return NULL;
}

static void check_keys(struct reading *r, const struct node *map, const char *const *known,
                       size_t n)
{
    node_each (i, map) {
        bool found = false;
        for (size_t k = 0; k < n; k++)
            found |= !strcmp(map->keys[i], known[k]);
        if (found)
            continue;
        diag_error(r->d, map->key_spans[i], "unknown key '%s'", map->keys[i]);
        diag_suggest(r->d, map->keys[i], known, n);
    }
}

/* A section whose values are maps; its length is 0 where it is not. */
static const struct node *read_section(struct reading *r, const struct node *doc, const char *key)
{
    const struct node *map = node_get(doc, key);
    if (!map || map->kind == NODE_NULL)
        return NULL;
    if (map->kind != NODE_MAP) {
        diag_error(r->d, map->span, "%s: expected a map", key);
        return NULL;
    }
    node_each (i, map)
        if (map->items[i]->kind != NODE_MAP)
            diag_error(r->d, map->items[i]->span, "%s: expected a map", key);
    return map;
}

static int by_project(const void *a, const void *b)
{
    return strcmp(((const struct lock_project *)a)->name, ((const struct lock_project *)b)->name);
}

static int by_image(const void *a, const void *b)
{
    return strcmp(((const struct lock_image *)a)->name, ((const struct lock_image *)b)->name);
}

static void read_projects(struct lockfile *out, struct reading *r, const struct node *doc)
{
    static const char *const keys[] = { "url", "ref", "commit" };
    const struct node *map = read_section(r, doc, "projects");
    out->projects = arena_alloc(r->a, (map ? map->len : 0) * sizeof(*out->projects) + 1);
    node_each (i, map) {
        const struct node *n = map->items[i];
        check_keys(r, n, keys, countof(keys));
        out->projects[out->nprojects++] = (struct lock_project){
            .name = arena_strdup(r->a, map->keys[i]),
            .url = read_text(r, n, map->key_spans[i], "url", false, is_line, "a URL"),
            .ref = read_text(r, n, map->key_spans[i], "ref", false, is_line, "a branch or tag"),
            .commit = read_text(r, n, map->key_spans[i], "commit", true, is_commit,
                                "40 hexadecimal digits"),
        };
    }
    qsort(out->projects, out->nprojects, sizeof(*out->projects), by_project);
}

static void read_images(struct lockfile *out, struct reading *r, const struct node *doc)
{
    static const char *const keys[] = { "image", "digest" };
    const struct node *map = read_section(r, doc, "images");
    out->images = arena_alloc(r->a, (map ? map->len : 0) * sizeof(*out->images) + 1);
    node_each (i, map) {
        const struct node *n = map->items[i];
        check_keys(r, n, keys, countof(keys));
        out->images[out->nimages++] = (struct lock_image){
            .name = arena_strdup(r->a, map->keys[i]),
            .image = read_text(r, n, map->key_spans[i], "image", true, is_line, "a reference"),
            .digest = read_text(r, n, map->key_spans[i], "digest", false, is_digest,
                                "sha256: and 64 hexadecimal digits"),
        };
    }
    qsort(out->images, out->nimages, sizeof(*out->images), by_image);
}

int lockfile_parse(struct lockfile *out, struct arena *a, const struct source *src, struct diag *d,
                   struct error *err)
{
    static const char *const keys[] = { "version", "projects", "images" };
    struct reading r = { a, d };
    size_t errors = d->errors;
    struct node *doc = NULL;
    *out = (struct lockfile){ 0 };
    if (yaml_read(&doc, a, src, d) == 0) {
        const char *version = node_text_at(doc, "version");
        if (!version || strcmp(version, VERSION_TEXT) != 0)
            diag_error(d, source_span(src, 0),
                       "expected a lock file of version " VERSION_TEXT
                       ", as 'stack lock' writes it");
        check_keys(&r, doc, keys, countof(keys));
        read_projects(out, &r, doc);
        read_images(out, &r, doc);
    }
    if (d->errors == errors)
        return 0;
    return error_set(err, ERR_INPUT, 0, "the lock file cannot be used");
}

int lockfile_read(struct lockfile *out, struct arena *a, const char *path, struct diag *d,
                  struct error *err)
{
    const struct source *src;
    if (!file_exists(path)) {
        error_set(err, ERR_NOFILE, 0, "no lock file '%s'", path);
        return error_hint(err, "write one with 'stack lock'");
    }
    if (source_read(&src, a, path, err) < 0)
        return -1;
    return lockfile_parse(out, a, src, d, err);
}

const struct lock_project *lockfile_project(const struct lockfile *l, const char *name)
{
    struct lock_project key = { .name = name };
    return l->nprojects ? bsearch(&key, l->projects, l->nprojects, sizeof(*l->projects), by_project)
                        : NULL;
}

const struct lock_image *lockfile_image(const struct lockfile *l, const char *name)
{
    struct lock_image key = { .name = name };
    return l->nimages ? bsearch(&key, l->images, l->nimages, sizeof(*l->images), by_image) : NULL;
}

/* --- writing --- */

static void put_text(struct arena *a, struct node *map, const char *key, const char *text)
{
    if (text)
        node_set_string(a, map, key, text);
}

void lockfile_print(struct str *out, const struct lockfile *l)
{
    static const struct span nowhere = { 0 };
    auto_(arena_freep) struct arena *a = arena_new();
    struct node *doc = node_new(a, NODE_MAP, nowhere);
    struct node *projects = node_new(a, NODE_MAP, nowhere),
                *images = node_new(a, NODE_MAP, nowhere);
    for (size_t i = 0; i < l->nprojects; i++) {
        struct node *n = node_new(a, NODE_MAP, nowhere);
        put_text(a, n, "url", l->projects[i].url);
        put_text(a, n, "ref", l->projects[i].ref);
        put_text(a, n, "commit", l->projects[i].commit);
        node_set(a, projects, l->projects[i].name, n);
    }
    for (size_t i = 0; i < l->nimages; i++) {
        struct node *n = node_new(a, NODE_MAP, nowhere);
        put_text(a, n, "image", l->images[i].image);
        put_text(a, n, "digest", l->images[i].digest);
        node_set(a, images, l->images[i].name, n);
    }
    node_set(a, doc, "version", node_int(a, 1, nowhere));
    if (l->nprojects)
        node_set(a, doc, "projects", projects);
    if (l->nimages)
        node_set(a, doc, "images", images);
    str_add(out, "# Written by 'stack lock'. 'stack up --locked' brings up exactly this.\n");
    yaml_write(out, doc);
}

/* --- comparing --- */

static void add_name(struct str *out, char sign, const char *kind, const char *name)
{
    str_addf(out, "%c %s ", sign, kind);
    safe_add(out, name, strlen(name), SAFE_LINE);
}

/* "sha256:0123456789ab" or "0123456789ab". */
static void add_short(struct str *out, const char *id)
{
    if (!id)
        id = "(no digest)";
    size_t lead = str_starts(id, "sha256:") ? strlen("sha256:") : 0;
    str_addf(out, "%.12s", id + lead);
}

static void diff_projects(struct str *out, const struct lockfile *before,
                          const struct lockfile *after)
{
    for (size_t i = 0; i < after->nprojects; i++) {
        const struct lock_project *now = &after->projects[i];
        const struct lock_project *was = lockfile_project(before, now->name);
        bool moved = was && (!str_eq(was->ref, now->ref) || !str_eq(was->url, now->url));
        if (was && !moved && !strcmp(was->commit, now->commit))
            continue;
        add_name(out, was ? '~' : '+', "project", now->name);
        str_add(out, ": ");
        if (was) {
            add_short(out, was->commit);
            str_add(out, " -> ");
        }
        add_short(out, now->commit);
        if (moved || !was) {
            const char *ref = now->ref ? now->ref : "default branch";
            str_add(out, " (");
            safe_add(out, ref, strlen(ref), SAFE_LINE);
            str_addc(out, ')');
        }
        str_addc(out, '\n');
    }
    for (size_t i = 0; i < before->nprojects; i++)
        if (!lockfile_project(after, before->projects[i].name)) {
            add_name(out, '-', "project", before->projects[i].name);
            str_addc(out, '\n');
        }
}

static void diff_images(struct str *out, const struct lockfile *before,
                        const struct lockfile *after)
{
    for (size_t i = 0; i < after->nimages; i++) {
        const struct lock_image *now = &after->images[i];
        const struct lock_image *was = lockfile_image(before, now->name);
        bool renamed = was && strcmp(was->image, now->image) != 0;
        if (was && !renamed && str_eq(was->digest, now->digest))
            continue;
        add_name(out, was ? '~' : '+', "image", now->name);
        str_add(out, ": ");
        if (renamed) {
            safe_add(out, was->image, strlen(was->image), SAFE_LINE);
            str_add(out, " -> ");
        }
        safe_add(out, now->image, strlen(now->image), SAFE_LINE);
        str_addc(out, ' ');
        if (was) {
            add_short(out, was->digest);
            str_add(out, " -> ");
        }
        add_short(out, now->digest);
        str_addc(out, '\n');
    }
    for (size_t i = 0; i < before->nimages; i++)
        if (!lockfile_image(after, before->images[i].name)) {
            add_name(out, '-', "image", before->images[i].name);
            str_addc(out, '\n');
        }
}

void lockfile_diff(struct str *out, const struct lockfile *before, const struct lockfile *after)
{
    diff_projects(out, before, after);
    diff_images(out, before, after);
}
