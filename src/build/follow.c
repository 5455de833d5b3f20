/*
 * Paths in the list of a context. The list is in the order of stat_cache_order(), so that an entry
 * is found by halving, and what is below a folder follows it.
 */
#include "build/follow.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

struct follow {
    const struct context *c;
    bool *wanted;
    bool *whole; /* with all below it */
    size_t steps;
    bool all;
};

/* Index of the entry, or -1. */
static long find(const struct context *c, const char *path)
{
    size_t low = 0, high = c->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = stat_cache_order(c->entries[middle].path, path);
        if (order == 0)
            return (long)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static bool is_below(const char *path, const char *folder, size_t len)
{
    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* The entry and the folders that hold it. */
static void want(struct follow *f, size_t index)
{
    const char *path = f->c->entries[index].path;
    f->wanted[index] = true;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        auto_free char *folder = xstrndup(path, (size_t)(slash - path));
        long i = find(f->c, folder);
        if (i >= 0)
            f->wanted[i] = true;
    }
}

static void step(struct follow *f, const char *done, const char *rest, int links);

/* The parts in `folder` that match. */
static void match(struct follow *f, const char *folder, const char *pattern, const char *rest,
                  int links)
{
    size_t len = strlen(folder);
    long at = *folder ? find(f->c, folder) : -1;
    for (size_t i = (size_t)(at + 1); i < f->c->len && !f->all; i++) {
        const char *path = f->c->entries[i].path;
        if (*folder && !is_below(path, folder, len))
            break;
        if (++f->steps > FOLLOW_MAX_STEPS)
            f->all = true;
        const char *name = *folder ? path + len + 1 : path;
        if (!strchr(name, '/') && fnmatch(pattern, name, FNM_NOESCAPE) == 0) {
            step(f, path, rest, links);
        }
    }
}

static void follow_link(struct follow *f, size_t index, const char *rest, int links)
{
    const struct context_entry *e = &f->c->entries[index];
    auto_free char *folder = path_dir(e->path);
    bool absolute = e->link[0] == '/';
    auto_free char *joined =
        xasprintf("/%s/%s/%s", absolute ? "" : folder, e->link, rest); /* never above the top */
    auto_free char *clean = path_clean(joined);
    if (links < FOLLOW_MAX_LINKS)
        step(f, "", clean + 1, links + 1);
}

/* `done` was found and is no link; `rest` is to be looked up below it. */
static void step(struct follow *f, const char *done, const char *rest, int links)
{
    long at = *done ? find(f->c, done) : -1;
    if (at >= 0 && S_ISLNK(f->c->entries[at].mode)) {
        want(f, (size_t)at);
        follow_link(f, (size_t)at, rest, links);
        return;
    }
    if (!*rest) {
        if (at < 0)
            f->all = f->all || !*done;
        else {
            want(f, (size_t)at);
            f->whole[at] = true;
        }
        return;
    }
    size_t len = strcspn(rest, "/");
    const char *next = rest + len + (rest[len] == '/');
    auto_free char *part = xstrndup(rest, len);
    if (strpbrk(part, "[\\")) { /* may mean more than is understood here */
        match(f, done, "*", next, links);
    } else if (strpbrk(part, "*?")) {
        match(f, done, part, next, links);
    } else {
        auto_free char *path = *done ? xasprintf("%s/%s", done, part) : xstrdup(part);
        if (find(f->c, path) >= 0)
            step(f, path, next, links);
    }
}

/* What is below a wanted folder follows it. */
static void spread(struct follow *f)
{
    for (size_t i = 0; i < f->c->len; i++) {
        if (!f->whole[i])
            continue;
        const char *folder = f->c->entries[i].path;
        size_t len = strlen(folder);
        while (i + 1 < f->c->len && is_below(f->c->entries[i + 1].path, folder, len))
            f->wanted[++i] = true;
    }
}

bool *follow_paths(const struct context *c, const struct strv *paths)
{
    struct follow f = { .c = c };
    f.wanted = xcalloc(c->len + 1, sizeof(bool));
    f.whole = xcalloc(c->len + 1, sizeof(bool));
    for (size_t i = 0; i < paths->len && !f.all; i++) {
        auto_free char *rooted = xasprintf("/%s", paths->items[i]);
        auto_free char *clean = path_clean(rooted);
        step(&f, "", clean + 1, 0);
    }
    if (f.all)
        memset(f.wanted, true, c->len);
    else
        spread(&f);
    free(f.whole);
    return f.wanted;
}
