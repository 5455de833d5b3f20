/* Reading an inspection. */
#include "run/inspected.h"

#include "base/mem.h"
#include "base/str.h"

char **inspected_health(const json_t *test, const json_t *shell)
{
    const char *form = json_string_value(json_array_get(test, 0));
    size_t n = json_array_size(test), at = 0;
    if (!form || str_eq(form, "NONE") || n < 2)
        return NULL;
    char **argv = xcalloc(n + json_array_size(shell) + 3, sizeof(*argv));
    if (str_eq(form, "CMD-SHELL")) {
        size_t i;
        json_t *word;
        json_array_foreach (shell, i, word)
            argv[at++] = xstrdup(json_string_value(word));
        if (!at) {
            argv[at++] = xstrdup("/bin/sh");
            argv[at++] = xstrdup("-c");
        }
        argv[at++] = xstrdup(json_string_value(json_array_get(test, 1)));
        return argv;
    }
    for (size_t i = 1; i < n; i++)
        argv[at++] = xstrdup(json_string_value(json_array_get(test, i)));
    return argv;
}

char *inspected_address(const struct engine *e, const json_t *seen)
{
    const char *mode = json_str_or(seen, "HostConfig.NetworkMode", "");
    const char *key;
    json_t *network;
    if (!engine_endpoint(e)->local)
        return NULL;
    if (str_eq(mode, "host"))
        return xstrdup("127.0.0.1");
    json_object_foreach (json_at(seen, "NetworkSettings.Networks"), key, network) {
        const char *ip = json_str(network, "IPAddress");
        if (ip && *ip)
            return xstrdup(ip);
    }
    return NULL;
}
