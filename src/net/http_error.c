/* What broken connections and refusals mean, in words and in kinds. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "net/private.h"

enum { REFUSAL_MAX = 2000 };

char *http_refusal(int status, const char *body, size_t len)
{
    auto_json json_t *j = json_loadb(body, len, 0, NULL);
    const char *message = json_str(j, "message");
    size_t n = 0;
    if (message) {
        for (n = strlen(message); n > 0 && strchr(". \r\n", message[n - 1]);)
            n--;
    } else if (!j) {
        message = body;
        while (n < len && n <= REFUSAL_MAX && body[n] && !strchr("\r\n", body[n]))
            n++;
    }
    if (n > REFUSAL_MAX)
        return xasprintf("%.*s ...", REFUSAL_MAX, message);
    return n > 0 ? xstrndup(message, n) : xasprintf("HTTP status %d", status);
}

int http_broke(const struct http *h, bool sent, bool headers_came, const char *problem,
               struct error *err)
{
    return error_set(err, ERR_NETWORK, HTTP_LOST, "the connection to %s broke %s%s%s", h->where,
                     headers_came ? "in the middle of the answer"
                     : sent       ? "after the request was sent, before an answer came"
                                  : "before the request was sent",
                     problem ? ": " : "", problem ? problem : "");
}

int http_malformed(const struct http *h, const char *why, struct error *err)
{
    return error_set(err, ERR_PROTOCOL, 0, "%s does not answer as HTTP says: %s", h->where, why);
}

bool http_absent(const struct error *err)
{
    return (err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT) && err->code == HTTP_ABSENT;
}

bool http_lost(const struct error *err)
{
    return err->kind == ERR_NETWORK && err->code == HTTP_LOST;
}
