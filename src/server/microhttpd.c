/* libmicrohttpd, opened at the first use. */
#include "server/microhttpd.h"

#include "base/cleanup.h"

#ifdef __APPLE__
static const char *const sonames[] = { "libmicrohttpd.12.dylib", "libmicrohttpd.dylib", NULL };
#else
static const char *const sonames[] = { "libmicrohttpd.so.12", NULL };
#endif

#define SYMBOL(fn) LIBRARY_SYMBOL(microhttpd_api, fn)

const struct microhttpd_api *microhttpd_api(struct error *err)
{
    static struct microhttpd_api api;
    static const struct library_symbol symbols[] = { MICROHTTPD_FUNCTIONS(SYMBOL) };

    if (!api.MHD_start_daemon) {
        struct microhttpd_api opened;
        if (library_open(&opened, symbols, countof(symbols), sonames, "stack hook", err) < 0)
            return NULL;
        api = opened;
    }
    return &api;
}
