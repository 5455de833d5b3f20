/* Images of the engine made of JSON: what is there, what a pull brings, what a build makes. */
#include "fake_private.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"

/* "docker.io/library/busybox" is "busybox:latest". */
static char *familiar(const char *ref)
{
    static const char *const prefixes[] = { "docker.io/library/", "docker.io/", "library/" };
    for (size_t i = 0; i < countof(prefixes); i++)
        if (str_starts(ref, prefixes[i])) {
            ref += strlen(prefixes[i]);
            break;
        }
    const char *slash = strrchr(ref, '/');
    bool tagged = strchr(slash ? slash : ref, ':') || strchr(ref, '@');
    return tagged || str_starts(ref, "sha256:") ? xstrdup(ref) : xasprintf("%s:latest", ref);
}

static bool has_tag(const json_t *image, const char *tag)
{
    size_t i;
    json_t *t;
    json_array_foreach (json_object_get(image, "RepoTags"), i, t) {
        if (str_eq(json_string_value(t), tag))
            return true;
    }
    return false;
}

json_t *fake_find_image(struct fake *f, const char *ref)
{
    json_t *images = fake_part(f, "images"), *image;
    auto_free char *tag = familiar(ref);
    const char *key;
    json_object_foreach (images, key, image) {
        bool by_id = str_eq(key, ref) || str_eq(key + strlen("sha256:"), ref);
        if (by_id || has_tag(image, tag))
            return image;
    }
    return NULL;
}

static void untag(struct fake *f, const char *tag)
{
    const char *key;
    json_t *image, *t;
    size_t i;
    json_object_foreach (fake_part(f, "images"), key, image) {
        json_t *tags = json_object_get(image, "RepoTags");
        json_array_foreach (tags, i, t) {
            if (str_eq(json_string_value(t), tag)) {
                json_array_remove(tags, i);
                break;
            }
        }
    }
}

/* The image of that content under that name, which it takes from any other. */
static json_t *add_image(struct fake *f, const char *ref, const json_t *config, const char *content)
{
    auto_free char *tag = familiar(ref);
    char hex[DIGEST_HEX_LEN + 1];
    digest_hex(hex, content, strlen(content));
    auto_free char *id = xasprintf("sha256:%s", hex);
    json_t *image = json_object_get(fake_part(f, "images"), id);
    if (!image) {
        auto_json json_t *own = config ? json_deep_copy(config) : json_object();
        image = json_pack("{s:s, s:[], s:[], s:O, s:s, s:s, s:s, s:i}", "Id", id, "RepoTags",
                          "RepoDigests", "Config", own, "Created", "2026-01-01T00:00:00Z",
                          "Architecture", "amd64", "Os", "linux", "Size", 1000);
        json_object_set_new(fake_part(f, "images"), id, image);
    }
    untag(f, tag);
    json_array_append_new(json_object_get(image, "RepoTags"), json_string(tag));
    return image;
}

static char *content_of(const char *ref, const json_t *config)
{
    auto_free char *text = config ? json_canonical(config) : xstrdup("");
    return xasprintf("%s %s", ref, text);
}

void fake_image(struct fake *f, const char *ref, json_t *config)
{
    auto_free char *content = content_of(ref, config);
    add_image(f, ref, config, content);
    json_decref(config);
}

void fake_remote(struct fake *f, const char *ref, json_t *config)
{
    auto_free char *tag = familiar(ref);
    json_object_set_new(fake_part(f, "remote"), tag, config ? config : json_object());
}

static json_t *named(struct exchange *x)
{
    json_t *image = fake_find_image(x->f, x->name);
    if (!image)
        fake_answer_error(x, 404, "No such image: %s", x->name);
    return image;
}

void fake_image_inspect(struct exchange *x)
{
    json_t *image = named(x);
    x->json = image ? json_incref(image) : x->json;
}

/* Whether the image has a tag that the pattern means: a name alone means all of its tags. */
static bool fits_reference(const json_t *image, const char *pattern)
{
    auto_free char *tag = familiar(pattern);
    const char *slash = strrchr(pattern, '/');
    bool any_tag = !strchr(slash ? slash : pattern, ':');
    size_t i, name = strcspn(tag, ":");
    json_t *t;
    json_array_foreach (json_object_get(image, "RepoTags"), i, t) {
        const char *text = json_string_value(t);
        if (str_eq(text, tag) || (any_tag && strncmp(text, tag, name + 1) == 0))
            return true;
    }
    return false;
}

static bool fits(const json_t *filters, const json_t *image)
{
    const json_t *refs = json_object_get(filters, "reference");
    size_t i;
    json_t *value;
    bool found = json_array_size(refs) == 0;
    json_array_foreach (refs, i, value)
        found |= fits_reference(image, json_string_value(value));
    return found && fake_fits_filters(filters, json_at(image, "Config.Labels"), "");
}

void fake_image_list(struct exchange *x)
{
    auto_json json_t *filters = fake_query_filters(x);
    const char *key;
    json_t *image;
    x->json = json_array();
    json_object_foreach (fake_part(x->f, "images"), key, image) {
        json_t *labels = json_at(image, "Config.Labels") ?: NULL;
        if (fits(filters, image))
            json_array_append_new(x->json,
                                  json_pack("{s:s, s:O, s:O, s:i, s:i, s:O?}", "Id", key,
                                            "RepoTags", json_object_get(image, "RepoTags"),
                                            "RepoDigests", json_object_get(image, "RepoDigests"),
                                            "Created", 1767225600, "Size", 1000, "Labels", labels));
    }
}

static void say_status(struct str *out, const char *id, const char *status)
{
    auto_json json_t *line =
        id ? json_pack("{s:s, s:{}, s:s}", "status", status, "progressDetail", "id", id)
           : json_pack("{s:s}", "status", status);
    auto_free char *text = json_dumps(line, JSON_COMPACT);
    str_addf(out, "%s\r\n", text);
}

void fake_image_pull(struct exchange *x)
{
    const char *name = fake_query_text(x, "fromImage"), *tag = fake_query_text(x, "tag");
    auto_free char *ref =
        tag && *tag ? xasprintf("%s:%s", name ? name : "", tag) : xstrdup(name ? name : "");
    auto_free char *wanted = familiar(ref);
    json_t *config = json_object_get(fake_part(x->f, "remote"), wanted);
    if (!config) {
        fake_answer_error(
            x, 404,
            "pull access denied for %s, repository does not exist or may require 'docker "
            "login': denied: requested access to the resource is denied",
            name ? name : "");
        return;
    }
    auto_free char *content = content_of(wanted, config);
    add_image(x->f, wanted, config, content);
    auto_free char *from = xasprintf("Pulling from library/%s", name);
    say_status(&x->text, tag, from);
    say_status(&x->text, "0123456789ab", "Pulling fs layer");
    str_add(&x->text, "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,"
                      "\"total\":1000},\"id\":\"0123456789ab\"}\r\n");
    say_status(&x->text, "0123456789ab", "Pull complete");
    auto_free char *status = xasprintf("Status: Downloaded newer image for %s", wanted);
    say_status(&x->text, NULL, status);
}

void fake_image_tag(struct exchange *x)
{
    json_t *image = named(x);
    if (!image)
        return;
    auto_free char *ref =
        xasprintf("%s:%s", fake_query_text(x, "repo"),
                  fake_query_text(x, "tag") ? fake_query_text(x, "tag") : "latest");
    auto_free char *tag = familiar(ref);
    untag(x->f, tag);
    json_array_append_new(json_object_get(image, "RepoTags"), json_string(tag));
    x->status = 201;
}

/* A registry that takes everything but what is called "refused". */
void fake_image_push(struct exchange *x)
{
    const char *tag = fake_query_text(x, "tag");
    auto_free char *ref = xasprintf("%s:%s", x->name, tag ? tag : "latest");
    say_status(&x->text, NULL, "The push refers to a repository");
    if (!fake_find_image(x->f, ref)) {
        str_addf(&x->text,
                 "{\"errorDetail\":{},\"error\":\"An image does not exist locally with the tag: "
                 "%s\"}\r\n",
                 x->name);
    } else if (strstr(x->name, "refused")) {
        str_add(&x->text, "{\"errorDetail\":{},\"error\":\"unauthorized: authentication "
                          "required\"}\r\n");
    } else {
        str_add(&x->text, "{\"status\":\"Pushing\",\"progressDetail\":{\"current\":10,"
                          "\"total\":1000},\"id\":\"0123456789ab\"}\r\n"
                          "{\"status\":\"Pushed\",\"progressDetail\":{},\"id\":\"0123456789ab\"}"
                          "\r\n");
    }
}

void fake_image_remove(struct exchange *x)
{
    json_t *image = named(x);
    if (!image)
        return;
    auto_free char *tag = familiar(x->name);
    const char *id = json_str(image, "Id");
    bool by_id = str_eq(id, x->name);
    if (!by_id)
        untag(x->f, tag);
    x->json = json_pack("[{s:s}]", "Untagged", tag);
    if (by_id || !json_array_size(json_object_get(image, "RepoTags")))
        json_object_del(fake_part(x->f, "images"), id);
}

/* --- build --- */

static void add_field(struct str *out, int field, const char *data, size_t len)
{
    str_addc(out, (char)(field << 3 | 2));
    str_addc(out, (char)len); /* always below 128 here */
    str_addn(out, data, len);
}

static void add_base64(struct str *out, const struct str *data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < data->len; i += 3) {
        unsigned bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < data->len ? (unsigned char)data->buf[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            str_addc(out, i + k > data->len ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
}

/* One step as BuildKit tells it: a vertex that has begun, and has ended or failed. */
static void say_vertex(struct str *out, const char *name, const char *error)
{
    static const char time[] = { 1 << 3, 100 };
    auto_str struct str vertex = STR_INIT, message = STR_INIT;
    auto_free char *digest = xasprintf("sha256:%s", name);
    add_field(&vertex, 1, digest, strlen(digest) < 100 ? strlen(digest) : 100);
    add_field(&vertex, 3, name, strlen(name) < 100 ? strlen(name) : 100);
    add_field(&vertex, 5, time, sizeof(time));
    add_field(&vertex, 6, time, sizeof(time));
    if (error)
        add_field(&vertex, 7, error, strlen(error));
    /* A length of two bytes: the vertex may be longer than 127. */
    str_addc(&message, 1 << 3 | 2);
    str_addc(&message, (char)(0x80 | (vertex.len & 0x7f)));
    str_addc(&message, (char)(vertex.len >> 7));
    str_addn(&message, vertex.buf, vertex.len);
    str_add(out, "{\"id\":\"moby.buildkit.trace\",\"aux\":\"");
    add_base64(out, &message);
    str_add(out, "\"}\r\n");
}

/* Every instruction of the first file of the context is a step; "RUN false" fails. */
void fake_image_build(struct exchange *x)
{
    const char *labels = fake_query_text(x, "labels");
    bool buildkit = str_eq(fake_query_text(x, "version"), "2");
    size_t start = x->raw_len > 512 ? 512 : x->raw_len;
    auto_free char *dockerfile = xstrndup(x->raw + start, x->raw_len - start);
    auto_json json_t *label_map = labels ? json_loads(labels, 0, NULL) : json_object();
    auto_json json_t *config = json_pack("{s:O}", "Labels", label_map);
    auto_free char *key = json_canonical(config);
    auto_free char *content = xasprintf("%s %s", dockerfile, key);
    bool fails = strstr(dockerfile, "RUN false") != NULL;
    if (buildkit)
        say_vertex(&x->text, "[internal] load build definition", NULL);
    for (char *line = dockerfile, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        end += *end == '\n';
        size_t len = (size_t)(end - line);
        auto_free char *step = xasprintf("[1/1] %.*s", (int)(len && len < 60 ? len - 1 : 0), line);
        const char *error =
            strstr(step, "RUN false") ? "process \"false\" did not complete: exit code: 1" : NULL;
        if (buildkit)
            say_vertex(&x->text, step, error);
        else
            str_addf(&x->text, "{\"stream\":\"Step 1/1 : %s\\n\"}\r\n", "RUN");
    }
    if (fails) {
        str_add(&x->text, "{\"errorDetail\":{\"code\":1,\"message\":\"process false did not "
                          "complete: exit code: 1\"},\"error\":\"process false did not complete: "
                          "exit code: 1\"}\r\n");
        return;
    }
    json_t *image = NULL, *tag;
    size_t i;
    json_array_foreach (json_object_get(x->rq->query, "t"), i, tag) {
        image = add_image(x->f, json_string_value(tag), config, content);
    }
    if (!image)
        image = add_image(x->f, "none", config, content);
    const char *id = json_str(image, "Id");
    str_addf(&x->text,
             buildkit ? "{\"id\":\"moby.image.id\",\"aux\":{\"ID\":\"%s\"}}\r\n"
                      : "{\"aux\":{\"ID\":\"%s\"}}\r\n",
             id);
    str_addf(&x->text, "{\"stream\":\"Successfully built %.12s\\n\"}\r\n", id + 7);
}
