/*
 * docker's config.json. The keys of `auths` have been written in several forms over the years: the
 * bare host, with a scheme, with a path; all name the host alone. Docker Hub's entry is
 * "https://index.docker.io/v1/".
 */
#include "registry/config.h"

#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "registry/helper.h"
#include "text/imageref.h"

#define CONFIG_MAX_BYTES ((size_t)4 << 20)

static char *config_path(void)
{
    const char *dir = getenv("DOCKER_CONFIG");
    if (dir && *dir)
        return path_join(dir, "config.json");
    auto_free char *home = path_expand_home("~/.docker/config.json");
    return home[0] == '~' ? NULL : take(home);
}

int config_read(json_t **out, struct error *err)
{
    auto_json json_t *documents = json_array();
    const char *from_env = getenv("DOCKER_AUTH_CONFIG");
    if (from_env && *from_env) {
        json_t *j = json_parse(from_env, strlen(from_env), "it", err);
        if (!j)
            return error_set(err, ERR_INPUT, 0, "DOCKER_AUTH_CONFIG is not JSON");
        json_array_append_new(documents, j);
    }
    auto_free char *path = config_path();
    if (path && file_exists(path)) {
        auto_free char *text = NULL;
        size_t len = 0;
        if (file_read(&text, &len, path, CONFIG_MAX_BYTES, err) < 0)
            return error_wrap(err, "registry credentials");
        json_t *j = json_parse(text, len, path, NULL);
        wipe(text, len);
        if (!j)
            return error_set(err, ERR_INPUT, 0, "'%s' is not JSON", path);
        json_array_append_new(documents, j);
    }
    *out = take(documents);
    return 0;
}

char *config_setting(const char *key)
{
    auto_json json_t *documents = NULL;
    size_t i;
    json_t *document;
    if (config_read(&documents, NULL) < 0)
        return NULL;
    json_array_foreach (documents, i, document) {
        const char *text = json_string_value(json_object_get(document, key));
        if (text)
            return xstrdup(text);
    }
    return NULL;
}

char *config_key(const char *image_ref, struct error *err)
{
    auto_(arena_freep) struct arena *a = arena_new();
    struct imageref ref;
    if (imageref_parse(&ref, a, image_ref, err) < 0)
        return NULL;
    bool hub = strcmp(ref.domain, "docker.io") == 0 || strcmp(ref.domain, "index.docker.io") == 0;
    return xstrdup(hub ? REGISTRY_HUB_KEY : ref.domain);
}

int config_helper(const char **out, const json_t *documents, const char *key, struct error *err)
{
    const char *found = NULL;
    size_t i;
    json_t *document;
    json_array_foreach (documents, i, document) {
        found = json_string_value(json_object_get(json_object_get(document, "credHelpers"), key));
        if (!found)
            found = json_string_value(json_object_get(document, "credsStore"));
        if (found && *found)
            break;
        found = NULL;
    }
    if (found && !helper_name_valid(found))
        return error_set(err, ERR_INPUT, 0,
                         "docker's config.json names the credential helper '%s', which cannot be "
                         "the name of a program",
                         found);
    *out = found;
    return 0;
}

/* The host that a key of `auths` stands for, as (start, length). */
static const char *key_host(const char *key, size_t *len)
{
    const char *scheme = strstr(key, "://");
    const char *host = scheme ? scheme + 3 : key;
    *len = strcspn(host, "/");
    return host;
}

static const json_t *find_entry(const json_t *auths, const char *wanted)
{
    const json_t *exact = json_object_get(auths, wanted);
    if (exact)
        return exact;
    size_t wanted_len, len;
    const char *wanted_host = key_host(wanted, &wanted_len);
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)auths, key, value) {
        const char *host = key_host(key, &len);
        if (len == wanted_len && strncmp(host, wanted_host, len) == 0)
            return value;
    }
    return NULL;
}

/* "user:password" in base64; some old entries end in NULs. */
static void set_user_password(json_t *out, const char *encoded)
{
    uint8_t *raw = NULL;
    size_t len = 0;
    if (base64_decode(&raw, &len, encoded, NULL) < 0)
        return;
    char *text = (char *)raw;
    char *colon = memchr(text, ':', len);
    if (colon) {
        const char *password = colon + 1;
        size_t password_len = strnlen(password, len - (size_t)(password - text));
        json_object_set_new(out, "username", json_stringn(text, (size_t)(colon - text)));
        json_object_set_new(out, "password", json_stringn(password, password_len));
    }
    wipe(raw, len);
    free(raw);
}

json_t *config_auth(const json_t *documents, const char *key)
{
    static const char *const plain[] = { "username", "password", "identitytoken", "registrytoken" };
    size_t i;
    json_t *document;
    json_array_foreach (documents, i, document) {
        const json_t *entry = find_entry(json_object_get(document, "auths"), key);
        if (!entry)
            continue;
        auto_json json_t *out = json_object();
        for (size_t k = 0; k < countof(plain); k++) {
            const char *value = json_string_value(json_object_get(entry, plain[k]));
            if (value && *value)
                json_object_set_new(out, plain[k], json_string(value));
        }
        const char *encoded = json_string_value(json_object_get(entry, "auth"));
        if (encoded && *encoded)
            set_user_password(out, encoded);
        if (json_object_size(out) == 0)
            continue; /* `docker login` with a helper leaves empty entries behind */
        json_object_set_new(out, "serveraddress", json_string(key));
        return take(out);
    }
    return NULL;
}
