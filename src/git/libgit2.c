/* libgit2, opened at the first use. */
#include "git/libgit2.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

/* Its structures change from one minor version to the next: only the one that this was compiled
 * for will do. */
#ifdef __APPLE__
static const char *const sonames[] = { "libgit2." LIBGIT2_SOVERSION ".dylib", NULL };
#else
static const char *const sonames[] = { "libgit2.so." LIBGIT2_SOVERSION, NULL };
#endif

#define PACK_MAX_OBJECTS ((size_t)50 * 1000 * 1000)
#define OBJECT_MAX_BYTES ((size_t)2 << 30)

#define SYMBOL(fn) LIBRARY_SYMBOL(libgit2, fn)

/* The first of these variables that is set, or NULL. */
static const char *from_environment(const char *git, const char *others)
{
    const char *value = getenv(git);
    if (!value || !*value)
        value = getenv(others);
    return value && *value ? value : NULL;
}

static void configure(const struct libgit2 *g)
{
    /* Whom to trust, as git and curl are told. libgit2 on mbedTLS reads neither by itself. */
    const char *file = from_environment("GIT_SSL_CAINFO", "SSL_CERT_FILE");
    const char *dir = from_environment("GIT_SSL_CAPATH", "SSL_CERT_DIR");
    if (file || dir)
        g->git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, dir);

    /* git asks who owns a repository since hooks and configuration of it may run. Here nothing of
     * it does, and checkouts in CI and containers often have another owner. */
    g->git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    g->git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, PACK_MAX_OBJECTS);
    g->git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECT_SIZE, OBJECT_MAX_BYTES);
}

const struct libgit2 *libgit2(struct error *err)
{
    static struct libgit2 api;
    static const struct library_symbol symbols[] = { LIBGIT2_FUNCTIONS(SYMBOL) };

    if (!api.git_libgit2_init) {
        struct libgit2 opened;
        if (library_open(&opened, symbols, countof(symbols), sonames, "a project from git", err))
            return NULL;
        if (opened.git_libgit2_init() < 0) {
            error_set(err, ERR_SYSTEM, 0, "start libgit2: %s", opened.git_error_last()->message);
            return NULL;
        }
        configure(&opened);
        api = opened;
    }
    return &api;
}

static enum error_kind kind_of(int rc, int class)
{
    switch (rc) {
    case GIT_ENOTFOUND:
    case GIT_EUNBORNBRANCH:
        return ERR_NOTFOUND;
    case GIT_EUSER:
        return ERR_CANCELED;
    case GIT_ECONFLICT:
    case GIT_EUNCOMMITTED:
        return ERR_CONFLICT;
    case GIT_EAUTH:
    case GIT_ECERTIFICATE:
        return ERR_NETWORK;
    default:
        return class == GIT_ERROR_NET || class == GIT_ERROR_HTTP || class == GIT_ERROR_SSL ||
                       class == GIT_ERROR_SSH
                   ? ERR_NETWORK
                   : ERR_SYSTEM;
    }
}

int libgit2_failed(struct error *err, int rc, const char *fmt, ...)
{
    const struct libgit2 *g = libgit2(NULL);
    const git_error *said = g->git_error_last();
    va_list ap;
    va_start(ap, fmt);
    auto_free char *tried = xvasprintf(fmt, ap);
    va_end(ap);
    bool silent = !said || !said->message || !*said->message;
    error_set(err, kind_of(rc, said ? said->klass : 0), 0, "%s: %s", tried,
              silent ? "libgit2 does not say why" : said->message);
    g->git_error_clear();
    return -1;
}
