/* A context's meta.json, and engine addresses: a complete endpoint, or an error. */
#include "fuzz.h"

#include "base/cleanup.h"
#include "engine/context.h"

static void check(const struct engine_endpoint *ep, int rc, const struct error *err)
{
    fuzz_check((rc < 0) == (err->kind != ERR_NONE));
    if (rc < 0)
        return;
    const char *host = ep->host;
    bool known =
        !strncmp(host, "unix:///", 8) || !strncmp(host, "tcp://", 6) || !strncmp(host, "ssh://", 6);
    fuzz_check(known);
    if (!strncmp(host, "tcp://", 6)) /* nothing that could break out of a request's head */
        fuzz_check(!strpbrk(host, "\r\n "));
    if (!strncmp(host, "ssh://", 6)) { /* nor be an option of ssh */
        size_t authority = strcspn(host + 6, "/");
        for (size_t i = 6; i < 6 + authority; i++)
            fuzz_check(host[i] != '-' || (i > 6 && host[i - 1] != '@'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = fuzz_text(data, size);
    auto_error struct error err = ERROR_INIT;
    struct engine_endpoint ep = { 0 };
    check(&ep, context_parse_meta(&ep, text, strlen(text), &err), &err);
    engine_endpoint_clear(&ep);
    error_clear(&err);
    check(&ep, context_parse_host(&ep, text, &err), &err);
    engine_endpoint_clear(&ep);
    return 0;
}
