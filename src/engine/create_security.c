/* What a container may do: options of the security modules, and profiles that go as their text. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/create_private.h"

#define PROFILE_MAX ((size_t)1 << 20)

/* "seccomp=FILE" and "seccomp:FILE" as docker compose has them: the engine wants the profile
 * itself. NULL: not one of those. */
static const char *profile_path(const char *option)
{
    if (!str_starts(option, "seccomp=") && !str_starts(option, "seccomp:"))
        return NULL;
    const char *value = option + strlen("seccomp=");
    return str_eq(value, "unconfined") || str_eq(value, "builtin") ? NULL : value;
}

static int add_profile(json_t *options, const char *file, const char *dir, struct error *err)
{
    auto_free char *path = path_join(dir, file);
    auto_free char *text = NULL;
    size_t len;
    auto_json json_t *profile = NULL;
    if (file_read(&text, &len, path, PROFILE_MAX, err) == 0)
        profile = json_parse(text, len, "the profile", err);
    if (!profile)
        return error_wrap(err, "security_opt: seccomp profile '%s'", file);
    auto_free char *compact = json_dumps(profile, JSON_COMPACT);
    auto_free char *option = xasprintf("seccomp=%s", compact);
    json_array_append_new(options, json_string_nocheck(option));
    return 0;
}

static void add_credential_spec(json_t *options, const struct node *credential)
{
    static const char *const kinds[] = { "config", "file", "registry" };
    for (size_t i = 0; i < countof(kinds); i++) {
        const char *value = node_text_at(credential, kinds[i]);
        if (!value)
            continue;
        auto_free char *text = xasprintf("credentialspec=%s://%s", kinds[i], value);
        json_array_append_new(options, json_string_nocheck(text));
    }
}

int create_security(json_t *host, const struct create_input *in, struct error *err)
{
    const struct node *list = node_get(in->service->config, "security_opt");
    auto_json json_t *options = json_array();
    node_each (i, list) {
        const char *text = node_text(list->items[i]);
        const char *file = text ? profile_path(text) : NULL;
        if (!text)
            continue;
        if (str_eq(text, "systempaths=unconfined")) {
            /* No option of the engine: nothing of /proc and /sys is hidden or read-only. */
            json_object_set_new(host, "MaskedPaths", json_array());
            json_object_set_new(host, "ReadonlyPaths", json_array());
        } else if (!file) {
            json_array_append_new(options, json_string_nocheck(text));
        } else if (add_profile(options, file, in->stack->dir, err) < 0) {
            return -1;
        }
    }
    add_credential_spec(options, node_get(in->service->config, "credential_spec"));
    if (json_array_size(options))
        json_object_set(host, "SecurityOpt", options);
    return 0;
}
