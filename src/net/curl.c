/* libcurl, opened at the first use. */
#include "net/curl.h"

#include "base/cleanup.h"

#ifdef __APPLE__
static const char *const sonames[] = { "libcurl.4.dylib", "libcurl.dylib", NULL };
#else
static const char *const sonames[] = { "libcurl.so.4", "libcurl-gnutls.so.4", NULL };
#endif

#define SYMBOL(fn) LIBRARY_SYMBOL(curl_api, fn)

/* The table is what the dynamic loader would have filled in, had we linked with the library. */
const struct curl_api *curl_api(struct error *err)
{
    static struct curl_api api;
    static const struct library_symbol symbols[] = { CURL_FUNCTIONS(SYMBOL) };

    if (!api.curl_global_init) {
        struct curl_api opened;
        if (library_open(&opened, symbols, countof(symbols), sonames, "talking to an engine", err))
            return NULL;
        CURLcode rc = opened.curl_global_init(CURL_GLOBAL_NOTHING);
        if (rc != CURLE_OK) {
            error_set(err, ERR_SYSTEM, 0, "start libcurl: %s", opened.curl_easy_strerror(rc));
            return NULL;
        }
        api = opened;
    }
    return &api;
}
