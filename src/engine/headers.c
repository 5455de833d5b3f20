/* HttpHeaders of docker's config.json. They must not become other headers, or another request. */
#include "engine/headers.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/context.h"

#define MAX_HEADERS 100
#define MAX_VALUE ((size_t)8 << 10)

/* What says how a message is to be read, or is a matter of one request. */
static const char *const ours[] = {
    "Host",
    "Content-Type",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Upgrade",
    "Expect",
    "Trailer",
    "TE",
    "Keep-Alive",
    "User-Agent",
    "X-Registry-Auth",
    "X-Registry-Config",
};

/* token: RFC 9110, section 5.6.2. */
static bool is_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("!#$%&'*+-.^_`|~", *p))
            return false;
    for (size_t i = 0; i < countof(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return false;
    return *name != '\0';
}

static bool is_value(const char *value)
{
    for (const char *p = value; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            return false;
    return *value && strlen(value) <= MAX_VALUE;
}

void headers_read(struct strv *out, const char *text, size_t len)
{
    auto_json json_t *config = json_parse(text, len, "config.json", NULL);
    const char *name;
    json_t *item;
    json_object_foreach (json_object_get(config, "HttpHeaders"), name, item) {
        const char *value = json_string_value(item);
        if (out->len < MAX_HEADERS && value && is_name(name) && is_value(value))
            strv_addf(out, "%s: %s", name, value);
        else
            log_debug("HttpHeaders: '%s' is left out", name);
    }
}

void headers_of_config(struct strv *out)
{
    auto_free char *path = context_config_path();
    char *text = NULL;
    size_t len = 0;
    if (!file_exists(path) || file_read(&text, &len, path, CONTEXT_MAX_FILE, NULL) < 0)
        return;
    headers_read(out, text, len);
    wipe(text, len); /* there may be passwords in it */
    free(text);
}
