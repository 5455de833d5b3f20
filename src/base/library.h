/*
 * Shared libraries opened on need.
 *
 * Start-up is part of the product: libcurl alone brings thirty shared objects and 3-7 ms, libgit2
 * as many. A room that uses such a library lists the functions it calls once, as an X-macro, and
 * calls them through the table that library_open() fills at the first use:
 *
 *     #define CURL_FUNCTIONS(X) X(curl_easy_init) X(curl_easy_setopt) ...
 *     struct curl_api { CURL_FUNCTIONS(LIBRARY_MEMBER) };
 *     #define CURL_SYMBOL(fn) LIBRARY_SYMBOL(curl_api, fn)
 *     static const struct library_symbol symbols[] = { CURL_FUNCTIONS(CURL_SYMBOL) };
 *
 * Types are those of the library's own header, so the compiler still checks every call.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

struct library_symbol {
    const char *name;
    size_t offset; /* of the function pointer in the table */
};

#define LIBRARY_MEMBER(fn) __typeof__(&fn) fn;
#define LIBRARY_SYMBOL(table, fn) { #fn, offsetof(struct table, fn) },

/* Opens the first of `sonames` (NULL-terminated) that is there and fills the table. The library
 * stays open until the process ends. ERR_NOTFOUND names the library, the feature that needs it and
 * the package to install. */
int library_open(void *table, const struct library_symbol *symbols, size_t nsymbols,
                 const char *const *sonames, const char *feature, struct error *err);

#endif
