/* Shared libraries opened on need. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"

/*
 * The package is Debian's name for the first soname: "libcurl.so.4" is libcurl4, "libgit2.so.1.5"
 * libgit2-1.5, by its rule for library packages. Elsewhere the library's own name has to do.
 */
static int hint_package(const char *soname, struct error *err)
{
    const char *name = path_base(soname);
    const char *so = strstr(name, ".so.");
    size_t n = so ? (size_t)(so - name) : strcspn(name, ".");
    if (!so || n == 0)
        return error_hint(err, "install %.*s", (int)n, name);
    bool digit = name[n - 1] >= '0' && name[n - 1] <= '9';
    return error_hint(err, "install %.*s (on Debian and Ubuntu: apt install %.*s%s%s)", (int)n,
                      name, (int)n, name, digit ? "-" : "", so + strlen(".so."));
}

/* The first function that the library lacks, or NULL. */
static const char *first_missing(void *handle, const struct library_symbol *symbols, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!dlsym(handle, symbols[i].name))
            return symbols[i].name;
    return NULL;
}

int library_open(void *table, const struct library_symbol *symbols, size_t nsymbols,
                 const char *const *sonames, const char *feature, struct error *err)
{
    const char *missing = NULL;
    void *handle = NULL;
    for (const char *const *name = sonames; *name && !handle; name++) {
        handle = dlopen(*name, RTLD_LAZY | RTLD_LOCAL);
        if (handle && (missing = first_missing(handle, symbols, nsymbols))) {
            dlclose(handle);
            handle = NULL;
        }
    }
    if (!handle) {
        if (missing)
            error_set(err, ERR_NOTFOUND, 0, "%s needs a newer '%s': it has no %s", feature,
                      sonames[0], missing);
        else
            error_set(err, ERR_NOTFOUND, 0, "%s needs the library '%s', which is not installed",
                      feature, sonames[0]);
        return hint_package(sonames[0], err);
    }
    for (size_t i = 0; i < nsymbols; i++) {
        void *fn = dlsym(handle, symbols[i].name);
        memcpy((char *)table + symbols[i].offset, &fn, sizeof(fn));
    }
    return 0;
}
