/*
 * What a credential helper answers to `get`: {"ServerURL", "Username", "Secret"} on its standard
 * output, or a message there and a status that is not 0. Nothing tells "I have none" from a real
 * failure but the text of that message.
 */
#include "registry/helper.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define NOT_FOUND "credentials not found in native keychain"
#define TOKEN_USER "<token>"

bool helper_name_valid(const char *name)
{
    if (!*name || strlen(name) > 64)
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            return false;
    return true;
}

static int failed(const char *name, int status, const struct str *output, const struct str *errors,
                  struct error *err)
{
    const char *said = output->len ? output->buf : errors->buf;
    int len = (int)strcspn(said, "\r\n");
    if (len > 200)
        len = 200;
    error_set(err, ERR_SYSTEM, 0, "docker-credential-%s get: exit status %d%s%.*s", name, status,
              len ? ": " : "", len, said);
    return error_hint(err, "log in again with `docker login`, or mend credsStore and credHelpers "
                           "in docker's config.json");
}

int helper_parse(struct helper_credentials *out, const char *name, int status,
                 const struct str *output, const struct str *errors, struct error *err)
{
    *out = (struct helper_credentials){ 0 };
    if (status != 0) {
        if (!strstr(output->buf, NOT_FOUND))
            return failed(name, status, output, errors, err);
        out->none = true;
        return 0;
    }
    auto_json json_t *answer = json_parse(output->buf, output->len, "its output", err);
    if (!answer)
        return error_wrap(err, "docker-credential-%s get", name);
    const char *user = json_str_or(answer, "Username", "");
    const char *secret = json_str_or(answer, "Secret", "");
    if (strcmp(user, TOKEN_USER) == 0) {
        out->identity_token = xstrdup(secret);
    } else {
        out->username = xstrdup(user);
        out->password = xstrdup(secret);
        out->none = !*user && !*secret;
    }
    return 0;
}

static void wipe_free(char **text)
{
    if (*text)
        wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void helper_credentials_clear(struct helper_credentials *c)
{
    wipe_free(&c->username);
    wipe_free(&c->password);
    wipe_free(&c->identity_token);
}
