/* What failed transfers and refusals mean, in words and in kinds. */
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

void http_explain(struct http *h, const struct transfer *t, CURLcode result, bool sent,
                  bool headers_came, struct error *err)
{
    const struct curl_api *curl = h->curl;
    const char *words = t->detail[0] ? t->detail : curl->curl_easy_strerror(result);
    long number = 0;
    curl->curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);

    switch (result) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        error_set(err, ERR_NETWORK, (int)result, "connect to %s: %s", h->where,
                  number ? strerror((int)number) : words);
        return;
    case CURLE_OPERATION_TIMEDOUT:
        error_set(err, ERR_TIMEOUT, (int)result, "connect to %s: no answer within %ld s", h->where,
                  HTTP_CONNECT_MS / 1000);
        return;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_OUT_OF_MEMORY: /* a header line beyond libcurl's own limit */
        error_set(err, ERR_PROTOCOL, (int)result, "%s does not answer as HTTP says: %s", h->where,
                  words);
        return;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        /* A bad chunk has no code of its own. */
        if (strstr(words, "chunked-encoding"))
            error_set(err, ERR_PROTOCOL, (int)result, "%s does not answer as HTTP says: %s",
                      h->where, words);
        else
            error_set(err, ERR_NETWORK, (int)result, "the connection to %s broke %s", h->where,
                      headers_came ? "in the middle of the answer"
                      : sent       ? "after the request was sent, before an answer came"
                                   : "before the request was sent");
        return;
    default:
        error_set(err, ERR_NETWORK, (int)result, "connect to %s: %s", h->where, words);
    }
}

bool http_absent(const struct error *err)
{
    switch (err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT ? err->code : 0) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_OPERATION_TIMEDOUT: /* only of connecting: http_explain() */
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
        return true;
    default:
        return false;
    }
}

bool http_lost(const struct error *err)
{
    return err->kind == ERR_NETWORK &&
           (err->code == CURLE_GOT_NOTHING || err->code == CURLE_PARTIAL_FILE ||
            err->code == CURLE_RECV_ERROR || err->code == CURLE_SEND_ERROR);
}
